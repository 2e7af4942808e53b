"""The smoothed row minimises what the docstring says: an oracle by plain linear algebra."""

import numpy as np
import pytest

from glidepath.range_test.smoothing import EACH_COUNTS, STRENGTHS, Smoother


def by_equations(losses, strength):
    """Solves (1 + strength D'D) z = y; gives z and the trace of the matrix."""
    n = len(losses)
    difference = np.zeros((n - 2, n))
    for i in range(n - 2):
        difference[i, i : i + 3] = 1, -2, 1
    matrix = np.linalg.inv(np.eye(n) + strength * difference.T @ difference)
    return matrix @ losses, float(np.trace(matrix))


def score(losses, strength):
    smooth, parameters = by_equations(losses, strength)
    return float(((losses - smooth) ** 2).sum()) / (len(losses) - EACH_COUNTS * parameters) ** 2


@pytest.mark.parametrize("n", [20, 47])
def test_the_chosen_row_is_the_one_with_the_best_score(n):
    random = np.random.default_rng(n)
    rows = np.sin(np.linspace(0, 4, n)) + 0.2 * random.standard_normal((3, n))
    smooth, parameters = Smoother(n)(rows)
    for row, found, number in zip(rows, smooth, parameters, strict=True):
        best = min(STRENGTHS, key=lambda strength: score(row, strength))
        expected, trace = by_equations(row, best)
        np.testing.assert_allclose(found, expected, atol=1e-6)
        assert number == pytest.approx(trace, rel=1e-4)


def test_a_straight_line_is_left_alone():
    line = np.linspace(3, 1, 30)
    smooth, parameters = Smoother(30)(line[None])
    np.testing.assert_allclose(smooth[0], line, atol=1e-9)
    assert 2 <= parameters[0] <= 30
