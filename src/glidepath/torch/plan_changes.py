"""Other plans on a living run: `Scheduler.replace` and `Scheduler.cooldown`.

A change is whole: every new plan is read and asked for its next value before the first schedule takes it.
"""

import math
from collections.abc import Mapping, Sequence
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
    plans = {schedule.target.label: _decay_from(schedule, position, decay) for schedule in rates}
    _change(clocks, plans, horizon)


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


def _decay_from(schedule: BoundSchedule, position: int, decay: Schedule) -> Schedule:
    """Return the plan up to now, then the decay; a Python function is left out, so that the plan can be saved."""
    step, value = position + schedule.offset, schedule.plan_value(position)
    if not step:
        return value * decay
    before = schedule.target.plan[:step] if schedule.target.is_data else value * constant(step)
    return before >> value * decay


def _change(
    clocks: Sequence[Clock],
    plans: Mapping[str, Schedule],
    horizon: Horizon | int | None,
    sets: Mapping[str, Target] | None = None,
) -> None:
    changes: list[tuple[BoundSchedule, Target]] = []
    for clock in clocks:
        for schedule in clock.schedules:
            label = schedule.target.label
            if label in plans:
                if sets is not None and sets[label].sets != schedule.target.sets:
                    raise SchedulerError(f"{label} was given {_kind(schedule.target)}, not {_kind(sets[label])}")
                target = replace(schedule.target, plan=plans[label])
                _check_values(schedule, target, clock.position + schedule.offset, horizon)
                changes.append((schedule, target))
    for schedule, target in changes:
        schedule.replace_plan(target)


def _kind(target: Target) -> str:
    return "Set(plan)" if target.sets else "a plan that scales"


def _check_values(schedule: BoundSchedule, target: Target, step: int, horizon: Horizon | int | None) -> None:
    """Check the next value of a plan, and those after it as far as they can be computed ahead."""
    value = target.plan(step)
    if not math.isfinite(value):
        raise SchedulerError(f"{target.plan!r} gives {value:g} at update {step}; nothing was changed")
    slots = schedule.slots
    after = schedule.would_be(target, [slot.base for slot in slots], [slot.factor for slot in slots])
    after.values_at(step)  # within its bounds, also of an endless plan
    check_plan(after, step, None if horizon is None else as_horizon(horizon).steps)
