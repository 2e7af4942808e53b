"""The designed schedule is the best one: no other shape does better, two roads meet, and it can be written down."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath import constant, cosine, linear, parse
from glidepath.errors import LawError
from glidepath.law import Committee, Design, Fit, Law, MultiPowerLaw, NoiseFloorLaw, design
from glidepath.law.designing.descent import Descent
from glidepath.law.designing.design import best_ratios, fit_lines, has_closed_form
from glidepath.law.designing.knots import knots
from glidepath.law.designing.named_schedules import standard_schedules
from glidepath.law.evaluation.cells import Cells
from glidepath.law.evaluation.timeline import History

from .known import LAWS, NAMES, NOISE_FLOOR, PEAK

STEPS = 4_000
CLOSED = (
    NOISE_FLOOR,
    dataclasses.replace(NOISE_FLOOR, clock_exponent=1.0),
    dataclasses.replace(NOISE_FLOOR, clock_exponent=1.3, noise_exponent=1.0),
    dataclasses.replace(NOISE_FLOOR, clock_exponent=0.5, relaxation_exponent=0.7),
    LAWS[1],
)


def last(law: Law, ratios: np.ndarray) -> float:
    return law.final_loss(ratios * law.peak)


def rates_of(found: Design) -> np.ndarray:
    return np.asarray(found.plan(np.arange(found.steps)))


# --- the last loss in cells ---


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
@given(
    levels=st.lists(st.one_of(st.just(0.0), st.floats(1e-4, 1.0)), min_size=1, max_size=9),
    lengths=st.lists(st.integers(1, 40), min_size=9, max_size=9),
    last=st.sampled_from([(), (0.0,), (0.0, 0.3, 0.0)]),
)
@settings(max_examples=40)
def test_the_loss_at_the_end_is_the_last_of_the_curve(law, levels, lengths, last):
    ratios = np.repeat([*levels, 0.5, *last], [*lengths[: len(levels)], 7, *[5] * len(last)])
    assert law.final_loss(ratios * law.peak) == pytest.approx(law.predict(ratios * law.peak)[-1], abs=1e-8)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_its_slopes_are_those_of_finite_differences(law):
    cells = Cells(law.parameters, law.CLOCK, np.array([100.0, 50, 500, 300, 20, 5, 1]))
    levels = np.array([0.3, 0.9, 1.0, 0.8, 0.4, 0.2, 0.1])
    nudges = 1e-6 * np.eye(len(levels))
    numeric = [(cells.loss(levels + one)[0] - cells.loss(levels - one)[0]) / 2e-6 for one in nudges]
    assert cells.loss(levels)[1] == pytest.approx(numeric, rel=1e-5, abs=1e-9)


# --- the closed form ---


@pytest.mark.parametrize("law", CLOSED, ids=str)
@pytest.mark.parametrize("steps", [300, STEPS])
def test_no_bump_on_the_best_rates_makes_the_loss_lower(law, steps):
    best = best_ratios((law,), steps, np.zeros(0))[:-1]
    least, at, random = last(law, best), np.arange(steps), np.random.default_rng(1)
    for _ in range(150):
        middle, width = steps * (1 - random.random() ** 3), steps * random.choice([0.003, 0.03, 0.3])
        bump = np.exp(random.normal(0, 0.2) * np.exp(-(((at - middle) / width) ** 2)))
        assert last(law, np.minimum(1, best * bump)) > least - 2e-7


@given(
    clock=st.floats(0.3, 1.4),
    exponent=st.floats(0.45, 1.2),
    noise=st.floats(0.02, 2.0),
    relaxation=st.floats(1e-3, 1.0),
    memory=st.floats(0.5, 4.0),
    steps=st.integers(100, 3000),
    before=st.sampled_from([0, 100, 5000]),
    level=st.floats(0.05, 1.0),
)
@settings(max_examples=40)
def test_descent_finds_no_better_one(clock, exponent, noise, relaxation, memory, steps, before, level):
    law = NoiseFloorLaw(PEAK, 2.6, 0.9, 0.5, noise, exponent, relaxation, clock, memory)
    past = np.full(before, level)
    best = best_ratios((law,), steps, past)[:-1]
    descent = Descent([(law.parameters, law.CLOCK)], History(past) if before else None, steps, 400, 100)
    other = np.repeat(descent.best(), np.diff(descent.edges))
    ours, found = (last(law, np.concatenate([past, ratios])) for ratios in (best, other))
    assert ours <= found + 2e-5 * max(1, noise)
    assert best.max() <= 1


def test_the_lower_of_two_minima_is_taken_where_a_high_rate_makes_more_than_its_share_of_progress():
    law = NoiseFloorLaw(PEAK, 2.6, 0.9, 0.5, 1.5, 0.875, 0.5, 1.25, 1.5)
    past = np.full(5000, 0.3125)
    best = best_ratios((law,), 415, past)[:-1]
    assert last(law, np.concatenate([past, best])) < 3.5219  # the other one, which holds the peak, ends at 3.5256


def test_the_lower_of_two_minima_is_taken_after_a_history_at_a_low_rate():
    law = NoiseFloorLaw(PEAK, 2.6, 0.9, 0.5, 1.0, 0.5, 0.5, 0.625, 1.0)
    past = np.full(5000, 0.0625)
    best = best_ratios((law,), 572, past)[:-1]
    assert last(law, np.concatenate([past, best])) < 3.66716  # the other one, without a hold, ends at 3.66741


def test_without_a_clock_exponent_the_rate_is_a_power_of_the_progress_to_come():
    law = CLOSED[1]
    ratios = best_ratios((law,), STEPS, np.zeros(0))[:-1]
    after = np.cumsum(ratios[::-1])[::-1] - ratios / 2
    falling = ratios < 0.99
    power = (law.relaxation_exponent + 1) / (law.noise_exponent + 1)
    expected = (1 + law.relaxation * after / law.relaxation_exponent) ** power
    shape = ratios[falling] / expected[falling]
    assert shape == pytest.approx(np.full(len(shape), shape[0]), rel=2e-3)


@pytest.mark.parametrize("law", [NOISE_FLOOR, LAWS[2], LAWS[3]], ids=str)
def test_what_is_best_from_the_middle_on_is_the_rest_of_what_is_best(law):
    """Bellman's principle: a design that goes on from its own first half loses nothing."""
    whole = design(law, STEPS)
    half = whole.plan(np.arange(STEPS // 2)) * PEAK
    rest = design(law, STEPS // 2, before=half)
    assert rest.loss == pytest.approx(whole.loss, abs=1e-5 if has_closed_form(law) else 1e-4)
    if has_closed_form(law):  # the others are flat near their best
        assert rates_of(rest) == pytest.approx(rates_of(whole)[STEPS // 2 :], abs=0.01)


def test_after_half_a_cosine_the_design_goes_on_better_than_the_cosine():
    half = PEAK * cosine(STEPS)(np.arange(STEPS // 2))
    rest = design(NOISE_FLOOR, STEPS // 2, before=half)
    assert rest.loss < NOISE_FLOOR.final_loss(cosine(STEPS)) - 1e-3
    joined = np.concatenate([half, PEAK * rates_of(rest)])
    assert rest.loss == pytest.approx(NOISE_FLOOR.predict(joined)[-1], abs=1e-8)


# --- any law ---


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_no_schedule_of_the_fields_names_does_better(law):
    found = design(law, STEPS, warmup=200)
    assert found.loss == pytest.approx(law.predict(found.plan, STEPS)[-1], abs=1e-8)
    assert found.nearest.loss >= found.loss - 2e-5
    assert found.nearest.loss == min(law.final_loss(plan, STEPS) for _, plan in standard_schedules(STEPS, 200))


def test_the_multi_power_law_gets_no_giant_falls():
    """With a rate for every update it would: one fall to a fifth scores better than the same fall in two."""
    law = LAWS[2]
    assert isinstance(law, MultiPowerLaw)
    once = constant(3_900) >> 0.2 * constant(100)
    twice = constant(3_900) >> 0.6 * constant(1) >> 0.2 * constant(99)
    assert law.final_loss(once, STEPS) < law.final_loss(twice, STEPS)
    ratios = rates_of(design(law, STEPS))
    assert (ratios[1:] / ratios[:-1]).min() > 0.8


def test_a_committees_design_is_the_best_for_the_mean_of_its_laws():
    fits = [Fit(law, np.zeros(0), np.zeros((0, 0)), (), (), 0.0, 1.0, 1.0) for law in (LAWS[0], LAWS[2], LAWS[4])]
    committee = Committee(tuple(fits))
    found = design(committee, STEPS, warmup="5%")
    assert found.loss == pytest.approx(committee.loss(found.plan, STEPS), abs=1e-12)
    for fit in fits:
        assert committee.loss(design(fit, STEPS, warmup="5%").plan, STEPS) >= found.loss - 1e-5


def test_the_slopes_of_the_falls_are_those_of_finite_differences():
    descent = Descent([(LAWS[2].parameters, LAWS[2].CLOCK)], None, 700, 40, 12)
    falls = np.linspace(0.01, 0.4, 12)
    weights = np.random.default_rng(0).normal(size=len(descent.levels(falls)))
    value = lambda falls: float(weights @ np.log(descent.levels(falls)))
    numeric = [(value(falls + one) - value(falls - one)) / 2e-6 for one in 1e-6 * np.eye(12)]
    assert descent.slopes_of_falls(weights, 12) == pytest.approx(numeric, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("law", [LAWS[2], LAWS[4]], ids=["multi-power", "convex-kernel"])
def test_a_past_at_rate_zero_changes_no_design(law):
    moved = PEAK * np.linspace(0.1, 1, 200)
    rested = np.concatenate([moved, np.zeros(50)])
    assert rates_of(design(law, 400, before=rested)) == pytest.approx(
        rates_of(design(law, 400, before=moved)), abs=2e-3
    )


def test_a_long_past_is_seen_in_some_hundreds_of_cells():
    past = PEAK * cosine(50_000, to=0.2)(np.arange(50_000))
    descent = Descent([(LAWS[4].parameters, None)], History(past / PEAK), 100)
    levels, lengths = descent._past
    assert len(levels) <= 500
    assert lengths @ levels == pytest.approx(past.sum() / PEAK, rel=1e-9)


def test_a_history_at_another_peak_is_refused():
    with pytest.raises(LawError, match=r"the rates before go up to 0\.0006"):
        design(NOISE_FLOOR, 100, before=np.full(50, 2 * PEAK))


@pytest.mark.parametrize("parameters", [{"peak": -1.0}, {"gap": -0.1}, {"relaxation": 0.0}, {"limit": math.nan}])
def test_parameters_outside_their_ranges_are_refused(parameters):
    with pytest.raises(LawError):
        dataclasses.replace(NOISE_FLOOR, **parameters)


def test_where_the_rate_adds_no_noise_the_peak_is_held():
    assert design(dataclasses.replace(NOISE_FLOOR, noise=0.0), 1000).plan == constant(1000)


# --- as a schedule ---


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
@pytest.mark.parametrize("steps", [1, 2, 3, 17, STEPS])
def test_it_is_a_schedule_of_the_right_length_that_can_be_read_back(law, steps):
    plan = design(law, steps).plan
    assert plan.duration == steps
    assert parse(plan.text) == plan
    values = plan(np.arange(steps))
    assert values.max() == pytest.approx(1.0, abs=1e-3) or values.max() < 1
    assert values.min() > 0


def test_its_few_lines_cost_next_to_nothing():
    exact = last(NOISE_FLOOR, best_ratios((NOISE_FLOOR,), STEPS, np.zeros(0))[:-1])
    found = design(NOISE_FLOOR, STEPS)
    assert found.loss - exact < 3e-5
    assert found.plan.text.count(">>") < 25


def test_a_warmup_can_be_a_share():
    assert design(NOISE_FLOOR, 1_000, warmup="5%").plan == design(NOISE_FLOOR, 1_000, warmup=50).plan
    assert design(NOISE_FLOOR, 1_000, warmup=50).plan(0) == 1 / 50


@pytest.mark.parametrize(
    ("steps", "more", "message"),
    [
        (100, {"warmup": 100}, "leaves nothing to design"),
        (2 * 10**9, {}, "are these tokens"),
        (100, {"before": [math.nan]}, "a rate is finite"),
        (100, {"before": []}, "one number for each update"),
    ],
)
def test_what_does_not_fit_is_refused(steps, more, message):
    with pytest.raises(LawError, match=message):
        design(NOISE_FLOOR, steps, **more)


# --- lines through values ---


@given(st.lists(st.floats(0, 1), min_size=1, max_size=300), st.floats(1e-3, 0.5))
def test_lines_between_knots_stay_within_the_tolerance(values, tolerance):
    array = np.array(values)
    places = knots(array, tolerance)
    assert (places[0], places[-1]) == (0, len(values) - 1)
    assert np.abs(np.interp(np.arange(len(values)), places, array[places]) - array).max() <= tolerance * (1 + 1e-9)


def test_a_level_beginning_is_written_as_a_hold():
    assert fit_lines(np.array([1.0] * 50 + [0.75, 0.5, 0.25, 0.0])) == constant(49) >> linear(4)
    assert fit_lines(np.linspace(0.8, 0.4, 5)) == linear(4, start=0.8, to=0.4)


def test_laws_that_fit_elsewhere_are_frozen_data():
    assert NoiseFloorLaw(**dataclasses.asdict(NOISE_FLOOR)) == NOISE_FLOOR
