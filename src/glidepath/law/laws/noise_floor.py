"""The noise-floor law, the one that predicts best."""

from dataclasses import dataclass
from typing import ClassVar, Self, final

from glidepath.law.evaluation.formula import Noise, Parameters
from glidepath.law.evaluation.relaxation import Relaxation
from glidepath.law.evaluation.timeline import Timeline

from .law import ALWAYS_FREE, FreeParameter, Law


@final
@dataclass(frozen=True)
class NoiseFloorLaw(Law):
    """Progress lowers the loss; above it stands a noise floor that belongs to the rate and follows it late.

        L(t) = L0 + A (P_t / 1000)^-alpha + B sum_k [phi(e_k) - phi(e_{k-1})] G(S_t - S_k)
        e = rate / peak,  P_t = sum_{k<t} e_k^q,  S_t = sum_{k<t} e_k
        phi(e) = e^kappa,  G(x) = 1 - (1 + rho x / beta)^-beta,  beta = 2

    over the changes k < t of the rate. Where it comes from: of stochastic gradient descent on a sum of quadratics with
    noisy gradients, the expected loss is a part that the gradients remove plus the noise that was put in and not yet
    forgotten, an integral over the past, int phi(e(S)) g(S_t - S) dS: each piece dS of progress adds noise that
    grows with the rate, and the memory g fades with the progress made since, by a power when curvatures are spread by
    one (the functional scaling law). Integrating by parts moves the derivative from the memory to the rate, which gives
    the sum over changes above with G the integral of g. Two exponents then depart from plain gradient descent, where
    both are 1: adaptive optimizers divide by the size of noisy gradients, so that the floor grows more slowly than the
    rate (kappa is 0.5 to 0.85 in language models), and a low rate makes more progress than its share (q is 0.6 to 0.9).
    The exponent beta is fixed, since a few curves cannot tell it from rho.

    Args:
        peak: the rate that ratios are of, absolute; above 0.
        limit: L0, the loss that no training removes.
        gap: A, the loss above the limit at a progress of 1,000 updates at the peak; above 0.
        gap_exponent: alpha, above 0.
        noise: B, the floor that the peak rate keeps the loss above.
        noise_exponent: kappa.
        relaxation: rho, per update at the peak: the floor follows a change within some multiples of 1 / rho.
        clock_exponent: q.
        relaxation_exponent: beta.

    Examples:
        >>> from glidepath import linear, constant
        >>> law = NoiseFloorLaw(3e-4, limit=2.6, gap=0.9, gap_exponent=0.5, noise=0.35, noise_exponent=0.7,
        ...                     relaxation=0.01, clock_exponent=0.75)
        >>> [round(float(law.predict(plan, 10_000, updates=[10_000])[0]), 3)
        ...  for plan in (constant(), constant(8000) >> linear(2000))]
        [3.234, 3.055]

    Sources:
        The form and its exponents are this project's own, chosen on runs of a 124M-parameter language model.
        With kappa = q = 1: Li et al., 2025, functional scaling laws, https://arxiv.org/abs/2509.19189.
    """

    NAME: ClassVar = "noise-floor"
    FREE: ClassVar = (
        *ALWAYS_FREE,
        FreeParameter("rho", log=True, prior_mean=-4.5, prior_std=0.7, per_update=True),
        FreeParameter("kappa", prior_mean=0.65, prior_std=0.12),
        FreeParameter("q", prior_mean=0.75, prior_std=0.15),
    )

    peak: float
    limit: float
    gap: float
    gap_exponent: float
    noise: float
    noise_exponent: float
    relaxation: float
    clock_exponent: float
    relaxation_exponent: float = 2.0

    @classmethod
    def from_parameters(cls, peak: float, parameters: Parameters) -> Self:
        p = parameters
        return cls(peak, p.limit, p.gap, p.alpha, p.noise, p.kappa, p.rho, p.q, p.beta)

    @property
    def parameters(self) -> Parameters:
        return Parameters(
            limit=self.limit,
            gap=self.gap,
            alpha=self.gap_exponent,
            noise=self.noise,
            rho=self.relaxation,
            beta=self.relaxation_exponent,
            kappa=self.noise_exponent,
            q=self.clock_exponent,
        )

    @classmethod
    def noise_of(cls, timeline: Timeline) -> Noise:
        return Relaxation(timeline, free=frozenset({"kappa"}))
