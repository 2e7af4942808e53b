"""Arithmetic as Python writes it: parentheses only where they are needed, and nothing written that does nothing."""

from dataclasses import dataclass
from typing import final

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4  # as tightly as Python binds + and -, * and /, **, and a call


@final
@dataclass(frozen=True)
class Expression:
    """A fragment of Python, and how tightly its outermost operator binds.

    Args:
        text: the Python.
        binds: SUM, PRODUCT, POWER or ATOM.
        value: its number, if it is one.
        multiple: the number and what it multiplies, if it is a product that begins with one.
    """

    text: str
    binds: int = ATOM
    value: float | None = None
    multiple: "tuple[float, Expression] | None" = None

    def __add__(self, other: "Operand") -> "Expression":
        a, b = self, to_expression(other)
        if a.value == 0.0 or b.value == 0.0:
            return b if a.value == 0.0 else a
        if a.value is not None and b.value is not None:
            return to_expression(tidy(a.value + b.value))
        return Expression(f"{a.within(SUM)} + {b.within(SUM)}", SUM)

    def __radd__(self, other: "Operand") -> "Expression":
        return to_expression(other) + self

    def __sub__(self, other: "Operand") -> "Expression":
        a, b = self, to_expression(other)
        if b.value == 0.0:
            return a
        if a.value is not None and b.value is not None:
            return to_expression(tidy(a.value - b.value))
        return Expression(f"{a.within(SUM)} - {b.within(PRODUCT)}", SUM)

    def __rsub__(self, other: "Operand") -> "Expression":
        return to_expression(other) - self

    def __mul__(self, other: "Operand") -> "Expression":
        a, b = self, to_expression(other)
        if 0.0 in (a.value, b.value):
            return to_expression(0.0)
        if 1.0 in (a.value, b.value):
            return b if a.value == 1.0 else a
        if a.value is not None and b.value is not None:
            return to_expression(tidy(a.value * b.value))
        if a.value is not None and b.multiple is not None:
            return to_expression(tidy(a.value * b.multiple[0])) * b.multiple[1]
        multiple = None if a.value is None else (a.value, b)
        return Expression(f"{a.within(PRODUCT)} * {b.within(PRODUCT)}", PRODUCT, multiple=multiple)

    def __rmul__(self, other: "Operand") -> "Expression":
        return to_expression(other) * self

    def __truediv__(self, other: "Operand") -> "Expression":
        a, b = self, to_expression(other)
        if b.value == 1.0:
            return a
        return Expression(f"{a.within(PRODUCT)} / {b.within(POWER)}", PRODUCT)

    def __rtruediv__(self, other: "Operand") -> "Expression":
        return to_expression(other) / self

    def __pow__(self, other: "Operand") -> "Expression":
        b = to_expression(other)
        return self if b.value == 1.0 else Expression(f"{self.within(ATOM)} ** {b.within(POWER)}", POWER)

    def __rpow__(self, other: "Operand") -> "Expression":
        return to_expression(other) ** self

    def within(self, binds: int) -> str:
        """Return the text as an operand of something that binds so tightly."""
        return self.text if self.binds >= binds else f"({self.text})"


Operand = Expression | float


def to_expression(number: Operand) -> Expression:
    """Write a number as Python does; an expression stays as it is."""
    if isinstance(number, Expression):
        return number
    return Expression(repr(number), ATOM if number >= 0 else SUM, number)


def tidy(computed: float) -> float:
    """Return a computed number without the digits that are only rounding: 0.1 * 0.0003 is 3e-05."""
    return computed if isinstance(computed, int) else float(f"{computed:.15g}")
