"""The noise of the convex bound: every update's square over the progress that came after it.

    N(t) = 1/2 [e_{t-1} + sum_{k<t-1} e_k^2 / (e_{k+1} + ... + e_{t-1})]

It has no parameter of its own: the whole noise is known before a fit. An update at a millionth of the peak, or less, is
left out here: what came before it would count without bound.
"""

import numpy as np

from .fast_sum import FloatArray, IntArray, SourceTree, block_for
from .formula import Parameters, Slopes
from .running_sums import sums_after, sums_before
from .timeline import Timeline

NO_UPDATE = 1e-6  # of the peak


class ConvexNoise:
    """N on one run."""

    def __init__(self, timeline: Timeline) -> None:
        ratios = timeline.history.ratios
        moved = np.flatnonzero(ratios > NO_UPDATE)
        levels, last = ratios[moved], np.searchsorted(moved, timeline.updates) - 1
        self._size = (levels[last] + over_progress(levels, levels**2, last)) / 2

    def __call__(self, parameters: Parameters) -> tuple[FloatArray, Slopes]:
        """Return N, whatever the parameters are, and no derivatives."""
        return self._size, {}

    def size(self, parameters: Parameters) -> FloatArray:
        """Return N alone."""
        return self._size


def over_progress(values: FloatArray, weights: FloatArray, targets: IntArray) -> FloatArray:
    """Compute for each target t the sum over k < t of weights[k] / (values[k + 1] + ... + values[t]), (m,).

    Progress is counted from the beginning up to the largest value and from the end after it, so that the small values
    of a warmup or a decay are not lost in the sum of all others.

    Args:
        values: (n,), above 0.
        weights: (n,).
        targets: (m,), ascending places in `values`.
    """
    peak = int(np.argmax(values)) + 1
    before, after = targets[targets < peak], targets[targets >= peak]
    passed, left = sums_before(values) + values, sums_after(values)
    return np.concatenate([_inverse_sums(passed[:peak], weights, before), _inverse_sums(-left, weights, after)])


def _inverse_sums(places: FloatArray, weights: FloatArray, targets: IntArray) -> FloatArray:
    """Compute for each target t the sum over k < t of weights[k] / (places[t] - places[k]), (m,)."""
    if not len(targets):
        return np.zeros(0)
    tree = SourceTree(places)
    view = tree.view_from(places[targets], targets, block_for(len(targets)))
    return view.sum(np.reciprocal, tree.moments(weights[: len(places)]))
