"""What a law needs to know of a run: where its rate changes, and how far the run has come where a loss is wanted.

Rates are ratios e_k of the law's peak. Before update 0 the rate is 0, so a run begins with a change. Parameters: the loss
after t updates has seen e_0 .. e_{t-1}; S_t = e_0 + ... + e_{t-1} is the progress, in updates at the peak.
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
        """(T + 1,): S_0 .. S_T."""
        return np.concatenate([[0.0], np.cumsum(self.ratios)])

    @cached_property
    def changes(self) -> IntArray:
        """(n,): the updates whose rate is not that of the one before."""
        return np.flatnonzero(np.diff(self.ratios, prepend=0.0))

    @cached_property
    def levels(self) -> FloatArray:
        """(n,): the rate from each change on."""
        return self.ratios[self.changes]

    @cached_property
    def log_levels(self) -> FloatArray:
        """(n,): their logarithms."""
        return np.log(np.maximum(self.levels, LEAST))

    def powers(self, exponent: float) -> tuple[FloatArray, FloatArray]:
        """(n,) each: the levels to a power, and the derivative with respect to the exponent."""
        powers = np.exp(exponent * self.log_levels)
        return powers, powers * self.log_levels

    def along(self, clock: Clock) -> FloatArray:
        """(T + 1,): what the clock shows after 0, 1, .. T updates."""
        return self.progress if clock == "progress" else np.arange(len(self.ratios) + 1, dtype=np.float64)

    def tree(self, clock: Clock, with_levels: bool) -> SourceTree:
        """The changes as sources: where on the clock they are, and if wanted the logarithms of the rates."""
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
    def seen(self) -> IntArray:
        """(m,): how many changes come before each loss."""
        return np.searchsorted(self.history.changes, self.updates, side="left").astype(np.int64)

    @cached_property
    def progress(self) -> FloatArray:
        """(m,): S_t."""
        return self.history.progress[self.updates]

    @cached_property
    def _stretches(self) -> tuple[IntArray, FloatArray, IntArray]:
        """Between two changes or losses: the level, the updates, and where those before each loss begin."""
        changes, last = self.history.changes, self.updates[-1]
        edges = np.union1d(changes, self.updates)
        edges = edges[(edges >= changes[0]) & (edges < last)]
        lengths = np.diff(edges, append=last).astype(np.float64)
        level = np.searchsorted(changes, edges, side="right") - 1
        return level, lengths, np.concatenate([[0], np.searchsorted(edges, self.updates[:-1])])

    def powered_progress(self, exponent: float) -> tuple[FloatArray, FloatArray]:
        """(m,) each: the sum of e_k^q over the updates before each loss, and its derivative with respect to q."""
        level, lengths, starts = self._stretches
        powers, slopes = (np.add.reduceat(one[level] * lengths, starts) for one in self.history.powers(exponent))
        return np.cumsum(powers), np.cumsum(slopes)

    def view(self, clock: Clock, with_levels: bool, block: int = 1) -> View:
        """The changes as seen from the losses, `block` of which share a choice of blocks."""
        places = self.history.along(clock)[self.updates]
        return self.history.tree(clock, with_levels).view_from(places, self.seen, block)


def increments(values: FloatArray) -> FloatArray:
    """By how much each value is above the one before it; the first is above 0."""
    return np.diff(values, prepend=0.0)
