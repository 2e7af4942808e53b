"""What a formula is written in: Python with its math module, JAX, or keras.ops."""

from dataclasses import dataclass
from typing import final

from .expression import Expression, Operand, written


class CannotWriteError(Exception):
    """A plan has no expression in a dialect; a table may still do."""


@final
@dataclass(frozen=True)
class Dialect:
    """A module of functions, and whether a branch is Python's `if` or a selection that can be traced.

    Args:
        module: the name that the functions are called on.
        pi: how pi is written.
        branches: whether the step is a Python int.
        longest: a step that is never reached; what begins there or later need not be written.
    """

    module: str
    pi: Expression
    branches: bool
    longest: int

    def call(self, name: str, *arguments: Operand) -> Expression:
        """A function of the module."""
        return Expression(f"{self.module}.{name}({', '.join(written(one).text for one in arguments)})")

    def smaller(self, a: Operand, b: Operand) -> Expression:
        """The smaller of two."""
        return self._either("min", "minimum", a, b)

    def larger(self, a: Operand, b: Operand) -> Expression:
        """The larger of two."""
        return self._either("max", "maximum", a, b)

    def _either(self, python: str, theirs: str, a: Operand, b: Operand) -> Expression:
        first, second = written(a), written(b)
        if first.value is not None and second.value is not None:
            return written({"min": min, "max": max}[python](first.value, second.value))
        if self.branches:
            return Expression(f"{python}({first.text}, {second.text})")
        return self.call(theirs, first, second)

    def whole(self, number: int) -> Expression:
        """A count of steps; beyond 32 bits the frameworks take it as a float only."""
        return written(number if self.branches or number < 2**31 else float(number))

    def kept(self, k: Expression, last: int) -> Expression:
        """`k` between 0 and `last`, where what is not selected is computed all the same."""
        return k if self.branches else self.call("clip", k, 0, self.whole(last))


PYTHON = Dialect("math", Expression("math.pi"), branches=True, longest=2**53)
JAX = Dialect("jnp", Expression("jnp.pi"), branches=False, longest=2**31)
KERAS = Dialect("ops", Expression("math.pi"), branches=False, longest=2**31)
