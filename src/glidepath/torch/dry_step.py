"""A rehearsal: a call of `optimizer.step` that is no update.

To make the state of a new optimizer, PyTorch's distributed checkpoints (`get_optimizer_state_dict`, before anything is
saved or loaded) call its step once, with rates and gradients of zero, and then put the rates back.
"""

from typing import Any

from torch import Tensor


def rehearsed(optimizer: Any) -> bool:
    """Whether the call of `step` that has just begun is no update: no state yet, and all rates and gradients zero."""
    if optimizer.state or not all(_is_zero(group.get("lr")) for group in optimizer.param_groups):
        return False
    parameters = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
    return all(p.grad is not None and not p.grad.any() for p in parameters)


def _is_zero(rate: Any) -> bool:
    """Whether a rate is zero; a tensor on an accelerator is never the zero that PyTorch puts there, and not read."""
    if isinstance(rate, Tensor):
        return rate.device.type == "cpu" and rate.item() == 0
    return bool(rate == 0)
