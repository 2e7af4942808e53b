"""From what a user gives to ratios of the peak; and what is no run."""

import re

import numpy as np
import pytest

import glidepath as gp
from glidepath.errors import GlidepathError, LawError
from glidepath.law.evaluation.rates import check_rates, ratios_of

PEAK = 3e-4


def test_rates_are_divided_by_the_peak():
    assert ratios_of([0.0, 1e-4, 3e-4, 6e-4], PEAK) == pytest.approx([0, 1 / 3, 1, 2])
    assert ratios_of(np.array([1, 2]), 2.0).tolist() == [0.5, 1.0]
    assert ratios_of([1.0, 1.0], 2.0, 2).tolist() == [0.5, 0.5]


def test_the_values_of_a_schedule_are_ratios_already():
    plan = gp.warmup(3) >> gp.constant(2) >> gp.linear(2)
    assert ratios_of(plan, PEAK).tolist() == [plan(k) for k in range(7)]
    assert ratios_of(plan, 1.0).tolist() == ratios_of(plan, PEAK).tolist()


def test_a_schedule_lasts_as_long_as_it_is_told():
    plan = gp.warmup(3) >> gp.constant() >> gp.linear(2)
    assert ratios_of(plan, PEAK, 9).tolist() == [plan.over(9)(k) for k in range(9)]
    assert ratios_of(gp.constant(), PEAK, 4).tolist() == [1.0] * 4
    assert ratios_of(gp.linear(2), PEAK, 4).tolist() == [1.0, 0.5, 0.0, 0.0]


@pytest.mark.parametrize("plan", [gp.constant(), gp.warmup(3) >> gp.constant() >> gp.linear(2)])
def test_a_plan_without_a_length_is_refused(plan):
    with pytest.raises(LawError, match=re.escape("has no length of its own: give one, steps=10000 [GP402]")):
        ratios_of(plan, PEAK)


@pytest.mark.parametrize("steps", [0, -3, 10_000_001])
def test_a_run_has_updates_and_no_tokens(steps):
    with pytest.raises(GlidepathError, match=r"are these tokens|the horizon must be at least 1"):
        ratios_of(gp.constant(), PEAK, steps)


@pytest.mark.parametrize("factor", [PEAK, PEAK / 3, 3.9 * PEAK])
def test_a_schedule_of_absolute_rates_is_refused(factor):
    with pytest.raises(LawError, match=r"looks like a rate; here a schedule is a ratio of the peak, 0\.0003: leave"):
        ratios_of(factor * gp.linear(10), PEAK)


@pytest.mark.parametrize(("factor", "peak"), [(0.1, PEAK), (0.06, 0.05), (5 * PEAK, PEAK), (0.01, 1.0), (1.0, 1.0)])
def test_a_low_schedule_is_not_mistaken_for_a_rate(factor, peak):
    assert ratios_of(factor * gp.constant(3), peak).tolist() == [factor] * 3


def test_rates_for_another_length_are_refused():
    with pytest.raises(LawError, match="there are 2 rates for 3 updates: give one for each"):
        ratios_of([1.0, 1.0], 1.0, 3)


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ([], r"one number for each update, not an array of shape \(0,\)"),
        ([[1.0, 1.0]], r"one number for each update, not an array of shape \(1, 2\)"),
        (0.5, r"one number for each update, not an array of shape \(\)"),
        ([1.0, -1e-9], "update 1 has the rate -1e-09: a rate is finite and at least 0"),
        ([float("nan"), 1.0], "update 0 has the rate nan: a rate is finite"),
        ([1.0, 1.0, float("inf")], "update 2 has the rate inf: a rate is finite"),
        ([0.0, 0.0], "all rates are 0: such a run goes nowhere"),
    ],
)
def test_what_no_optimizer_can_use_is_refused(rates, message):
    with pytest.raises(LawError, match=message):
        check_rates(np.asarray(rates, dtype=np.float64))
    with pytest.raises(LawError, match=message):
        ratios_of(rates, PEAK)


@pytest.mark.parametrize(("factor", "message"), [(-1.0, "update 0 has the rate -1"), (0.0, "all rates are 0")])
def test_a_schedule_that_no_optimizer_can_use_is_refused(factor, message):
    with pytest.raises(LawError, match=message):
        ratios_of(factor * gp.constant(3), PEAK)
