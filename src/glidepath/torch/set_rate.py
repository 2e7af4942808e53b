"""`set_rate`: a new peak that lasts, because whatever drives the rate is told of it too."""

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
    """Makes `rate` the base of the group with the highest rate; the others keep their ratio to it.

    A rate that is only written into an optimizer lasts until its scheduler's next step, which goes back to its own.

    Args:
        target: the scheduler, Glidepath's or one of PyTorch's, anywhere in its course; or an optimizer without one.
        rate: the new base, above 0: what the schedule scales, not necessarily what the next update uses.

    Raises:
        SchedulerError: if the target is an optimizer that a `Scheduler` drives, or no rate of it is above 0.

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
        _refuse_driven(target)
        _scale_groups(target, new / _highest([group["lr"] for group in target.param_groups]))
    else:
        raise SchedulerError(f"give the scheduler, or an optimizer without one, not a {type(target).__name__}")


def _refuse_driven(optimizer: Optimizer) -> None:
    schedules = [schedule for clock in clocks_of(optimizer) for schedule in clock.schedules]
    if any(schedule.target.hyperparameter.key == "lr" for schedule in schedules):
        raise SchedulerError("a Scheduler drives the rate of this optimizer: give that, set_rate(scheduler, rate)")


def _scale(scheduler: Any, new: float) -> None:
    bases = [group.get("initial_lr", group["lr"]) for group in scheduler.optimizer.param_groups]
    factor = new / _highest(bases)
    _scale_groups(scheduler.optimizer, factor)
    for one in _all_of(scheduler):
        for name in IN_SCHEDULERS:
            if isinstance(getattr(one, name, None), list):
                setattr(one, name, [value * factor for value in getattr(one, name)])


def _all_of(scheduler: Any) -> Iterator[Any]:
    """The scheduler and those that it is made of."""
    yield scheduler
    for part in getattr(scheduler, "_schedulers", ()):
        yield from _all_of(part)


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
