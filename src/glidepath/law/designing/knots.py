"""A curve as straight lines between few of its points."""

import numpy as np

from glidepath.law.evaluation.fast_sum import FloatArray


def knots(values: FloatArray, tolerance: float) -> list[int]:
    """Places from the first value to the last, each as far from the one before it as a straight line fits.

    Args:
        values: (n,), n >= 1.
        tolerance: how far a line may be from a value, above 0.

    >>> knots(np.array([0.0, 1.0, 2.0, 3.0, 2.0, 1.0]), 0.01)
    [0, 3, 5]
    """
    found = [0]
    while found[-1] < len(values) - 1:
        found.append(found[-1] + _reach(values[found[-1] :], tolerance))
    return found


def _reach(values: FloatArray, tolerance: float, looked_at: int = 64) -> int:
    """How far a straight line from the first value, ending in a value, passes all between within the tolerance."""
    run = np.arange(1, min(looked_at, len(values) - 1) + 1)
    rise = values[1 : len(run) + 1] - values[0]
    least = np.maximum.accumulate((rise - tolerance) / run)
    most = np.minimum.accumulate((rise + tolerance) / run)
    if least[-1] <= most[-1] and len(run) < len(values) - 1:
        return _reach(values, tolerance, 2 * looked_at)
    slopes = rise / run
    return int(np.flatnonzero((least <= slopes) & (slopes <= most))[-1]) + 1
