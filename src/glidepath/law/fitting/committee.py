"""Several laws fitted to the same runs, whose mean ranks and designs.

The law with the most exact curves is not the one that ranks best: it errs alike where schedules are alike. Three laws
err differently: the noise-floor law, the multi-power law and the convex-kernel law. On runs of a 124M-parameter model,
picking by the noise-floor law alone cost 0.0033 of loss on average and 0.012 at most, by the mean of the three 0.0012
and 0.004 (`benchmarks/ranking.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeVar, final

import numpy as np
from numpy.typing import ArrayLike

from glidepath.core.schedule import Schedule
from glidepath.law.evaluation.fast_sum import FloatArray
from glidepath.law.evaluation.rates import Length
from glidepath.law.laws.convex_kernel import ConvexKernelLaw
from glidepath.law.laws.multi_power import MultiPowerLaw
from glidepath.law.laws.noise_floor import NoiseFloorLaw
from glidepath.runs.run import Run

from .fit import Fit, fit
from .prediction import Prediction
from .selection import select_runs

Losses = TypeVar("Losses", float, FloatArray)  # the last loss alone, or a curve


@final
@dataclass(frozen=True, eq=False)
class Committee:
    """Laws fitted to the same runs, whose mean ranks.

    Args:
        fits: of each law; the first one is the noise-floor law.
        noise: the standard error of a difference of the last losses of two runs; None if no run has several seeds.
        notes: what was chosen among the runs, in sentences.
    """

    fits: tuple[Fit, ...]
    noise: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def peak(self) -> float:
        """Return the rate that ratios are of."""
        return self.fits[0].law.peak

    def losses(self, plan: Schedule | ArrayLike, steps: Length = None) -> dict[str, float]:
        """Predict the last loss by each law, by its name."""
        return {fit.law.NAME: fit.law.final_loss(plan, steps) for fit in self.fits}

    def loss(self, plan: Schedule | ArrayLike, steps: Length = None) -> float:
        """Predict the last loss: the mean of the laws."""
        return fmean(self.losses(plan, steps).values())

    def predict_last(self, rates: FloatArray, level: float = 0.9) -> Prediction:
        """Predict the last loss of a run of absolute rates (T,), with its interval, by the first law alone."""
        return self.fits[0].predict(rates, updates=[len(rates)], level=level)

    def predict(
        self,
        plan: Schedule | ArrayLike,
        steps: Length = None,
        *,
        updates: ArrayLike | None = None,
        level: float = 0.9,
    ) -> Prediction:
        """Predict a curve: the mean of the laws, with the band of the first law moved there and widened.

        It is wider by the standard deviation between the laws, on either side.

        Args:
            plan: a schedule, whose values are ratios of the peak, or the absolute rate of every update.
            steps: updates of the run, also "10k"; None: as many as the schedule lasts, or as there are rates.
            updates: (m,), ascending, after how many updates; None: some 400, evenly spaced over the run.
            level: how often the band should hold for one logged loss.

        Raises:
            LawError: as `Fit.predict`.
        """
        curves = [fit.predict(plan, steps, updates=updates, level=level) for fit in self.fits]
        losses, first = np.array([curve.losses for curve in curves]), curves[0]
        mean, between = losses.mean(axis=0), losses.std(axis=0)
        low, high = band_of_mean(mean, between, first.losses, first.low, first.high)
        final_low, final_high = band_of_mean(
            float(mean[-1]), float(between[-1]), first.final, first.final_low, first.final_high
        )
        return Prediction(first.updates, first.rates, mean, low, high, final_low, final_high, first.level, first.doubts)


def band_of_mean(mean: Losses, between: Losses, losses: Losses, low: Losses, high: Losses) -> tuple[Losses, Losses]:
    """Return the band of the mean of several laws, from the band of one of them.

    Args:
        mean: of the predictions of all laws.
        between: the standard deviation between them.
        losses: predicted by the one law.
        low: the lower end of its band.
        high: the upper end.
    """
    return mean * low / losses - between, mean * high / losses + between


def fit_committee(runs: Sequence[Run]) -> Committee:
    """Fit the laws of the advice to some runs.

    Args:
        runs: of one model. Those that differ only by their seed count as one, their mean; of several peaks, the one
            with the lowest last loss is used, with a warning.

    Raises:
        LawError: if the laws cannot be fitted.
    """
    selection = select_runs(runs)
    fits = tuple(fit(selection.runs, law) for law in (NoiseFloorLaw, MultiPowerLaw, ConvexKernelLaw))
    return Committee(fits, selection.noise, selection.notes)
