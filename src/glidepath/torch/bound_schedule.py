"""A bound schedule: one plan on one hyperparameter of some parameter groups, with a slot for each group.

The value that a group gets at update k is exactly

    max(multiplier * plan(k), minimum),    multiplier = base * factor,

where base is the value that the group had when it was bound (1 for `Set`), and factor is what other code has
multiplied it by since. Such a change is noticed because the group no longer holds the value that was written last.

Rates that are tensors are filled in place with the float64 value, and a change is noticed by the tensor's version
counter, without reading the tensor back from the device.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import final

from torch import Tensor, tensor

from glidepath.errors import SchedulerError

from .hyperparameter import Group, Hyperparameter, TensorVersion, tensor_version
from .targets import Target


@final
@dataclass(eq=False)
class Slot:
    """One parameter group of a bound schedule: where it writes, and what it wrote last. Mutable.

    Args:
        hyperparameter: the one that is scheduled.
        group: of the optimizer; replaced when loading a state replaces the dict.
        base: what the plan is multiplied by.
        written: the last written value.
        version: of the tensor that was written, if it is a tensor.
        factor: the product of all changes by other code.
    """

    hyperparameter: Hyperparameter
    group: Group
    base: float
    written: float
    version: TensorVersion | None
    factor: float = 1.0

    @property
    def multiplier(self) -> float:
        """Return base * factor."""
        return self.base * self.factor

    @property
    def is_float(self) -> bool:
        """Return whether the group holds a plain float."""
        return type(self.hyperparameter.get(self.group)) is float

    def read(self) -> float:
        """Return what the group holds; for a tensor that was not changed, the written value at full precision."""
        value = self.hyperparameter.get(self.group)
        if not isinstance(value, Tensor):
            return float(value)
        if tensor_version(value) == self.version:
            return self.written
        rounded = tensor(self.written, dtype=value.dtype).item()
        return self.written if float(value) == rounded else float(value)

    def write(self, value: float) -> None:
        """Write a value into the group, in place if it holds a tensor."""
        old = self.hyperparameter.get(self.group)
        if isinstance(old, Tensor):
            old.fill_(value)
            self.version = tensor_version(old)
        else:
            self.hyperparameter.put(self.group, value)
        self.written = value

    def accept(self) -> None:
        """Take what the group holds for the last written value, so that it does not count as a change."""
        value = self.hyperparameter.get(self.group)
        self.written, self.version = float(value), tensor_version(value)


@final
class BoundSchedule:
    """A target with the slots that it selects. Mutable; refers to groups, and not to the optimizer."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.slots: list[Slot] = []

    # --- groups ---

    def add_group(self, group: Group, number: int) -> None:
        """Bind one more group, with the value that it has now as its base.

        Raises:
            SchedulerError: if the group does not have the hyperparameter.
        """
        hyperparameter = self.target.hyperparameter
        hyperparameter.check(group, number)
        value = hyperparameter.get(group)
        base = 1.0 if self.target.sets else float(value)
        self.slots.append(Slot(hyperparameter, group, base, float(value), tensor_version(value)))

    def replace_group(self, old: Group, new: Group) -> None:
        """Follow a group whose dict was replaced, as loading a state does; what `new` holds is not a change."""
        slot = self.slot_of(old)
        if slot is not None:
            slot.group = new
            slot.accept()

    def slot_of(self, group: Group) -> Slot | None:
        """Return the slot of a group, or None if this schedule does not select it."""
        return next((slot for slot in self.slots if slot.group is group), None)

    def resume(self, target: Target, bases: Sequence[float], factors: Sequence[float]) -> None:
        """Resume from a saved state; what the groups hold now is not a change."""
        self.target = target
        for slot, base, factor in zip(self.slots, bases, factors, strict=True):
            slot.base, slot.factor = base, factor
            slot.accept()

    @property
    def is_cacheable(self) -> bool:
        """Return whether values can be computed ahead: plain floats, and a plan that is data, not a Python function."""
        plain = self.target.hyperparameter.index is None and all(slot.is_float for slot in self.slots)
        return plain and self.target.is_data

    # --- values ---

    def values_at(self, k: int) -> list[float]:
        """Return the value of each slot at update k.

        Raises:
            SchedulerError: if one of them is not finite.
        """
        value = self.target.plan(k)
        values = [self._at_least_minimum(slot.multiplier * value) for slot in self.slots]
        if not all(map(math.isfinite, values)):
            raise SchedulerError(
                f"{self.target.label} would become {value * self.slots[0].base} at update {k}, because "
                f"{self.target.plan!r} gives {value} there; nothing was changed (plan.review() finds such steps "
                "before the run)"
            )
        return values

    def columns(self, start: int, steps: int) -> list[list[float]]:
        """Return the values of each slot at `steps` updates from `start` on, as far as they are finite."""
        values = self.target.plan.block(start, start + steps)
        multipliers = [slot.multiplier for slot in self.slots]
        columns = {multiplier: self._column(multiplier, values) for multiplier in set(multipliers)}
        return [columns[multiplier] for multiplier in multipliers]

    def _column(self, multiplier: float, values: list[float]) -> list[float]:
        column = [multiplier * value for value in values]
        if not math.isfinite(sum(column)):
            column = list(takewhile(math.isfinite, column))
        minimum = self.target.minimum
        return column if minimum is None else [max(value, minimum) for value in column]

    def _at_least_minimum(self, value: float) -> float:
        minimum = self.target.minimum
        return value if minimum is None or not value < minimum else minimum

    # --- writing, in two steps, so that nothing is written if a value of any schedule is refused ---

    def prepare(self, k: int) -> list[float]:
        """Return the value of each slot at update k, with the changes by other code in their factors."""
        self.observe(k)
        return self.values_at(k)

    def write(self, values: Sequence[float]) -> None:
        """Write what `prepare` returned."""
        for slot, value in zip(self.slots, values, strict=True):
            slot.write(value)

    def observe(self, k: int) -> None:
        """Turn changes by other code into factors; writing the very value of update k is not a change.

        Raises:
            SchedulerError: if other code wrote a value that is not finite; no factor is changed then.
        """
        present = [slot.read() for slot in self.slots]
        if present == [slot.written for slot in self.slots]:
            return
        due = self.values_at(k)
        factors = [
            slot.factor if value in (slot.written, expected) else self._factor(number, value, k)
            for number, (slot, value, expected) in enumerate(zip(self.slots, present, due, strict=True))
        ]
        for slot, value, factor in zip(self.slots, present, factors, strict=True):
            slot.written, slot.factor = value, factor

    def _factor(self, number: int, value: float, k: int) -> float:
        slot = self.slots[number]
        if not math.isfinite(value):
            raise SchedulerError(
                f"{self.target.label} of group {number} was set to {value} by other code: set it to a finite number"
            )
        if slot.written != 0:
            return slot.factor * (value / slot.written)
        # after a written 0 there is no ratio: take `value` for what the plan has at this update, or at its peak
        return value / (slot.base * self.target.plan(k) or slot.base)
