"""A run that did not follow its plan is told from one that did, with the first step and the cause."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import glidepath as gp
from glidepath.errors import RunError, ScheduleError
from glidepath.runs.deviation import Rates, compare_with_plan, first_mismatch

PLAN = gp.warmup(20) >> gp.cosine(180)
STEPS = range(200)


def told(walk, *, plan=PLAN, steps=STEPS, peak: float | None = 0.1, factor=lambda k: 1.0) -> str | None:
    """What is said of a run whose update k used the plan's value at walk(k)."""
    rates = [0.1 * factor(k) * plan(walk(k)) for k in steps]
    finding = first_mismatch(plan, Rates("run", list(steps), rates), peak)
    return None if finding is None else str(finding)


@pytest.mark.parametrize("peak", [0.1, None])
@pytest.mark.parametrize("steps", [STEPS, range(3, 200, 7), range(0, 200, 50)])
def test_a_run_that_followed_its_plan_has_no_finding(peak, steps):
    assert told(lambda k: k, peak=peak, steps=steps) is None


@pytest.mark.parametrize("write", ["{:.4g}", "{:.6f}", "{:.3e}", "{:.5g}"])
def test_digits_that_the_log_left_out_are_no_finding(write):
    rates = [float(write.format(0.1 * PLAN(k))) for k in STEPS]
    assert first_mismatch(PLAN, Rates("run", STEPS, rates), 0.1) is None
    slow = [float(write.format(0.1 * PLAN(k // 5))) for k in STEPS]
    assert "once every 5 updates" in str(first_mismatch(PLAN, Rates("run", STEPS, slow), 0.1))


def test_rates_in_32_bits_are_no_finding():
    rates = np.float32([0.1 * PLAN(k) for k in STEPS]).astype(float)
    assert first_mismatch(PLAN, Rates("run", STEPS, rates.tolist()), 0.1) is None


@pytest.mark.parametrize(
    "walk, begin, cause",
    [
        (lambda k: k // 10, "step 1: the rate is 0.005, and 0.01 by", "stepped once every 10 updates: per epoch?"),
        (
            lambda k: 4 * k,
            "step 1: the rate is 0.025, and 0.01 by",
            "4 times too fast: is the scheduler stepped by each",
        ),
        (
            lambda k: k + 20,
            "step 0: the rate is 0.1, and 0.005 by",
            "20 steps ahead of the plan from the start: was the",
        ),
        (lambda k: k if k < 90 else k - 90, "step 90: ", "it began again at step 90: resumed without the state"),
        (
            lambda k: k if k < 90 else k + 90,
            "step 90: ",
            "90 steps ahead of the plan since step 90: resumed twice, or its",
        ),
        (
            lambda k: k if k < 90 else k + 7,
            "step 90: ",
            "7 steps ahead of the plan since step 90: resumed twice, or st",
        ),
        (
            lambda k: k if k < 90 else k - 15,
            "step 90: ",
            "15 steps behind the plan since step 90: resumed from an older",
        ),
        (lambda k: 5, "step 0: ", "it never changed: was the scheduler never stepped?"),
        (lambda k: min(k, 60), "step 61: ", "it has not changed since step 60: is the scheduler no longer stepped?"),
        (lambda k: (k * k) // 50, "step 1: ", "the cause is unknown"),
    ],
)
def test_each_way_to_walk_otherwise_is_named_with_its_first_step(walk, begin, cause):
    message = told(walk)
    assert message is not None
    assert message.startswith(begin)
    assert cause in message


def test_a_factor_on_all_rates_or_on_the_last_is_named():
    assert "0.1 times the plan: another peak?" in told(lambda k: k, factor=lambda k: 0.1)
    assert "0.5 times the plan: changed by hand" in told(lambda k: k, factor=lambda k: 0.5 if k >= 70 else 1.0)
    assert told(lambda k: k, factor=lambda k: 0.1, peak=None) is None  # a wrong peak cannot be seen


def test_a_warmup_that_begins_at_zero_is_the_other_convention():
    rates = [0.1 * (k / 20 if k < 20 else PLAN(k)) for k in STEPS]
    comparison = compare_with_plan(PLAN, Rates("run", STEPS, rates), 0.1)
    assert comparison.finding is None
    assert comparison.note == "its warmup is k / n, the first update at 0, where the plan has (k + 1) / n"
    plan = gp.linear(20, start=0, to=1) >> gp.cosine(180)
    used = [0.1 * PLAN(k) for k in STEPS]
    assert "its warmup is (k + 1) / n" in compare_with_plan(plan, Rates("run", STEPS, used), 0.1).note


@pytest.mark.parametrize("peak", [0.1, None])
@pytest.mark.parametrize("steps", [STEPS, range(4, 200, 5), range(9, 200, 10)])
@pytest.mark.parametrize(
    "walk, offset, note",
    [
        (lambda k: max(k - 1, 0), -1, "its steps count the updates made"),
        (lambda k: k + 1, 1, "the next one, as older Transformers log it"),
    ],
)
def test_one_step_ahead_or_behind_throughout_is_another_reading_of_the_steps(walk, offset, note, steps, peak):
    rates = [0.1 * PLAN(walk(k)) for k in steps]
    comparison = compare_with_plan(PLAN, Rates("run", list(steps), rates), peak)
    assert (comparison.finding, comparison.reading.offset) == (None, offset)
    assert note in comparison.note


@pytest.mark.parametrize("peak", [0.1, None])
def test_rows_far_apart_say_between_which_steps(peak):
    message = told(lambda k: k if k < 94 else k - 94, steps=range(9, 200, 10), peak=peak)
    assert "it began again at step 94" in message
    message = told(lambda k: k if k < 94 else k + 30, steps=range(9, 200, 10), peak=peak)
    assert "30 steps ahead of the plan since a step from 90 to 99" in message


def test_two_rates_are_too_few_for_a_cause():
    assert "the cause is unknown" in told(lambda k: 4 * k, steps=(0, 30))


@given(st.integers(2, 60), st.sampled_from([1, 3, 7]))
def test_any_number_of_times_too_slow_or_too_fast_is_found(n, gap):
    plan, steps = gp.linear(2000, to=0.1), range(0, 400, gap)
    assert f"stepped once every {n} updates" in told(lambda k: k // n, plan=plan, steps=range(400))
    assert f"{n} times too fast" in told(lambda k: n * k, plan=plan, steps=steps)


def test_the_long_run_of_a_plan_on_a_plateau_is_answered():
    plan = gp.warmup(1000) >> gp.constant(98_000) >> gp.linear(1000)
    steps = np.arange(0, 100_000, 10)
    rates = 0.1 * plan(np.where(steps < 50_000, steps, steps - 3_000))
    finding = first_mismatch(plan, Rates("run", steps.tolist(), rates.tolist()), 0.1)
    assert finding.step == 99_010


def test_a_real_scheduler_stepped_by_four_processes_is_found_out():
    """As Accelerate does: each of the processes steps the scheduler for each update."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, PLAN)
    rates = []
    for _ in STEPS:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for _ in range(4):
            scheduler.step()
    assert "4 times too fast" in str(first_mismatch(PLAN, Rates("run", STEPS, rates), 0.1))


def test_a_real_resume_without_the_scheduler_is_found_out():
    rates = []
    for updates in (80, 120):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, PLAN)
        for _ in range(updates):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    finding = first_mismatch(PLAN, Rates("run", STEPS, rates), 0.1)
    assert (finding.step, "it began again at step 80" in str(finding)) == (80, True)


@pytest.mark.parametrize(
    "steps, rates, message",
    [
        ([], [], "0 steps and 0 rates"),
        ([0, 1], [0.1], "2 steps and 1 rates"),
        ([-1, 0], [0.1, 0.1], "ascend from 0"),
        ([0, 0], [0.1, 0.1], "ascend from 0"),
        ([0, 1], [0.1, -0.1], ", step 1: the rate is -0.1"),
        ([0, 1], [0.1, float("nan")], ", step 1: the rate is nan"),
        ([0, 1], [0.1, 1e9], "above 100 the units cannot be right"),
    ],
)
def test_rates_that_cannot_be_are_refused(steps, rates, message):
    with pytest.raises(RunError, match=message):
        Rates("run", steps, rates)


def test_a_peak_is_above_zero():
    with pytest.raises(ScheduleError, match="peak"):
        first_mismatch(PLAN, Rates("run", [0], [0.1]), 0.0)


@pytest.mark.parametrize("write", ["%.2e", "%.3e", "%.4f", "%.6f", "%.7f", "%.3g", "%.5g"])
@pytest.mark.parametrize("plan", [gp.warmup(10) >> gp.linear(90), gp.warmup(100) >> gp.cosine(900)])
def test_a_rounded_log_of_a_run_that_followed_its_plan_never_alarms(write, plan):
    for peak in [1.04e-4, 3.456e-4, *np.geomspace(1e-4, 0.9, 25).tolist()]:
        rates = [float(write % (peak * plan(k))) for k in range(plan.duration)]
        for given_peak in (peak, None):
            assert first_mismatch(plan, Rates("run", range(len(rates)), rates), given_peak) is None, (peak, given_peak)


@pytest.mark.parametrize("every", [5, 10, 25, 50])
@pytest.mark.parametrize(
    "walk, cause",
    [
        (lambda k: 2 * k, "2 times too fast"),
        (lambda k: 4 * k, "4 times too fast"),
        (lambda k: k // 100, "stepped once every "),
    ],
)
def test_a_thinned_log_without_a_peak_still_names_the_cause(every, walk, cause):
    plan = gp.warmup(100) >> gp.cosine(900)
    assert cause in told(walk, plan=plan, steps=range(every - 1, 1000, every), peak=None)


def test_a_plan_of_rates_is_not_scaled():
    plan = 3e-4 * (gp.warmup(10) >> gp.linear(90))
    rates = [10 * plan(k) for k in range(100)]
    assert "10 times the plan: another peak?" in str(first_mismatch(plan, Rates("run", range(100), rates)))


@pytest.mark.parametrize(
    "rates, message", [([0.0, 0.0], "every logged rate is 0"), ([0.1], "a single rate fits any peak")]
)
def test_rates_that_cannot_tell_the_peak_need_it(rates, message):
    with pytest.raises(RunError, match=message):
        first_mismatch(PLAN, Rates("run", range(len(rates)), rates))
