"""Calls of `optimizer.step` that are not updates.

- A dry step: to create the state of a new optimizer, PyTorch's distributed checkpoints (`get_optimizer_state_dict`,
  before anything is saved or loaded) call its step once, with rates and gradients of zero, and put the rates back.
- A skipped step: a GradScaler calls the step of a fused optimizer even if gradients overflowed, and the optimizer skips
  the update. (The step of any other optimizer is then not called at all.)
"""

from typing import Any

import torch
from torch import Tensor

MAX_SKIPS = 100  # of one update by a GradScaler, in a row; more of them are a mistake
COMPRESSED = (torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc)


def is_dry_step(optimizer: Any) -> bool:
    """Return whether the call of `step` that has just begun is dry: no state yet, and all rates and gradients zero."""
    if optimizer.state or not all(_is_zero(group.get("lr")) for group in optimizer.param_groups):
        return False
    parameters = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
    return all(p.grad is not None and not _numbers_in(p.grad).any() for p in parameters)


def _numbers_in(gradient: Tensor) -> Tensor:
    """Return a gradient as a dense tensor: the numbers that a sparse one (of `nn.Embedding(sparse=True)`) stores."""
    if gradient.layout == torch.strided:
        return gradient
    if gradient.layout == torch.sparse_coo:
        return gradient._values()
    return gradient.values() if gradient.layout in COMPRESSED else gradient.to_dense()


def _is_zero(rate: Any) -> bool:
    """Return whether a rate is zero; one on an accelerator is not read: PyTorch never puts its zero there."""
    if isinstance(rate, Tensor):
        return rate.device.type == "cpu" and rate.item() == 0
    return bool(rate == 0)


def can_skip(optimizer: Any) -> bool:
    """Return whether a GradScaler leaves it to this optimizer to skip an update whose gradients overflowed."""
    return bool(getattr(optimizer, "_step_supports_amp_scaling", False))


def has_skipped(optimizer: Any) -> bool:
    """Return whether an optimizer that can skip skipped the update that it was just asked for."""
    found_inf = getattr(optimizer, "found_inf", None)
    return found_inf is not None and bool(found_inf.item())


def has_overflow(optimizer: Any) -> bool:
    """Return whether a gradient is infinite or NaN, so that a GradScaler has skipped the update."""
    gradients = (p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None)
    return any(not bool(torch.isfinite(_numbers_in(gradient)).all()) for gradient in gradients)


def was_update(optimizer: Any) -> bool:
    """Return whether the call of `step` that has just ended was an update."""
    return not (can_skip(optimizer) and has_skipped(optimizer))
