"""The step of a part, as an expression of the step of the whole."""

from dataclasses import dataclass, replace
from typing import final

from .dialect import Dialect
from .expression import SUM, Expression


@final
@dataclass(frozen=True)
class LocalStep:
    """`name + offset`, or `offset - name` of a plan that runs backwards; offsets of parts within parts add up."""

    name: Expression
    offset: int = 0
    backwards: bool = False

    def shift(self, steps: int) -> "LocalStep":
        """Return the step of a part whose step 0 is `steps` before that of this one."""
        return replace(self, offset=self.offset + steps)

    def mirror(self, last: int) -> "LocalStep":
        """Return the step of a part that is at `last` where this one is at 0."""
        return replace(self, offset=last - self.offset, backwards=not self.backwards)

    def expression(self, dialect: Dialect) -> Expression:
        """Write the step of the part."""
        if self.backwards:
            return dialect.whole(self.offset) - self.name
        if self.offset < 0:
            return self.name - dialect.whole(-self.offset)
        return self.name + dialect.whole(self.offset)

    def within_cycles(self, dialect: Dialect, length: int) -> "LocalStep":
        """Return the step of a part that begins again every `length` steps."""
        return self._apply(dialect, f"% {dialect.whole(length).text}")

    def floor(self, dialect: Dialect, every: int) -> "LocalStep":
        """Return the step of a part that only sees every `every`-th step."""
        return self._apply(dialect, f"// {dialect.whole(every).text} * {dialect.whole(every).text}")

    def cycle_index(self, dialect: Dialect, length: int) -> Expression:
        """Write how many times `length` steps have passed."""
        return self._apply(dialect, f"// {dialect.whole(length).text}").name

    def _apply(self, dialect: Dialect, operation: str) -> "LocalStep":
        return LocalStep(Expression(f"{self.expression(dialect).within(SUM + 1)} {operation}", SUM))
