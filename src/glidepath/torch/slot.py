"""A slot: the hyperparameter of one parameter group that a plan drives, and what was written there last.

Rates that are tensors are filled in place with the float64 value, and a change is noticed by the tensor's version
counter, without reading the tensor back from the device.
"""

from dataclasses import dataclass
from typing import Any, final

from torch import Tensor, tensor

from .bases import is_from_one_cycle
from .compiling import skip_compiling
from .hyperparameter import Group, Hyperparameter, TensorVersion, tensor_version


@final
@dataclass(eq=False)
class Slot:
    """One parameter group of a bound schedule: where it writes, and what it wrote last. Mutable.

    Args:
        hyperparameter: the one that is scheduled.
        group: of the optimizer; replaced when loading a state replaces the dict.
        number: of the group.
        base: what the plan is multiplied by.
        written: the last written value.
        version: of the tensor that was written, if it is a tensor.
        factor: the product of all changes by other code.
        moved_in: whether the group came from OneCycleLR when it was bound.
        joined: the update before which the group joined the optimizer, if that was during the run.
        scale: multiplier that the group carries by name, as far as it is dealt with in the base (`multipliers.py`).
    """

    hyperparameter: Hyperparameter
    group: Group
    number: int
    base: float
    written: float
    version: TensorVersion | None
    factor: float = 1.0
    moved_in: bool = False
    joined: int | None = None
    scale: float | None = None

    @property
    def owns_marker(self) -> bool:
        """Return whether the group's "initial_lr" is the base: a OneCycleLR that is built later needs it itself."""
        return self.moved_in or str(self.hyperparameter) != "lr" or not is_from_one_cycle(self.group)

    @property
    def multiplier(self) -> float:
        """Return base * factor."""
        return self.base * self.factor

    @property
    def is_plain(self) -> bool:
        """Return whether a write by other code shows without reading the value: a number, or a tensor with versions."""
        value = self.hyperparameter.get(self.group)
        if isinstance(value, Tensor):
            return self.hyperparameter.index is None and not value.is_inference()
        return type(value) is float

    def is_written_in(self, value: Any) -> bool:
        """Return whether the group holds this very tensor."""
        return isinstance(value, Tensor) and self.hyperparameter.get(self.group) is value

    @skip_compiling
    def read(self) -> float:
        """Return what the group holds; for a tensor that was not changed, the written value at full precision."""
        value = self.hyperparameter.get(self.group)
        if type(value) is float:
            return value
        if not isinstance(value, Tensor):
            return self.written if value == self.written else float(value)
        if tensor_version(value) == self.version:
            return self.written
        rounded = tensor(self.written, dtype=value.dtype).item()
        return self.written if float(value) == rounded else float(value)

    @skip_compiling
    def write(self, value: float) -> None:
        """Write a value into the group, in place if it holds a tensor."""
        old = self.hyperparameter.get(self.group)
        if isinstance(old, Tensor):
            old.fill_(value)
            self.version = tensor_version(old)
        else:
            self.hyperparameter.put(self.group, value)
        self.written = value

    def keep(self, value: float) -> None:
        """Leave what other code wrote, as an object of its own, so that writing it again shows."""
        self.written = value + 0.0
        if not isinstance(self.hyperparameter.get(self.group), Tensor):
            self.hyperparameter.put(self.group, self.written)

    @skip_compiling
    def accept(self) -> None:
        """Take what the group holds for the last written value, so that it does not count as a change."""
        value = self.hyperparameter.get(self.group)
        self.written, self.version = float(value), tensor_version(value)
