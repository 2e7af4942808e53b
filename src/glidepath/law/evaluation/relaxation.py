"""A noise that follows the rate late: each change of the rate counts in full only after a while.

    N(t) = sum_k [phi(e_k) - phi(e_{k-1})] G(x_k),   phi(e) = e^kappa,   G(x) = 1 - (1 + rho x / beta)^-beta
    x_k = e_k^-gamma (c_t - c_k)

over the changes k < t of the rate, with c the clock: the progress S_t = sum of e, or the updates. Once the rate has
been e for some multiples of 1 / rho, N is phi(e).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from .fast_sum import FloatArray, Part, View, block_for, scales
from .formula import ParameterName, Parameters, Slopes
from .timeline import Clock, Timeline, increments


@final
@dataclass(frozen=True, eq=False)
class Relaxation:
    """N on one run, ready for many values of its parameters.

    Args:
        timeline: the run.
        clock: along which the noise follows.
        free: which of beta, gamma and kappa may be chosen; where gamma may not, it is 0.
    """

    timeline: Timeline
    clock: Clock = "progress"
    free: frozenset[ParameterName] = frozenset()

    @cached_property
    def _view(self) -> View:
        return self.timeline.view(self.clock, "gamma" in self.free)

    def __call__(self, parameters: Parameters) -> tuple[FloatArray, Slopes]:
        """Compute N and its derivatives, as phi(e_{t-1}) minus the sum of the increments times 1 - G.

        1 - G falls with the distance, as a fast sum needs it.
        """
        history, last = self.timeline.history, self.timeline.changes_before - 1
        powers, power_slopes = history.powers(parameters.kappa)
        sets = [increments(powers), *([increments(power_slopes)] if "kappa" in self.free else [])]
        sizes = history.tree(self.clock, "gamma" in self.free).moments(*sets)
        far, near = (kernel(part, parameters, self.free) for part in (self._view.far, self._view.near))
        slopes: dict[ParameterName, FloatArray] = {
            name: -self._view.sum_weighted(far[name], near[name], sizes) for name in far
        }
        if "kappa" in self.free:
            slopes["kappa"] = power_slopes[last] - self._view.sum_weighted(far["noise"], near["noise"], sizes, 1)
        return powers[last] + slopes.pop("noise"), slopes

    def size(self, parameters: Parameters) -> FloatArray:
        """Compute N alone."""
        history, levels = self.timeline.history, "gamma" in self.free
        powers, _ = history.powers(parameters.kappa)
        sizes = history.tree(self.clock, levels).moments(increments(powers))
        view = self.timeline.view(self.clock, levels, block_for(len(self.timeline.updates)))
        missing = view.sum(lambda distances: share_left(distances, parameters), sizes, parameters.gamma)
        return powers[self.timeline.changes_before - 1] - missing


def share_left(distances: FloatArray, parameters: Parameters) -> FloatArray:
    """Return 1 - G, the share of a change that does not count yet, at distances that gamma has already scaled."""
    if np.isinf(parameters.beta):
        return np.exp(-parameters.rho * distances)
    return _power(1 / (1 + parameters.rho / parameters.beta * distances), parameters.beta)


def _power(base: FloatArray, exponent: float) -> FloatArray:
    return base * base if exponent == 2 else base**exponent  # a square is ten times as fast


def kernel(part: Part, parameters: Parameters, free: frozenset[ParameterName]) -> dict[ParameterName, FloatArray]:
    """Return 1 - G at the distances of a part, as "noise", and its derivatives: rho, and beta and gamma where free."""
    distances = part.distances
    if "gamma" in free:
        distances = distances * scales(part.log_scales, parameters.gamma)
    if np.isinf(parameters.beta):
        share = share_left(distances, parameters)
        return {"noise": share, "rho": -distances * share}
    inverse = 1 / (1 + parameters.rho / parameters.beta * distances)
    share = _power(inverse, parameters.beta)
    slower = (1 - inverse) * share
    slopes: dict[ParameterName, FloatArray] = {"noise": share, "rho": -parameters.beta / parameters.rho * slower}
    if "beta" in free:
        slopes["beta"] = share * np.log(inverse) + slower
    if "gamma" in free:
        slopes["gamma"] = parameters.beta * slower * part.log_scales
    return slopes
