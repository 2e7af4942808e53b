"""A hyperparameter of a parameter group: a key ("lr"), or an element of the tuple under one ("betas[0]")."""

import math
from dataclasses import dataclass
from typing import Any, final

from torch import Tensor
from torch.optim import Optimizer

from glidepath.errors import SchedulerError

Group = dict[str, Any]
TensorVersion = tuple[int, int]


def current_rates(optimizer: Optimizer) -> list[float]:
    """Return the rate of each group now, as a float."""
    return [float(group["lr"]) for group in optimizer.param_groups]


@final
@dataclass(frozen=True)
class Hyperparameter:
    """`group[key]`, or `group[key][index]`."""

    key: str
    index: int | None = None

    def __str__(self) -> str:
        return self.key if self.index is None else f"{self.key}[{self.index}]"

    def get(self, group: Group) -> Any:
        """Return the value in a group."""
        value = group[self.key]
        return value if self.index is None else value[self.index]

    def put(self, group: Group, value: float) -> None:
        """Write a value into a group; a tuple is replaced by one that differs in this element."""
        if self.index is None:
            group[self.key] = value
        else:
            old = group[self.key]
            group[self.key] = type(old)((*old[: self.index], value, *old[self.index + 1 :]))

    def check(self, group: Group, number: int) -> None:
        """Check that a group has this hyperparameter, and that it is a number.

        Raises:
            SchedulerError: with the hyperparameters that the group has, if it is missing.
        """
        if self.key not in group:
            present = sorted(key for key in group if key not in ("params", "param_names", "name"))
            raise SchedulerError(f"group {number} has no {self.key!r}: this optimizer has {', '.join(present)}")
        if self.index is None:
            self._check_number(group[self.key], number)
        elif not isinstance(group[self.key], (tuple, list)):
            raise SchedulerError(
                f"{self.key} of group {number} is {group[self.key]!r}, which has no elements: give one plan"
            )
        elif not 0 <= self.index < len(group[self.key]):
            raise SchedulerError(f"{self.key} of group {number} has {len(group[self.key])} elements, and no {self}")

    def _check_number(self, value: Any, number: int) -> None:
        if isinstance(value, (tuple, list)) and self.key != "params":
            plans = ", ".join(["plan", *["None"] * (len(value) - 1)])
            raise SchedulerError(f"{self.key} of group {number} has {len(value)} elements: write {self.key}=({plans})")
        if isinstance(value, bool) or not isinstance(value, (int, float, Tensor)):
            raise SchedulerError(f"{self.key} of group {number} is not a number, so no plan can schedule it")


def initial_key(hyperparameter: Hyperparameter) -> str:
    """Return the key under which a group keeps the base: "initial_lr", as PyTorch's schedulers call it."""
    return f"initial_{hyperparameter}"


NON_NEGATIVE = frozenset(("lr", "weight_decay", "momentum", "dampening", "eps"))


def bounds_of(hyperparameter: Hyperparameter) -> tuple[float, float]:
    """Return the smallest value that a hyperparameter can have, and the end of the range, which it cannot have."""
    if hyperparameter.key == "betas":
        return 0.0, 1.0
    return (0.0 if hyperparameter.key in NON_NEGATIVE else -math.inf), math.inf


def tensor_version(value: Any) -> TensorVersion | None:
    """Return a tensor's identity and its version, which every in-place change raises; None for a number."""
    if not isinstance(value, Tensor) or value.is_inference():
        return None
    return id(value), value._version
