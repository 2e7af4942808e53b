"""Lines of code: the body of a function from its branches, rows of numbers, comments."""

import re
import textwrap
from collections.abc import Iterable, Sequence

from .branch import Branch
from .dialect import Dialect
from .expression import Expression

WIDTH = 100
INDENT = " " * 4


def write_body(branches: Sequence[Branch], step: str, dialect: Dialect) -> list[str]:
    """Write the lines that return the value at `step`."""
    if len(branches) == 1:
        return [f"{INDENT}return {_single_value(branches[0].expression, step, dialect)}"]
    return list(_branches(branches, step)) if dialect.uses_if else _selection(branches, step, dialect)


def _single_value(value: Expression, step: str, dialect: Dialect) -> str:
    """Write a value in the shape of the step, also if it does not depend on it."""
    if dialect.uses_if or step in re.findall(r"\w+", value.text):
        return value.text
    return dialect.call("full_like", Expression(step), value, Expression("dtype=float")).text


def _branches(branches: Sequence[Branch], step: str) -> Iterable[str]:
    for branch in branches[:-1]:
        yield f"{INDENT}if {step} < {branch.end}:"
        yield f"{INDENT * 2}return {branch.expression.text}"
    yield f"{INDENT}return {branches[-1].expression.text}"


def _selection(branches: Sequence[Branch], step: str, dialect: Dialect) -> list[str]:
    """Compute all branches and select the first that has not ended, so that a compiler can trace it."""
    ends = [f"{step} < {dialect.whole(branch.end or 0).text}" for branch in branches[:-1]]
    values = [branch.expression.text for branch in branches]
    if len(branches) == 2:
        return [f"{INDENT}return {dialect.module}.where({ends[0]}, {values[0]}, {values[1]})"]
    return [
        f"{INDENT}return {dialect.module}.select(",
        *indent(write_row("[", ends, "],"), 2),
        *indent(write_row("[", values[:-1], "],"), 2),
        f"{INDENT * 2}{values[-1]},",
        f"{INDENT})",
    ]


def write_row(begin: str, items: Iterable[str], end: str) -> str:
    """Write a list on one line, or on as many as it needs."""
    texts = list(items)
    line = f"{begin}{', '.join(texts)}{end}"
    if len(line) <= WIDTH - 2 * len(INDENT):
        return line
    if max(map(len, texts)) > 24:
        return "\n".join([begin, *(f"{INDENT}{item}," for item in texts), end])
    filled = textwrap.fill(", ".join(texts) + ",", WIDTH - 3 * len(INDENT), break_long_words=False)
    return "\n".join([begin, *indent(filled, 1), end])


def indent(text: str, times: int) -> list[str]:
    """Indent the lines of a text."""
    return [f"{INDENT * times}{line}" for line in text.splitlines()]


def comment(text: str) -> str:
    """Write a text as a comment; a long one is cut."""
    return "\n".join(f"# {line}" for line in textwrap.wrap(textwrap.shorten(text, 600, placeholder=" ..."), WIDTH - 2))
