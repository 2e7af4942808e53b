"""Whether `scheduler.step()` came before `optimizer.step()`: seen by a hook of the optimizer, which is not patched.

The hook only sets `optimizer._opt_called`, the mark that PyTorch's own schedulers set, so both kinds can share an
optimizer. Nothing here refers to a scheduler or keeps an optimizer alive.
"""

import warnings
from typing import Any

import torch
from torch.optim import Optimizer

HOW_TO = "see https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"


def watch_updates(optimizer: Any) -> None:
    """Starts noting updates; remembers whether `optimizer.step` is the optimizer's own at this time."""
    optimizer._step_overridden = _is_step_overridden(optimizer)
    if "_opt_called" not in vars(optimizer):
        optimizer._opt_called = False
        try:
            optimizer.register_step_post_hook(_note_update)
        except AttributeError:  # a wrapper around an optimizer, without hooks of its own: its order cannot be seen
            optimizer._opt_called = True


def assume_in_order(optimizer: Any) -> None:
    """Asks no more questions about the order: the copy of an optimizer does not know how often it was stepped."""
    watch_updates(optimizer)
    optimizer._opt_called = True


def check_call_order(optimizer: Any, stacklevel: int) -> None:
    """Warns if no update was made yet; to be called on a scheduler's first step."""
    if optimizer._step_overridden:
        return
    if _is_step_overridden(optimizer):
        warnings.warn(
            "`optimizer.step()` has been overridden after the scheduler was built, so whether it comes before "
            f"`lr_scheduler.step()` cannot be seen: override it first, then build the scheduler; {HOW_TO}",
            stacklevel=stacklevel + 1,
        )
    elif not optimizer._opt_called and not _overflowed(optimizer):
        warnings.warn(
            "`lr_scheduler.step()` was called before `optimizer.step()`, so the first value of the schedule is never "
            f"used: call them the other way round; {HOW_TO}",
            stacklevel=stacklevel + 1,
        )


def _note_update(optimizer: Any, args: Any, kwargs: Any) -> None:
    optimizer._opt_called = True


def _is_step_overridden(optimizer: Optimizer) -> bool:
    step = vars(optimizer).get("step")
    return step is not None and not hasattr(step, "_wrapped_by_lr_sched")  # PyTorch's own mark on its wrapper


def _overflowed(optimizer: Optimizer) -> bool:
    """Whether some gradient is not finite: then a GradScaler skipped the update, and the order was right."""
    gradients = (p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None)
    return any(not torch.isfinite(g).all() for g in gradients if g.layout == torch.strided)
