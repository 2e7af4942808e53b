"""Reading several logs one by one: those that cannot be read are left out, with one warning that names them all."""

from collections.abc import Callable, Sequence
from typing import TypeVar, final

from glidepath.errors import Part, RunError
from glidepath.warn import warn_caller

S = TypeVar("S")
T = TypeVar("T")
LEFT_OUT = "GP403"
MOST = 20  # reasons in a message


@final
class Attempts:
    """The errors of the logs that could not be read, in their order."""

    def __init__(self) -> None:
        self.errors: list[RunError] = []

    def read_each(self, logs: Sequence[S], read: Callable[[S], list[T]]) -> list[T]:
        """Return all that is in some logs, without those that cannot be read.

        Raises:
            RunError: if the only one cannot be read.
        """
        if len(logs) == 1:
            return read(logs[0])
        results: list[T] = []
        for log in logs:
            try:
                results.extend(read(log))
            except RunError as error:
                self.errors.append(error)
        return results

    def check(self, results: Sequence[object]) -> None:
        """Check that something was read.

        Raises:
            RunError: with every reason, if nothing was.
        """
        if self.errors and not results:
            raise all_failed(self.errors)

    def warn(self) -> None:
        """Warn of what was left out, if anything was."""
        if self.errors:
            reasons = "; ".join(error.worded() for error in self.errors[:MOST])
            logs = f"{len(self.errors)} log{'s' * (len(self.errors) > 1)}"
            warn_caller(f"{logs} left out that cannot be read: {reasons}{_note_on_more(self.errors)}", LEFT_OUT)


def all_failed(errors: Sequence[RunError]) -> RunError:
    """Return the error about logs of which none can be read; that of the only one is its own."""
    if len(errors) == 1:
        return errors[0]
    parts: list[Part] = [f"none of {len(errors)} logs can be read: "]
    for i, error in enumerate(errors[:MOST]):
        parts.extend(["; "] if i else [])
        parts.extend(error.parts())
    return RunError([*parts, _note_on_more(errors)])


def _note_on_more(errors: Sequence[RunError]) -> str:
    return f"; and {len(errors) - MOST} more" if len(errors) > MOST else ""
