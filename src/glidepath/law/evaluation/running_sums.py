"""Running sums that keep 15 digits however long they are, and are no slower than a plain one.

A plain running sum of n values rounds up to n times between a value and a sum, each time waiting for the one before.
Here the values are added up in rows, then the sums of the rows alike, so that at most some tens of additions lie
between.
"""

import numpy as np

from glidepath.law.evaluation.fast_sum import FloatArray

ROW = 16  # values that are added up one by one
ROWS = 512  # at a time: with more BLAS takes several threads, which on a busy machine is ten times slower
LATER = np.tril(np.ones((ROW, ROW)), -1)


def sums_after(values: FloatArray) -> FloatArray:
    """Return for each value the sum of all that come after it, (n,).

    Examples:
        >>> sums_after(np.array([1.0, 2.0, 4.0]))
        array([6., 4., 0.])
    """
    odd = len(values) % ROW  # too few for a row; they come first
    after = np.empty(len(values))
    rows, later = values[odd:].reshape(-1, ROW), after[odd:].reshape(-1, ROW)
    for first in range(0, len(rows), ROWS):
        np.matmul(rows[first : first + ROWS], LATER, out=later[first : first + ROWS])
    sums = rows[:, 0] + later[:, 0]
    if len(sums) > 1:
        later += sums_after(sums)[:, None]
    after[:odd] = values[:odd] @ LATER[:odd, :odd]
    if len(sums):
        after[:odd] += rows[0, 0] + later[0, 0]
    return after


def sums_before(values: FloatArray) -> FloatArray:
    """Return for each value the sum of all that come before it, (n,).

    Examples:
        >>> sums_before(np.array([1.0, 2.0, 4.0]))
        array([0., 1., 3.])
    """
    return sums_after(values[::-1])[::-1]
