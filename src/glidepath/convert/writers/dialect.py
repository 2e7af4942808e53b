"""What a formula is written in: Python with its math module, JAX, or keras.ops."""

from dataclasses import dataclass
from typing import final

from .expression import Expression, Operand, to_expression


@final
@dataclass(frozen=True)
class Dialect:
    """A module of functions, and whether a branch is Python's `if` or a selection that can be traced.

    Args:
        module: the name that the functions are called on.
        pi: how pi is written.
        uses_if: whether the step is a Python int.
        longest: a step that is never reached; what begins there or later need not be written.
    """

    module: str
    pi: Expression
    uses_if: bool
    longest: int

    def call(self, name: str, *arguments: Operand) -> Expression:
        """Write a call of a function of the module."""
        return Expression(f"{self.module}.{name}({', '.join(to_expression(argument).text for argument in arguments)})")

    def smaller(self, a: Operand, b: Operand) -> Expression:
        """Write the smaller of two."""
        return self._either("min", "minimum", a, b)

    def larger(self, a: Operand, b: Operand) -> Expression:
        """Write the larger of two."""
        return self._either("max", "maximum", a, b)

    def _either(self, python: str, traced: str, a: Operand, b: Operand) -> Expression:
        first, second = to_expression(a), to_expression(b)
        if first.value is not None and second.value is not None:
            return to_expression({"min": min, "max": max}[python](first.value, second.value))
        if self.uses_if:
            return Expression(f"{python}({first.text}, {second.text})")
        return self.call(traced, first, second)

    def whole(self, number: int) -> Expression:
        """Write a count of steps; beyond 32 bits the frameworks take it as a float only."""
        return to_expression(number if self.uses_if or number < 2**31 else float(number))

    def clamp(self, k: Expression, last: int) -> Expression:
        """Limit `k` to 0 to `last` where what is not selected is computed all the same."""
        return k if self.uses_if else self.call("clip", k, 0, self.whole(last))


PYTHON = Dialect("math", Expression("math.pi"), uses_if=True, longest=2**53)
JAX = Dialect("jnp", Expression("jnp.pi"), uses_if=False, longest=2**31)
KERAS = Dialect("ops", Expression("math.pi"), uses_if=False, longest=2**31)
