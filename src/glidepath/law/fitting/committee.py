"""Several laws fitted to the same runs, whose mean ranks and designs.

The law with the most exact curves is not the one that ranks best: it errs alike where schedules are alike. Three laws
err differently: the noise-floor law, the multi-power law and the convex-kernel law. On runs of a 124M-parameter model,
picking by the noise-floor law alone cost 0.0033 of loss on average and 0.012 at most, by the mean of the three 0.0012
and 0.004 (`benchmarks/ranking.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import final

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


@final
@dataclass(frozen=True, eq=False)
class Committee:
    """Laws fitted to the same runs, whose mean ranks.

    Args:
        fits: of each law; the first one is the noise-floor law.
    """

    fits: tuple[Fit, ...]

    @property
    def peak(self) -> float:
        """The rate that ratios are of."""
        return self.fits[0].law.peak

    def losses(self, plan: Schedule | ArrayLike, steps: Length = None) -> dict[str, float]:
        """What each law says of the last loss."""
        return {fit.law.NAME: fit.law.final_loss(plan, steps) for fit in self.fits}

    def loss(self, plan: Schedule | ArrayLike, steps: Length = None) -> float:
        """The mean of what they say."""
        return fmean(self.losses(plan, steps).values())

    def last(self, rates: FloatArray, level: float = 0.9) -> Prediction:
        """The last loss of a run of absolute rates (T,) with its interval, by the first law."""
        return self.fits[0].predict(rates, updates=[len(rates)], level=level)


def fit_committee(runs: Sequence[Run]) -> Committee:
    """The laws of the advice, fitted to runs of one peak."""
    return Committee(tuple(fit(runs, law) for law in (NoiseFloorLaw, MultiPowerLaw, ConvexKernelLaw)))
