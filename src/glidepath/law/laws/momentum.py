"""The momentum law: each change of the rate fades in with the updates, exponentially."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Self, final

from glidepath.law.evaluation.formula import REFERENCE, Noise, Parameters
from glidepath.law.evaluation.relaxation import Relaxation
from glidepath.law.evaluation.timeline import Timeline

from .law import ALWAYS_FREE, FreeParameter, Law


@final
@dataclass(frozen=True)
class MomentumLaw(Law):
    """The loss falls with the area under the rate, and with the annealing that is remembered.

        L(t) = L0 + A S1^-alpha - C S2,   S1 = sum_{k<t} eta_k
        S2 = sum_{k<=i<t} (eta_{k-1} - eta_k) lambda^(i-k) = sum_k (eta_{k-1} - eta_k) (1 - lambda^(t-k)) / (1 - lambda)

    with eta the absolute rate, 0 before the first update: the published law counts no first rise, which adds a constant
    to L0 once it is forgotten.

    Args:
        peak: the rate that ratios are of, absolute; above 0.
        L0: the loss that no training removes.
        A: in units of a loss times a rate to the alpha.
        alpha: above 0.
        C: loss per rate.
        lambda_: how much of the annealing is remembered after an update; 0 to 1, 0.99 to 0.999 in the paper.

    Sources:
        Tissue, Wang and Wang, 2024, scaling law with learning rate annealing, equation 1,
        https://arxiv.org/abs/2408.11029.
    """

    NAME: ClassVar = "momentum"
    FREE: ClassVar = (
        *ALWAYS_FREE,
        FreeParameter("rho", log=True, prior_mean=-6.0, prior_std=1.0, per_update=True),
    )
    FIXED: ClassVar = replace(Law.FIXED, beta=math.inf)
    CLOCK: ClassVar = "updates"

    peak: float
    L0: float
    A: float
    alpha: float
    C: float
    lambda_: float

    @classmethod
    def from_parameters(cls, peak: float, parameters: Parameters) -> Self:
        memory = math.exp(-parameters.rho)
        scale = (REFERENCE * peak) ** parameters.alpha
        return cls(
            peak,
            parameters.limit,
            parameters.gap * scale,
            parameters.alpha,
            parameters.noise * (1 - memory) / peak,
            memory,
        )

    @property
    def parameters(self) -> Parameters:
        return Parameters(
            limit=self.L0,
            gap=self.A / (REFERENCE * self.peak) ** self.alpha,
            alpha=self.alpha,
            noise=self.C * self.peak / (1 - self.lambda_),
            rho=-math.log(self.lambda_),
            beta=math.inf,
        )

    @classmethod
    def noise_of(cls, timeline: Timeline) -> Noise:
        return Relaxation(timeline, cls.CLOCK)
