"""The functional scaling law with its power kernel: a noise in proportion to the rate, forgotten by a power."""

import math
from dataclasses import dataclass
from typing import ClassVar, Self, final

from glidepath.law.evaluation.formula import Noise, Parameters
from glidepath.law.evaluation.relaxation import Relaxation
from glidepath.law.evaluation.timeline import Timeline

from .law import ALWAYS_FREE, FreeParameter, Law


@final
@dataclass(frozen=True)
class FunctionalScalingLaw(Law):
    """The noise-floor law as plain gradient descent would have it: the floor is in proportion to the rate.

        L(t) = L0 + A (S_t / 1000)^-alpha + B sum_k (e_k - e_{k-1}) G(S_t - S_k)
        e = rate / peak,  S_t = sum_{k<t} e_k,  G(x) = 1 - (1 + rho x / beta)^-beta

    which is, by parts, the published convolution L0 + A S^-alpha + B int e(s) g(S_t - s) ds with g = G'. It is also the
    multi-power law with gamma = 0.

    Args:
        peak: the rate that ratios are of, absolute; above 0.
        limit: L0.
        gap: A, the loss above L0 at a progress of 1,000 updates at the peak.
        gap_exponent: alpha.
        noise: B, the floor at the peak.
        relaxation: rho, per update at the peak.
        relaxation_exponent: beta.

    Sources:
        Li et al., 2025, functional scaling laws, https://arxiv.org/abs/2509.19189.
    """

    NAME: ClassVar = "functional-scaling"
    FREE: ClassVar = (
        *ALWAYS_FREE,
        FreeParameter("rho", log=True, prior_mean=-4.5, prior_std=0.7, per_update=True),
        FreeParameter("beta", log=True, prior_mean=math.log(1.0), prior_std=0.7),
    )

    peak: float
    limit: float
    gap: float
    gap_exponent: float
    noise: float
    relaxation: float
    relaxation_exponent: float

    @classmethod
    def from_parameters(cls, peak: float, parameters: Parameters) -> Self:
        p = parameters
        return cls(peak, p.limit, p.gap, p.alpha, p.noise, p.rho, p.beta)

    @property
    def parameters(self) -> Parameters:
        return Parameters(
            self.limit, self.gap, self.gap_exponent, self.noise, self.relaxation, self.relaxation_exponent
        )

    @classmethod
    def noise_of(cls, timeline: Timeline) -> Noise:
        return Relaxation(timeline, free=frozenset({"beta"}))
