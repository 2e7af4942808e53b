"""Sums of what comes before and after, against whole numbers and against fractions."""

from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest

from glidepath.law.evaluation.running_sums import sums_after, sums_before


@pytest.mark.parametrize("many", [*range(1, 70), 255, 256, 257, 8191, 8192, 8193, 20_001])
def test_sums_of_what_comes_after_and_before(many):
    whole = np.arange(1, many + 1) ** 2 % 97
    assert (sums_after(whole.astype(float)) == whole[::-1].cumsum()[::-1] - whole).all()
    assert (sums_before(whole.astype(float)) == whole.cumsum() - whole).all()


@pytest.mark.parametrize(
    "values", [np.full(20_000, 0.1), np.geomspace(1, 1e-12, 20_000), np.geomspace(1e-12, 1, 20_000)]
)
def test_sums_keep_15_digits_where_a_plain_running_sum_does_not(values):
    exact = [float(total) for total in accumulate(map(Fraction, values.tolist()))]
    assert np.abs(sums_before(values)[1:] / exact[:-1] - 1).max() < 2e-15
    assert np.abs(sums_after(values[::-1])[:-1] / exact[-2::-1] - 1).max() < 2e-15
