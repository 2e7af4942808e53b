"""The search for the parameters of a law: robust least squares on the logarithm of the loss, with a weak prior.

    minimise  1/2 sum_i w_i rho(r_i / s) / tau + 1/2 sum_j ((z_j - m_j) / d_j)^2,   r_i = log L(t_i) - log loss_i

with Huber's rho, z the parameters or their logarithms (`Free`), s the size of what a law of this kind cannot explain
(1.5e-3 of the loss, or the noise of the losses where that is larger), and tau the points that together tell one
independent observation, since what a law misses, it misses for a while. The prior says what such parameters usually are;
it decides only where the runs do not, as the rate's exponents when a single run is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np

from glidepath.law.evaluation.fast_sum import FloatArray
from glidepath.law.evaluation.formula import Noise, ParameterName, Parameters, Slopes, losses
from glidepath.law.laws.law import Law

from .levenberg import Objective, Residuals, search
from .observations import Observations

MISFIT = 1.5e-3  # of the loss: what a law of this kind leaves on long runs
BEND = 0.5  # where Huber's rho turns from squares to absolute values, over s
INDEPENDENT = 9  # observations that one run is worth, at least
TOGETHER = 20  # points that are worth one of them, at most
LONGEST = 3.0  # a step of an exponent or a logarithm, so that nothing overflows
LINEAR: tuple[ParameterName, ...] = ("limit", "gap", "noise")


@final
@dataclass(frozen=True, eq=False)
class Problem:
    """A law and what is to be explained.

    Args:
        law: which.
        seen: the points of each run.
        weights: of each run.
        prior: whether to use it.
    """

    law: type[Law]
    seen: Sequence[Observations]
    weights: FloatArray
    prior: bool = True

    def solved(self) -> tuple[FloatArray, FloatArray]:
        """z (n,) that fits best, and its covariance; where losses are noisy, found again with that noise."""
        z, scale = self._start(), MISFIT
        z, curvature = search(self._objective(scale), z)
        if self._noise(z) > MISFIT:
            z, curvature = search(self._objective(self._noise(z)), z)
        covariance = np.asarray(np.linalg.pinv(curvature, hermitian=True), dtype=np.float64)
        factor = np.where([free.name == "limit" for free in self.law.FREE], self.unit, 1.0)
        return self._in_units(z, self.unit), covariance * np.outer(factor, factor)

    @cached_property
    def unit(self) -> float:
        """The least loss: the search is in units of it, so that it does not matter what losses are measured in."""
        return float(np.exp(min(one.log_losses.min() for one in self.seen)))

    def _in_units(self, z: FloatArray, unit: float) -> FloatArray:
        """The same parameters, for losses that are so many times as large."""
        limit, logs = (
            np.array([free.name in which for free in self.law.FREE]) for which in (("limit",), ("gap", "noise"))
        )
        return np.where(limit, z * unit, np.where(logs, z + np.log(unit), z))

    def noise(self, z: FloatArray) -> float:
        """The standard deviation of one point around the law, relative; wild points aside."""
        return self._noise(self._in_units(z, 1 / self.unit))

    def _noise(self, z: FloatArray) -> float:
        residuals = self._split(z)
        weights = [np.full(len(one), weight) for one, weight in zip(residuals, self.weights, strict=True)]
        return robust_std(np.concatenate(residuals), np.concatenate(weights))

    def residuals(self, z: FloatArray) -> list[FloatArray]:
        """log L - log loss of every point, for each run."""
        return self._split(self._in_units(z, 1 / self.unit))

    def _split(self, z: FloatArray) -> list[FloatArray]:
        ends = np.cumsum([len(one.log_losses) for one in self.seen])[:-1]
        return np.split(self._residuals(z).values, ends)

    @cached_property
    def _noises(self) -> list[Noise]:
        return [self.law.noise_of(one.timeline) for one in self.seen]

    def _losses(self, z: FloatArray) -> list[tuple[FloatArray, Slopes]]:
        parameters = parameters_of(self.law, z)
        return [losses(one.timeline, noise, parameters) for one, noise in zip(self.seen, self._noises, strict=True)]

    def _start(self) -> FloatArray:
        """The means of the prior; and what it says nothing of, L0, A and B, by linear least squares."""
        z = self._means.copy()
        slopes = [slopes for _, slopes in self._losses(z)]
        seen = np.exp(np.concatenate(self._logs))
        columns = [np.concatenate([one[parameter] for one in slopes]) / seen for parameter in LINEAR]
        limit, gap, noise = np.linalg.lstsq(np.stack(columns, axis=1), np.ones_like(seen), rcond=None)[0]
        found = {"limit": limit if gap > 0 else 0.8, "gap": gap, "noise": noise}
        for i, free in enumerate(self.law.FREE):
            value = found.get(free.name, 0.0)
            if value > 1e-3:
                z[i] = np.log(value) if free.log else value
        return z

    @cached_property
    def _logs(self) -> list[FloatArray]:
        """For each run the logarithms of the losses, in units."""
        return [one.log_losses - np.log(self.unit) for one in self.seen]

    def _residuals(self, z: FloatArray) -> Residuals:
        """log L - log loss of every point of every run."""
        values, jacobians = [], []
        for logs, (loss, slopes) in zip(self._logs, self._losses(z), strict=True):
            loss = np.maximum(loss, 1e-12)
            values.append(np.log(loss) - logs)
            jacobians.append(relative_slopes(self.law, z, loss, slopes))
        return Residuals(np.concatenate(values), np.concatenate(jacobians))

    def _objective(self, scale: float) -> Objective:
        sizes = [_size(one, weight) for one, weight in zip(self.seen, self.weights, strict=True)]
        weights = np.concatenate(
            [np.full(len(one.log_losses), size) for one, size in zip(self.seen, sizes, strict=True)]
        )
        deviations = np.array([free.deviation if self.prior else np.inf for free in self.law.FREE])
        longest = np.array([np.inf if free.name == "limit" else LONGEST for free in self.law.FREE])
        return Objective(self._residuals, weights / scale**2, BEND * scale, self._means, deviations, longest)

    @cached_property
    def _means(self) -> FloatArray:
        """(n,): of the prior."""
        longest = max(len(one.timeline.history.ratios) for one in self.seen)
        return np.array([free.prior_mean_over(longest) for free in self.law.FREE])


def parameters_of(law: type[Law], z: FloatArray) -> Parameters:
    """The parameters of the formula, from what is searched for."""
    return replace(law.FIXED, **{free.name: free.value(one) for free, one in zip(law.FREE, z, strict=True)})


def relative_slopes(law: type[Law], z: FloatArray, loss: FloatArray, slopes: Slopes) -> FloatArray:
    """(m, n): the derivatives of log L with respect to what is searched for."""
    chain = np.array([free.value(one) if free.log else 1.0 for free, one in zip(law.FREE, z, strict=True)])
    columns: FloatArray = np.stack([slopes[free.name] for free in law.FREE], axis=1) * chain / loss[:, None]
    return columns


def _size(one: Observations, weight: float) -> float:
    """The weight of one point: the points of a run tell len / tau independent things."""
    points = len(one.log_losses)
    return weight / max(1.0, min(TOGETHER, points / INDEPENDENT))


def robust_std(residuals: FloatArray, weights: FloatArray) -> float:
    """A standard deviation that a few wild points leave alone: from the median of the distances to the median."""
    return 1.4826 * _median(np.abs(residuals - _median(residuals, weights)), weights)


def _median(values: FloatArray, weights: FloatArray) -> float:
    """The value with half of the weight below it."""
    order = np.argsort(values)
    below = np.cumsum(weights[order]) - weights[order] / 2
    return float(np.interp(below[-1] / 2 + below[0] / 2, below, values[order]))
