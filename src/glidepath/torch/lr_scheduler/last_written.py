"""The rates that a scheduler wrote last, kept on the optimizer: schedulers tell them from rates that were set by hand.

The record is not part of a checkpoint and does not refer to the scheduler. Loading a state drops it, and a copy of the
optimizer has none.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, final

from torch.optim import Optimizer

from .groups import equal_or_nan, read_rates


@final
@dataclass(slots=True)
class LastWrite:
    """The last rates that any scheduler of an optimizer wrote. Mutable: a scheduler keeps one for all its fast steps.

    Args:
        step: of the scheduler that wrote them.
        rates: what it wrote, for each group.
        starts: at step 0, the rates that its formula starts from; else empty.
        schedule: its class and arguments as text, if it has a formula; one like it may be built again.
    """

    step: int
    rates: list[Any]
    starts: list[float]
    schedule: str

    def wrote(self, i: int, rate: float) -> bool:
        """Return whether `rate` is what was written into group `i`."""
        return i < len(self.rates) and equal_or_nan(float(self.rates[i]), rate)


def record_write(scheduler: Any) -> None:
    """Record that `scheduler` has written the rates that the groups hold now."""
    optimizer, step = scheduler.optimizer, scheduler.last_epoch
    scheduler._last_lr = read_rates(optimizer)
    if "_scheduled" not in vars(optimizer):
        with suppress(AttributeError):  # a wrapper around an optimizer, without hooks of its own
            optimizer.register_load_state_dict_post_hook(_drop_record)
    optimizer._scheduled = LastWrite(
        step, scheduler._last_lr, scheduler._starts() if step == 0 else [], scheduler._schedule_text
    )


def last_write(optimizer: Optimizer) -> LastWrite | None:
    """Return the record of an optimizer, or None if no scheduler has written since it was built, loaded or copied."""
    return getattr(optimizer, "_scheduled", None)


def holds_rates(optimizer: Optimizer, last: list[Any]) -> bool:
    """Return whether the groups hold the rates `last`."""
    groups = optimizer.param_groups
    return len(groups) == len(last) and all(
        equal_or_nan(float(group["lr"]), float(rate)) for group, rate in zip(groups, last, strict=True)
    )


def _drop_record(optimizer: Any) -> None:
    optimizer._scheduled = None
