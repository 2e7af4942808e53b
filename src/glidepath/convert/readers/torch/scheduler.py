"""`glidepath.torch.Scheduler`: its plans are schedules already."""

from typing import Any

from glidepath.convert.conversion import Conversion
from glidepath.convert.readers.rates import level
from glidepath.core.schedule import Schedule
from glidepath.core.transforms import clip
from glidepath.recipes import constant
from glidepath.torch.hyperparameter import Group, Hyperparameter
from glidepath.torch.slot import Slot
from glidepath.torch.targets import Target

RATE = Hyperparameter("lr")


def read_scheduler(scheduler: Any) -> Conversion:
    """Return the plan of each group, with manual changes of its rate as a factor on it."""
    groups = scheduler.optimizer.param_groups
    rates = [_rate(scheduler, group) for group in groups]
    return Conversion(
        "glidepath.torch Scheduler",
        tuple(plan for _, plan in rates),
        tuple(base for base, _ in rates),
        others={
            str(hyperparameter): tuple(_other(scheduler, hyperparameter, group) for group in groups)
            for hyperparameter in _others(scheduler)
        },
        position=scheduler.position,
    )


def _others(scheduler: Any) -> list[Hyperparameter]:
    driven = dict.fromkeys(schedule.target.hyperparameter for schedule in scheduler._clock.schedules)
    return [hyperparameter for hyperparameter in driven if hyperparameter != RATE]


def _slot_of(scheduler: Any, hyperparameter: Hyperparameter, group: Group) -> tuple[Target, Slot] | None:
    for schedule in scheduler._clock.schedules:
        slot = schedule.slot_of(group)
        if slot is not None and schedule.target.hyperparameter == hyperparameter:
            return schedule.target, slot
    return None


def _rate(scheduler: Any, group: Group) -> tuple[float, Schedule]:
    match = _slot_of(scheduler, RATE, group)
    if match is None:
        return float(group["lr"]), constant()
    target, slot = match
    plan, minimum = level(slot.factor, target.plan), target.minimum
    return slot.base, plan if minimum is None else clip(plan, minimum=minimum / slot.base)


def _other(scheduler: Any, hyperparameter: Hyperparameter, group: Group) -> Schedule:
    match = _slot_of(scheduler, hyperparameter, group)
    if match is None:
        return level(float(hyperparameter.get(group)))
    target, slot = match
    return level(slot.multiplier, target.plan)
