"""A command that a signal brings, as Slurm sends one before the end of a job."""

import signal as signals
from typing import Any, final

from glidepath.errors import SchedulerError

from .command import Command


@final
class CommandOnSignal:
    """One command, carried out once after a signal has come."""

    def __init__(self, number: int, command: Command) -> None:
        self._number, self._command, self._came = number, command, False
        try:
            self._previous = signals.signal(number, self._note)
        except (ValueError, OSError) as error:
            raise SchedulerError(f"signal {number} cannot be followed here: {error}") from error

    def _note(self, number: int, frame: Any) -> None:
        self._came = True

    def read(self, update: int) -> list[Command] | str | None:
        return [self._command._replace(update=update)] if self._came else None

    def close(self) -> None:
        """Put the previous handler back."""
        if signals.getsignal(self._number) == self._note:
            signals.signal(self._number, self._previous)
