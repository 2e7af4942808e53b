"""`glidepath.torch.Scheduler`: its plans are schedules already."""

from typing import Any

from glidepath.convert.conversion import Conversion
from glidepath.convert.readers.rates import level
from glidepath.core.schedule import Schedule
from glidepath.core.transforms import clip
from glidepath.recipes import constant
from glidepath.torch.bound_schedule import Slot
from glidepath.torch.targets import Target


def read_scheduler(scheduler: Any) -> Conversion:
    """Return the plan of each group, with manual changes of its rate as a factor on it."""
    groups = scheduler.optimizer.param_groups
    rates = [_rate(scheduler, group) for group in groups]
    return Conversion(
        "glidepath.torch Scheduler",
        tuple(plan for _, plan in rates),
        tuple(base for base, _ in rates),
        others={name: tuple(_other(scheduler, name, group) for group in groups) for name in _names(scheduler)},
        position=scheduler.position,
    )


def _names(scheduler: Any) -> list[str]:
    names = dict.fromkeys(str(schedule.target.hyperparameter) for schedule in scheduler._clock.schedules)
    return [name for name in names if name != "lr"]


def _slot_of(scheduler: Any, name: str, group: dict[str, Any]) -> tuple[Target, Slot] | None:
    for schedule in scheduler._clock.schedules:
        slot = schedule.slot_of(group)
        if slot is not None and str(schedule.target.hyperparameter) == name:
            return schedule.target, slot
    return None


def _rate(scheduler: Any, group: dict[str, Any]) -> tuple[float, Schedule]:
    match = _slot_of(scheduler, "lr", group)
    if match is None:
        return float(group["lr"]), constant()
    target, slot = match
    plan, minimum = level(slot.factor, target.plan), target.minimum
    return slot.base, plan if minimum is None else clip(plan, minimum=minimum / slot.base)


def _other(scheduler: Any, name: str, group: dict[str, Any]) -> Schedule:
    match = _slot_of(scheduler, name, group)
    if match is None:
        return level(float(_value(group, name)))
    target, slot = match
    return level(slot.multiplier, target.plan)


def _value(group: dict[str, Any], name: str) -> Any:
    key, _, index = name.partition("[")
    return group[key][int(index.rstrip("]"))] if index else group[key]
