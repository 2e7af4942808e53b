"""The refined schedule against its formula, written out."""

from fractions import Fraction
from itertools import pairwise
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glidepath as gp
from glidepath.errors import LawError
from glidepath.law.bounds.convex import best_bound
from glidepath.law.bounds.refinement import rates_from_norms, refine_schedule, smooth

NORMS = st.lists(st.floats(0.01, 100), min_size=2, max_size=60)


def by_the_formula(norms, power):
    weights = [1 / Fraction(g) ** power for g in norms]
    weights.append(weights[-1])
    rates = [w * sum(weights[t + 1 :]) for t, w in enumerate(weights[:-1])]
    return [float(r / max(rates)) for r in rates]


def by_sorting(norms, share):
    half = int(share * len(norms)) // 2
    return [median([norms[_inside(p, len(norms))] for p in range(k - half, k + half + 1)]) for k in range(len(norms))]


def _inside(place, many):
    """Before the first the first; after the last a mirror."""
    return max(0, place if place < many else 2 * (many - 1) - place)


def noisy_norms(steps, seed=0):
    """As they are logged: high at first, then slowly rising, with noise."""
    x = np.arange(steps) / steps
    return (1 + 14 * np.exp(-50 * x) + x) * np.exp(0.2 * np.random.default_rng(seed).standard_normal(steps))


@given(NORMS, st.sampled_from([1, 2]))
def test_the_rates_are_those_of_the_formula(norms, power):
    np.testing.assert_allclose(rates_from_norms(np.array(norms), power), by_the_formula(norms, power), rtol=1e-13)


@given(NORMS, st.floats(0, 1))
def test_smoothing_is_a_running_median(norms, share):
    assert smooth(np.array(norms), share).tolist() == by_sorting(norms, share)


def test_equal_norms_give_the_linear_decay():
    for optimizer in ("sgd", "adam"):
        plan = refine_schedule(np.full(1000, 3.7), optimizer=optimizer)
        assert plan(np.arange(1000)) == pytest.approx(gp.linear(1000)(np.arange(1000)), rel=1e-12)


@given(NORMS, st.floats(1e-3, 0.1), st.sampled_from(["sgd", "adam"]))
def test_the_lines_stay_within_the_tolerance_and_keep_both_ends_and_the_peak(norms, tolerance, optimizer):
    plan = refine_schedule(norms, optimizer=optimizer, smoothing=0, tolerance=tolerance)
    rates = rates_from_norms(np.array(norms), {"sgd": 2, "adam": 1}[optimizer])
    served = plan(np.arange(len(norms)))
    assert np.abs(served - rates).max() <= tolerance * (1 + 1e-9)
    assert (served[0], served[-1], served[int(rates.argmax())]) == (rates[0], rates[-1], 1.0)
    assert served.min() > 0
    assert gp.parse(plan.text) == plan


def knots(plan):
    """The steps between which a plan is straight."""
    parts = getattr(plan, "parts", (plan,))
    return [0, *np.cumsum([part.duration for part in parts]).tolist()]


def line_fits(values, first, last, tolerance):
    line = np.interp(np.arange(first, last + 1), [first, last], [values[first], values[last]])
    return np.abs(line - values[first : last + 1]).max() <= tolerance


@pytest.mark.parametrize("steps", [60, 400])
def test_each_line_is_the_longest_that_fits(steps):
    norms = noisy_norms(steps)
    plan = refine_schedule(norms, optimizer="sgd", tolerance=0.01)
    rates = rates_from_norms(smooth(norms, 0.1), 2)
    found, peak = knots(plan), int(rates.argmax())
    assert peak in found
    for first, last in pairwise(found):
        stop = peak if first < peak else steps - 1
        assert last == max(j for j in range(first + 1, stop + 1) if line_fits(rates, first, j, 0.01))


def test_the_peak_is_reached_however_rough_the_lines():
    norms = 1 + np.exp(-np.arange(500) / 50)
    plan = refine_schedule(norms, optimizer="sgd", smoothing=0, tolerance=0.1)
    peak = int(rates_from_norms(norms, 2).argmax())
    assert 0 < peak < 499
    assert plan(peak) == 1.0


def test_norms_that_fall_at_first_give_a_warmup():
    rates = refine_schedule(noisy_norms(2000), optimizer="sgd")(np.arange(2000))
    assert rates[0] < 0.05
    assert 50 < rates.argmax() < 400
    assert rates[-1] < 0.001


def test_the_bound_is_lower_than_that_of_a_linear_decay():
    norms = noisy_norms(2000)
    steps = np.arange(2000)
    assert best_bound(refine_schedule(norms, optimizer="sgd")(steps), gradient_norms=norms) < 0.9 * best_bound(
        gp.linear(2000)(steps), gradient_norms=norms
    )


def test_sizes_of_norms_do_not_matter():
    norms = noisy_norms(300)
    for size in (1e-200, 1e200):
        plan = refine_schedule(norms * size, optimizer="sgd")
        assert plan(np.arange(300)) == pytest.approx(refine_schedule(norms, optimizer="sgd")(np.arange(300)), rel=1e-9)


@settings(max_examples=5)
@given(st.integers(0, 100))
def test_a_long_noisy_run_gives_a_plan_that_is_read_back(seed):
    plan = refine_schedule(noisy_norms(20_000, seed), optimizer="adam")
    assert gp.parse(plan.text) == plan
    assert plan.duration == 19_999


def test_a_plan_too_rough_to_be_written_down_is_refused():
    norms = noisy_norms(10_000)
    with pytest.raises(LawError, match=r"knots are needed, .*raise the smoothing \(0\) or the tolerance \(0.001\)"):
        refine_schedule(norms, optimizer="sgd", smoothing=0)
    assert refine_schedule(norms, optimizer="sgd", smoothing=0, tolerance=0.5).duration == 9_999


@pytest.mark.parametrize(
    "norms, given, message",
    [
        ([1.0, 0.0, 1.0], {}, "gradient_norms: .*update 1 is 0"),
        ([1.0, float("nan")], {}, "gradient_norms: .*update 1 is nan"),
        ([], {}, "gradient_norms: a list of numbers is needed"),
        ([1.0], {}, "one number is not a run"),
        ([1.0, 2.0], {"optimizer": "lion"}, "not 'lion'"),
        ([1.0, 2.0], {"smoothing": 1.5}, "from 0 to 1, not 1.5"),
        ([1.0, 2.0], {"smoothing": float("nan")}, "from 0 to 1, not nan"),
        ([1.0, 2.0], {"tolerance": 0.0}, "above 0, not 0.0"),
    ],
)
def test_mistakes_are_named(norms, given, message):
    with pytest.raises(LawError, match=message):
        refine_schedule(norms, **{"optimizer": "sgd", **given})
