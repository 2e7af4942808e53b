"""The base of schedulers that set the rate between bounds of their own, and move the momentum against it.

The momentum is `momentum`, or the first of `betas`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from torch.optim import Optimizer

from glidepath.errors import ScheduleError

from .closed_form import ClosedForm
from .groups import Group, copy_value, match_type, write_value


class MomentumScheduler(ClosedForm, ABC):
    """A formula for the rate and one for the momentum."""

    _continues = False  # it has bounds of its own
    cycle_momentum: bool
    use_beta1: bool

    @abstractmethod
    def _place(self, step: int) -> Any:
        """Return the place of a step, from which the rates and the momenta of all groups follow."""

    @abstractmethod
    def _momenta_of(self, number: Any) -> list[float]:
        """Return the momenta of all groups, from the place of a step."""

    def lr_at(self, step: int) -> list[float]:
        return self._rates_of(self._place(step), self._starts())

    def _places_ahead(self) -> int:
        """Return how many places may be computed at once."""
        return 32

    def _numbers(self) -> Iterator[Any]:
        step = self.last_epoch + 1
        return iter([self._place(k) for k in range(step, step + self._places_ahead())])

    def get_lr(self) -> list[Any]:
        """Return the rates of this step, and write the momenta, as PyTorch does here."""
        values = super().get_lr()
        self._write_momentum()
        return values

    def _ignores(self, rate: float) -> bool:
        return True

    def _follow(self, number: Any) -> None:
        if not self.cycle_momentum:
            return
        for group, value in zip(self.optimizer.param_groups, self._momenta_of(number), strict=True):
            if self.use_beta1:
                first, *rest = group["betas"]
                group["betas"] = (match_type(first, value), *rest)
            elif type(group["momentum"]) is float:
                group["momentum"] = value
            else:
                write_value(group, "momentum", value)

    def _write_momentum(self) -> None:
        self._follow(self._place(self.last_epoch))

    def _restore(self, values: list[Any]) -> None:
        super()._restore(values)
        self._write_momentum()


def is_beta1(optimizer: Optimizer) -> bool:
    """Return whether the momentum is the first of `betas`.

    Raises:
        ScheduleError: if the optimizer has no momentum at all.
    """
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ScheduleError(
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled: give cycle_momentum=False"
        )
    return "betas" in optimizer.defaults


def set_bounds(group: Group, low: Any, high: Any) -> None:
    """Write the bounds into the group, where PyTorch keeps them."""
    group["max_momentum"], group["base_momentum"] = copy_value(high), copy_value(low)
