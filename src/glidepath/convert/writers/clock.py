"""The step of a part, as an expression of the step of the whole."""

from dataclasses import dataclass, replace
from typing import final

from .dialect import Dialect
from .expression import SUM, Expression


@final
@dataclass(frozen=True)
class Clock:
    """`name + offset`, or `offset - name` of a plan that runs backwards; offsets of parts within parts add up."""

    name: Expression
    offset: int = 0
    backwards: bool = False

    def later(self, steps: int) -> "Clock":
        """Of a part whose step 0 is `steps` before that of this one."""
        return replace(self, offset=self.offset + steps)

    def mirrored(self, last: int) -> "Clock":
        """Of a part that is at `last` where this one is at 0."""
        return replace(self, offset=last - self.offset, backwards=not self.backwards)

    def written(self, dialect: Dialect) -> Expression:
        """The step of the part."""
        if self.backwards:
            return dialect.whole(self.offset) - self.name
        if self.offset < 0:
            return self.name - dialect.whole(-self.offset)
        return self.name + dialect.whole(self.offset)

    def within_cycles(self, dialect: Dialect, length: int) -> "Clock":
        """Of a part that begins again every `length` steps."""
        return self._of(dialect, f"% {dialect.whole(length).text}")

    def held(self, dialect: Dialect, every: int) -> "Clock":
        """Of a part that only sees every `every`-th step."""
        return self._of(dialect, f"// {dialect.whole(every).text} * {dialect.whole(every).text}")

    def cycle(self, dialect: Dialect, length: int) -> Expression:
        """How many times `length` steps have passed."""
        return self._of(dialect, f"// {dialect.whole(length).text}").name

    def _of(self, dialect: Dialect, operation: str) -> "Clock":
        return Clock(Expression(f"{self.written(dialect).within(SUM + 1)} {operation}", SUM))
