"""The search against SciPy's, and against what can be said in closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, minimize

from glidepath.law.fitting.levenberg import Objective, Residuals, search

from .oracles import huber_cost

NONE = np.inf


def straight(matrix, values, weights=None, bend=1e9, means=None, deviations=None):
    """Residuals that are a line of z."""
    n = matrix.shape[1]
    return Objective(
        lambda z: Residuals(matrix @ z - values, matrix),
        np.ones(len(values)) if weights is None else weights,
        bend,
        np.zeros(n) if means is None else means,
        np.full(n, NONE) if deviations is None else deviations,
    )


def scene(seed, points=40, parameters=3):
    chance = np.random.default_rng(seed)
    return chance.normal(size=(points, parameters)), chance.normal(size=points), chance.uniform(0.2, 3, points)


@pytest.mark.parametrize("seed", range(5))
def test_straight_lines_without_a_prior_are_least_squares(seed):
    matrix, values, weights = scene(seed)
    z, curvature = search(straight(matrix, values, weights), np.zeros(3))
    root = np.sqrt(weights)
    assert z == pytest.approx(np.linalg.lstsq(matrix * root[:, None], values * root)[0], abs=1e-5)
    assert curvature == pytest.approx(matrix.T @ np.diag(weights) @ matrix, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_a_prior_is_as_good_as_further_points(seed):
    matrix, values, _ = scene(seed)
    means, deviations = np.array([1.0, -2.0, 0.5]), np.array([0.1, 0.5, NONE])
    z, curvature = search(straight(matrix, values, None, 1e9, means, deviations), np.zeros(3))
    more = np.vstack([matrix, np.diag(1 / deviations)])
    assert z == pytest.approx(np.linalg.lstsq(more, np.concatenate([values, means / deviations]))[0], abs=1e-5)
    assert curvature == pytest.approx(more.T @ more, rel=1e-12)


def test_without_points_the_prior_is_all():
    z, curvature = search(
        straight(np.zeros((1, 2)), np.zeros(1), None, 1.0, np.array([3.0, -1.0]), np.ones(2)), np.zeros(2)
    )
    assert z == pytest.approx([3, -1], abs=1e-4)
    assert curvature == pytest.approx(np.eye(2))


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), bend=st.sampled_from([0.1, 0.5, 2.0]))
def test_the_cost_is_hubers_and_its_gradient_is_its_derivative(seed, bend):
    matrix, values, weights = scene(seed)
    means, deviations = np.array([1.0, 0.0, 0.0]), np.array([0.7, 2.0, NONE])
    objective = straight(matrix, values, weights, bend, means, deviations)
    z = np.random.default_rng(seed + 1).normal(size=3)

    def cost(at):
        return huber_cost(matrix @ at - values, weights, bend, at, means, deviations)

    found = objective.residuals(z)
    assert objective.cost(z, found) == pytest.approx(cost(z), rel=1e-12)
    slope = (np.array([cost(z + e) - cost(z - e) for e in 1e-5 * np.eye(3)])) / 2e-5
    assert objective.equations(z, found)[1] == pytest.approx(slope, abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_outliers_pull_no_harder_than_their_sign(seed):
    matrix, values, weights = scene(seed, 60)
    values = matrix @ [1.0, 2.0, 3.0] + 0.01 * values
    values[::7] += 5.0
    objective = straight(matrix, values, weights, 0.02)
    z, _ = search(objective, np.zeros(3))
    further = values.copy()
    further[::7] += 1000.0
    assert z == pytest.approx([1, 2, 3], abs=0.02)
    assert search(straight(matrix, further, weights, 0.02), np.zeros(3))[0] == pytest.approx(z, abs=1e-4)
    other = minimize(lambda at: huber_cost(matrix @ at - values, weights, 0.02, at, at, at * NONE), z, method="BFGS")
    assert objective.cost(z, objective.residuals(z)) <= other.fun * (1 + 1e-6)


def valley(bend=1e9):
    """Rosenbrock's valley."""

    def residuals(z):
        x, y = z
        return Residuals(np.array([10 * (y - x * x), 1 - x]), np.array([[-20 * x, 10.0], [-1.0, 0.0]]))

    return Objective(residuals, np.ones(2), bend, np.zeros(2), np.full(2, NONE))


@pytest.mark.parametrize("start", [(-1.2, 1.0), (0.0, 0.0), (3.0, -5.0), (1.0, 1.0)])
def test_a_bent_valley_is_followed_to_its_end(start):
    z, curvature = search(valley(), np.array(start))
    assert z == pytest.approx([1, 1], abs=1e-3)
    assert curvature == pytest.approx(np.array([[401.0, -200], [-200, 100]]), rel=0.01)


def test_what_is_impossible_is_stepped_back_from():
    def residuals(z):
        with np.errstate(invalid="ignore", divide="ignore"):
            return Residuals(np.log(z) - np.log(0.01), (1 / z)[:, None])

    objective = Objective(residuals, np.ones(1), 1e9, np.zeros(1), np.full(1, NONE))
    assert np.isnan(residuals(np.array([-1.0])).values).all()
    assert objective.cost(np.array([-1.0]), residuals(np.array([-1.0]))) == np.inf
    assert search(objective, np.array([1.0]))[0] == pytest.approx([0.01], rel=1e-3)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_a_search_never_ends_higher_than_it_began(seed):
    chance = np.random.default_rng(seed)
    start = chance.normal(size=2) * 3
    objective = valley(bend=0.5)
    z, _ = search(objective, start)
    assert objective.cost(z, objective.residuals(z)) <= objective.cost(start, objective.residuals(start))


def test_the_residuals_of_this_file_have_the_jacobians_that_they_say():
    z = np.array([0.7, -0.4])
    for row in range(2):
        assert valley().residuals(z).jacobian[row] == pytest.approx(
            approx_fprime(z, lambda at, row=row: valley().residuals(at).values[row]), abs=1e-5
        )


def test_a_step_goes_no_further_than_it_may():
    seen = []

    def residuals(z):
        seen.append(z.copy())
        return Residuals(z - 10.0, np.eye(2))

    objective = Objective(residuals, np.ones(2), 1e9, np.zeros(2), np.full(2, NONE), np.array([0.5, NONE]))
    z, _ = search(objective, np.zeros(2))
    assert z == pytest.approx([10.0, 10.0], abs=1e-4)
    assert np.abs(np.diff(seen, axis=0))[:, 0].max() <= 0.5
    assert seen[1][1] > 9
