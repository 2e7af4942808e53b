"""The best rates under any laws, by descent: some falls of the rate, with the gradient of the mean last loss.

The segment to be designed is cut into cells of whole updates, shorter towards its end, in each of which the rate is
constant; the logarithm of the rate falls from cell to cell in a straight line between knots, and never rises. Such a
shape keeps the multi-power law honest: with a rate of its own for every update it would choose four or five giant
falls, which its formula rewards and no training does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from scipy.optimize import minimize

from glidepath.law.evaluation.cells import Cells, cells_of
from glidepath.law.evaluation.fast_sum import FloatArray, IntArray
from glidepath.law.evaluation.formula import Parameters
from glidepath.law.evaluation.timeline import Clock, History

CELLS, KNOTS = 240, 24
PAST = 500  # cells of what was before, at most
SHORTER = 200.0  # the first cell over the last one
DEEPEST = 14.0  # the fall of the logarithm over the whole segment, at most


@final
@dataclass(frozen=True, eq=False)
class Descent:
    """A segment to be designed.

    Args:
        laws: for each its parameters, and the clock along which its noise follows (None: that of the convex bound).
        before: the rates that were used before, over the peak; None: none.
        steps: updates of the segment.
        cells: levels in it, at most.
        knots: at most.
    """

    laws: Sequence[tuple[Parameters, Clock | None]]
    before: History | None
    steps: int
    cells: int = CELLS
    knots: int = KNOTS

    @cached_property
    def edges(self) -> IntArray:
        """Return where the cells of the segment begin, and its end, (cells + 1,)."""
        return _split(self.steps, self.cells)

    @cached_property
    def _past(self) -> tuple[FloatArray, FloatArray]:
        """Return levels and lengths of what was before, in some hundreds of cells; updates at rate 0 are left out."""
        if self.before is None:
            return np.zeros(0), np.zeros(0)
        levels, lengths = cells_of(self.before, moving=True)
        starts = np.arange(0, len(levels), -(-len(levels) // PAST) or 1)
        together = np.add.reduceat(lengths, starts) if len(levels) else lengths
        return (np.add.reduceat(levels * lengths, starts) / together if len(levels) else levels), together

    @cached_property
    def _places(self) -> tuple[IntArray, FloatArray]:
        """Return between which knots the middle of each cell lies, and how far along, from 0 to 1; (cells,) each."""
        at = _split(self.steps, self.knots).astype(np.float64)
        middles = (self.edges[:-1] + self.edges[1:]) / 2
        knot = np.searchsorted(at, middles, side="right") - 1
        return knot, (middles - at[knot]) / np.diff(at)[knot]

    def levels(self, falls: FloatArray) -> FloatArray:
        """Return the rates (cells,), if the logarithm falls by so much from each knot to the next."""
        knot, along = self._places
        before = np.cumsum(falls) - falls
        return np.exp(-(before[knot] + along * falls[knot]))

    def slopes_of_falls(self, slope: FloatArray, size: int) -> FloatArray:
        """Return the derivatives with respect to the falls, (falls,), from those to the logarithms of the cells."""
        knot, along = self._places
        within, ahead = (
            np.bincount(knot, weights, size).astype(np.float64) for weights in (slope, (1 - along) * slope)
        )
        return ahead - np.cumsum(within[::-1])[::-1]

    def best(self) -> FloatArray:
        """Find the best rates of the cells, over the peak, (cells,)."""
        past, lengths = self._past
        whole = np.concatenate([lengths, np.diff(self.edges)])
        by_law = [Cells(parameters, clock, whole) for parameters, clock in self.laws]

        def cost(falls: FloatArray) -> tuple[float, FloatArray]:
            levels = self.levels(falls)
            losses, slopes = zip(*(cells.loss(np.concatenate([past, levels])) for cells in by_law), strict=True)
            slope = np.mean(slopes, axis=0)[len(past) :]
            return float(np.mean(losses)), self.slopes_of_falls(slope * levels, len(falls))

        start = np.full(len(_split(self.steps, self.knots)) - 1, 0.02)
        limits = [(0.0, DEEPEST)] * len(start)
        options = {"maxiter": 400, "ftol": 1e-9, "gtol": 1e-7}
        result = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=limits, options=options)
        return self.levels(result.x)


def _split(steps: int, parts: int) -> IntArray:
    """Return whole places from 0 to `steps`, each part between them shorter than the one before it."""
    shrink = SHORTER ** -np.linspace(0, 1, parts)
    ends = np.concatenate([[0.0], np.cumsum(shrink)]) / shrink.sum() * steps
    return np.unique(ends.round().astype(np.int64))  # parts shorter than one update are one
