"""Schedulers that multiply the base rate by one of Glidepath's own schedules.

Each is its `schedule`: rate(k) = base rate * schedule(k), so it prints, plots and reviews like any other plan:
`StepLR(optimizer, 30).schedule.plot(90)`. Curves of a fractional length, which PyTorch takes, are written as formulas.
"""

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from torch.optim import Optimizer

from glidepath.core.checks import count, real
from glidepath.core.curves import Cosine, Linear, Polynomial
from glidepath.core.endless import Constant, Exponential, Multistep, Step
from glidepath.core.formula import Formula
from glidepath.core.schedule import Schedule, scale, sequence
from glidepath.core.transforms import repeat
from glidepath.errors import ScheduleError

from .base import NOT_GIVEN
from .closed_form import ClosedForm

BLOCK = 128  # values of a schedule computed ahead


class ScheduleLR(ClosedForm, ABC):
    """base rate * schedule(step)"""

    @property
    @abstractmethod
    def schedule(self) -> Schedule:
        """Return the schedule that multiplies the base rates."""

    def lr_at(self, step: int) -> list[float]:
        return self._rates_of(self.schedule(step), self._starts())

    def _numbers(self) -> Iterator[float]:
        step = self.last_epoch + 1
        return iter(self.schedule.block(step, step + BLOCK))

    def _rates_of(self, number: float, starts: list[float]) -> list[float]:
        """Return the rates where the schedule is at `number`."""
        return [start * number for start in starts]


class StepLR(ScheduleLR):
    """base * gamma^floor(k / step_size)

    Args:
        optimizer: the optimizer.
        step_size: steps between two decays, a whole number of at least 1.
        gamma: factor of one decay, at least 0.
        last_epoch: -1 to begin; k to resume after step k.
        verbose: deprecated.

    Differs from PyTorch's: resumed with `last_epoch` on a decay it does not decay twice; a step_size of 0 or 2.5 and
    a negative gamma are refused.

    Examples:
        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
        >>> scheduler = StepLR(optimizer, step_size=30, gamma=0.5)
        >>> [scheduler.lr_at(k) for k in (0, 29, 30, 60)]
        [[0.4], [0.4], [0.2], [0.1]]
        >>> scheduler.schedule
        step(every=30, factor=0.5)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        step_size: int,
        gamma: float = 0.1,
        last_epoch: int = -1,
        verbose: Any = NOT_GIVEN,
    ) -> None:
        self.step_size = count(step_size, "step_size", at_least=1)
        self.gamma = real(gamma, "gamma", at_least=0)
        super().__init__(optimizer, last_epoch, verbose)

    @property
    def schedule(self) -> Schedule:
        return _step(self.step_size, self.gamma)


class MultiStepLR(ScheduleLR):
    """base * gamma^n, n the number of milestones that are <= k

    Args:
        optimizer: the optimizer.
        milestones: steps, in any order; one that is listed twice decays twice, a negative one never.
        gamma: factor of one decay, at least 0.
        last_epoch: -1 to begin; k to resume after step k.
        verbose: deprecated.

    Differs from PyTorch's: resumed with `last_epoch` on a milestone it does not decay twice; a negative gamma is
    refused.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
        verbose: Any = NOT_GIVEN,
    ) -> None:
        self.milestones = Counter(_milestone(m) for m in milestones)
        self.gamma = real(gamma, "gamma", at_least=0)
        super().__init__(optimizer, last_epoch, verbose)

    @property
    def schedule(self) -> Schedule:
        return _multistep(tuple(sorted(m for m in self.milestones.elements() if m >= 0)), self.gamma)


class ConstantLR(ScheduleLR):
    """base * factor for k < total_iters, then base

    Args:
        optimizer: the optimizer.
        factor: from 0 to 1.
        total_iters: steps at the factor, at least 0.
        last_epoch: -1 to begin; k to resume after step k.
        verbose: deprecated.

    Differs from PyTorch's: `total_iters=0` does nothing, a fractional one ends too, and `factor=0` comes back from 0.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
        verbose: Any = NOT_GIVEN,
    ) -> None:
        self.factor = real(factor, "the factor of ConstantLR", at_least=0, at_most=1)
        self.total_iters = _length(total_iters, "total_iters")
        super().__init__(optimizer, last_epoch, verbose)

    @property
    def schedule(self) -> Schedule:
        return _constant(self.factor, math.ceil(self.total_iters))


class LinearLR(ScheduleLR):
    """base * (s + (e - s) min(k, n) / n), s = start_factor, e = end_factor, n = total_iters

    Args:
        optimizer: the optimizer.
        start_factor: above 0, at most 1.
        end_factor: from 0 to 1.
        total_iters: steps from start to end, at least 0; 0 is at the end at once.
        last_epoch: -1 to begin; k to resume after step k.
        verbose: deprecated.

    Differs from PyTorch's: `total_iters=0` does not stay at the start; a fractional one ends at `end_factor`; a group
    added later gets its own rate times the factor.
    """

    _stays_when_resumed = True

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
        verbose: Any = NOT_GIVEN,
    ) -> None:
        self.start_factor = real(start_factor, "start_factor", above=0, at_most=1)
        self.end_factor = real(end_factor, "end_factor", at_least=0, at_most=1)
        self.total_iters = _length(total_iters, "total_iters")
        super().__init__(optimizer, last_epoch, verbose)

    @property
    def schedule(self) -> Schedule:
        return _linear(self.start_factor, self.end_factor, self.total_iters)


class ExponentialLR(ScheduleLR):
    """base * gamma^k

    Args:
        optimizer: the optimizer.
        gamma: factor of one step, at least 0.
        last_epoch: -1 to begin; k to resume after step k.
        verbose: deprecated.

    Differs from PyTorch's: a negative gamma is refused; a rate in float16 or bfloat16 does not freeze.
    """

    _stays_when_resumed = True

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1, verbose: Any = NOT_GIVEN) -> None:
        self.gamma = real(gamma, "gamma", at_least=0)
        super().__init__(optimizer, last_epoch, verbose)

    @property
    def schedule(self) -> Schedule:
        return _exponential(self.gamma) if self.gamma > 0 else _step(1, 0.0)


class PolynomialLR(ScheduleLR):
    """base * (1 - min(k, n) / n)^power, n = total_iters

    Args:
        optimizer: the optimizer.
        total_iters: steps to zero, above 0.
        power: at least 0.
        last_epoch: -1 to begin; k to resume after step k.
        verbose: deprecated.

    Differs from PyTorch's: no length and a negative power are refused; a fractional length ends at zero.
    """

    _stays_when_resumed = True

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
        verbose: Any = NOT_GIVEN,
    ) -> None:
        self.total_iters = _length(total_iters, "total_iters", above=0)
        self.power = real(power, "power", at_least=0)
        super().__init__(optimizer, last_epoch, verbose)

    @property
    def schedule(self) -> Schedule:
        return _polynomial(self.total_iters, self.power)


class CosineAnnealingLR(ScheduleLR):
    """base * c + eta_min * (1 - c), c = (1 + cos(pi k / T_max)) / 2: down to eta_min at T_max, up again at 2 T_max

    Args:
        optimizer: the optimizer.
        T_max: steps of the way down, above 0; may be fractional.
        eta_min: rate at the bottom, absolute and the same for all groups, at least 0.
        last_epoch: -1 to begin; k to resume after step k.
        verbose: deprecated.

    Differs from PyTorch's: the last steps before zero are exact to rounding (it loses nine digits in a million
    steps); a rate that other code has cut stays cut after the way up, and is not pulled up to eta_min; `T_max=0`
    and a negative eta_min are refused. `glidepath.cosine` stays at the bottom.

    Sources:
        Loshchilov and Hutter, 2017, SGDR, equation 5, https://arxiv.org/abs/1608.03983.
    """

    _stays_when_resumed = True
    _base_from: float = math.inf  # the bottom from which the base rates are its starts again, as in PyTorch

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,
        eta_min: float = 0.0,
        last_epoch: int = -1,
        verbose: Any = NOT_GIVEN,
    ) -> None:
        self.T_max = _length(T_max, "T_max", above=0)
        self.eta_min = real(eta_min, "eta_min", at_least=0)
        super().__init__(optimizer, last_epoch, verbose)

    @property
    def schedule(self) -> Schedule:
        """Return the c of the formula, which multiplies the rate if eta_min is 0."""
        return _waves(self.T_max)

    def _rates_of(self, number: float, starts: list[float]) -> list[float]:
        floor = self.eta_min * (1.0 - number)
        return [start * number + floor for start in starts]

    def lr_at(self, step: int) -> list[float]:
        starts = self._starts() if step < self._base_from else list(map(float, self.base_lrs))
        return self._rates_of(self.schedule(step), starts)

    def _start_from(self, i: int, rate: float, coming: float) -> float | None:
        step = self.last_epoch + 1
        c = self.schedule(step)
        if c == 0:
            return self._started[i]
        self._base_from = step + (self.T_max - step) % (2 * self.T_max)
        return self.eta_min + (rate - self.eta_min) / c

    def _move(self, epoch: Any) -> None:
        super()._move(epoch)
        self._follow(None)

    def _follow(self, number: Any) -> None:
        if self.last_epoch >= self._base_from:
            self._start_from_base()
            self._base_from = math.inf


# --- the schedules, built once for each set of numbers ---

_step = lru_cache(Step)
_exponential = lru_cache(lambda gamma: Exponential(1, gamma))
_multistep = lru_cache(Multistep)


@lru_cache
def _constant(factor: float, steps: int) -> Schedule:
    return sequence(scale(factor, Constant(steps)), Constant())


@lru_cache
def _linear(start: float, end: float, steps: float) -> Schedule:
    if isinstance(steps, int):
        return Linear(steps, end, start)
    passed = f"min(step, {steps!r})"
    return Formula(f"({start!r} * ({steps!r} - {passed}) + {end!r} * {passed}) / {steps!r}")


@lru_cache
def _polynomial(steps: float, power: float) -> Schedule:
    if power == 0.0:
        return Constant()
    if isinstance(steps, int):
        return Polynomial(steps, power=power)
    return Formula(f"(({steps!r} - min(step, {steps!r})) / {steps!r}) ** {power!r}")


@lru_cache
def _waves(steps: float) -> Schedule:
    if isinstance(steps, int):
        return repeat(sequence(Cosine(steps), Cosine(steps, 1.0, 0.0)))
    return Formula(f"sin(pi / 2 * (({steps!r} - step % {2 * steps!r}) / {steps!r})) ** 2")


def _length(value: Any, name: str, *, above: float | None = None) -> float:
    """Return a number of steps of at least 0, as an int if it is whole."""
    steps = real(value, name, above=above, at_least=0)
    return int(steps) if steps.is_integer() else steps


def _milestone(value: Any) -> int:
    steps = real(value, "a milestone")
    if not steps.is_integer():
        raise ScheduleError(f"a milestone is a step, a whole number, not {value!r}")
    return int(steps)
