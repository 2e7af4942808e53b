"""The multi-power law: a fall of the rate takes off more, with a delay that grows as the rate gets low."""

import math
from dataclasses import dataclass
from typing import ClassVar, Self, final

from glidepath.law.evaluation.formula import REFERENCE, Noise, Parameters
from glidepath.law.evaluation.relaxation import Relaxation
from glidepath.law.evaluation.timeline import Timeline

from .law import ALWAYS_FREE, FreeParameter, Law


@final
@dataclass(frozen=True)
class MultiPowerLaw(Law):
    """The loss falls with the area under the rate, and each fall of the rate takes off more, after a delay.

        L(t) = L0 + A S_t^-alpha - B sum_{k<t} (eta_{k-1} - eta_k) G(eta_k^-gamma (S_t - S_k))
        G(x) = 1 - (1 + C x)^-beta,   S_t = sum_{k<t} eta_k

    with eta the absolute rate, 0 before the first update. Its least loss over all schedules is no schedule to use: the
    factor eta_k^-gamma takes the rate after a fall, so one giant fall scores better than the same fall in two.

    Args:
        peak: the rate that ratios are of, absolute; above 0.
        L0: the loss that no training removes.
        A: in units of a loss times a rate to the alpha.
        alpha: above 0.
        B: loss per rate.
        C: per rate to the 1 - gamma.
        beta: above 0.
        gamma: 0 to 1.

    Sources:
        Luo et al., 2025, multi-power law, https://arxiv.org/abs/2503.12811.
    """

    NAME: ClassVar = "multi-power"
    FREE: ClassVar = (
        *ALWAYS_FREE,
        FreeParameter("rho", log=True, prior_mean=-4.5, prior_std=1.0, per_update=True),
        FreeParameter("beta", log=True, prior_mean=math.log(0.6), prior_std=0.4),
        FreeParameter("gamma", prior_mean=0.5, prior_std=0.2),
    )

    peak: float
    L0: float
    A: float
    alpha: float
    B: float
    C: float
    beta: float
    gamma: float

    @classmethod
    def from_parameters(cls, peak: float, parameters: Parameters) -> Self:
        scale = (REFERENCE * peak) ** parameters.alpha
        speed = parameters.rho / parameters.beta * peak ** (parameters.gamma - 1)
        return cls(
            peak,
            parameters.limit,
            parameters.gap * scale,
            parameters.alpha,
            parameters.noise / peak,
            speed,
            parameters.beta,
            parameters.gamma,
        )

    @property
    def parameters(self) -> Parameters:
        return Parameters(
            limit=self.L0,
            gap=self.A / (REFERENCE * self.peak) ** self.alpha,
            alpha=self.alpha,
            noise=self.B * self.peak,
            rho=self.beta * self.C * self.peak ** (1 - self.gamma),
            beta=self.beta,
            gamma=self.gamma,
        )

    @classmethod
    def noise_of(cls, timeline: Timeline) -> Noise:
        return Relaxation(timeline, free=frozenset({"beta", "gamma"}))
