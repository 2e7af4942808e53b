"""The loss of a run that was never made, with a band that holds.

The logarithm of the predicted loss is uncertain by three things, taken as independent: the parameters of the law, what
any law of this kind misses, and the noise of one logged loss:

    sd^2 = c^2 J C J^T + m^2 + noise^2,   m = d (1 + f) (1 + 3 max(0, f - 1)^2) + 0.01 (b + p)

with J the derivatives of log L, C the covariance of the parameters, f the doublings of the progress beyond the fitted
runs, b those before their first loss, p the doublings by which the run's largest rate is not the law's peak.

The constants c and d were calibrated on 97 validation curves of a 124M-parameter model (fits on one or two runs of
15,000 or 25,000 steps, everything else predicted; `benchmarks/bands.py`). On nine curves of another model, which the
calibration did not use, the band of 90% covered 93 to 96% of the points, but with three runs fitted only 4 of 6 last
points, so the interval of the last loss takes a larger c. That a law fails beyond two doublings and off its peak was
observed, not calibrated: 0.01 for each doubling of the peak, and what f adds beyond 1, are of the observed size.
"""

from dataclasses import dataclass, field
from typing import final

import numpy as np
from scipy.special import ndtri

from glidepath.errors import Argument, LawError
from glidepath.law.evaluation.fast_sum import FloatArray, IntArray

SHARE, SHARE_AT_THE_END = 0.5, 0.7  # c
MISSED = 1e-3  # d
OFF = 1e-2  # for each doubling before the first loss, or of the peak
TOO_FAR = 2.0  # doublings of the peak, from which on nothing is predicted
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
        doubts: why it should not be trusted, in sentences; empty without a reason.
        notes: what was chosen among the runs, in sentences.
    """

    updates: IntArray = field(repr=False)
    rates: FloatArray = field(repr=False)
    losses: FloatArray = field(repr=False)
    low: FloatArray = field(repr=False)
    high: FloatArray = field(repr=False)
    final_low: float
    final_high: float
    level: float
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def final(self) -> float:
        """Return the last predicted loss."""
        return float(self.losses[-1])


@final
@dataclass(frozen=True, eq=False)
class Distance:
    """How far a prediction is from what was fitted, in doublings.

    Args:
        further: (m,), of the progress, beyond the fitted runs; at least 0.
        before: (m,), of the progress, before the first loss that was used; at least 0.
        off_peak: of the largest rate, up or down.
    """

    further: FloatArray
    before: FloatArray
    off_peak: float

    @property
    def law_std(self) -> FloatArray:
        """Return m, the standard deviation of what a law misses, (m,)."""
        beyond = 1 + 3 * np.maximum(0, self.further - 1) ** 2
        std: FloatArray = MISSED * (1 + self.further) * beyond + OFF * (self.before + self.off_peak)
        return std

    @property
    def doubts(self) -> tuple[str, ...]:
        """Return the reasons not to trust a prediction at this distance, in sentences."""
        times, doubts = 2.0 ** self.further.max(), []
        if times > 2:
            doubts.append(f"it goes {times:.1f} times as far as the fitted runs: beyond twice, laws were seen to fail")
        if self.before[-1] > 0:
            doubts.append("it ends before the first loss of the fitted runs that was used, where no law holds")
        if self.off_peak > 0.1:
            doubts.append("its largest rate is not the peak of the fitted runs: a law does not hold across peaks")
        return tuple(doubts)


def distance_from_fit(progress: FloatArray, ratios: FloatArray, earliest: float, furthest: float) -> Distance:
    """Measure how far a run is from those that were fitted.

    Args:
        progress: (m,), S_t where losses are predicted.
        ratios: (T,), its rates over the law's peak.
        earliest: the progress at the first loss that was used.
        furthest: the progress at the last one.

    Raises:
        LawError: if its largest rate is more than four times the peak, or less than a quarter.
    """
    off_peak = abs(float(np.log2(ratios.max())))
    if off_peak > TOO_FAR:
        raise LawError(
            f"the largest rate of this run is {ratios.max():.3g} times the peak of the fitted runs, and a law does not "
            "hold across peaks: fit it to runs of that peak"
        )
    further, before = (np.maximum(0, np.log2(times)) for times in (progress / furthest, earliest / progress))
    return Distance(further, before, off_peak)


@final
@dataclass(frozen=True, eq=False)
class Uncertainty:
    """What makes the logarithm of a predicted loss uncertain: standard deviations.

    Args:
        parameter_std: (m,), by the errors of the law's parameters.
        distance: from what was fitted.
        residual_std: of one logged loss.
    """

    parameter_std: FloatArray
    distance: Distance
    residual_std: float

    def std(self, share: float) -> FloatArray:
        """Return the standard deviation (m,) of all of it together, with a share of that of the parameters."""
        return np.sqrt((share * self.parameter_std) ** 2 + self.distance.law_std**2 + self.residual_std**2)


def add_band(
    updates: IntArray, rates: FloatArray, losses: FloatArray, uncertainty: Uncertainty, level: float
) -> Prediction:
    """Return predicted losses with the band around them.

    Raises:
        LawError: if the level is not between 0 and 1, or a loss is not above 0.
    """
    if not (isinstance(level, float) and 0 < level < 1):
        raise LawError((Argument("level"), f" is between 0 and 1, as in 0.9, not {level!r}"))
    if losses.min() <= 0:
        raise LawError("the law predicts a loss of 0 or less there: it was fitted to runs that say too little of that")
    point = float(ndtri((1 + level) / 2))
    factor = np.exp(point * uncertainty.std(SHARE))
    end = float(np.exp(point * uncertainty.std(SHARE_AT_THE_END)[-1]))
    last = float(losses[-1])
    band = (losses / factor, losses * factor, last / end, last * end)
    return Prediction(updates, rates, losses, *band, level, uncertainty.distance.doubts)


def space_evenly(first: int, steps: int, points: int = POINTS) -> IntArray:
    """Return as many evenly spaced updates as there are points, from `first` to `steps`; fewer in a short run.

    >>> space_evenly(1, 5, 3)
    array([1, 3, 5])
    """
    return np.unique(np.linspace(first, steps, points).round().astype(np.int64))
