"""Every error that Glidepath raises on purpose.

All derive from `GlidepathError`, so one `except` catches them; each also derives from the built-in
that a reader would expect (`ValueError` for a bad value, `TypeError` for a bad kind of thing).
A message says what was given, what is allowed, and what to do.
"""


class GlidepathError(Exception):
    """Base of every error that Glidepath raises on purpose."""


class ScheduleError(GlidepathError, ValueError):
    """A schedule was described with a value it cannot have."""


class StepError(GlidepathError, TypeError):
    """Something that is not a step was used as one."""


class DraftError(GlidepathError, TypeError):
    """A draft was asked for values before it had a horizon."""


class HorizonError(GlidepathError, ValueError):
    """A plan does not fit its horizon, or the horizon lacks a unit that the plan uses."""


class MissingExtraError(GlidepathError, ImportError):
    """An optional package is not installed; the message gives the `pip install` line."""


class TextError(GlidepathError, ValueError):
    """A text is not a schedule; `place` is the index of the character where reading failed.

    >>> print(TextError("unknown name 'cosin'", text="cosin(95)", place=0, hint="did you mean cosine?"))
    unknown name 'cosin'; did you mean cosine?
      cosin(95)
      ^
    """

    def __init__(self, reason: str, *, text: str = "", place: int = 0, hint: str = "") -> None:
        self.reason, self.text, self.place, self.hint = reason, text, place, hint
        message = f"{reason}; {hint}" if hint else reason
        super().__init__(message + _caret(text, place) if text else message)


def _caret(text: str, place: int, width: int = 72) -> str:
    """Two lines: the part of `text` around `place`, and a caret under the place."""
    first = max(0, min(place - width // 2, len(text) - width))
    shown = "".join(c if c.isprintable() else " " for c in text[first : first + width])
    return f"\n  {shown}\n  {' ' * (place - first)}^"


class DriverError(GlidepathError, ValueError):
    """A schedule cannot drive this optimizer in this way."""


class LawError(GlidepathError, ValueError):
    """A loss law cannot be fitted to these runs, or cannot answer this question."""


class RunError(GlidepathError, ValueError):
    """A logged run cannot be read, or says something that cannot be true."""


class StateError(GlidepathError, ValueError):
    """A saved state does not belong to this driver; nothing of it was loaded."""


class GlidepathWarning(UserWarning):
    """Something that still works, and is probably not what was meant."""
