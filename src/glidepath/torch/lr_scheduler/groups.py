"""Reading and writing values of parameter groups, where a rate is a number, or a tensor that is never replaced."""

from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from glidepath.errors import OptimizerError

Group = dict[str, Any]


def check_optimizer(optimizer: Any) -> Optimizer:
    """Return `optimizer` if it is one.

    Raises:
        OptimizerError: if it is not.
    """
    if not isinstance(optimizer, Optimizer):
        raise OptimizerError(f"{type(optimizer).__name__} is not an Optimizer: give one from torch.optim")
    return optimizer


def copy_value(value: Any) -> Any:
    """Return `value`, copied if it is a tensor, so that it does not change in place."""
    return value.detach().clone() if isinstance(value, Tensor) else value


def read_rates(optimizer: Optimizer) -> list[Any]:
    """Return the rate of every group, copied."""
    return [copy_value(group["lr"]) for group in optimizer.param_groups]


def match_type(present: Any, value: float) -> Any:
    """Return `value` in the type of `present`: rounded once, if that is a tensor of low precision."""
    return torch.full_like(present, value, requires_grad=False) if isinstance(present, Tensor) else value


def round_to_type(present: Any, value: float) -> float:
    """Return the number that is read back after `value` is written over `present`."""
    return torch.tensor(value, dtype=present.dtype).item() if isinstance(present, Tensor) else value


def write_value(group: Group, key: str, value: Any) -> None:
    """Write a value into a group, in place if it holds a tensor."""
    if isinstance(group[key], Tensor):
        group[key].copy_(value) if isinstance(value, Tensor) else group[key].fill_(value)
    else:
        group[key] = copy_value(value) if isinstance(value, Tensor) else float(value)


def copy_container(value: Any) -> Any:
    """Return `value`, copied if it is a list or a dict, so that later changes in place do not show in it."""
    return value.copy() if isinstance(value, (list, dict)) else value


def equal_or_nan(a: float, b: float) -> bool:
    """Return whether two numbers are equal, or both NaN."""
    return a == b or (a != a and b != b)
