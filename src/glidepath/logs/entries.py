"""Runs in a log that were recognized and not yet built, and which of them are chosen by name."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from glidepath.errors import RunError
from glidepath.runs.run import Run

from .studies.study import Only


class Entry(NamedTuple):
    """A run in a log.

    Args:
        name: of the run.
        schedule: its name in a study; "" in the log of a single run.
        build: reads the rest of the run.
    """

    name: str
    schedule: str
    build: Callable[[], Run]

    @property
    def names(self) -> set[str]:
        """Return the names by which the run is chosen: a schedule stands for all its seeds."""
        return {self.name, self.schedule} - {""}


def choose_by_name(entries: Sequence[Entry], only: Only | None) -> list[Entry]:
    """Return the runs with one of these names; all if no name is given.

    Raises:
        RunError: if no run has a name.
    """
    names = [name for name in only or () if isinstance(name, str)]
    if not names:
        return list(entries)
    check_names(names, entries)
    return [entry for entry in entries if entry.names & set(names)]


def check_names(names: Sequence[str], entries: Sequence[Entry]) -> None:
    """Check that every name is that of a run.

    Raises:
        RunError: with the names there are.
    """
    unknown = next((name for name in names if not any(name in entry.names for entry in entries)), None)
    if unknown is not None:
        choices = list(dict.fromkeys(entry.schedule or entry.name for entry in entries))
        raise RunError(f"no run is called {unknown!r}", choices=choices)
