"""Branches in a row: each an expression that serves the steps from the end of the branch before it to its own."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .expression import Expression


class Branch(NamedTuple):
    """An expression that serves the steps before `end`."""

    end: int | None
    expression: Expression


def merge(branches: Iterable[Branch]) -> list[Branch]:
    """Drop branches that serve nothing, join equal neighbors, and leave the last one without an end."""
    merged: list[Branch] = []
    for branch in branches:
        if branch.end is not None and branch.end <= (merged[-1].end or 0 if merged else 0):
            continue
        if merged and merged[-1].expression == branch.expression:
            merged.pop()
        merged.append(branch)
        if branch.end is None:
            break
    return [*merged[:-1], merged[-1]._replace(end=None)]


def take_until(branches: Iterable[Branch], end: int) -> Iterator[Branch]:
    """Yield the branches before `end`, the last of them up to it."""
    for branch in branches:
        if branch.end is None or branch.end >= end:
            yield branch._replace(end=end)
            return
        yield branch
