"""A bound schedule: one plan on one hyperparameter of some parameter groups, with a slot for each group.

The value that a group gets at update k is exactly

    max(multiplier * plan(k + offset), minimum),    multiplier = base * factor,

where base is where the group began (`bases.py`; 1 for `Set`), factor is what other code has multiplied it by since
(`writes.py`), and offset is 0 unless a plan in tokens was resumed with another batch. A write by other code is noticed
because the group no longer holds the value that was written last.

Rates that are tensors are filled in place with the float64 value, and a change is noticed by the tensor's version
counter, without reading the tensor back from the device.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, final

from torch import Tensor, tensor

from glidepath.core.formula import Function
from glidepath.core.namespace import SCALAR
from glidepath.errors import SchedulerError

from .bases import Late, base_at_start, is_default, is_from_one_cycle, late_base
from .compiling import skip_compiling
from .group_names import name_group
from .hyperparameter import Group, Hyperparameter, TensorVersion, bounds_of, initial_key, tensor_version
from .multipliers import SCALE_KEY, read_multipliers, scale_late_base
from .once import OnceWarnings
from .targets import Target
from .writes import Moment, WriteHistory, observe

BLOCK = 2048  # values of a plan that are computed ahead, at most
ROUNDING = 1e-12  # of the base
TENSOR = 1e-5  # relative: of a rate that is kept in 32 bits, with room
ALL_UP_TO = 2_000_000  # updates: of a longer plan not every value is computed ahead
LOOK_AHEAD = 10_000  # updates in which the peak of an endless plan is searched


@final
@dataclass(eq=False)
class Slot:
    """One parameter group of a bound schedule: where it writes, and what it wrote last. Mutable.

    Args:
        hyperparameter: the one that is scheduled.
        group: of the optimizer; replaced when loading a state replaces the dict.
        number: of the group.
        base: what the plan is multiplied by.
        written: the last written value.
        version: of the tensor that was written, if it is a tensor.
        factor: the product of all changes by other code.
        moved_in: whether the group came from OneCycleLR when it was bound.
        joined: the update before which the group joined the optimizer, if that was during the run.
        scale: multiplier that the group carries by name, as far as it is dealt with in the base (`multipliers.py`).
    """

    hyperparameter: Hyperparameter
    group: Group
    number: int
    base: float
    written: float
    version: TensorVersion | None
    factor: float = 1.0
    moved_in: bool = False
    joined: int | None = None
    scale: float | None = None

    @property
    def owns_marker(self) -> bool:
        """Return whether the group's "initial_lr" is the base: a OneCycleLR that is built later needs it itself."""
        return self.moved_in or str(self.hyperparameter) != "lr" or not is_from_one_cycle(self.group)

    @property
    def multiplier(self) -> float:
        """Return base * factor."""
        return self.base * self.factor

    @property
    def is_plain(self) -> bool:
        """Return whether a write by other code shows without reading the value: a number, or a tensor with versions."""
        value = self.hyperparameter.get(self.group)
        if isinstance(value, Tensor):
            return self.hyperparameter.index is None and not value.is_inference()
        return type(value) is float

    def is_written_in(self, value: Any) -> bool:
        """Return whether the group holds this very tensor."""
        return isinstance(value, Tensor) and self.hyperparameter.get(self.group) is value

    @skip_compiling
    def read(self) -> float:
        """Return what the group holds; for a tensor that was not changed, the written value at full precision."""
        value = self.hyperparameter.get(self.group)
        if type(value) is float:
            return value
        if not isinstance(value, Tensor):
            return self.written if value == self.written else float(value)
        if tensor_version(value) == self.version:
            return self.written
        rounded = tensor(self.written, dtype=value.dtype).item()
        return self.written if float(value) == rounded else float(value)

    @skip_compiling
    def write(self, value: float) -> None:
        """Write a value into the group, in place if it holds a tensor."""
        old = self.hyperparameter.get(self.group)
        if isinstance(old, Tensor):
            old.fill_(value)
            self.version = tensor_version(old)
        else:
            self.hyperparameter.put(self.group, value)
        self.written = value

    def keep(self, value: float) -> None:
        """Leave what other code wrote, as an object of its own, so that writing it again shows."""
        self.written = value + 0.0
        if not isinstance(self.hyperparameter.get(self.group), Tensor):
            self.hyperparameter.put(self.group, self.written)

    @skip_compiling
    def accept(self) -> None:
        """Take what the group holds for the last written value, so that it does not count as a change."""
        value = self.hyperparameter.get(self.group)
        self.written, self.version = float(value), tensor_version(value)


@final
class BoundSchedule:
    """A target with the slots that it selects. Mutable; refers to groups, and not to the optimizer.

    Args:
        target: what is scheduled.
        once: gives the warnings about it.
        late: how the rate of a group that joins later is read.
    """

    def __init__(self, target: Target, once: OnceWarnings | None = None, late: Late | None = None) -> None:
        self.target, self.once, self.late = target, once or OnceWarnings(), late
        self.slots: list[Slot] = []
        self.writes = WriteHistory()
        self.offset = 0
        self.original: Target | None = None  # the target in the code, if its plan was replaced
        self.is_rate = str(target.hyperparameter) == "lr"
        self.expects_base = False  # whether a write before the first update is sure to be a new base
        self.is_unchecked = True  # whether its values may be out of bounds: not all of them were computed ahead
        self._forget_values()

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

    def add_late_group(self, group: Group, number: int, optimizer: Any, update: int) -> None:
        """Bind a group that joined the optimizer while the scheduler runs, before `update`."""
        self.add_group(group, number)
        *others, slot = self.slots
        slot.joined = update
        value = self.target.hyperparameter.get(group)
        twin = next((other for other in others if other.is_written_in(value)), None)
        if twin is not None:  # PyTorch gives a new group the tensor that is the optimizer's default
            slot.base, slot.factor, slot.written = twin.base, twin.factor, twin.written
        elif not self.target.sets and self.is_rate:
            slot.base = 0.0
            is_usual = is_default(optimizer, slot.written)
            self.join_late(slot, slot.written, update, default=is_usual)
            self._scale_late(slot, type(optimizer), is_usual=is_usual)
        elif self.is_rate and not is_default(optimizer, slot.written):
            self.warn_overwritten(slot, slot.written, update)

    def _scale_late(self, slot: Slot, kind: type, *, is_usual: bool) -> None:
        usual = max((other.base / (other.scale or 1.0) for other in self.slots if other is not slot), default=math.nan)
        slot.base = scale_late_base(slot.group, slot.base, usual, kind, scales=is_usual, warn=self.once.warn)
        slot.scale = next(iter(read_multipliers([slot.group], kind) or ()), None)

    def join_late(self, slot: Slot, value: float, update: int, *, default: bool = False) -> None:
        """Give a slot its base from the rate that a group has when it joins, before `update`."""
        highest = max((other.multiplier for other in self.slots if other is not slot), default=math.inf)
        now = self.plan_value(update)
        slot.factor = 1.0
        slot.base = late_base(value, now, highest, default=default, late=self.late, number=slot.number, once=self.once)

    def warn_overwritten(self, slot: Slot, value: float, update: int) -> None:
        """Warn that the rate of a group that joins before `update` is not used, as a plan that sets has no base."""
        if not math.isclose(value, self.plan_value(update), rel_tol=TENSOR):
            self.once.warn(
                f"{name_group(slot.group, slot.number)} joined with {self.target.label} = {value:g}, and Set(plan) has "
                "no base: the plan writes over it; to scale a rate, give the plan instead of Set(plan)",
                "GP729",
            )

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
        self.target, self.writes, self.is_unchecked = target, WriteHistory(averaging=self.writes.averaging), True
        self._forget_values()

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

    def note_check(self, position: int) -> None:
        """Note that every value from `position` on was computed ahead and is within its bounds (`value_checks.py`)."""
        duration = self.target.plan.duration
        short = duration is not None and duration - position <= ALL_UP_TO
        self.is_unchecked = not (short and self.target.is_data and self.target.hyperparameter.index is None)

    def _forget_values(self) -> None:
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
        low, high = self._bounds(slot.multiplier)
        if not low <= value < high:
            raise SchedulerError(
                f"{self.target.label} of {name_group(slot.group, slot.number)} would become {value:g} at update {k}, "
                f"and is at least 0{'' if high == math.inf else f' and below {high:g}'}; nothing was changed: clip the "
                "plan, clip(plan, minimum=0)"
            )

    def _bounds(self, multiplier: float) -> tuple[float, float]:
        """Return the bounds of a value; a plan that ends at 0 may end at -1e-17."""
        low, high = bounds_of(self.target.hyperparameter)
        return low - ROUNDING * abs(multiplier), high

    def columns(self, start: int, steps: int) -> list[list[float]]:
        """Return the values of each slot at `steps` updates from `start` on, as far as they can be used."""
        values = self.plan_values(start, steps)
        columns = {slot.multiplier: self.column(slot.multiplier, values) for slot in self.slots}
        return [columns[slot.multiplier] for slot in self.slots]

    def column(self, multiplier: float, values: list[float]) -> list[float]:
        """Return multiplier * value for each value, up to one that the hyperparameter cannot have."""
        low, high = self._bounds(multiplier)
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
