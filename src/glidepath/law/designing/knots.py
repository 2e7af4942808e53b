"""A curve as straight lines between few of its points."""

import numpy as np

from glidepath.law.evaluation.fast_sum import FloatArray


def knots(values: FloatArray, tolerance: float) -> list[int]:
    """Return places from the first value to the last, each as far from the one before it as a straight line fits.

    Args:
        values: (n,), n >= 1.
        tolerance: how far a line may be from a value, above 0.

    >>> knots(np.array([0.0, 1.0, 2.0, 3.0, 2.0, 1.0]), 0.01)
    [0, 3, 5]
    """
    places = [0]
    while places[-1] < len(values) - 1:
        places.append(places[-1] + _reach(values[places[-1] :], tolerance))
    return places


def _reach(values: FloatArray, tolerance: float, ahead: int = 64) -> int:
    """Return how far a straight line from the first value to a value passes all between within the tolerance.

    Args:
        values: from the start of the line on.
        tolerance: how far the line may be from a value.
        ahead: how many values to try at first.
    """
    run = np.arange(1, min(ahead, len(values) - 1) + 1)
    rise = values[1 : len(run) + 1] - values[0]
    least = np.maximum.accumulate((rise - tolerance) / run)
    most = np.minimum.accumulate((rise + tolerance) / run)
    if least[-1] <= most[-1] and len(run) < len(values) - 1:
        return _reach(values, tolerance, 2 * ahead)
    slopes = rise / run
    return int(np.flatnonzero((least <= slopes) & (slopes <= most))[-1]) + 1
