"""The values of a target by update: those of its plan, computed ahead in blocks, and a multiple within its bounds."""

import math
from collections.abc import Callable
from itertools import takewhile

from glidepath.core.formula import Function
from glidepath.core.namespace import SCALAR

from .hyperparameter import bounds_of
from .targets import Target

BLOCK = 2048  # values of a plan that are computed ahead, at most
ROUNDING = 1e-12  # of the base
ALL_UP_TO = 2_000_000  # updates: of a longer plan not every value is computed ahead
LOOK_AHEAD = 10_000  # updates in which the peak of an endless plan is searched


class TargetValues:
    """The values of one target. Mutable: keeps the block of values that was asked for last.

    Args:
        target: what is scheduled.
    """

    target: Target
    is_unchecked: bool  # whether its values may be out of bounds: not all of them were computed ahead

    def __init__(self, target: Target) -> None:
        self.offset = 0
        self.follow(target)

    def note_check(self, position: int) -> None:
        """Note that every value from `position` on was computed ahead and is within its bounds (`value_checks.py`)."""
        duration = self.target.plan.duration
        short = duration is not None and duration - position <= ALL_UP_TO
        self.is_unchecked = not (short and self.target.is_data and self.target.hyperparameter.index is None)

    def follow(self, target: Target) -> None:
        """Give the values of another target from now on."""
        self.target, self.is_unchecked = target, True
        self._first, self._block = 0, list[float]()

    def plan_value(self, k: int) -> float:
        """Return the value of the plan at update k."""
        step = k + self.offset
        index = step - self._first
        if 0 <= index < len(self._block):
            return self._block[index]
        if not self.target.is_data:
            return self.target.plan._at(SCALAR, step)  # type: ignore[no-any-return]
        self._first = step
        self._block = self.target.plan.block(step, step + min(BLOCK, 8 + 2 * len(self._block)))
        return self._block[0]

    @property
    def function(self) -> Callable[[int], float]:
        """Return the function from an update to the value of the plan."""
        plan = self.target.plan
        return plan._value if isinstance(plan, Function) and not self.offset else self.plan_value

    def plan_values(self, k: int, steps: int) -> list[float]:
        """Return the values of the plan at `steps` updates from k on."""
        step = k + self.offset
        index = step - self._first
        if index < 0 or index + steps > len(self._block):
            self._first, self._block, index = step, self.target.plan.block(step, step + max(steps, BLOCK)), 0
        return self._block[index : index + steps]

    def highest_from(self, k: int) -> float:
        """Return the highest value of the plan from update k on; of an endless one, in the next 10,000 updates."""
        if not self.target.is_data:
            return self.plan_value(k)
        step = k + self.offset
        end = max(self.target.plan.duration or step + LOOK_AHEAD, step + 1)
        stride = max(1, (end - step) // LOOK_AHEAD)
        return max(value for i in range(step, end, stride) if math.isfinite(value := self.target.plan(i)))

    def bounds(self, multiplier: float) -> tuple[float, float]:
        """Return the bounds of a value; a plan that ends at 0 may end at -1e-17."""
        low, high = bounds_of(self.target.hyperparameter)
        return low - ROUNDING * abs(multiplier), high

    def column(self, multiplier: float, values: list[float]) -> list[float]:
        """Return multiplier * value for each value, up to one that the hyperparameter cannot have."""
        low, high = self.bounds(multiplier)
        minimum = self.target.minimum
        column = [multiplier * value for value in values] if multiplier != 1.0 else list(values)
        if not math.isfinite(sum(column)):
            column = list(takewhile(math.isfinite, column))
        if minimum is not None:
            column = [max(value, minimum) for value in column]
        if self.is_unchecked and column and not (low <= min(column) and max(column) < high):
            column = list(takewhile(lambda value: low <= value < high, column))
        return column

    def ask(self, multiplier: float, k: int) -> list[float]:
        """Return the column of update k alone, empty if its value cannot be used."""
        return self.column(multiplier, [self.plan_value(k)])
