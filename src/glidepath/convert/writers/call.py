"""A call as people write it: on one line if it fits, else an argument a line."""

from typing import NamedTuple

from .expression import Operand, to_expression
from .layout import INDENT, WIDTH, indent


class Call(NamedTuple):
    """A call as Python text, and the name that it calls, which a program may have to import."""

    name: str
    text: str


def call(name: str, *arguments: str, **keywords: Operand | str | None) -> Call:
    """Write `name(arguments, keyword=value)`; a keyword that is None is left out."""
    texts = [*arguments, *(f"{key}={_value(value)}" for key, value in keywords.items() if value is not None)]
    line = f"{name}({', '.join(texts)})"
    if len(line) <= WIDTH - 4 * len(INDENT) and "\n" not in line:
        return Call(name, line)
    lines = [line for text in texts for line in indent(f"{text},", 1)]
    return Call(name, "\n".join([f"{name}(", *lines, ")"]))


def write_list(items: list[str]) -> str:
    """Write a list, an item a line if there is more than one."""
    if len(items) < 2:
        return f"[{', '.join(items)}]"
    return "\n".join(["[", *(line for item in items for line in indent(f"{item},", 1)), "]"])


def _value(value: Operand | str) -> str:
    return value if isinstance(value, str) else to_expression(value).text
