"""Lines of code: the body of a function from its pieces, and rows of numbers."""

import re
import textwrap
from collections.abc import Iterable, Sequence

from .dialect import Dialect
from .expression import Expression
from .piece import Piece

WIDTH = 100
INDENT = " " * 4


def body(pieces: Sequence[Piece], step: str, dialect: Dialect) -> list[str]:
    """The lines that return the value at `step`."""
    if len(pieces) == 1:
        return [f"{INDENT}return {_alone(pieces[0].expression, step, dialect)}"]
    return list(_branches(pieces, step)) if dialect.branches else _selection(pieces, step, dialect)


def _alone(value: Expression, step: str, dialect: Dialect) -> str:
    """A value in the shape of the step, also if it does not depend on it."""
    if dialect.branches or step in re.findall(r"\w+", value.text):
        return value.text
    return dialect.call("full_like", Expression(step), value, Expression("dtype=float")).text


def _branches(pieces: Sequence[Piece], step: str) -> Iterable[str]:
    for piece in pieces[:-1]:
        yield f"{INDENT}if {step} < {piece.end}:"
        yield f"{INDENT * 2}return {piece.expression.text}"
    yield f"{INDENT}return {pieces[-1].expression.text}"


def _selection(pieces: Sequence[Piece], step: str, dialect: Dialect) -> list[str]:
    """All pieces are computed, and the first that has not ended is taken, so that a compiler can trace it."""
    ends = [f"{step} < {dialect.whole(piece.end or 0).text}" for piece in pieces[:-1]]
    values = [piece.expression.text for piece in pieces]
    if len(pieces) == 2:
        return [f"{INDENT}return {dialect.module}.where({ends[0]}, {values[0]}, {values[1]})"]
    return [
        f"{INDENT}return {dialect.module}.select(",
        *indented(row("[", ends, "],"), 2),
        *indented(row("[", values[:-1], "],"), 2),
        f"{INDENT * 2}{values[-1]},",
        f"{INDENT})",
    ]


def row(begin: str, items: Iterable[str], end: str) -> str:
    """A list on one line, or on as many as it needs."""
    known = list(items)
    line = f"{begin}{', '.join(known)}{end}"
    if len(line) <= WIDTH - 2 * len(INDENT):
        return line
    if max(map(len, known)) > 24:
        return "\n".join([begin, *(f"{INDENT}{item}," for item in known), end])
    filled = textwrap.fill(", ".join(known) + ",", WIDTH - 3 * len(INDENT), break_long_words=False)
    return "\n".join([begin, *indented(filled, 1), end])


def indented(text: str, times: int) -> list[str]:
    """The lines of a text, further to the right."""
    return [f"{INDENT * times}{line}" for line in text.splitlines()]


def comment(text: str) -> str:
    """A text as a comment; a long one is cut."""
    return "\n".join(f"# {line}" for line in textwrap.wrap(textwrap.shorten(text, 600, placeholder=" ..."), WIDTH - 2))
