"""The error of a study: all its mistakes at once, each with the path of its key."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from glidepath.core.errors import GlidepathError

Path = tuple[int | str, ...]


class Mistake(NamedTuple):
    """What is wrong, and where: the keys and indices that lead to it."""

    path: Path
    reason: str


class StudyError(GlidepathError, ValueError):
    """A study is described wrongly, or its folder cannot be used; the message lists every mistake.

    >>> print(StudyError([Mistake(("seeds", 1), "0 is given twice")]))
    seeds[1]: 0 is given twice
    """

    def __init__(self, mistakes: Sequence[Mistake] | str, place: Callable[[Path], str] = lambda path: "") -> None:
        self.mistakes = () if isinstance(mistakes, str) else tuple(mistakes)
        lines = (f"{place(path)}{dotted(path)}: {reason}" for path, reason in self.mistakes)
        super().__init__(mistakes if isinstance(mistakes, str) else "\n".join(lines))


def dotted(path: Path) -> str:
    """A path as people write it.

    >>> dotted(("schedules", "late drop")), dotted(("seeds", 1))
    ('schedules.late drop', 'seeds[1]')
    """
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".") or "the study"
