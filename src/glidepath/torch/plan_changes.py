"""Other plans on a living run: `Scheduler.replace` and `Scheduler.cooldown`.

A change is whole: every new plan is read and asked for its next value before the first schedule takes it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from glidepath.core.horizon import Horizon
from glidepath.core.schedule import Schedule
from glidepath.errors import SchedulerError

from .bound_schedule import BoundSchedule
from .clock import Clock
from .targets import Plan, Target, read_plan, read_targets


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
    _change(clocks, {label: target.plan for label, target in targets.items()}, sets=targets)


def cooldown_of(clocks: Sequence[Clock], shape: Plan, horizon: Horizon | int | None) -> None:
    """Let every rate decay by a shape from the value of its next update.

    Raises:
        SchedulerError: if the shape is not a plan, or no plan schedules the rate; nothing is changed then.
    """
    decay = read_plan(shape, "a cooldown", horizon)
    rates = [schedule for schedule in clocks[0].schedules if schedule.is_rate]
    if not rates:
        raise SchedulerError("no plan schedules the rate, so there is nothing to cool down")
    position = clocks[0].position
    plans = {schedule.target.label: _decay_from(schedule, position, decay) for schedule in rates}
    _change(clocks, plans)


def _decay_from(schedule: BoundSchedule, position: int, decay: Schedule) -> Schedule:
    step, value = position + schedule.offset, schedule.plan_value(position)
    before = schedule.target.plan[:step]
    return before >> value * decay if step else value * decay


def _change(clocks: Sequence[Clock], plans: Mapping[str, Schedule], sets: Mapping[str, Target] | None = None) -> None:
    changes: list[tuple[BoundSchedule, Target]] = []
    for clock in clocks:
        for schedule in clock.schedules:
            label = schedule.target.label
            if label in plans:
                if sets is not None and sets[label].sets != schedule.target.sets:
                    raise SchedulerError(f"{label} was given {_kind(schedule.target)}, not {_kind(sets[label])}")
                changes.append((schedule, replace(schedule.target, plan=plans[label])))
                _check_value(schedule, plans[label], clock.position)
    for schedule, target in changes:
        schedule.replace_plan(target)


def _kind(target: Target) -> str:
    return "Set(plan)" if target.sets else "a plan that scales"


def _check_value(schedule: BoundSchedule, plan: Schedule, position: int) -> None:
    value = plan(position + schedule.offset)
    if not math.isfinite(value) or value < 0:
        raise SchedulerError(f"{plan!r} gives {value:g} at update {position}; nothing was changed")
