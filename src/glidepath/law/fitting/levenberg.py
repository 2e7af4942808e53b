"""Levenberg and Marquardt's search, with Huber's weights and a Gaussian prior.

    minimize  C(z) = 1/2 sum_i w_i rho(r_i(z)) + 1/2 sum_j ((z_j - m_j) / d_j)^2
    rho(r) = r^2 if |r| <= h, else 2 h |r| - h^2

by steps (J^T W J + D^-2 + mu diag) dz = -(J^T W r + D^-2 (z - m)), W the weights w_i min(1, h / |r_i|), with mu smaller
after a step that lowers C and larger after one that does not. Few parameters and many residuals: the normal equations
cost less than the residuals. SciPy's `least_squares` applies one loss function to all residuals, the prior's too.

Sources:
    Marquardt, 1963, https://doi.org/10.1137/0111030. Huber, 1964, https://doi.org/10.1214/aoms/1177703732.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from glidepath.law.evaluation.fast_sum import FloatArray

MOST_STEPS = 100
ENOUGH = 1e-9  # of the cost, in one step


@final
@dataclass(frozen=True, eq=False)
class Residuals:
    """r (m,) at some z, and its Jacobian (m, n)."""

    values: FloatArray
    jacobian: FloatArray


@final
@dataclass(frozen=True, eq=False)
class Objective:
    """The cost to minimize.

    Args:
        residuals: computes r and its Jacobian at z; not finite where z is impossible.
        weights: (m,), w.
        bend: h.
        means: (n,), m.
        deviations: (n,), d, the standard deviations of the prior; infinite: no prior.
        longest: (n,), how far one step may go, or one number for all.
    """

    residuals: Callable[[FloatArray], Residuals]
    weights: FloatArray
    bend: float
    means: FloatArray
    deviations: FloatArray
    longest: FloatArray | float = np.inf

    def cost(self, z: FloatArray, residuals: Residuals) -> float:
        """Return C(z); infinite where it is not a number."""
        size = np.abs(residuals.values)
        huber = np.where(size <= self.bend, size**2, 2 * self.bend * size - self.bend**2)
        cost = (self.weights @ huber + (((z - self.means) / self.deviations) ** 2).sum()) / 2
        return float(cost) if np.isfinite(cost) else np.inf

    def equations(self, z: FloatArray, residuals: Residuals) -> tuple[FloatArray, FloatArray]:
        """Return the Gauss-Newton curvature of C, (n, n), and its gradient, (n,)."""
        weights = self.weights * self.bend / np.maximum(np.abs(residuals.values), self.bend)
        weighted = residuals.jacobian * weights[:, None]
        prior = self.deviations**-2.0
        gradient = weighted.T @ residuals.values + prior * (z - self.means)
        return weighted.T @ residuals.jacobian + np.diag(prior), gradient


def search(objective: Objective, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Search downhill from z (n,); return the z of the least cost, and the curvature (n, n) there."""
    residuals = objective.residuals(z)
    cost, damping = objective.cost(z, residuals), 1e-3
    curvature, gradient = objective.equations(z, residuals)
    for _ in range(MOST_STEPS):
        damped = curvature + damping * np.diag(np.diag(curvature) + 1e-300)
        new = z - np.clip(np.linalg.lstsq(damped, gradient, rcond=None)[0], -objective.longest, objective.longest)
        residuals = objective.residuals(new)
        lower = objective.cost(new, residuals)
        if lower > cost:
            damping *= 8
            if damping > 1e10:
                break
            continue
        gain, z, cost, damping = cost - lower, new, lower, max(damping / 8, 1e-9)
        curvature, gradient = objective.equations(z, residuals)
        if gain <= ENOUGH * cost:
            break
    return z, curvature
