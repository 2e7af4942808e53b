"""The noise of the convex bound: every update's square over the progress that came after it.

    N(t) = 1/2 [e_{t-1} + sum_{k<t-1} e_k^2 / (e_{k+1} + ... + e_{t-1})]

It has no letter of its own: the whole noise is known before a fit. An update at rate 0 is no update here.
"""

import numpy as np

from .fast_sum import FloatArray, SourceTree
from .formula import Letters, Slopes
from .timeline import Timeline

NODES = 12  # for a kernel that is as steep as 1 / x


class ConvexNoise:
    """N on one run."""

    def __init__(self, timeline: Timeline) -> None:
        self._size = convex_noise(timeline)

    def __call__(self, letters: Letters) -> tuple[FloatArray, Slopes]:
        """N, whatever the letters are."""
        return self._size, {}


def convex_noise(timeline: Timeline) -> FloatArray:
    """(m,): N(t)."""
    ratios = timeline.history.ratios
    moved = np.flatnonzero(ratios)
    progress = np.concatenate([[0.0], np.cumsum(ratios[moved])])
    counts = np.searchsorted(moved, timeline.updates)  # of the updates that moved anything
    tree = SourceTree(progress[1:], NODES)
    view = tree.seen_from(progress[counts], counts - 1)
    return (ratios[moved[counts - 1]] + view.sum(np.reciprocal, tree.moments(ratios[moved] ** 2))) / 2
