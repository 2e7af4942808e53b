"""Groups that join the optimizer while the scheduler runs: their base, from the rate that they join with."""

import math
from typing import TYPE_CHECKING, Any

from .bases import is_default, late_base
from .group_names import name_group
from .hyperparameter import Group
from .multipliers import read_multipliers, scale_late_base
from .slot import Slot

if TYPE_CHECKING:
    from .bound_schedule import BoundSchedule

SAME = 1e-5  # relative: of a rate that is kept in 32 bits, with room


def add_late_group(schedule: "BoundSchedule", group: Group, number: int, optimizer: Any, update: int) -> None:
    """Bind a group that joined the optimizer while the scheduler runs, before `update`."""
    schedule.add_group(group, number)
    *others, slot = schedule.slots
    slot.joined = update
    value = schedule.target.hyperparameter.get(group)
    twin = next((other for other in others if other.is_written_in(value)), None)
    if twin is not None:  # PyTorch gives a new group the tensor that is the optimizer's default
        slot.base, slot.factor, slot.written = twin.base, twin.factor, twin.written
    elif not schedule.target.sets and schedule.is_rate:
        slot.base = 0.0
        is_usual = is_default(optimizer, slot.written)
        join_late(schedule, slot, slot.written, update, default=is_usual)
        _scale(schedule, slot, type(optimizer), is_usual=is_usual)
    elif schedule.is_rate and not is_default(optimizer, slot.written):
        warn_overwritten(schedule, slot, slot.written, update)


def _scale(schedule: "BoundSchedule", slot: Slot, kind: type, *, is_usual: bool) -> None:
    """Deal with a multiplier that the group carries by name."""
    usual = max((other.base / (other.scale or 1.0) for other in _others(schedule, slot)), default=math.nan)
    slot.base = scale_late_base(slot.group, slot.base, usual, kind, scales=is_usual, warn=schedule.once.warn)
    slot.scale = next(iter(read_multipliers([slot.group], kind) or ()), None)


def _others(schedule: "BoundSchedule", slot: Slot) -> list[Slot]:
    return [other for other in schedule.slots if other is not slot]


def join_late(schedule: "BoundSchedule", slot: Slot, value: float, update: int, *, default: bool = False) -> None:
    """Give a slot its base from the rate that a group has when it joins, before `update`."""
    highest = max((other.multiplier for other in _others(schedule, slot)), default=math.inf)
    now = schedule.plan_value(update)
    slot.factor = 1.0
    slot.base = late_base(
        value, now, highest, default=default, late=schedule.late, number=slot.number, once=schedule.once
    )


def warn_overwritten(schedule: "BoundSchedule", slot: Slot, value: float, update: int) -> None:
    """Warn that the rate of a group that joins before `update` is not used, as a plan that sets has no base."""
    if not math.isclose(value, schedule.plan_value(update), rel_tol=SAME):
        schedule.once.warn(
            f"{name_group(slot.group, slot.number)} joined with {schedule.target.label} = {value:g}, and Set(plan) has "
            "no base: the plan writes over it; to scale a rate, give the plan instead of Set(plan)",
            "GP729",
        )
