"""What a sweep suggests: near the truth on noisy curves, the same in other units, and silent where it knows nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.errors import RunError
from glidepath.range_test import RULES, analyze_sweep
from glidepath.range_test.result import _Sweep
from glidepath.range_test.suggestions import minimum, slide, steepest, valley

from .curves import LOG_RATES, curve


def analyze_noisy_curve(seed, noise):
    one = curve(seed, noise)
    return one, analyze_sweep(10**one.places, one.losses, "diverged")


def test_on_200_noisy_curves_the_steepest_point_is_found():
    pairs = [analyze_noisy_curve(seed, 0.01) for seed in range(200)]
    errors = np.array([np.log10(result["steepest"].rate) - one.steepest for one, result in pairs])
    assert 10 ** np.median(np.abs(errors)) < 1.15
    assert abs(10 ** np.median(errors) - 1) < 0.05
    assert 10 ** np.quantile(np.abs(errors), 0.9) < 2
    covered = [result["steepest"].low <= 10**one.steepest <= result["steepest"].high for one, result in pairs]
    assert 0.85 < np.mean(covered) < 0.98
    assert all(result["steepest"] for _, result in pairs)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), unit=st.floats(1e-3, 1e3), height=st.floats(1e-3, 1e3), offset=st.floats(-100, 100))
def test_units_do_not_matter(seed, unit, height, offset):
    one = curve(seed, 0.02)
    here = analyze_sweep(10**one.places, one.losses, "diverged")
    there = analyze_sweep(unit * 10**one.places, height * one.losses + offset, "diverged")
    for name, suggestion in here.suggestions.items():
        other = there[name]
        for which in ("rate", "low", "high"):
            assert getattr(other, which) == pytest.approx(unit * getattr(suggestion, which), rel=1e-3)


def test_the_rules_on_a_curve_with_a_formula():
    places = np.linspace(-6, 0, 601)
    losses = 3 - 2 / (1 + np.exp(-(places + 3) / 0.2)) + np.where(places > -1, (places + 1) ** 2 * 40, 0.0)
    assert steepest(places, losses) == pytest.approx(-3, abs=0.005)
    assert minimum(places, losses) == pytest.approx(places[losses.argmin()] - 1)
    assert valley(places, losses) == pytest.approx((-6 + places[losses.argmin()]) / 2, abs=0.01)
    sensible = losses <= 3  # above, the curve is cut before the rules are asked
    result = slide(places[sensible], losses[sensible])
    slopes = np.gradient(losses, places)
    at = round((result + 6) / 0.01)
    assert abs(slopes[at + 120] - slopes[at]) <= 0.1 * -slopes.min()
    assert all(abs(slopes[i + 120] - slopes[i]) > 0.1 * -slopes.min() for i in range(at + 1, sensible.sum() - 120))


def test_the_valley_is_the_deepest_descent_and_not_the_longest():
    losses = np.concatenate([np.linspace(3, 2.9, 50), [2.95], np.linspace(2.9, 1, 20), np.linspace(1.1, 3, 9)])
    assert valley(np.arange(80.0), losses) == pytest.approx((50 + 70) / 2)
    assert valley(np.arange(3.0), np.array([1.0, 2.0, 3.0])) == 0


@pytest.mark.parametrize("seed", range(8))
def test_noise_alone_suggests_nothing(seed):
    noise = np.random.default_rng(seed).standard_normal(200)
    result = analyze_sweep(10**LOG_RATES, 5 + noise)
    assert not result
    assert str(result).endswith(result.doubts[0])


def test_a_loss_that_hardly_falls_is_named():
    result = analyze_sweep(10**LOG_RATES, 5 + np.random.default_rng(0).standard_normal(200))
    assert "hardly fell" in result.doubts[0]


def test_a_fall_that_begins_before_the_sweep_is_named():
    result = analyze_sweep(10**LOG_RATES, 2 + np.exp(-(LOG_RATES + 7)))
    assert not result
    assert "lower `low`" in result.doubts[0]


def test_a_fall_that_goes_on_beyond_the_sweep_is_named():
    result = analyze_sweep(10**LOG_RATES, 5 - np.exp(2 * (LOG_RATES - 1)))
    assert "raise `high`" in result.doubts[0]
    late = analyze_sweep(10**LOG_RATES, 5 - 1 / (1 + np.exp(-(LOG_RATES + 0.5) / 0.4)))
    assert late["steepest"]
    assert "raise `high`" in late["minimum/10"].doubt


def test_a_wide_interval_is_a_doubt():
    doubts = [
        suggestion.doubt for seed in range(30) for suggestion in analyze_noisy_curve(seed, 0.3)[1].suggestions.values()
    ]
    assert any("known within a factor of" in doubt for doubt in doubts)


def test_losses_that_ran_away_change_nothing():
    one = curve(3, 0.02)
    longer = 10 ** np.append(one.places, one.places[-1] + np.diff(LOG_RATES)[:1] * [1, 2, 3])
    result = analyze_sweep(longer, np.append(one.losses, [1e3, 1e9, 1e30]), "diverged")
    assert result["steepest"] == analyze_sweep(10**one.places, one.losses, "diverged")["steepest"]


def test_the_seed_decides_the_intervals():
    one = curve(5, 0.05)
    first, again, other = (analyze_sweep(10**one.places, one.losses, seed=seed) for seed in (1, 1, 2))
    assert first.suggestions == again.suggestions
    assert first["steepest"].rate == other["steepest"].rate
    assert first["steepest"].low != other["steepest"].low


@pytest.mark.parametrize(
    ("rates", "losses", "said"),
    [
        (np.geomspace(1e-7, 1, 19), np.ones(19), "too few"),
        (np.geomspace(1e-7, 1, 30), np.ones(29), "30 rates and 29 losses"),
        (np.linspace(1e-7, 1, 30), np.ones(30), "evenly in their logarithm"),
        (np.geomspace(1, 1e-7, 30), np.ones(30), "evenly in their logarithm"),
        (np.geomspace(1e-7, 1, 30), np.full(30, np.nan), "losses are finite"),
        (np.linspace(0, 1, 30), np.ones(30), "rates are above zero"),
    ],
)
def test_losses_that_are_not_of_a_sweep_are_refused(rates, losses, said):
    with pytest.raises(RunError, match=said):
        analyze_sweep(rates, losses)


def test_nine_in_ten_resamples_lie_in_the_interval():
    one = curve(7, 0.05)
    result = analyze_sweep(10**one.places, one.losses, "diverged")
    sweep = _Sweep(10**one.places, one.losses)
    again = [10 ** steepest(sweep.places, row) for row in sweep.resample(0)]
    inside = [result["steepest"].low <= rate <= result["steepest"].high for rate in again]
    assert 0.89 <= np.mean(inside) <= 0.92


def test_an_unknown_rule_is_named_with_the_rules_that_exist():
    result = analyze_sweep(10**LOG_RATES, 5 - 1 / (1 + np.exp(-(LOG_RATES + 3) / 0.4)))
    assert set(result.suggestions) == set(RULES)
    with pytest.raises(RunError, match="'best' is not a suggestion; there are steepest, valley"):
        result["best"]
