"""How a schedule prints: one rule for every piece and for drafts.

A piece says which call builds it; operators are printed as operators, everything else as name(arguments). What is
printed is Python, with parentheses only where precedence asks for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

SEQUENCE, SUM, PRODUCT, ATOM = 1, 2, 3, 4  # as tightly as Python binds >>, +, * with /, and a call

INFIX = {
    "sequence": (" >> ", SEQUENCE),
    "add": (" + ", SUM),
    "shift": (" + ", SUM),
    "product": (" * ", PRODUCT),
    "scale": (" * ", PRODUCT),
    "divide": (" / ", PRODUCT),
}


@dataclass(frozen=True)
class Call:
    """The call that builds a schedule."""

    name: str
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)


class Printed(NamedTuple):
    """A text, how tightly its outermost operator binds, and whether all of it can be read back."""

    text: str
    binds: int = ATOM
    has_text: bool = True


def print_call(call: Call) -> Printed:
    """Return the text of a call."""
    if call.name in INFIX:
        return _infix(call)
    if call.name == "cut":
        return _slice(*call.arguments)
    arguments = [_value(value) for value in call.arguments]
    keywords = [(name, _value(value)) for name, value in call.keywords.items() if value is not None]
    shown = [a.text for a in arguments] + [f"{name}={value.text}" for name, value in keywords]
    has_text = all(value.has_text for value in (*arguments, *(value for _, value in keywords)))
    return Printed(f"{call.name}({', '.join(shown)})", has_text=has_text)


def _infix(call: Call) -> Printed:
    symbol, binds = INFIX[call.name]
    parts = [_value(part) for part in call.arguments]
    # operators associate to the left, so an operand on the right needs parentheses already when it binds alike
    shown = [_within(part, binds + (i > 0)) for i, part in enumerate(parts)]
    return Printed(symbol.join(shown), binds, all(part.has_text for part in parts))


def _slice(plan: Any, start: Any, stop: Any) -> Printed:
    inner = _value(plan)
    bounds = f"{start or ''!s}:{'' if stop is None else repr(stop)}"
    return Printed(f"{_within(inner, ATOM)}[{bounds}]", has_text=inner.has_text)


def _within(part: Printed, binds: int) -> str:
    return part.text if part.binds >= binds else f"({part.text})"


def _value(value: Any) -> Printed:
    if hasattr(value, "_call"):
        return print_call(value._call())
    if isinstance(value, (tuple, list)):
        items = [_value(item) for item in value]
        return Printed(f"[{', '.join(item.text for item in items)}]", has_text=all(item.has_text for item in items))
    if callable(value):
        return Printed(f"<function {getattr(value, '__qualname__', type(value).__name__)}>", has_text=False)
    return Printed(repr(value))
