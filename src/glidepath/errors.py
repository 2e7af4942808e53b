"""Errors and warnings: data first, worded when they are shown.

An error knows its code, what is wrong, what is allowed, where it happened, and the arguments that cure it.
`str(error)` words this for a Python user, who writes `columns={"rate": ...}`; the command line words the same data as
options, `--column rate=...`, with `error.worded(...)`. Nothing decides by the text of a message.

All errors derive from `GlidepathError`, so one `except` catches them; each also derives from the built-in class that a
reader would expect (`ValueError` for a bad value, `TypeError` for a bad kind of object). The codes are explained in
`glidepath.codes`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self, final


@final
@dataclass(frozen=True)
class Argument:
    """An argument of the function that raised, named in a message or as part of a cure.

    Args:
        name: of the parameter.
        value: an example; None to name the parameter alone.
        key: for a parameter that takes a mapping: the key to give.

    Examples:
        >>> print(Argument("peak"), Argument("peak", 0.1), Argument("columns", key="rate"))
        peak= peak=0.1 columns={"rate": ...}
    """

    name: str
    value: object | None = None
    key: str = ""

    def __str__(self) -> str:
        value = "" if self.value is None else _literal(self.value)
        return f'{self.name}={{"{self.key}": {value or "..."}}}' if self.key else f"{self.name}={value}"


def _literal(value: object) -> str:
    """Return a value as Python text, on one line and safe to print; plain texts in double quotes."""
    plain = isinstance(value, str) and value.isprintable() and not {'"', "\\"} & set(value)
    return f'"{value}"' if plain else repr(value)


Part = str | Argument  # of a message; arguments in it are worded by the interface that shows it
Text = str | Sequence[Part]
Wording = Callable[[Argument], str]  # how an interface writes an argument


def _join(parts: Iterable[Part], wording: Wording) -> str:
    return "".join(wording(part) if isinstance(part, Argument) else part for part in parts)


@final
@dataclass(frozen=True)
class Cure:
    """One thing to do about an error, and the arguments that do it; several arguments are given together.

    Examples:
        >>> Cure("give the schedule of the run", Argument("plan"), Argument("peak")).worded()
        'give the schedule of the run, plan= and peak='
    """

    advice: str
    arguments: tuple[Argument, ...]

    def __init__(self, advice: str, *arguments: Argument) -> None:
        object.__setattr__(self, "advice", advice)
        object.__setattr__(self, "arguments", arguments)

    def parts(self) -> Iterator[Part]:
        """Yield the advice and its arguments, in the order of the sentence."""
        yield self.advice
        for i, argument in enumerate(self.arguments):
            yield " and " if i else ", "
            yield argument

    def worded(self, wording: Wording = str) -> str:
        """Return the advice as a text, its arguments written by `wording`."""
        return _join(self.parts(), wording)


@final
@dataclass(frozen=True)
class Place:
    """Where something is wrong: a file, and a line, a part or a step in it, as far as they are known.

    Examples:
        >>> print(Place("log.csv", line=3), Place("state.json", part="log_history[4]"), Place("run", step=120))
        log.csv:3 state.json, log_history[4] run, step 120
    """

    file: str
    line: int | None = None
    part: str = ""
    step: int | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        step = "" if self.step is None else f", step {self.step}"
        return f"{self.file}{line}{f', {self.part}' if self.part else ''}{step}"


class GlidepathError(Exception):
    """Base of every error that Glidepath raises on purpose.

    Args:
        problem: what is wrong, with the value, as a text or as parts with arguments in it.
        place: where it is wrong.
        choices: what is there instead, or allowed.
        cures: what to do; each is an alternative.
        code: of this kind of error, where it is more special than that of its class.

    Examples:
        >>> error = GlidepathError("no column for the rate", place=Place("a.csv"), choices=["it", "loss"],
        ...     cures=[Cure("name it", Argument("columns", key="rate"))])
        >>> print(error)
        a.csv: no column for the rate; there are it, loss: name it, columns={"rate": ...} [GP001]
        >>> error.worded(lambda argument: f"--column {argument.key}=...")
        'a.csv: no column for the rate; there are it, loss: name it, --column rate=...'
    """

    code: str = "GP001"

    def __init__(
        self,
        problem: Text = "",
        *,
        place: Place | str | None = None,
        choices: Sequence[str] = (),
        cures: Sequence[Cure] = (),
        code: str = "",
    ) -> None:
        super().__init__(problem)
        self.problem, self.place, self.choices, self.cures = problem, place, tuple(choices), tuple(cures)
        if code:
            self.code = code

    def parts(self) -> Iterator[Part]:
        """Yield the whole message, its arguments still data: to be worded, or to be part of another error.

        >>> list(GlidepathError("no rate", cures=[Cure("name it", Argument("peak"))]).parts())
        ['no rate', ': ', 'name it', ', ', Argument(name='peak', value=None, key='')]
        """
        if self.place:
            yield f"{self.place}: "
        yield from self.reason()
        if self.choices:
            yield f"; there are {', '.join(self.choices)}"
        for i, cure in enumerate(self.cures):
            yield ", or " if i else ": "
            yield from cure.parts()

    def reason(self) -> Sequence[Part]:
        """Return what is wrong, without the place, the choices and the cures."""
        return [self.problem] if isinstance(self.problem, str) else self.problem

    def worded(self, wording: Wording = str) -> str:
        """Return the message without its code, each argument written by `wording`."""
        return _join(self.parts(), wording)

    def at(self, place: Place | str) -> Self:
        """Return this error with its place set; used where the place is known later than the problem."""
        self.place = place
        return self

    def __str__(self) -> str:
        first, *rest = self.worded().split("\n", 1)
        return "\n".join([f"{first} [{self.code}]", *rest])


# --- plans ---


class ScheduleError(GlidepathError, ValueError):
    """A schedule was described with a value it cannot have."""

    code = "GP101"


class ArgumentError(ScheduleError, TypeError):
    """A recipe was called with an argument that it does not have, or without one that it needs.

    Args:
        problem: what is wrong with the call.
        argument: the name of the wrong argument, or the index of a surplus one; None if one is missing.
        usage: the recipe with its own arguments.
        cures: what to use instead.

    Examples:
        >>> print(ArgumentError("min_lr is not an argument", usage="rex(steps, *, to=0.0)", cures=[Cure("use to=")]))
        min_lr is not an argument; use to=: rex(steps, *, to=0.0) [GP102]
    """

    code = "GP102"

    def __init__(
        self,
        problem: Text = "",
        *,
        argument: str | int | None = None,
        usage: str = "",
        cures: Sequence[Cure] = (),
        code: str = "",
    ) -> None:
        super().__init__(problem, cures=cures, code=code)
        self.argument, self.usage = argument, usage

    def parts(self) -> Iterator[Part]:
        """Yield what is wrong, what to use, and the recipe's own arguments."""
        yield from self.reason()
        for cure in self.cures:
            yield "; "
            yield from cure.parts()
        if self.usage:
            yield f": {self.usage}"


class StepError(GlidepathError, TypeError):
    """Something that is not a step was used as one."""

    code = "GP103"


class DraftError(GlidepathError, TypeError):
    """A draft was asked for values before it had a horizon."""

    code = "GP104"


class HorizonError(GlidepathError, ValueError):
    """A plan does not fit its horizon, or the horizon lacks a unit that the plan uses."""

    code = "GP105"


class TextError(GlidepathError, ValueError):
    """A text is not a schedule; `offset` is the index of the character where reading failed.

    >>> print(TextError("unknown name 'cosin'", text="cosin(95)", offset=0, hint="did you mean cosine?"))
    unknown name 'cosin'; did you mean cosine? [GP106]
      cosin(95)
      ^
    """

    code = "GP106"

    def __init__(self, problem: str, *, text: str = "", offset: int = 0, hint: str = "", code: str = "") -> None:
        super().__init__(problem, code=code)
        self.text, self.offset, self.hint = text, offset, hint

    def parts(self) -> Iterator[Part]:
        """Yield the message, and two lines that point at the character."""
        yield from super().parts()
        if self.hint:
            yield f"; {self.hint}"
        if self.text:
            yield _caret(self.text, self.offset)


def _caret(text: str, offset: int, width: int = 72) -> str:
    """Return two lines: the part of `text` around `offset`, and a caret under it."""
    first = max(0, min(offset - width // 2, len(text) - width))
    excerpt = "".join(c if c.isprintable() else " " for c in text[first : first + width])
    return f"\n  {excerpt}\n  {' ' * (offset - first)}^"


# --- PyTorch ---


class SchedulerError(GlidepathError, ValueError):
    """A schedule cannot be attached to this optimizer in this way."""

    code = "GP201"


class StateError(GlidepathError, ValueError):
    """A saved state does not belong to this scheduler; nothing of it was loaded."""

    code = "GP202"


class OptimizerError(GlidepathError, TypeError):
    """Something that is not an optimizer was to be scheduled, or something that is not a function was to schedule."""

    code = "GP203"


class ResumeError(GlidepathError, KeyError):
    """A schedule was to be resumed on an optimizer that does not know where it began."""

    code = "GP204"


class GroupError(GlidepathError, RuntimeError):
    """The optimizer's groups are not those that the scheduler was built for."""

    code = "GP205"


# --- tasks and studies ---


class TaskError(GlidepathError, ValueError):
    """A task cannot be found, is not a task, or failed while it was used."""

    code = "GP301"


KeyPath = tuple[int | str, ...]  # the keys and indices that lead to a part of a study


class Mistake(NamedTuple):
    """What is wrong in a study, and where: the keys and indices that lead to it."""

    path: KeyPath
    reason: str | tuple[str | Argument, ...]


class StudyError(GlidepathError, ValueError):
    """A study is described wrongly, or its folder cannot be used; the message lists every mistake.

    >>> print(StudyError([Mistake(("seeds", 1), "0 is given twice")]))
    seeds[1]: 0 is given twice [GP302]
    """

    code = "GP302"

    def __init__(
        self,
        problem: Sequence[Mistake] | Text,
        locate: Callable[[KeyPath], str] = lambda path: "",
        *,
        cures: Sequence[Cure] = (),
        code: str = "",
    ) -> None:
        mistakes = [part for part in problem if isinstance(part, Mistake)]
        parts: list[str | Argument] = []
        for path, reason in mistakes:
            parts.append(f"{chr(10) if parts else ''}{locate(path)}{dotted(path)}: ")
            parts.extend([reason] if isinstance(reason, str) else reason)
        super().__init__(parts or problem, cures=cures, code=code)  # type: ignore[arg-type]
        self.mistakes = tuple(mistakes)


def dotted(path: KeyPath) -> str:
    """Return a path as people write it.

    >>> dotted(("schedules", "late drop")), dotted(("seeds", 1))
    ('schedules.late drop', 'seeds[1]')
    """
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".") or "the study"


class StoreError(GlidepathError):
    """A store cannot be opened or written, or is not what it should be."""

    code = "GP303"


class SnapshotError(GlidepathError):
    """A snapshot is missing, or not as it was written: its state is trained again."""

    code = "GP304"


class MachineError(GlidepathError):
    """A worker runs on another kind of machine than the study began on, so its bits would differ."""

    code = "GP305"


class WorkerLostError(GlidepathError):
    """A worker process died: killed, or out of memory."""

    code = "GP306"


# --- runs, laws, other libraries ---


class RunError(GlidepathError, ValueError):
    """A logged run cannot be read, or contains something that cannot be true."""

    code = "GP401"


class LawError(GlidepathError, ValueError):
    """A loss law cannot be fitted to these runs, or cannot answer this question."""

    code = "GP402"


class ConvertError(GlidepathError, ValueError):
    """A schedule of another library cannot be read, or a plan cannot be written for it."""

    code = "GP501"


class NoFormulaError(ConvertError):
    """A plan, or a part of it, has no formula in the language of another library; a table of its values may do."""

    code = "GP502"


class MissingExtraError(GlidepathError, ImportError):
    """An optional package is not installed.

    Args:
        package: the one that is missing.
        extra: of Glidepath, which is enough; empty for a package that none of them brings.
        purpose: what it is needed for.

    Examples:
        >>> print(MissingExtraError("scipy", "law", "loss laws"))
        loss laws need scipy, which is not installed: pip install "glidepath[law]" [GP601]
    """

    code = "GP601"

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        install = f'pip install "glidepath[{extra}]"' if extra else f"pip install {package}"
        verb = "needs" if purpose.startswith(("a ", "an ", "the ")) else "need"
        super().__init__(f"{purpose} {verb} {package}, which is not installed", cures=[Cure(install)])
        self.package, self.extra, self.purpose = package, extra, purpose

    def __reduce__(self) -> tuple[type[Self], tuple[str, str, str], dict[str, object]]:
        return type(self), (self.package, self.extra, self.purpose), self.__dict__


class GlidepathWarning(UserWarning):
    """Something that still works, and is probably not what was meant.

    Examples:
        >>> print(GlidepathWarning("the rate was changed", code="GP701"))
        the rate was changed [GP701]
    """

    default: ClassVar[str] = "GP700"

    def __init__(self, message: str, *, code: str = default) -> None:
        super().__init__(message)
        self.code = code

    def __str__(self) -> str:
        return f"{super().__str__()} [{self.code}]"
