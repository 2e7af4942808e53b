"""`set_rate`: sets a peak that lasts, in the optimizer and in the scheduler of its rate."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from glidepath.core.checks import real
from glidepath.errors import SchedulerError

from .clock import clocks_of
from .scheduler import Scheduler

IN_GROUPS = ("lr", "initial_lr", "max_lr", "min_lr")  # rates that PyTorch's schedulers keep in the groups
IN_SCHEDULERS = ("base_lrs", "max_lrs", "_last_lr")


def set_rate(target: Scheduler | LRScheduler | Optimizer, rate: float) -> None:
    """Make `rate` the base of the group with the highest rate; the others keep their ratio to it.

    A rate that is only written into an optimizer lasts until its scheduler's next step, which overwrites it.

    Args:
        target: the scheduler, Glidepath's or one of PyTorch's, at any step; or an optimizer without one.
        rate: the new base, above 0: what the schedule scales, not necessarily what the next update uses.

    Raises:
        SchedulerError: if the target is an optimizer with a `Scheduler` of its rate, or no rate of it is above 0.

    Examples:
        >>> import torch, glidepath as gp
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        >>> scheduler = Scheduler(optimizer, gp.linear(10))
        >>> set_rate(scheduler, 0.4)
        >>> optimizer.param_groups[0]["lr"]
        0.4
    """
    new = real(rate, "rate", above=0)
    if isinstance(target, Scheduler):
        target.rebase(lr=new)
    elif isinstance(target, (LRScheduler, ReduceLROnPlateau)):
        _scale(target, new)
    elif isinstance(target, Optimizer):
        _check_unscheduled(target)
        _scale_groups(target, new / _highest([group["lr"] for group in target.param_groups]))
    else:
        raise SchedulerError(f"give the scheduler, or an optimizer without one, not a {type(target).__name__}")


def _check_unscheduled(optimizer: Optimizer) -> None:
    schedules = [schedule for clock in clocks_of(optimizer) for schedule in clock.schedules]
    if any(schedule.target.hyperparameter.key == "lr" for schedule in schedules):
        raise SchedulerError("this optimizer has a Scheduler: give that instead, set_rate(scheduler, rate)")


def _scale(scheduler: Any, new: float) -> None:
    bases = [group.get("initial_lr", group["lr"]) for group in scheduler.optimizer.param_groups]
    factor = new / _highest(bases)
    _scale_groups(scheduler.optimizer, factor)
    for member in _members_of(scheduler):
        for name in IN_SCHEDULERS:
            if isinstance(getattr(member, name, None), list):
                setattr(member, name, [value * factor for value in getattr(member, name)])


def _members_of(scheduler: Any) -> Iterator[Any]:
    """Yield the scheduler and those that it is made of."""
    yield scheduler
    for member in getattr(scheduler, "_schedulers", ()):
        yield from _members_of(member)


def _scale_groups(optimizer: Optimizer, factor: float) -> None:
    for group in optimizer.param_groups:
        for name in IN_GROUPS:
            if isinstance(group.get(name), Tensor):
                group[name].mul_(factor)
            elif name in group:
                group[name] *= factor


def _highest(rates: list[Any]) -> float:
    highest = max(float(rate) for rate in rates)
    if not highest > 0:
        raise SchedulerError("every group has the rate 0, and 0 keeps no ratio: set one above 0 first")
    return highest
