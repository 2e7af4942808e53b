"""A bound schedule: one plan on one hyperparameter of some parameter groups, with a slot for each group.

The value that a group gets at update k is exactly

    max(multiplier * plan(k + offset), minimum),    multiplier = base * factor,

where base is where the group began (`bases.py`; 1 for `Set`), factor is what other code has multiplied it by since
(`writes.py`), and offset is 0 unless a plan in tokens was resumed with another batch. A write by other code is noticed
because the group no longer holds the value that was written last.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, final

from torch import Tensor

from glidepath.errors import SchedulerError

from .bases import Late, base_at_start, is_from_one_cycle
from .compiling import skip_compiling
from .group_names import name_group
from .hyperparameter import Group, initial_key, tensor_version
from .multipliers import SCALE_KEY
from .once import OnceWarnings
from .slot import Slot
from .target_values import ROUNDING, TargetValues
from .targets import Target
from .writes import Moment, WriteHistory, observe

TENSOR = 1e-5  # relative: of a rate that is kept in 32 bits, with room


@final
class BoundSchedule(TargetValues):
    """A target with the slots that it selects. Mutable; refers to groups, and not to the optimizer.

    Args:
        target: what is scheduled.
        once: gives the warnings about it.
        late: how the rate of a group that joins later is read.
    """

    def __init__(self, target: Target, once: OnceWarnings | None = None, late: Late | None = None) -> None:
        super().__init__(target)
        self.once, self.late = once or OnceWarnings(), late
        self.slots: list[Slot] = []
        self.writes = WriteHistory()
        self.original: Target | None = None  # the target in the code, if its plan was replaced
        self.is_rate = str(target.hyperparameter) == "lr"
        self.expects_base = False  # whether a write before the first update is sure to be a new base

    # --- groups ---

    def add_group(
        self, group: Group, number: int, *, optimizer: Any = None, position: int = 0, base: float | None = None
    ) -> None:
        """Bind one more group.

        Args:
            group: of the optimizer.
            number: of the group.
            optimizer: whose group it is; without it, the base is what the group holds.
            position: updates made so far.
            base: of the group, where it was given.

        Raises:
            SchedulerError: if the group does not have the hyperparameter, or nothing says where it began.
        """
        hyperparameter = self.target.hyperparameter
        hyperparameter.check(group, number)
        value = hyperparameter.get(group)
        if self.target.sets:
            base = 1.0
        elif base is None:
            base = (
                float(value)
                if optimizer is None
                else base_at_start(optimizer, group, number, hyperparameter, position, self.once)
            )
        slot = Slot(hyperparameter, group, number, base, float(value), tensor_version(value))
        slot.moved_in = is_from_one_cycle(group)
        self.slots.append(slot)
        self.writes.averaging = self.writes.averaging or "swa_lr" in group

    def replace_group(self, old: Group, new: Group) -> None:
        """Follow a group whose dict was replaced, as loading a state does; what `new` holds is not a change."""
        slot = self.slot_of(old)
        if slot is not None:
            slot.group = new
            slot.accept()

    def remove_groups(self, groups: Sequence[Group]) -> None:
        """Let go of the slots of groups that left the optimizer."""
        self.slots = [slot for slot in self.slots if not any(slot.group is group for group in groups)]

    def slot_of(self, group: Group) -> Slot | None:
        """Return the slot of a group, or None if this schedule does not select it."""
        return next((slot for slot in self.slots if slot.group is group), None)

    def resume(self, target: Target, bases: Sequence[float], factors: Sequence[float]) -> None:
        """Resume from a saved state; what the groups hold now is not a change."""
        self._take(target)
        for slot, base, factor in zip(self.slots, bases, factors, strict=True):
            slot.base, slot.factor = base, factor
            slot.accept()

    def replace_plan(self, target: Target) -> None:
        """Follow another plan from the next write on, and remember the one in the code."""
        self.original = self.original or self.target
        self._take(target)

    def _take(self, target: Target) -> None:
        self.writes = WriteHistory(averaging=self.writes.averaging)
        self.follow(target)

    def would_be(self, target: Target, bases: Sequence[float], factors: Sequence[float]) -> "BoundSchedule":
        """Return what this would be with another target, bases and factors, to ask for values before a change."""
        other = BoundSchedule(target, self.once)
        other.slots = [
            replace(slot, base=base, factor=factor)
            for slot, base, factor in zip(self.slots, bases, factors, strict=True)
        ]
        return other

    def sort_slots(self, groups: Sequence[Group]) -> None:
        """Keep the slots in the order of the optimizer's groups."""
        numbers = {id(group): number for number, group in enumerate(groups)}
        for slot in self.slots:
            slot.number = numbers.get(id(slot.group), slot.number)
        self.slots.sort(key=lambda slot: slot.number)

    def can_run_ahead(self, position: int) -> bool:
        """Return whether rows can be written ahead of time: other code neither writes at every update nor just did."""
        if self.writes.replaced:
            return True
        if self.writes.aside or self.writes.last >= position - 1:
            return False
        return all(slot.is_plain for slot in self.slots)

    @property
    def holds_other_tensors(self) -> bool:
        """Return whether a group was given another tensor since the last write."""
        values = [(slot, slot.hyperparameter.get(slot.group)) for slot in self.slots]
        return any(
            isinstance(value, Tensor) and (slot.version is None or slot.version[0] != id(value))
            for slot, value in values
            if not (isinstance(value, Tensor) and value.is_inference())
        )

    @property
    def holds_floats(self) -> bool:
        """Return whether every group holds a plain number."""
        key = self.target.hyperparameter.key
        return self.target.hyperparameter.index is None and all(type(slot.group[key]) is float for slot in self.slots)

    def warn_at_end(self, position: int) -> None:
        """Warn before an update that trains on past the end of a plan, at a rate of 0."""
        duration = self.target.plan.duration
        if not self.is_rate or duration is None or position + self.offset < duration or self.writes.replaced:
            return
        if self.plan_value(position) == 0 and not self.target.minimum and any(slot.multiplier for slot in self.slots):
            self.once.warn(
                f"the plan of {self.target.label} ended after {duration - self.offset:,} updates with a rate of 0 "
                "(its numbers count updates): this update and those that follow change nothing; stop there, or give "
                "a longer plan",
                "GP727",
            )

    def rebase(self, ratio: float) -> None:
        """Make base * factor the base, times a ratio."""
        for slot in self.slots:
            slot.base, slot.factor = slot.multiplier * ratio, 1.0
        self.writes = WriteHistory(averaging=self.writes.averaging, replaced=self.writes.replaced)

    def mark_bases(self) -> None:
        """Keep base * factor in the groups, as "initial_lr"."""
        if not self.target.sets:
            for slot in self.slots:
                if slot.owns_marker:
                    slot.group[initial_key(slot.hyperparameter)] = slot.multiplier
                    if slot.scale is not None:
                        slot.group[SCALE_KEY] = slot.scale

    def unmark_bases(self) -> None:
        """Take what `mark_bases` wrote out of the groups."""
        for slot in self.slots:
            if slot.owns_marker:
                slot.group.pop(initial_key(slot.hyperparameter), None)
                if slot.scale is not None:
                    slot.group.pop(SCALE_KEY, None)

    def has_decayed(self) -> bool:
        """Return whether a group that was loaded at update 0 holds another multiple of its initial rate than then."""
        key = initial_key(self.target.hyperparameter)
        loaded = [slot for slot in self.slots if key in slot.group] if self.target.is_data else []
        began = [self.ask(float(slot.group[key]), 0) for slot in loaded]
        return any(
            rates and not math.isclose(slot.read(), rates[0], rel_tol=TENSOR, abs_tol=ROUNDING)
            for slot, rates in zip(loaded, began, strict=True)
        )

    # --- values ---

    def values_at(self, k: int) -> list[float]:
        """Return the value of each slot at update k.

        Raises:
            SchedulerError: if one of them is not finite, or outside what the hyperparameter can be.
        """
        plan, minimum = self.plan_value(k), self.target.minimum
        values = [slot.base * slot.factor * plan for slot in self.slots]
        if minimum is not None:
            values = [minimum if value < minimum else value for value in values]
        for slot, value in zip(self.slots, values, strict=True):
            if not math.isfinite(value):
                raise SchedulerError(
                    f"{self.target.label} would become {value} at update {k}, because {self.target.plan!r} gives "
                    f"{plan} there; nothing was changed (plan.review() finds such steps before the run)"
                )
            self._check_bounds(slot, value, k)
        return values

    def next_values(self, k: int) -> list[float]:
        """Return what each group is to use at update k, as far as is known: what other code wrote where that counts."""
        if self.writes.replaced:
            return [slot.read() for slot in self.slots]
        values = self.values_at(k)
        if not self.writes.aside:
            return values
        written = self.writes.slots
        return [slot.read() if slot in written else value for slot, value in zip(self.slots, values, strict=True)]

    def _check_bounds(self, slot: Slot, value: float, k: int) -> None:
        low, high = self.bounds(slot.multiplier)
        if not low <= value < high:
            raise SchedulerError(
                f"{self.target.label} of {name_group(slot.group, slot.number)} would become {value:g} at update {k}, "
                f"and is at least 0{'' if high == math.inf else f' and below {high:g}'}; nothing was changed: clip the "
                "plan, clip(plan, minimum=0)"
            )

    def columns(self, start: int, steps: int) -> list[list[float]]:
        """Return the values of each slot at `steps` updates from `start` on, as far as they can be used."""
        values = self.plan_values(start, steps)
        columns = {slot.multiplier: self.column(slot.multiplier, values) for slot in self.slots}
        return [columns[slot.multiplier] for slot in self.slots]

    # --- writing, in two steps, so that nothing is written if a value of any schedule is refused ---

    def prepare(self, moment: Moment) -> list[float] | None:
        """Take in what other code wrote; return the value of each slot at the update, or None to leave them."""
        present = [slot.read() for slot in self.slots]
        leaves = observe(self, present, moment)
        if moment.begins and not self.writes.aside:
            self.expects_base = False  # the update that such a write was to come before
        if not leaves:
            return self.values_at(moment.update)
        written = self.writes.slots
        if self.writes.replaced or len(written) == len(self.slots):
            return None
        values = self.values_at(moment.update)
        return [slot.written if slot in written else value for slot, value in zip(self.slots, values, strict=True)]

    @skip_compiling
    def write(self, values: Sequence[float]) -> None:
        """Write what `prepare` returned."""
        for slot, value in zip(self.slots, values, strict=True):
            slot.write(value)
