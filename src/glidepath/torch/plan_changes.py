"""Other plans on a living run: `Scheduler.replace` and `Scheduler.cooldown`.

A change is whole: every new plan is read and asked for its next value before the first schedule takes it.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from glidepath.core.horizon import Horizon, as_horizon
from glidepath.core.schedule import Schedule
from glidepath.errors import SchedulerError
from glidepath.recipes import constant

from .bound_schedule import BoundSchedule
from .clock import Clock
from .targets import Plan, Target, read_plan, read_targets
from .value_checks import check_plan


def replace_plans(clocks: Sequence[Clock], plans: Mapping[str, Any], horizon: Horizon | int | None) -> None:
    """Give the schedules of the clocks other plans.

    Raises:
        SchedulerError: if a plan cannot be used; nothing is changed then.
    """
    targets = {target.label: target for target in read_targets(plans, None, horizon)}
    labels = [schedule.target.label for schedule in clocks[0].schedules]
    for label in targets:
        if label not in labels:
            raise SchedulerError(f"no plan schedules {label}, so there is none to replace: this Scheduler has {labels}")
    _change(clocks, {label: target.plan for label, target in targets.items()}, horizon, sets=targets)


def cooldown_of(clocks: Sequence[Clock], shape: Plan, horizon: Horizon | int | None) -> None:
    """Let every rate decay by a shape from the value of its next update.

    Raises:
        SchedulerError: if the shape is not a plan, no plan schedules the rate, or the optimizers have made unequal
            numbers of updates; nothing is changed then.
    """
    decay = read_plan(shape, "a cooldown", horizon)
    rates = [schedule for schedule in clocks[0].schedules if schedule.is_rate]
    if not rates:
        raise SchedulerError("no plan schedules the rate, so there is nothing to cool down")
    position = _position_of_all(clocks)
    written = {schedule.target.label for clock in clocks for schedule in clock.schedules if _is_written(schedule)}
    plans = {
        schedule.target.label: _decay_from(schedule, position, decay, from_rates=schedule.target.label in written)
        for schedule in rates
    }
    _change(clocks, plans, horizon, from_rates=written)


def _is_written(schedule: BoundSchedule) -> bool:
    """Return whether other code decides the present rate, and not the plan."""
    return schedule.is_rate and (schedule.writes.aside or schedule.writes.replaced)


def _position_of_all(clocks: Sequence[Clock]) -> int:
    """Return the position at which all optimizers are.

    Raises:
        SchedulerError: if they are not at one: one plan cannot begin to decay at several.
    """
    positions = [clock.position for clock in clocks]
    if len(set(positions)) > 1:
        raise SchedulerError(
            f"the optimizers have made {positions} updates, and one plan cannot cool down from several positions: "
            "build a Scheduler for each optimizer, or give the rest of the run as one plan, scheduler.replace(plan)"
        )
    return positions[0]


def _decay_from(schedule: BoundSchedule, position: int, decay: Schedule, *, from_rates: bool) -> Schedule:
    """Return the plan up to now, then the decay; a Python function is left out, so that the plan can be saved.

    Args:
        schedule: of the first optimizer.
        position: updates made.
        decay: begins at 1.
        from_rates: whether the groups' present rates are to be the bases, as other code has written them.

    Raises:
        SchedulerError: if the present value is 0, or a plan that sets would have to begin at several.
    """
    step = position + schedule.offset
    value = _present_value(schedule, position) if from_rates else schedule.plan_value(position)
    if value == 0 and not schedule.target.minimum:
        raise SchedulerError(
            f"{schedule.target.label} is 0 at update {position:,}, and a cooldown from 0 stays there; nothing was "
            "changed: give the rest of the run as a plan, scheduler.replace(plan)"
        )
    if not step:
        return value * decay
    before = schedule.target.plan[:step] if schedule.target.is_data and not from_rates else value * constant(step)
    return before >> value * decay


def _present_value(schedule: BoundSchedule, position: int) -> float:
    """Return what the plan is at present if what the groups hold is what they use."""
    values = schedule.next_values(position)
    if not schedule.target.sets:
        return 1.0 if any(values) else 0.0
    if len(set(values)) > 1:
        raise SchedulerError(
            f"other code has written {values} into the groups, and Set(plan) sets one rate: give the rest of the run "
            "as a plan, scheduler.replace(Set(plan))"
        )
    return values[0]


def _change(
    clocks: Sequence[Clock],
    plans: Mapping[str, Schedule],
    horizon: Horizon | int | None,
    sets: Mapping[str, Target] | None = None,
    from_rates: Collection[str] = (),
) -> None:
    changes: list[tuple[BoundSchedule, Target, list[float]]] = []
    for clock in clocks:
        for schedule in clock.schedules:
            label = schedule.target.label
            if label in plans:
                if sets is not None and sets[label].sets != schedule.target.sets:
                    raise SchedulerError(f"{label} was given {_kind(schedule.target)}, not {_kind(sets[label])}")
                target = replace(schedule.target, plan=plans[label])
                rates = label in from_rates and not target.sets
                multipliers = schedule.next_values(clock.position) if rates else []
                after = _would_be(schedule, target, multipliers)
                _check_values(after, clock.position + schedule.offset, horizon)
                changes.append((schedule, target, multipliers))
    for schedule, target, multipliers in changes:
        schedule.replace_plan(target)
        for slot, base in zip(schedule.slots, multipliers, strict=False):
            slot.base, slot.factor = base, 1.0


def _kind(target: Target) -> str:
    return "Set(plan)" if target.sets else "a plan that scales"


def _would_be(schedule: BoundSchedule, target: Target, multipliers: list[float]) -> BoundSchedule:
    """Return the schedule with another plan, and with other bases if they are given."""
    slots = schedule.slots
    factors = [1.0] * len(multipliers) or [slot.factor for slot in slots]
    return schedule.would_be(target, multipliers or [slot.base for slot in slots], factors)


def _check_values(after: BoundSchedule, step: int, horizon: Horizon | int | None) -> None:
    """Check the next value of a new plan, and those after it as far as they can be computed ahead."""
    plan = after.target.plan
    value = plan(step)
    if not math.isfinite(value):
        raise SchedulerError(f"{plan!r} gives {value:g} at update {step}; nothing was changed")
    after.values_at(step)  # within its bounds, also of an endless plan
    check_plan(after, step, None if horizon is None else as_horizon(horizon).steps)
