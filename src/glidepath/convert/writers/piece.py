"""Pieces in a row: each an expression that serves the steps from the end of the piece before it to its own."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .expression import Expression


class Piece(NamedTuple):
    """An expression that serves the steps before `end`."""

    end: int | None
    expression: Expression


Pieces = list[Piece]


def merged(found: Iterable[Piece]) -> Pieces:
    """Without pieces that serve nothing, equal neighbours as one, and the last one without an end."""
    kept: Pieces = []
    for piece in found:
        if piece.end is not None and piece.end <= (kept[-1].end or 0 if kept else 0):
            continue
        if kept and kept[-1].expression == piece.expression:
            kept.pop()
        kept.append(piece)
        if piece.end is None:
            break
    return [*kept[:-1], kept[-1]._replace(end=None)]


def until(found: Iterable[Piece], end: int) -> Iterator[Piece]:
    """The pieces before `end`, the last of them up to it."""
    for piece in found:
        if piece.end is None or piece.end >= end:
            yield piece._replace(end=end)
            return
        yield piece
