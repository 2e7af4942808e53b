"""Whether PyTorch's SWALR has begun to write the rates of some groups, or was only built for later.

The groups do not tell: its constructor leaves "swa_lr" in them, and a hand that lowers the rate writes like its first
step. The object itself does, which the optimizer does not know; so it is looked up among all living objects. That takes
some 50 ms, and is done only where a write may be its first one.
"""

import gc
from collections.abc import Sequence
from typing import Any

from torch.optim.swa_utils import SWALR

from .hyperparameter import Group

MARK = "swa_lr"  # in a group: the rate at which SWALR ends


def has_mark(groups: Sequence[Group]) -> bool:
    """Return whether an SWALR was built for one of the groups."""
    return any(MARK in group for group in groups)


def is_its_write(groups: Sequence[Group], before: Sequence[float], present: Sequence[float]) -> bool:
    """Return whether SWALR has written the present rates, by a step after its construction.

    Args:
        groups: with the mark of SWALR.
        before: the rates that they held before the write.
        present: the rates that they hold.
    """
    schedulers = [each for each in gc.get_objects() if issubclass(type(each), SWALR) and _drives(each, groups)]
    if schedulers:
        return any(each._step_count > 1 and _holds_its_rates(each) for each in schedulers)
    ends = [float(group.get(MARK, value)) for group, value in zip(groups, present, strict=True)]
    return all(  # none can be seen, after gc.freeze(): a write towards its end is taken for its own
        min(old, end) <= value <= max(old, end) for old, value, end in zip(before, present, ends, strict=True)
    )


def _drives(scheduler: Any, groups: Sequence[Group]) -> bool:
    own = getattr(getattr(scheduler, "optimizer", None), "param_groups", ())
    return any(group is other for group in groups for other in own)


def _holds_its_rates(scheduler: Any) -> bool:
    """Return whether the groups hold the rates that a scheduler wrote last."""
    pairs = zip(scheduler.optimizer.param_groups, scheduler._last_lr, strict=False)
    return all(float(group["lr"]) == float(rate) for group, rate in pairs)
