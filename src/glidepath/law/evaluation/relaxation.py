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
        """N, written as phi(e_{t-1}) minus the sum of the increments times 1 - G, which falls with the distance."""
        history, last = self.timeline.history, self.timeline.seen - 1
        powers, slopes = history.powers(parameters.kappa)
        sets = [increments(powers), *([increments(slopes)] if "kappa" in self.free else [])]
        sizes = history.tree(self.clock, "gamma" in self.free).moments(*sets)
        far, near = (kernel(part, parameters, self.free) for part in (self._view.far, self._view.near))
        found: dict[ParameterName, FloatArray] = {
            parameter: -self._view.weighted_sum(far[parameter], near[parameter], sizes) for parameter in far
        }
        if "kappa" in self.free:
            found["kappa"] = slopes[last] - self._view.weighted_sum(far["noise"], near["noise"], sizes, 1)
        return powers[last] + found.pop("noise"), found

    def size(self, parameters: Parameters) -> FloatArray:
        """N alone."""
        history, levels = self.timeline.history, "gamma" in self.free
        powers, _ = history.powers(parameters.kappa)
        sizes = history.tree(self.clock, levels).moments(increments(powers))
        view = self.timeline.view(self.clock, levels, block_for(len(self.timeline.updates)))
        summed = view.sum(lambda distances: remaining(distances, parameters), sizes, parameters.gamma)
        return powers[self.timeline.seen - 1] - summed


def remaining(distances: FloatArray, parameters: Parameters) -> FloatArray:
    """1 - G at distances that gamma has already scaled."""
    if np.isinf(parameters.beta):
        return np.exp(-parameters.rho * distances)
    return _raised(1 / (1 + parameters.rho / parameters.beta * distances), parameters.beta)


def _raised(base: FloatArray, exponent: float) -> FloatArray:
    return base * base if exponent == 2 else base**exponent  # a square is ten times as fast


def kernel(part: Part, parameters: Parameters, free: frozenset[ParameterName]) -> dict[ParameterName, FloatArray]:
    """1 - G at the distances of a part, called "noise", and its derivatives: rho, and beta and gamma where free."""
    distances = part.distances
    if "gamma" in free:
        distances = distances * scales(part.log_scales, parameters.gamma)
    if np.isinf(parameters.beta):
        rest = remaining(distances, parameters)
        return {"noise": rest, "rho": -distances * rest}
    inverse = 1 / (1 + parameters.rho / parameters.beta * distances)
    rest = _raised(inverse, parameters.beta)
    slower = (1 - inverse) * rest
    found: dict[ParameterName, FloatArray] = {"noise": rest, "rho": -parameters.beta / parameters.rho * slower}
    if "beta" in free:
        found["beta"] = rest * np.log(inverse) + slower
    if "gamma" in free:
        found["gamma"] = parameters.beta * slower * part.log_scales
    return found
