"""The one optimizer in what `configure_optimizers` returns, with its rates as they were before any scheduler."""

import inspect
from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from glidepath.errors import TaskError

# Schedulers that write the optimizer's rate and momentum over when they are built.
OVERWRITING = ("OneCycleLR", "CyclicLR")


def select_optimizer(returned: Any) -> Optimizer:
    """Return the optimizer; its schedulers are left out.

    Args:
        returned: an optimizer, or one with its scheduler in any of the forms that Lightning takes.

    Raises:
        TaskError: if there is not exactly one optimizer, it needs a closure, or its own rate has been overwritten.

    Examples:
        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
        >>> scheduler = torch.optim.lr_scheduler.LinearLR(optimizer)
        >>> optimizer.param_groups[0]["lr"]
        0.16666666666666666
        >>> select_optimizer(([optimizer], [scheduler])).param_groups[0]["lr"]
        0.5
    """
    optimizers, schedulers = _split(returned)
    if len(optimizers) != 1 or not isinstance(optimizers[0], Optimizer):
        raise TaskError(f"configure_optimizers returned {returned!r:.200}: a task has one torch.optim.Optimizer")
    optimizer: Optimizer = optimizers[0]
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise TaskError(f"{type(optimizer).__name__} computes the loss several times an update: write a Task by hand")
    for scheduler in schedulers:
        if type(scheduler).__name__ in OVERWRITING:
            raise TaskError(
                f"{type(scheduler).__name__} writes the optimizer's rate and momentum over when it is built, so the "
                "optimizer's own are not known: return the optimizer without it"
            )
    _restore_rates(optimizer)
    return optimizer


def _split(returned: Any) -> tuple[list[Any], list[Any]]:
    """Split it into optimizers and schedulers."""
    if isinstance(returned, Mapping):
        return [returned.get("optimizer")], [_bare(returned[key]) for key in ["lr_scheduler"] if key in returned]
    if not isinstance(returned, (list, tuple)):
        return [returned], []
    if len(returned) == 2 and isinstance(returned[0], (list, tuple)):
        second = returned[1] if isinstance(returned[1], (list, tuple)) else [returned[1]]
        return list(returned[0]), [_bare(scheduler) for scheduler in second]
    pairs = [_split(item) for item in returned]
    optimizers = [optimizer for first, _ in pairs for optimizer in first]
    return optimizers, [scheduler for _, second in pairs for scheduler in second]


def _bare(scheduler: Any) -> Any:
    """Return a scheduler without its configuration."""
    return scheduler.get("scheduler") if isinstance(scheduler, Mapping) else scheduler


def _restore_rates(optimizer: Optimizer) -> None:
    """Put back the rates that schedulers noted when they were built."""
    for group in optimizer.param_groups:
        if "initial_lr" in group:
            before = group.pop("initial_lr")
            rate = group["lr"]
            group["lr"] = rate.copy_(before) if isinstance(rate, Tensor) else before
