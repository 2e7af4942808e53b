"""Rows of a log as arrays, and whether one peak makes the values of a plan the rates in them.

A peak that was not given is an interval: each rate, within its rounding, leaves the peaks that would explain it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self, final

import numpy as np

from glidepath.core.schedule import Schedule

from ..rounding import HALF, half_unit
from ..run import FloatArray, IntArray
from .rates import Rates

DUST = 2e-6  # relative: what is left of a rate in 32 bits, with room for the functions of NumPy
FINE_DUST = 1e-9  # the same in 64 bits
FINE_DUST_32 = 2e-7  # the same of a rate that was only stored in 32 bits
MANY = 4  # different values of the plan, before the digits of the rates say anything about rounding
LEAST = 1e-12  # a value below it is taken for 0, which no peak makes a rate
FIRST_CHUNK = 64

ValuesAt = Callable[[slice], FloatArray]  # the plan's values at some rows
Peaks = tuple[float, float]


@final
@dataclass(frozen=True, eq=False)
class Rows:
    """The steps and rates of a log.

    Args:
        steps: ascending; shape (n,).
        rates: shape (n,).
        slack: how far a rate may lie from the plan's; shape (n,).
        fine: the same where the reading is free enough to explain too much: no wider than the log's own digits.
        lowest: of the peaks that the plan may have.
        highest: of these peaks.
    """

    steps: IntArray
    rates: FloatArray
    slack: FloatArray
    fine: FloatArray
    lowest: float
    highest: float

    @classmethod
    def of(cls, plan: Schedule, logged: Rates, peak: float | None) -> Self:
        """Return the rows of a log, with any peak if none is given."""
        steps, rates = np.asarray(logged.steps, dtype=np.int64), np.asarray(logged.rates, dtype=np.float64)
        rounding = half_unit(rates)
        if len(np.unique(np.asarray(plan(steps)))) < MANY or np.ptp(rates) == 0:
            rounding = np.minimum(rounding, _half_fourth_digit(rates))
        single = bool((rates == rates.astype(np.float32)).all())
        slack = np.maximum(DUST * rates.max(), rounding)
        fine = np.maximum((FINE_DUST_32 if single else FINE_DUST) * rates.max(), rounding)
        lowest, highest = (0.0, math.inf) if peak is None else (peak, peak)
        return cls(steps, rates, slack, fine, lowest, highest)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, rows: slice | IntArray) -> Self:
        return replace(
            self, steps=self.steps[rows], rates=self.rates[rows], slack=self.slack[rows], fine=self.fine[rows]
        )

    @property
    def is_free(self) -> bool:
        """Return whether several peaks are possible."""
        return self.lowest < self.highest

    @property
    def is_level(self) -> bool:
        """Return whether all rates are the same."""
        return bool(np.ptp(self.rates) <= self.slack.max())

    def with_peaks(self, lowest: float, highest: float) -> Self:
        """Return the same rows, with other peaks possible."""
        return replace(self, lowest=lowest, highest=highest)

    def strict(self) -> Self:
        """Return the same rows, for a reading that is free enough to explain too much."""
        return replace(self, slack=self.fine)

    def peaks(self, values: FloatArray, rows: int | slice | IntArray = slice(None)) -> tuple[FloatArray, FloatArray]:
        """Return the lowest and highest peak at which each value is the logged rate; none if low > high."""
        low, high = self.rates[rows] - self.slack[rows], self.rates[rows] + self.slack[rows]
        some = values > LEAST
        divisor = np.where(some, values, 1.0)
        lowest = np.where(some, low / divisor, 0.0)
        highest = np.where(some, high / divisor, np.where(low > 0, -math.inf, math.inf))
        return np.maximum(lowest, self.lowest), np.minimum(highest, self.highest)

    def agree(self, values: FloatArray, rows: int | slice | IntArray = slice(None)) -> np.ndarray:
        """Return which of the values are their rates, each at some peak."""
        low, high = self.peaks(values, rows)
        return low <= high

    def prefix(self, values_at: ValuesAt, start: int = 0) -> int:
        """Return how many rows one peak explains, from the first on, looking no further than needed."""
        low, high, size = -math.inf, math.inf, FIRST_CHUNK
        while start < len(self):
            chunk = slice(start, min(start + size, len(self)))
            lower, upper = self.peaks(values_at(chunk), chunk)
            lower, upper = np.maximum.accumulate(lower), np.minimum.accumulate(upper)
            apart = np.maximum(lower, low) > np.minimum(upper, high)
            if apart.any():
                return chunk.start + int(np.argmax(apart))
            low, high = max(low, float(lower[-1])), min(high, float(upper[-1]))
            start, size = chunk.stop, 2 * size
        return len(self)

    def narrow(self, values: FloatArray) -> Peaks:
        """Return the peaks that are left by all rows, which agree."""
        low, high = self.peaks(values)
        lowest, highest = float(low.max(initial=self.lowest)), float(high.min(initial=self.highest))
        if highest == math.inf:  # 0 by the plan, all of them
            lowest = highest = float(self.rates.max(initial=0.0))
        return lowest, highest


def _half_fourth_digit(rates: FloatArray) -> FloatArray:
    """Return half a unit in the fourth digit of each rate, to which any log may have been rounded."""
    exponents = np.floor(np.log10(np.maximum(rates, np.finfo(np.float64).tiny)))
    return np.where(rates > 0, HALF * 10.0 ** (exponents - 3), 0.0)
