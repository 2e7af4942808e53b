"""Logs as the Transformers Trainer writes them: no innocent run is accused, and others are told the true cause."""

import random
import time
from collections import Counter

import numpy as np
import pytest

import glidepath as gp
from glidepath.runs.deviation import LagPoint, Rates, compare_with_plan

from .trainer_rates import WRONG, draw_right, draw_wrong


@pytest.mark.parametrize("seed", range(8))
def test_no_run_that_followed_its_plan_is_accused(seed):
    rng = random.Random(seed)
    for _ in range(25):
        case = draw_right(rng)
        comparison = compare_with_plan(case.plan, case.rates, case.peak)
        assert comparison.finding is None, case
        assert comparison.rows == len(case.rates.steps)


def test_runs_that_went_wrong_are_told_the_true_cause():
    rng = random.Random(0)
    verdicts = {kind: Counter(draw_wrong(rng, kind, known=True).verdict() for _ in range(4)) for kind in WRONG}
    total = sum(verdicts.values(), Counter())
    assert total["clean"] == 0, verdicts
    assert total["true"] >= 0.95 * total.total(), verdicts


def test_skipped_updates_are_a_lag_that_only_grows():
    """Two updates are skipped at the beginning, and one after step 150; a row every 20 steps."""
    skipped = {0, 1, 150}
    plan = gp.warmup(40) >> gp.linear(360)
    calls = np.cumsum([0, *(k not in skipped for k in range(400))])
    steps = range(19, 400, 20)
    rates = [1e-3 * plan(int(calls[step])) for step in steps]
    comparison = compare_with_plan(plan, Rates("run", steps, rates), 1e-3)
    assert comparison.finding is None
    assert comparison.reading.lags == (LagPoint(19, 2), LagPoint(159, 3))
    assert comparison.note == (
        "behind by a lag that only grows (2 at step 19, 3 at step 159): updates skipped by mixed precision"
    )


@pytest.mark.parametrize("every", [2, 4, 10])
@pytest.mark.parametrize("gap", [1, 5, 20])
def test_a_lag_that_eats_the_run_is_no_skipped_update(every, gap):
    plan, steps = gp.warmup(40) >> gp.cosine(960), range(gap - 1, 1000, gap)
    rates = Rates("run", steps, [0.1 * plan(step // every) for step in steps])
    assert next(cause.name for cause in compare_with_plan(plan, rates, 0.1).causes) == "slow"


def test_a_rate_that_is_logged_again_until_the_next_is_no_deviation():
    plan, steps = gp.warmup(100) >> gp.cosine(900), range(0, 1000, 5)
    rates = Rates("run", steps, [0.1 * plan(step // 50 * 50) for step in steps])
    comparison = compare_with_plan(plan, rates, 0.1)
    assert (comparison.finding, comparison.reading.hold) == (None, 50)


def test_where_no_cause_is_known_the_digits_show_where_they_part_and_where_most():
    plan, steps = gp.linear(1000), range(100)
    rates = [0.1 * plan(k) * (1 - 1e-5 * max(0, k - 40) ** 1.5) for k in steps]
    message = str(compare_with_plan(plan, Rates("run", steps, rates), 0.1).finding)
    assert message == (
        f"step 41: the rate is 0.095899, and 0.0959 by the plan: they part most at step 99, where the rate is "
        f"{0.0901 * (1 - 59**1.5 * 1e-5):.4g}, and 0.0901 by the plan: the cause is unknown [GP810 deviation]"
    )


def test_a_factor_that_is_nearly_1_is_written_with_the_digits_that_show_it():
    plan, steps = gp.linear(1000), range(100)
    rates = Rates("run", steps, [0.1 * 1.00001 * plan(k) for k in steps])
    assert "1.00001 times the plan: another peak?" in str(compare_with_plan(plan, rates, 0.1).finding)


@pytest.mark.parametrize(
    "walk", [lambda k: k, lambda k: k + 1, lambda k: k - k // 2500, lambda k: 2 * k, lambda k: k // 3]
)
def test_a_hundred_thousand_rows_are_compared_in_two_seconds(walk):
    plan, steps = gp.warmup(2_000) >> gp.cosine(98_000), np.arange(100_000)
    rates = Rates("run", steps.tolist(), (1e-3 * plan(walk(steps))).tolist())
    begin = time.process_time()
    compare_with_plan(plan, rates, 1e-3)
    assert time.process_time() - begin < 2


def test_a_horizon_is_at_least_one_update():
    with pytest.raises(gp.RunError, match="at least one update, not 0"):
        Rates("run", [0], [0.1], 0)
