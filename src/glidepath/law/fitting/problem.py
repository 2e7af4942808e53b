"""The search for the parameters of a law: robust least squares on the logarithm of the loss, with a weak prior.

    minimize  1/2 sum_i w_i rho(r_i / s) / tau + 1/2 sum_j ((z_j - m_j) / d_j)^2,   r_i = log L(t_i) - log loss_i

with Huber's rho, z the parameters or their logarithms (`FreeParameter`), s the size of what a law of this kind cannot
explain (1.5e-3 of the loss, or the residual standard deviation where that is larger), and tau the points that are worth
one independent observation, since what a law misses, it misses for a while. The prior says what such parameters usually
are; it decides only where the runs do not, as the rate's exponents when a single run is given.
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
INDEPENDENT = 9  # observations that a run is worth, at least
TOGETHER = 20  # points that are worth one of them, at most
LONGEST = 3.0  # a step of an exponent or a logarithm, so that nothing overflows
LINEAR: tuple[ParameterName, ...] = ("limit", "gap", "noise")


@final
@dataclass(frozen=True, eq=False)
class Problem:
    """A law, and the losses that it should explain.

    Args:
        law: which.
        observations: the points of each run.
        weights: of each run.
        prior: whether to use it.
    """

    law: type[Law]
    observations: Sequence[Observations]
    weights: FloatArray
    prior: bool = True

    def solve(self) -> tuple[FloatArray, FloatArray]:
        """Find the z (n,) that fits best, and its covariance (n, n).

        Where the residual standard deviation is above `MISFIT`, the search is repeated with that as s.
        """
        z, scale = self._start(), MISFIT
        z, curvature = search(self._objective(scale), z)
        if self._residual_std(z) > MISFIT:
            z, curvature = search(self._objective(self._residual_std(z)), z)
        covariance = np.asarray(np.linalg.pinv(curvature, hermitian=True), dtype=np.float64)
        factor = np.where([free.name == "limit" for free in self.law.FREE], self.unit, 1.0)
        return self._rescale(z, self.unit), covariance * np.outer(factor, factor)

    @cached_property
    def unit(self) -> float:
        """Return the least loss: the search is in units of it, so that the unit of the losses does not matter."""
        return float(np.exp(min(points.log_losses.min() for points in self.observations)))

    def _rescale(self, z: FloatArray, factor: float) -> FloatArray:
        """Return the same parameters for losses that are so many times as large."""
        limit, logs = (
            np.array([free.name in which for free in self.law.FREE]) for which in (("limit",), ("gap", "noise"))
        )
        return np.where(limit, z * factor, np.where(logs, z + np.log(factor), z))

    def residual_std(self, z: FloatArray) -> float:
        """Return the standard deviation of one point around the law, relative; outliers aside."""
        return self._residual_std(self._rescale(z, 1 / self.unit))

    def _residual_std(self, z: FloatArray) -> float:
        residuals = self._split(z)
        weights = [np.full(len(values), weight) for values, weight in zip(residuals, self.weights, strict=True)]
        return robust_std(np.concatenate(residuals), np.concatenate(weights))

    def residuals(self, z: FloatArray) -> list[FloatArray]:
        """Return log L - log loss of every point, for each run."""
        return self._split(self._rescale(z, 1 / self.unit))

    def _split(self, z: FloatArray) -> list[FloatArray]:
        ends = np.cumsum([len(points.log_losses) for points in self.observations])[:-1]
        return np.split(self._residuals(z).values, ends)

    @cached_property
    def _noises(self) -> list[Noise]:
        return [self.law.noise_of(points.timeline) for points in self.observations]

    def _losses(self, z: FloatArray) -> list[tuple[FloatArray, Slopes]]:
        parameters = parameters_of(self.law, z)
        pairs = zip(self.observations, self._noises, strict=True)
        return [losses(points.timeline, noise, parameters) for points, noise in pairs]

    def _start(self) -> FloatArray:
        """Return the means of the prior; of L0, A and B, on which it says nothing, the linear least squares."""
        z = self._means.copy()
        slopes = [slopes for _, slopes in self._losses(z)]
        logged = np.exp(np.concatenate(self._logs))
        columns = [np.concatenate([of_run[name] for of_run in slopes]) / logged for name in LINEAR]
        limit, gap, noise = np.linalg.lstsq(np.stack(columns, axis=1), np.ones_like(logged), rcond=None)[0]
        start = {"limit": limit if gap > 0 else 0.8, "gap": gap, "noise": noise}
        for i, free in enumerate(self.law.FREE):
            value = start.get(free.name, 0.0)
            if value > 1e-3:
                z[i] = np.log(value) if free.log else value
        return z

    @cached_property
    def _logs(self) -> list[FloatArray]:
        """Return for each run the logarithms of the losses, in units."""
        return [points.log_losses - np.log(self.unit) for points in self.observations]

    def _residuals(self, z: FloatArray) -> Residuals:
        """Return log L - log loss of every point of every run."""
        values, jacobians = [], []
        for logs, (loss, slopes) in zip(self._logs, self._losses(z), strict=True):
            loss = np.maximum(loss, 1e-12)
            values.append(np.log(loss) - logs)
            jacobians.append(relative_slopes(self.law, z, loss, slopes))
        return Residuals(np.concatenate(values), np.concatenate(jacobians))

    def _objective(self, scale: float) -> Objective:
        weights = np.concatenate(
            [
                np.full(len(points.log_losses), _point_weight(points, weight))
                for points, weight in zip(self.observations, self.weights, strict=True)
            ]
        )
        deviations = np.array([free.prior_std if self.prior else np.inf for free in self.law.FREE])
        longest = np.array([np.inf if free.name == "limit" else LONGEST for free in self.law.FREE])
        return Objective(self._residuals, weights / scale**2, BEND * scale, self._means, deviations, longest)

    @cached_property
    def _means(self) -> FloatArray:
        """Return the means of the prior, (n,)."""
        longest = max(len(points.timeline.history.ratios) for points in self.observations)
        return np.array([free.prior_mean_over(longest) for free in self.law.FREE])


def parameters_of(law: type[Law], coordinates: FloatArray) -> Parameters:
    """Return the parameters of the formula at a point of the search."""
    return replace(law.FIXED, **{free.name: free.value(z) for free, z in zip(law.FREE, coordinates, strict=True)})


def relative_slopes(law: type[Law], coordinates: FloatArray, loss: FloatArray, slopes: Slopes) -> FloatArray:
    """Return the derivatives of log L with respect to the coordinates of the search, (m, n)."""
    chain = np.array([free.value(z) if free.log else 1.0 for free, z in zip(law.FREE, coordinates, strict=True)])
    columns: FloatArray = np.stack([slopes[free.name] for free in law.FREE], axis=1) * chain / loss[:, None]
    return columns


def _point_weight(points: Observations, weight: float) -> float:
    """Return the weight of one point: the points of a run are worth len / tau independent observations."""
    count = len(points.log_losses)
    return weight / max(1.0, min(TOGETHER, count / INDEPENDENT))


def robust_std(residuals: FloatArray, weights: FloatArray) -> float:
    """Estimate a standard deviation that a few outliers leave alone: from the median distance to the median."""
    return 1.4826 * _median(np.abs(residuals - _median(residuals, weights)), weights)


def _median(values: FloatArray, weights: FloatArray) -> float:
    """Return the value with half of the weight below it."""
    order = np.argsort(values)
    below = np.cumsum(weights[order]) - weights[order] / 2
    return float(np.interp(below[-1] / 2 + below[0] / 2, below, values[order]))
