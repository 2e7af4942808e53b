"""The loss of a run that was never made, with a band that holds.

The logarithm of the predicted loss is uncertain by three things, taken as independent: the letters of the law, what
any law of this kind misses, which grows with every doubling of the progress beyond the fitted runs, and the noise of
one logged loss:

    sd^2 = (c J C J^T) + (d (1 + max(0, log2(S_t / S_fitted))))^2 + noise^2

with J the derivatives of log L, C the covariance of the letters. The constants were calibrated on 97 validation curves
of a 124M-parameter model (fits on one or two runs of 15,000 or 25,000 steps, everything else predicted): the band of
90% covered 95% of the points and 95% of the last points there. On nine curves of another model, which the calibration
did not see, it covered 93 to 96% of the points, but only 4 of 6 last points with three runs fitted, so the interval of
the last loss is wider: 6 of 6 there, 98% where it was calibrated.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import ndtri

from glidepath.core.errors import LawError
from glidepath.law.evaluation.fast_sum import FloatArray, IntArray

LETTERS, LETTERS_AT_THE_END = 0.5, 0.7  # c, of the standard deviation
MISSED = 1e-3  # d
POINTS = 400  # where a curve is predicted, unless it is said where


@final
@dataclass(frozen=True, eq=False)
class Prediction:
    """A predicted curve.

    Args:
        updates: (m,), after how many updates.
        rates: (m,), the absolute rate of the update before.
        losses: (m,), predicted.
        low: (m,), the lower end of the band for one logged loss.
        high: (m,), the upper end.
        final_low: the lower end for the last loss, which is stated apart since errors gather there.
        final_high: the upper end.
        level: how often a band should hold.
    """

    updates: IntArray
    rates: FloatArray
    losses: FloatArray
    low: FloatArray
    high: FloatArray
    final_low: float
    final_high: float
    level: float

    @property
    def final(self) -> float:
        """The last predicted loss."""
        return float(self.losses[-1])


@final
@dataclass(frozen=True, eq=False)
class Spread:
    """What makes the logarithm of a predicted loss uncertain: standard deviations (m,), but for one logged loss.

    Args:
        letters: of the law's letters.
        further: log2 of how much further than the fitted runs, at least 0.
        noise: of one logged loss.
    """

    letters: FloatArray
    further: FloatArray
    noise: float

    def deviation(self, share: float) -> FloatArray:
        """(m,): all of it together, with a share of the letters' deviation."""
        return np.sqrt((share * self.letters) ** 2 + (MISSED * (1 + self.further)) ** 2 + self.noise**2)


def banded(updates: IntArray, rates: FloatArray, losses: FloatArray, spread: Spread, level: float) -> Prediction:
    """A prediction with its band.

    Raises:
        LawError: if the level is no share, or a loss is not above 0.
    """
    if not 0 < level < 1:
        raise LawError(f"the level of a band is between 0 and 1, as in 0.9, not {level!r}")
    if losses.min() <= 0:
        raise LawError("the law predicts a loss of 0 or less there: it was fitted to runs that say too little of that")
    point = float(ndtri((1 + level) / 2))
    away = np.exp(point * spread.deviation(LETTERS))
    end = float(np.exp(point * spread.deviation(LETTERS_AT_THE_END)[-1]))
    last = float(losses[-1])
    return Prediction(updates, rates, losses, losses / away, losses * away, last / end, last * end, level)


def spaced(first: int, steps: int, points: int = POINTS) -> IntArray:
    """As many places as there are points, from `first` to `steps`, evenly spaced.

    >>> spaced(1, 5, 3)
    array([1, 3, 5])
    """
    return np.unique(np.linspace(first, steps, points).round().astype(np.int64))
