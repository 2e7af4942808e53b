"""What a scheduler wrote last: a note on the optimizer, so that schedulers tell each other's rates from a hand's.

It is no part of a checkpoint and holds no scheduler. A load drops it, and a copy of the optimizer has none: what such
an optimizer holds was written by nobody who is known.
"""

from contextlib import suppress
from typing import Any, NamedTuple

from torch.optim import Optimizer

from .groups import equal_or_nan, read_rates


class LastWrite(NamedTuple):
    """The step of the last writer, the rates that it wrote, and, at step 0, those that its formula starts from."""

    step: int
    read_rates: list[Any]
    starts: list[float]

    def wrote(self, i: int, found: float) -> bool:
        """Whether `found` is what group `i` was given."""
        return i < len(self.rates) and equal_or_nan(float(self.rates[i]), found)


def record_write(scheduler: Any) -> None:
    """Notes that `scheduler` has written the rates that the groups hold now."""
    optimizer, step = scheduler.optimizer, scheduler.last_epoch
    scheduler._last_lr = read_rates(optimizer)
    if "_scheduled" not in vars(optimizer):
        with suppress(AttributeError):  # a wrapper around an optimizer, without hooks of its own
            optimizer.register_load_state_dict_post_hook(_forget)
    optimizer._scheduled = LastWrite(step, scheduler._last_lr, scheduler._starts() if step == 0 else [])


def last_write(optimizer: Optimizer) -> LastWrite | None:
    """None if nobody who is known has written yet."""
    return getattr(optimizer, "_scheduled", None)


def holds_rates(optimizer: Optimizer, last: list[Any]) -> bool:
    """Whether the groups hold the rates `last`."""
    groups = optimizer.param_groups
    return len(groups) == len(last) and all(
        equal_or_nan(float(group["lr"]), float(rate)) for group, rate in zip(groups, last, strict=True)
    )


def _forget(optimizer: Any) -> None:
    optimizer._scheduled = None
