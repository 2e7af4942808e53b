"""Where the rate of a run changes, and how far the run has come where a loss is wanted: all that a law needs of it.

Rates are ratios e_k of the law's peak. Before update 0 the rate is 0, so a run begins with a change. The loss after t
updates depends on e_0 .. e_{t-1}; S_t = e_0 + ... + e_{t-1} is the progress, in updates at the peak.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, final

import numpy as np

from .fast_sum import FloatArray, IntArray, SourceTree, View

Clock = Literal["progress", "updates"]
LEAST = 5e-324  # a rate of 0 has no logarithm; any power of this one is as good as 0


@final
@dataclass(frozen=True, eq=False)
class History:
    """The rates of a run.

    Args:
        ratios: (T,), e_k, at least 0.
    """

    ratios: FloatArray

    @cached_property
    def progress(self) -> FloatArray:
        """Return S_0 .. S_T, (T + 1,)."""
        return np.concatenate([[0.0], np.cumsum(self.ratios)])

    @cached_property
    def changes(self) -> IntArray:
        """Return the updates whose rate differs from that of the update before, (n,)."""
        return np.flatnonzero(np.diff(self.ratios, prepend=0.0))

    @cached_property
    def levels(self) -> FloatArray:
        """Return the rate from each change on, (n,)."""
        return self.ratios[self.changes]

    @cached_property
    def log_levels(self) -> FloatArray:
        """Return the logarithms of the levels, (n,)."""
        return np.log(np.maximum(self.levels, LEAST))

    def powers(self, exponent: float) -> tuple[FloatArray, FloatArray]:
        """Return the levels to a power, and the derivative with respect to the exponent, (n,) each."""
        powers = np.exp(exponent * self.log_levels)
        return powers, powers * self.log_levels

    def along(self, clock: Clock) -> FloatArray:
        """Return what the clock shows after 0, 1, .. T updates, (T + 1,)."""
        return self.progress if clock == "progress" else np.arange(len(self.ratios) + 1, dtype=np.float64)

    def tree(self, clock: Clock, with_levels: bool) -> SourceTree:
        """Return the changes as sources at their places on the clock, with the logarithms of the levels if wanted."""
        if (clock, with_levels) not in self._trees:
            scales = self.log_levels if with_levels else None
            self._trees[clock, with_levels] = SourceTree(self.along(clock)[self.changes], log_scales=scales)
        return self._trees[clock, with_levels]

    @cached_property
    def _trees(self) -> dict[tuple[Clock, bool], SourceTree]:
        return {}


@final
@dataclass(frozen=True, eq=False)
class Timeline:
    """A run, and the updates after which its loss is wanted.

    Args:
        history: its rates.
        updates: (m,), ascending, 1 to T, none before the first rate above 0.
    """

    history: History
    updates: IntArray

    @cached_property
    def changes_before(self) -> IntArray:
        """Return how many changes come before each loss, (m,)."""
        return np.searchsorted(self.history.changes, self.updates, side="left").astype(np.int64)

    @cached_property
    def progress(self) -> FloatArray:
        """Return S_t, (m,)."""
        return self.history.progress[self.updates]

    @cached_property
    def _pieces(self) -> tuple[IntArray, FloatArray, IntArray]:
        """Return, between two changes or losses, the level and the updates; and where those before each loss begin."""
        changes, last = self.history.changes, self.updates[-1]
        edges = np.union1d(changes, self.updates)
        edges = edges[(edges >= changes[0]) & (edges < last)]
        lengths = np.diff(edges, append=last).astype(np.float64)
        level = np.searchsorted(changes, edges, side="right") - 1
        return level, lengths, np.concatenate([[0], np.searchsorted(edges, self.updates[:-1])])

    def sum_powers(self, exponent: float) -> tuple[FloatArray, FloatArray]:
        """Return the sum of e_k^q over the updates before each loss, and its derivative by q, (m,) each."""
        level, lengths, starts = self._pieces
        powers, slopes = (np.add.reduceat(values[level] * lengths, starts) for values in self.history.powers(exponent))
        return np.cumsum(powers), np.cumsum(slopes)

    def view(self, clock: Clock, with_levels: bool, block: int = 1) -> View:
        """Return the changes as the losses see them; `block` losses share a choice of blocks."""
        places = self.history.along(clock)[self.updates]
        return self.history.tree(clock, with_levels).view_from(places, self.changes_before, block)


def increments(values: FloatArray) -> FloatArray:
    """Return by how much each value is above the one before it; before the first is 0."""
    return np.diff(values, prepend=0.0)
