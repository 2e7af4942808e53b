"""Checks that `optimizer.step()` comes before `scheduler.step()`, by a hook: the optimizer is not patched.

The hook only sets `optimizer._opt_called`, the mark that PyTorch's own schedulers set, so both kinds can share an
optimizer. Nothing here refers to a scheduler or keeps an optimizer alive.
"""

from typing import Any

from torch.optim import Optimizer

from glidepath.torch.skipped_steps import has_overflow
from glidepath.warn import warn_caller

HOW_TO = "see https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"


def watch_updates(optimizer: Any) -> None:
    """Begin to note updates, and note whether `optimizer.step` is overridden at this time."""
    optimizer._step_overridden = _is_step_overridden(optimizer)
    if "_opt_called" not in vars(optimizer):
        optimizer._opt_called = False
        try:
            optimizer.register_step_post_hook(_note_update)
        except AttributeError:  # a wrapper around an optimizer, without hooks of its own: its order cannot be seen
            optimizer._opt_called = True


def assume_in_order(optimizer: Any) -> None:
    """Never warn again: the copy of an optimizer does not know how often it was stepped."""
    watch_updates(optimizer)
    optimizer._opt_called = True


def check_call_order(optimizer: Any) -> None:
    """Warn if no update was made yet; called on the first step of a scheduler."""
    if optimizer._step_overridden:
        return
    if _is_step_overridden(optimizer):
        warn_caller(
            "`optimizer.step()` has been overridden after the scheduler was built, so whether it comes before "
            f"`lr_scheduler.step()` cannot be checked: override it first, then build the scheduler; {HOW_TO}",
            "GP709",
        )
    elif not optimizer._opt_called and not has_overflow(optimizer):
        warn_caller(
            "`lr_scheduler.step()` was called before `optimizer.step()`, so the first value of the schedule is never "
            f"used: call them the other way round; {HOW_TO}",
            "GP710",
        )


def _note_update(optimizer: Any, args: Any, kwargs: Any) -> None:
    optimizer._opt_called = True


def _is_step_overridden(optimizer: Optimizer) -> bool:
    step = vars(optimizer).get("step")
    return step is not None and not hasattr(step, "_wrapped_by_lr_sched")  # PyTorch's own mark on its wrapper
