"""The driver, `glidepath.torch.Scheduler`: its plans are schedules already."""

from typing import Any

from glidepath.convert.conversion import Conversion
from glidepath.convert.readers.rates import level
from glidepath.core.schedule import Schedule, clip
from glidepath.recipes import constant


def driven(scheduler: Any) -> Conversion:
    """The plan of each group, with what somebody else has made of its rate as a factor on it."""
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
    names = dict.fromkeys(str(lane.target.hyperparameter) for lane in scheduler._clock.lanes)
    return [name for name in names if name != "lr"]


def _lane(scheduler: Any, name: str, group: dict[str, Any]) -> tuple[Any, int] | None:
    for lane in scheduler._clock.lanes:
        for i, driven_group in enumerate(lane.groups):
            if driven_group is group and str(lane.target.hyperparameter) == name:
                return lane, i
    return None


def _rate(scheduler: Any, group: dict[str, Any]) -> tuple[float, Schedule]:
    found = _lane(scheduler, "lr", group)
    if found is None:
        return float(group["lr"]), constant()
    lane, i = found
    plan, minimum = level(lane.factors[i], lane.target.plan), lane.target.minimum
    return lane.bases[i], plan if minimum is None else clip(plan, low=minimum / lane.bases[i])


def _other(scheduler: Any, name: str, group: dict[str, Any]) -> Schedule:
    found = _lane(scheduler, name, group)
    if found is None:
        return level(float(_value(group, name)))
    lane, i = found
    return level(lane.bases[i] * lane.factors[i], lane.target.plan)


def _value(group: dict[str, Any], name: str) -> Any:
    key, _, index = name.partition("[")
    return group[key][int(index.rstrip("]"))] if index else group[key]
