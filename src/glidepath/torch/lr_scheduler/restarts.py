"""Cosine annealing with warm restarts, whose cycles are counted in whole numbers."""

from collections.abc import Iterator
from typing import Any

from torch.optim import Optimizer

from glidepath.core.checks import count, is_number, real
from glidepath.errors import ScheduleError

from .base import NOT_GIVEN
from .closed_form import ClosedForm
from .interpolate import cosine_weights


class CosineAnnealingWarmRestarts(ClosedForm):
    """eta_min + (base - eta_min) (1 + cos(pi T_cur / T_i)) / 2; cycle i lasts T_i = T_0 T_mult^i steps

    Args:
        optimizer: the optimizer.
        T_0: steps of the first cycle, a whole number of at least 1.
        T_mult: length of a cycle over the one before it, a whole number of at least 1.
        eta_min: rate at the bottom, absolute and the same for all groups, at least 0.
        last_epoch: -1 to begin; k to resume after step k.
        verbose: deprecated.

    `step(epoch)` takes any number, fractions too: `scheduler.step(epoch + i / batches)`.

    Differs from PyTorch's: no restart is lost to the rounding of a logarithm; `last_epoch` beyond the first cycle
    resumes in the right one; a rate that other code changes stays changed.

    Sources:
        Loshchilov and Hutter, 2017, SGDR, equation 5, https://arxiv.org/abs/1608.03983.
    """

    _any_epoch = True
    _continues = False

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
        verbose: Any = NOT_GIVEN,
    ) -> None:
        if not is_number(eta_min):
            raise ScheduleError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min).__name__}")
        self.T_0 = self.T_i = count(T_0, "T_0", at_least=1)
        self.T_mult = count(T_mult, "T_mult", at_least=1)
        self.eta_min = real(eta_min, "eta_min", at_least=0)
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch, verbose)

    def lr_at(self, step: float) -> list[float]:
        return self._rates_of(self._place(step), self._starts())

    def _present_formula(self) -> list[float]:
        return self._rates_of((self.T_cur, self.T_i), self._starts())

    def _numbers(self) -> Iterator[tuple[float, int]]:
        return iter((self._place_after(self.T_cur, self.T_i),))

    def _rates_of(self, number: tuple[float, int], starts: list[float]) -> list[float]:
        """Return the rates, from the steps into a cycle and its length."""
        passed, steps = number
        fall, rise = cosine_weights(passed, steps)
        floor = self.eta_min * rise
        return [start * fall + floor for start in starts]

    def _follow(self, number: tuple[float, int]) -> None:
        self.T_cur, self.T_i = number

    def _place(self, step: float) -> tuple[float, int]:
        """Return the steps into the cycle that `step` is in, and the length of that cycle."""
        if self.T_mult == 1:
            return step % self.T_0, self.T_0
        start, steps = 0, self.T_0
        while step >= start + steps:
            start, steps = start + steps, steps * self.T_mult
        return step - start, steps

    def _move(self, epoch: Any) -> None:
        if epoch is None and self._is_initial:
            epoch = self.last_epoch + 1
        if epoch is None:
            self._advance()
            return
        if epoch < 0:
            raise ScheduleError(f"Expected non-negative epoch, but got {epoch}")
        self.last_epoch = int(epoch)
        self.T_cur, self.T_i = self._place(epoch)

    def _advance(self) -> None:
        self.last_epoch += 1
        self.T_cur, self.T_i = self._place_after(self.T_cur, self.T_i)

    def _place_after(self, passed: float, steps: int) -> tuple[float, int]:
        """Return the place one step later."""
        passed += 1
        return (passed, steps) if passed < steps else (passed % steps, steps * self.T_mult)

    def _ignores(self, rate: float) -> bool:
        return rate == 0
