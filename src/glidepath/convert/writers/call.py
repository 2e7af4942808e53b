"""A call as people write it: on one line if it fits, else an argument a line."""

from .expression import Operand, written
from .layout import INDENT, WIDTH, indented


def call(name: str, *arguments: str, **keywords: Operand | str | None) -> str:
    """`name(arguments, keyword=value)`; a keyword that is None is left out."""
    named = [f"{key}={_value(value)}" for key, value in keywords.items() if value is not None]
    shown = [*arguments, *named]
    line = f"{name}({', '.join(shown)})"
    if len(line) <= WIDTH - 4 * len(INDENT) and "\n" not in line:
        return line
    lines = [line for item in shown for line in indented(f"{item},", 1)]
    return "\n".join([f"{name}(", *lines, ")"])


def listing(items: list[str]) -> str:
    """A list, an item a line if there is more than one."""
    if len(items) < 2:
        return f"[{', '.join(items)}]"
    return "\n".join(["[", *(line for item in items for line in indented(f"{item},", 1)), "]"])


def _value(value: Operand | str) -> str:
    return value if isinstance(value, str) else written(value).text
