"""The law that has the noise of the convex bound: four parameters, and the best of the laws at ranking."""

from dataclasses import dataclass
from typing import ClassVar, Self, final

from glidepath.law.evaluation.convex_noise import ConvexNoise
from glidepath.law.evaluation.formula import Noise, Parameters
from glidepath.law.evaluation.timeline import Timeline

from .law import ALWAYS_FREE, Law


@final
@dataclass(frozen=True)
class ConvexKernelLaw(Law):
    """Progress lowers the loss; above it stands the noise that the last-iterate bound of convex theory has.

        L(t) = L0 + A (S_t / 1000)^-alpha + B/2 [e_{t-1} + sum_{k<t-1} e_k^2 / (S_t - S_{k+1})]
        e = rate / peak,  S_t = sum_{k<t} e_k

    Its curves are less exact than the noise-floor law's, its order of schedules is better (`advise` takes the mean of
    both).

    Args:
        peak: the rate that ratios are of, absolute; above 0.
        limit: L0.
        gap: A, the loss above L0 at a progress of 1,000 updates at the peak.
        gap_exponent: alpha.
        noise: B.

    Sources:
        The bracket is that of `bound`: Defazio et al., 2023, theorem 10, https://arxiv.org/abs/2310.07831; as a
        predictor of real curves: Schaipp et al., 2025, https://arxiv.org/abs/2501.18965.
        The law around it is Glidepath's own.
    """

    NAME: ClassVar = "convex-kernel"
    FREE: ClassVar = ALWAYS_FREE
    CLOCK: ClassVar = None

    peak: float
    limit: float
    gap: float
    gap_exponent: float
    noise: float

    @classmethod
    def from_parameters(cls, peak: float, parameters: Parameters) -> Self:
        return cls(peak, parameters.limit, parameters.gap, parameters.alpha, parameters.noise)

    @property
    def parameters(self) -> Parameters:
        return Parameters(self.limit, self.gap, self.gap_exponent, self.noise)

    @classmethod
    def noise_of(cls, timeline: Timeline) -> Noise:
        return ConvexNoise(timeline)
