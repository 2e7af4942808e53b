"""Hyperparameters in parameter groups, where a rate may be a number or a tensor that is never replaced."""

from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from glidepath.errors import OptimizerError

Group = dict[str, Any]


def check_optimizer(optimizer: Any) -> Optimizer:
    """`optimizer`, if it is one."""
    if not isinstance(optimizer, Optimizer):
        raise OptimizerError(f"{type(optimizer).__name__} is not an Optimizer: give one from torch.optim")
    return optimizer


def copy_value(value: Any) -> Any:
    """`value`, and if it is a tensor a copy of it, so that nobody's change in place reaches it."""
    return value.detach().clone() if isinstance(value, Tensor) else value


def read_rates(optimizer: Optimizer) -> list[Any]:
    """Copies of what every group holds as its rate."""
    return [copy_value(group["lr"]) for group in optimizer.param_groups]


def match_type(held: Any, value: float) -> Any:
    """`value` in the type of `held`: rounded once, if that is a tensor of low precision."""
    return torch.full_like(held, value, requires_grad=False) if isinstance(held, Tensor) else value


def round_to_type(held: Any, value: float) -> float:
    """The number that comes back if `value` is written where `held` is."""
    return torch.tensor(value, dtype=held.dtype).item() if isinstance(held, Tensor) else value


def write_value(group: Group, key: str, value: Any) -> None:
    """`group[key] = value`, into the tensor that is there if one is there."""
    if isinstance(group[key], Tensor):
        group[key].copy_(value) if isinstance(value, Tensor) else group[key].fill_(value)
    else:
        group[key] = copy_value(value) if isinstance(value, Tensor) else float(value)


def equal_or_nan(a: float, b: float) -> bool:
    """Equal, or both NaN."""
    return a == b or (a != a and b != b)
