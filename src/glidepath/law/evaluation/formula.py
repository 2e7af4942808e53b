"""The one formula of all the laws: progress that lowers the loss, and a noise above it that the rate decides.

    L(t) = L0 + A (P_t / 1000)^-alpha + B N(t),   P_t = sum_{k<t} e_k^q,   e = rate / peak

A law is a choice of N, of the parameters that are free, and of their names: see `relaxation.py` and `convex_noise.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, final

import numpy as np

from .fast_sum import FloatArray
from .timeline import Timeline

ParameterName = Literal["limit", "gap", "alpha", "noise", "rho", "beta", "kappa", "q", "gamma"]
REFERENCE = 1000.0  # of the progress: so that A is a loss of ordinary size


@final
@dataclass(frozen=True)
class Parameters:
    """The parameters of the formula.

    Args:
        limit: L0, what no training removes.
        gap: A, the loss above it at a progress of 1,000 updates at the peak; above 0.
        alpha: above 0.
        noise: B, what the noise is multiplied with.
        rho: how fast the noise follows the rate, per update at the peak; above 0.
        beta: the exponent with which it does; above 0; infinite: exponentially.
        kappa: of the rate, in the noise.
        q: of the rate, in the progress.
        gamma: of the rate, in how fast the noise follows; 0 in all laws but one.
    """

    limit: float
    gap: float
    alpha: float
    noise: float
    rho: float = 1.0
    beta: float = 2.0
    kappa: float = 1.0
    q: float = 1.0
    gamma: float = 0.0


Slopes = Mapping[ParameterName, FloatArray]


class Noise(Protocol):
    """N on one run."""

    def __call__(self, parameters: Parameters) -> tuple[FloatArray, Slopes]:
        """Compute N (m,), and its derivatives with respect to its parameters, for some hundreds of losses."""

    def size(self, parameters: Parameters) -> FloatArray:
        """Compute N (m,) alone, for any number of losses."""


def progress_loss(progress: FloatArray, parameters: Parameters) -> FloatArray:
    """Return L0 + A (P / 1000)^-alpha, (m,)."""
    return parameters.limit + parameters.gap * (progress / REFERENCE) ** -parameters.alpha


def losses(timeline: Timeline, noise: Noise, parameters: Parameters) -> tuple[FloatArray, Slopes]:
    """Compute L(t) (m,) where the timeline wants it, and its derivatives (m,) with respect to every parameter."""
    progress, slope = timeline.sum_powers(parameters.q)
    steps = np.log(progress / REFERENCE)
    power = np.exp(-parameters.alpha * steps)
    size, slopes = noise(parameters)
    return parameters.limit + parameters.gap * power + parameters.noise * size, {
        "limit": np.ones_like(power),
        "gap": power,
        "alpha": -parameters.gap * power * steps,
        "q": -parameters.gap * power * parameters.alpha * slope / progress,
        "noise": size,
        **{name: parameters.noise * slope for name, slope in slopes.items()},
    }
