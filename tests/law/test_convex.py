"""The convex bound against the theorem as it is printed, in fractions and in 40 digits."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glidepath as gp
from glidepath.errors import HorizonError, LawError, ScheduleError
from glidepath.law.bounds.convex import (
    best_bound,
    best_scale,
    bound,
    bound_curve,
    bound_gradient,
    peak_transfer,
    rank_by_bound,
)

NUMBERS = st.floats(1e-4, 1e4)
RATES = st.lists(NUMBERS, min_size=1, max_size=40)
T = 20_000
PLANS = {
    "wsd": gp.wsd(T, warmup=500, cooldown=4000),
    "linear": gp.linear(T),
    "cosine": gp.cosine(T),
    "step": gp.step(every=T // 3, factor=0.01),
    "drop": gp.constant(T // 2) >> 1e-6 * gp.constant(),
    "warmup and a drop": gp.warmup(100) >> gp.constant(T // 2) >> 1e-8 * gp.constant(),
    "warmup from tiny rates": gp.geometric(T // 2, to=1.0, start=1e-12) >> gp.cosine(T // 2),
    "constant": 0.1 * gp.constant(),
    "restarts": gp.cosine_restarts(T // 4),
}


def theorem(rates, distance, norms):
    """The three terms of theorem 10, in whatever numbers are given."""
    steps = [(eta * norm) ** 2 for eta, norm in zip(rates, norms, strict=True)]
    last = len(rates) - 1
    third = sum(rates[k] / sum(rates[k + 1 :]) * (sum(steps[k:]) / sum(rates[k:])) for k in range(last))
    return (distance**2 / sum(rates) + sum(steps) / sum(rates) + third) / 2


def in_40_digits(rates, distance=1, norms=None):
    """The positive form with sums from the end, term by term."""
    norms = [1] * len(rates) if norms is None else norms
    with mpmath.workdps(40):
        after, noise = mpmath.mpf(0), mpmath.mpf(0)
        for eta, norm in zip(reversed(rates), reversed(norms), strict=True):
            noise += (mpmath.mpf(eta) * norm) ** 2 / (after or eta)
            after += eta
        return (mpmath.mpf(distance) ** 2 / after + noise) / 2


def in_long_double(rates, horizon, distance=1):
    """Omega at one horizon, by its definition."""
    some = rates[:horizon].astype(np.longdouble)
    after = np.cumsum(some[::-1])[::-1]
    return float((distance**2 / after[0] + some[-1] + np.sum(some[:-1] ** 2 / after[1:])) / 2)


def values(name):
    return PLANS[name](np.arange(T))


# --- one horizon ---


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=12), NUMBERS)
def test_it_is_the_three_terms_of_the_theorem(pairs, distance):
    rates, norms = zip(*pairs, strict=True)
    exact = theorem([Fraction(r) for r in rates], Fraction(distance), [Fraction(g) for g in norms])
    assert bound(rates, distance=distance, gradient_norms=norms) == pytest.approx(float(exact), rel=1e-14)


@pytest.mark.parametrize("name", PLANS)
def test_it_keeps_14_digits_on_long_schedules(name):
    exact = in_40_digits(values(name).tolist())
    assert abs(bound(values(name)) / exact - 1) < 1e-14


def test_norms_and_distance_count():
    rates, norms = values("wsd"), np.linspace(3, 1, T)
    assert (
        abs(bound(rates, distance=7, gradient_norms=norms) / in_40_digits(rates.tolist(), 7, norms.tolist()) - 1)
        < 1e-14
    )


@given(RATES, NUMBERS, NUMBERS, NUMBERS)
def test_a_factor_on_the_rates_is_one_on_distance_and_norms(rates, factor, distance, norm):
    scaled = bound(np.array(rates) * factor, distance=distance, gradient_norms=norm)
    root = factor**0.5
    assert scaled == pytest.approx(bound(rates, distance=distance / root, gradient_norms=norm * root), rel=1e-13)
    assert scaled > 0


@given(RATES, NUMBERS)
def test_one_norm_is_the_same_norm_for_all(rates, norm):
    assert bound(rates, gradient_norms=norm) == bound(rates, gradient_norms=[norm] * len(rates))


@given(st.integers(20, 3000))
def test_a_linear_decay_is_better_than_a_constant_rate(steps):
    assert best_bound(gp.linear(steps)(np.arange(steps))) < best_bound(np.ones(steps))


def test_tiny_and_huge_rates_keep_their_digits():
    rates = np.linspace(1, 0.1, 50)
    for size in (1e-200, 1e200):
        assert best_bound(rates * size) == pytest.approx(best_bound(rates), rel=1e-14)
        assert best_scale(rates * size) * size == pytest.approx(best_scale(rates), rel=1e-14)


def test_what_is_given_stays_as_it_is():
    rates, norms = np.linspace(1, 0.1, 50), np.linspace(2, 1, 50)
    for function in (bound, best_scale, best_bound, bound_gradient, bound_curve):
        function(rates, gradient_norms=norms)
    assert (rates == np.linspace(1, 0.1, 50)).all()
    assert (norms == np.linspace(2, 1, 50)).all()


def test_whole_numbers_and_other_arrays_are_numbers():
    assert bound([2, 1]) == bound((2.0, 1.0)) == bound(np.array([2, 1])) == bound(np.array([9, 2, 9, 1])[1::2])


# --- the best scale ---


@given(RATES, NUMBERS, NUMBERS)
def test_no_other_scale_has_a_lower_bound(rates, distance, norm):
    known = {"distance": distance, "gradient_norms": norm}
    best, rates = best_scale(rates, **known), np.array(rates)
    least = best_bound(rates, **known)
    assert bound(best * rates, **known) == pytest.approx(least, rel=1e-12)
    for other in (0.5, 0.99, 1.01, 2.0):
        assert bound(other * best * rates, **known) > least


@given(RATES, NUMBERS, NUMBERS)
def test_at_the_best_scale_distance_and_norms_are_factors(rates, distance, norm):
    known = {"distance": distance, "gradient_norms": norm}
    assert best_bound(rates, **known) == pytest.approx(distance * norm * best_bound(rates), rel=1e-12)
    assert best_scale(rates, **known) == pytest.approx(distance / norm * best_scale(rates), rel=1e-12)


# --- the gradient ---


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8), st.floats(0.01, 100))
@settings(max_examples=40)
def test_the_gradient_is_that_of_the_theorem(pairs, distance):
    rates, norms = zip(*pairs, strict=True)
    found = bound_gradient(rates, distance=distance, gradient_norms=norms)
    with mpmath.workdps(60):
        for place in range(len(rates)):
            moved = [[mpmath.mpf(r) for r in rates] for _ in range(2)]
            step = moved[0][place] * mpmath.mpf(10) ** -20
            moved[0][place] += step
            moved[1][place] -= step
            high, low = (theorem(some, mpmath.mpf(distance), [mpmath.mpf(g) for g in norms]) for some in moved)
            exact, size = (high - low) / (2 * step), (high + low) / rates[place]
            assert abs(found[place] - exact) < 1e-13 * size + 1e-13 * abs(exact)


@given(RATES, NUMBERS)
def test_at_the_best_scale_growing_all_rates_changes_nothing(rates, distance):
    best = best_scale(rates, distance=distance) * np.array(rates)
    gained = float(best @ bound_gradient(best, distance=distance))
    assert abs(gained) < 1e-13 * bound(best, distance=distance)


def test_the_gradient_of_a_long_schedule_is_that_of_its_differences():
    rates = gp.wsd(2000, warmup=50, cooldown=400)(np.arange(2000))
    found = bound_gradient(rates)
    for place in (0, 1, 49, 1000, 1998, 1999):
        high, low = rates.tolist(), rates.tolist()
        with mpmath.workdps(40):
            step = mpmath.mpf(rates[place]) / 10**15
            high[place] += step
            low[place] -= step
            slope = (in_40_digits(high) - in_40_digits(low)) / (2 * step)
        assert found[place] == pytest.approx(float(slope), rel=1e-12)


# --- every horizon ---


@given(st.lists(st.tuples(st.floats(0.01, 100), NUMBERS), min_size=1, max_size=150), NUMBERS)
@settings(max_examples=40)
def test_a_curve_is_the_bound_of_each_beginning(pairs, distance):
    rates, norms = (list(column) for column in zip(*pairs, strict=True))
    curve = bound_curve(rates, distance=distance, gradient_norms=norms)
    direct = [bound(rates[:t], distance=distance, gradient_norms=norms[:t]) for t in range(1, len(rates) + 1)]
    np.testing.assert_allclose(curve, direct, rtol=1e-8)


@pytest.mark.parametrize("name", PLANS)
def test_a_long_curve_keeps_8_digits(name):
    rates = values(name)
    at_random = np.random.default_rng(0).integers(1, T, 60)
    edges = [1, 2, 3, 31, 32, 33, 34, 500, 501, 502, T // 4, T // 3, T // 3 + 1, T // 2, T // 2 + 1, T // 2 + 2]
    horizons = np.array([*at_random, *edges, T - 1, T])
    direct = np.array([in_long_double(rates, t) for t in horizons])
    assert np.abs(bound_curve(rates)[horizons - 1] / direct - 1).max() < 1e-9


@pytest.mark.parametrize("name", ["linear", "warmup from tiny rates", "drop", "warmup and a drop"])
def test_a_curve_keeps_its_digits_where_the_distance_is_nothing(name):
    rates = values(name)
    horizons = np.array([2, 3, 10, 100, 1000, T // 2 + 1, T // 2 + 2, T - 1, T])
    direct = np.array([in_long_double(rates, t, 1e-30) for t in horizons])
    curve = bound_curve(rates, distance=1e-30)[horizons - 1]
    assert np.abs(curve / direct - 1).max() < 1e-8


def test_a_curve_does_not_know_what_comes_later():
    first = bound_curve(values("cosine")[:3000])
    np.testing.assert_allclose(bound_curve(values("cosine"))[:3000], first, rtol=1e-9)


# --- schedules ---


def test_schedules_are_ranked_at_their_own_best_peak():
    plans = {"high": 10 * gp.constant(), "linear": gp.linear("100%"), "cosine": gp.cosine(2000), "wsd": PLANS["wsd"]}
    found = rank_by_bound(plans, 2000)
    assert [name for name, _ in found] == ["linear", "cosine", "high", "wsd"]
    assert dict(found)["high"] == pytest.approx(best_bound(np.ones(2000)), rel=1e-14)
    assert [value for _, value in found] == sorted(value for _, value in found)
    assert rank_by_bound({}, 2000) == []


PEAKS = {0.1: 0.47, 0.2: 0.53, 0.4: 0.62, 0.6: 0.73, 0.8: 0.86, 0.9: 0.94}  # wsd by its cooldown, as a share


@pytest.mark.parametrize("share", PEAKS)
def test_peaks_of_wsd_are_the_published_shares_of_those_of_a_cosine(share):
    cosine = gp.warmup(300) >> gp.cosine(49_700)
    wsd = gp.wsd(50_000, warmup=300, cooldown=round(share * 50_000))
    assert peak_transfer(cosine, wsd, 50_000) == pytest.approx(PEAKS[share], abs=0.01)


def test_a_peak_goes_there_and_back_and_knows_no_factor():
    cosine, wsd = gp.cosine("100%"), gp.wsd(1000, warmup=50, cooldown=200)
    there = peak_transfer(cosine, wsd, 1000)
    assert there * peak_transfer(wsd, cosine, 1000) == pytest.approx(1, rel=1e-14)
    assert peak_transfer(3 * cosine, 0.1 * wsd, 1000) == pytest.approx(there, rel=1e-14)
    peak = best_scale(cosine.over(1000)(np.arange(1000)))
    assert peak * there == pytest.approx(best_scale(wsd(np.arange(1000))), rel=1e-14)


# --- mistakes ---


@pytest.mark.parametrize("function", [bound, best_scale, best_bound, bound_gradient, bound_curve])
@pytest.mark.parametrize(
    "rates, message",
    [
        ([], "a list of numbers is needed"),
        ([[1.0, 2.0]], r"not the shape \(1, 2\)"),
        ([1.0, float("nan"), 2.0], "that of update 1 is nan"),
        ([1.0, float("inf")], "that of update 1 is inf"),
        ([1.0, 2.0, -1.0], "that of update 2 is -1"),
        ([0.0, 0.0, 1.0], "update 0 is 0: an update at 0 moves nothing; leave it out"),
        ([1.0, 0.0, 1.0], "update 1 is 0: an update at 0 moves nothing"),
        ([1.0, 0.5, 0.0, 0.0], r"update 2 is 0: nothing is bounded that ends at 0; .*\[:2\]"),
        ([0.0], "must be finite and above 0, not 0"),
        ("fast", "numbers are needed, not 'fast'"),
        (None, "not nan"),
    ],
)
def test_rates_are_finite_and_above_0(function, rates, message):
    with pytest.raises(LawError, match=message):
        function(rates)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"distance": 0.0}, "distance: it must be finite and above 0, not 0"),
        ({"distance": float("inf")}, "distance: .*not inf"),
        ({"distance": [1.0, 2.0]}, "distance is one number, not 2"),
        ({"gradient_norms": -1.0}, "gradient_norms: .*not -1"),
        ({"gradient_norms": [1.0, 2.0]}, "3 rates need as many gradient_norms, or one for all, not 2"),
        ({"gradient_norms": [1.0, 0.0, 2.0]}, "gradient_norms: .*update 1 is 0"),
    ],
)
def test_distance_and_norms_are_finite_and_above_0(given, message):
    with pytest.raises(LawError, match=message):
        bound([1.0, 1.0, 1.0], **given)


def test_a_schedule_that_cannot_be_bounded_is_named():
    with pytest.raises(LawError, match=r"'short': .*update 100 is 0: nothing is bounded that ends at 0; .*\[:100\]"):
        rank_by_bound({"good": gp.constant(), "short": gp.linear(100)}, 200)
    with pytest.raises(LawError, match=r"the second schedule: .*update 0 is 0"):
        peak_transfer(gp.constant(), gp.linear(10, to=1.0, start=0.0), 20)
    with pytest.raises(LawError, match="'text' is a schedule"):
        rank_by_bound({"text": "cosine(10)"}, 10)
    with pytest.raises(ScheduleError, match="the horizon must be at least 1"):
        rank_by_bound({"good": gp.constant()}, 0)
    with pytest.raises(HorizonError):
        rank_by_bound({"epochs": gp.cosine("3ep")}, 100)
