"""Smoothing of losses over an even grid, as strong as their noise requires.

The smoothed row z of the losses y minimizes  sum (y - z)^2 + lambda * sum (second differences of z)^2,  and lambda is
the one with the least robust generalized cross-validation  |y - z|^2 / (n - 1.4 d)^2,  where d, the effective number
of parameters, is the trace of the matrix that takes y to z.

SciPy's `make_smoothing_spline` solves nearly the same problem, and has no such factor: plain cross-validation takes
noise for slope now and then, and on the curves of `benchmarks/range_test.py` nine in ten of its steepest points lay
within a factor of 2.0 where these lie within 1.4; it also takes 50 ms for a row, which resampling needs 200 of.

Sources:
    Whittaker, 1923, On a new method of graduation (the criterion, with third differences);
    Cummins, Filloon and Nychka, 2001, Confidence intervals for nonparametric curve estimates (the factor 1.4).
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import final

import numpy as np

from glidepath.runs.run import FloatArray

EACH_COUNTS = 1.4  # an effective parameter weighs so much: 1 would be plain cross-validation
STRENGTHS = 10.0 ** np.arange(-1, 9, 0.2)


@final
@dataclass(frozen=True)
class Smoother:
    """A function that smooths rows of `points` losses."""

    points: int

    @cached_property
    def _basis(self) -> tuple[FloatArray, FloatArray]:
        """Return the eigenvectors of the roughness, and the share of each that each strength keeps.

        Shapes (points, points) and (strengths, points).
        """
        difference = np.diff(np.eye(self.points), 2, axis=0)
        roughness, vectors = np.linalg.eigh(difference.T @ difference)
        roughness = np.maximum(roughness, 0.0)
        roughness[:2] = 0.0  # a straight line is not rough
        return vectors, 1 / (1 + STRENGTHS[:, None] * roughness)

    def __call__(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the smoothed rows, and the effective parameters of each: shapes (m, points) and (m,)."""
        vectors, kept = self._basis
        waves = rows @ vectors
        parameters = kept.sum(axis=1)
        misfit = waves**2 @ ((1 - kept) ** 2).T
        best = (misfit / (self.points - EACH_COUNTS * parameters) ** 2).argmin(axis=1)
        return (waves * kept[best]) @ vectors.T, parameters[best]


@lru_cache(maxsize=8)
def smoother(points: int) -> Smoother:
    """Return the smoother of so many points, cached: computing its basis takes longer than using it."""
    return Smoother(points)
