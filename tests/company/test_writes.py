"""Other code writes the rate: before the first update, during the run, at every update (rules 2 to 4)."""

import copy
import math
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler as stock

import glidepath as gp
from glidepath.torch import Scheduler, Set, set_rate
from tests.torch.loops import parameter, rates, sgd, update, used

WARMUP = gp.warmup(1000) >> gp.constant()


def write(optimizer, rate, group=0):
    optimizer.param_groups[group]["lr"] = rate


# --- before the first update ---


def test_a_rate_written_during_warmup_before_the_first_update_is_the_peak():
    optimizer = sgd(1e-4)
    Scheduler(optimizer, WARMUP)
    write(optimizer, 1e-3)
    with pytest.warns(gp.GlidepathWarning, match=r"a new base: base 0\.001, first value 1e-06, peak 0\.001.*GP728"):
        values = used(optimizer, 1001)
    assert values == [1e-3 * WARMUP(k) for k in range(1001)]


def test_a_rate_written_after_a_state_was_loaded_is_the_peak_too():
    optimizer = sgd(1e-3)
    scheduler = Scheduler(optimizer, WARMUP)
    used(optimizer, 100)
    saved = copy.deepcopy(scheduler.state_dict())
    other = sgd(1e-3)
    Scheduler(other, WARMUP).load_state_dict(saved)
    write(other, 2e-3)
    with pytest.warns(gp.GlidepathWarning, match="GP728"):
        assert used(other, 1001)[-1] == 2e-3


def test_a_multiple_of_what_was_shown_stays_a_multiple():
    optimizer = sgd(0.1)
    Scheduler(optimizer, WARMUP)
    optimizer.param_groups[0]["lr"] *= 8
    with pytest.warns(gp.GlidepathWarning, match=r"8 times what was shown.*peak 0\.8"):
        assert used(optimizer, 1001)[-1] == pytest.approx(0.8, rel=1e-12)


@pytest.mark.parametrize("rate", [0.05, 0.3, 1e-5])
def test_where_both_readings_agree_nothing_is_said(rate):
    optimizer, plan = sgd(0.1), gp.cosine(100)
    Scheduler(optimizer, plan)
    write(optimizer, rate)
    assert used(optimizer, 5) == pytest.approx([rate * plan(k) for k in range(5)], rel=1e-14)


def test_a_write_over_a_plan_without_a_base_is_overwritten_and_said_once():
    optimizer, plan = sgd(0.1), 0.1 * gp.cosine(100)
    Scheduler(optimizer, Set(plan))
    write(optimizer, 0.5)
    with pytest.warns(gp.GlidepathWarning, match="GP729") as caught:
        assert used(optimizer, 3) == [plan(k) for k in range(3)]
    assert len(caught) == 1


def test_set_rate_says_the_base_without_a_word():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, WARMUP)
    set_rate(scheduler, 0.4)
    assert used(optimizer, 3) == [0.4 * WARMUP(k) for k in range(3)]
    assert optimizer.param_groups[0]["initial_lr"] == 0.4


# --- during the run ---


def test_half_the_rate_at_the_edge_of_a_staircase_is_half_of_what_follows():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.step(every=30))
    used(optimizer, 30)
    optimizer.param_groups[0]["lr"] *= 0.5
    with pytest.warns(gp.GlidepathWarning, match=r"0\.5 times the last value, so 0\.005 now.*5 times the next.*GP722"):
        assert update(optimizer) == [pytest.approx(0.005, rel=1e-12)]


def test_after_step_has_shown_the_next_rate_a_write_is_relative_to_that():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.step(every=30))
    used(optimizer, 30, scheduler)
    optimizer.param_groups[0]["lr"] *= 0.5
    assert update(optimizer) == [pytest.approx(0.005, rel=1e-12)]


def test_a_write_that_raises_the_peak_to_come_is_said_with_the_factor_and_the_peak():
    optimizer, plan = sgd(0.1), gp.cosine(1000)
    scheduler = Scheduler(optimizer, plan)
    used(optimizer, 600, scheduler)
    write(optimizer, 0.1)
    with pytest.warns(gp.GlidepathWarning, match=r"2\.\d+ times what it was.*peak of 0\.1 .*GP723") as caught:
        values = used(optimizer, 400)
    assert values == pytest.approx([0.1 * plan(k) / plan(600) for k in range(600, 1000)], rel=1e-12)
    assert len(caught) == 1


def test_a_group_built_with_rate_zero_that_gets_one_later_takes_it_over():
    groups = [{"params": [parameter()], "lr": 0.1}, {"params": [parameter()], "lr": 0.0}]
    optimizer, plan = torch.optim.SGD(groups), gp.cosine(100)
    Scheduler(optimizer, plan)
    used(optimizer, 10)
    write(optimizer, 0.01, group=1)
    with pytest.warns(gp.GlidepathWarning, match="GP726"):
        assert update(optimizer) == [0.1 * plan(10), pytest.approx(0.01, rel=1e-12)]
    assert update(optimizer)[1] == pytest.approx(0.01 * plan(11) / plan(10), rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_isolated_multiples_are_factors_on_all_that_follows(data):
    plan = data.draw(st.sampled_from([gp.cosine(60), gp.warmup(5) >> gp.linear(60), gp.constant(), gp.step(every=7)]))
    at = sorted(data.draw(st.sets(st.integers(0, 20), max_size=5)))
    at = [2 * k for k in at]  # at least one update without a write in between
    optimizer, factor, scheduler_steps = sgd(0.1), 1.0, data.draw(st.booleans())
    scheduler = Scheduler(optimizer, plan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        for k in range(45):
            if k in at:
                ratio = data.draw(st.sampled_from([0.5, 0.9]))
                held = 0.1 * factor * plan(k if scheduler_steps or k == 0 else k - 1)
                assert rates(optimizer)[0] == pytest.approx(held, rel=1e-12)
                optimizer.param_groups[0]["lr"] *= ratio
                # before the first update the base is the nearer reading wherever the plan begins low
                first = k == 0 and plan(0) < 1 and abs(math.log(ratio * plan(0))) < abs(math.log(ratio))
                factor = ratio * plan(0) if first else factor * ratio
            assert update(optimizer)[0] == pytest.approx(0.1 * factor * plan(k), rel=1e-12)
            if scheduler_steps:
                scheduler.step()


# --- at every update ---


@pytest.mark.parametrize("shows", ["never", "before the other", "after the other"])
@pytest.mark.parametrize("groups", [1, 3])
def test_one_constant_ratio_is_a_chain_and_stays_a_factor(shows, groups):
    plan = gp.warmup(5) >> gp.cosine(100)
    optimizer = sgd(*[0.1 * (i + 1) for i in range(groups)])
    scheduler = Scheduler(optimizer, plan)
    other = stock.ExponentialLR(optimizer, 0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        for k in range(60):
            assert update(optimizer) == pytest.approx(
                [0.1 * (i + 1) * plan(k) * 0.9**k for i in range(groups)], rel=1e-12
            )
            if shows == "before the other":
                scheduler.step()
            other.step()
            if shows == "after the other":
                scheduler.step()
    assert scheduler.state_dict()["groups"]["lr"][0]["base"] == 0.1


@pytest.mark.parametrize("plan", [gp.cosine(100), gp.warmup(10) >> gp.cosine(100), gp.step(every=3)])
@pytest.mark.parametrize(
    "sweep", [lambda k: 1e-4 * 1.3**k, lambda k: 1e-3 * (k + 1), lambda k: 0.0512 + 0.04 * math.sin(k)]
)
@pytest.mark.parametrize("shows", [False, True])
def test_a_writer_at_every_update_is_used_as_written_and_leaves_nothing_behind(plan, sweep, shows):
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, plan)
    used(optimizer, 4)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for k in range(20):
            if shows:
                scheduler.step()
            write(optimizer, sweep(k))
            value = update(optimizer)[0]
            assert k == 0 or value == sweep(k)
        assert scheduler.get_lr() == [0.1 * plan(24)]
        after = used(optimizer, 3)
    assert after == [0.1 * plan(k) for k in range(24, 27)]
    assert [str(w.message)[-7:] for w in caught].count("[GP724]") == 1
    assert scheduler.state_dict()["groups"]["lr"] == [{"base": 0.1, "factor": 1.0}]


def test_a_sweep_from_the_first_update_on_is_used_as_written():
    optimizer, plan = sgd(0.1), gp.cosine(100)
    Scheduler(optimizer, plan)
    sweep = [1e-5 * 1.5**k for k in range(20)]
    values = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        for rate in sweep:
            write(optimizer, rate)
            values += update(optimizer)
    assert values == pytest.approx(sweep, rel=1e-15)
    assert used(optimizer, 2) == [0.1 * plan(k) for k in (20, 21)]


def test_three_writes_in_a_row_leave_nothing_behind_and_it_is_said():
    optimizer, plan = sgd(0.1), gp.cosine(100)
    Scheduler(optimizer, plan)
    used(optimizer, 5)
    for k, rate in enumerate((0.02, 0.05)):
        write(optimizer, rate)
        assert update(optimizer) == [pytest.approx(rate, rel=1e-2 if k == 0 else 1e-15)]
    with pytest.warns(gp.GlidepathWarning, match="GP724"):
        write(optimizer, 0.03)
        assert update(optimizer) == [0.03]
    assert used(optimizer, 2) == [0.1 * plan(k) for k in (8, 9)]


def test_a_state_saved_while_other_code_sweeps_has_the_bases_from_before():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.cosine(100))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        for k in range(9):
            write(optimizer, 1e-3 * (k + 1))
            update(optimizer)
        state = scheduler.state_dict()
    assert state["groups"]["lr"] == [{"base": 0.1, "factor": 1.0}]


@pytest.mark.parametrize("rate", [math.nan, math.inf, -0.1])
def test_a_rate_that_cannot_be_is_refused_whoever_writes_and_whenever(rate):
    for at in range(6):
        optimizer = sgd(0.1)
        Scheduler(optimizer, gp.cosine(100))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", gp.GlidepathWarning)
            for k in range(at):
                write(optimizer, 1e-3 * (k + 1))
                update(optimizer)
        write(optimizer, rate)
        with pytest.raises(
            gp.SchedulerError, match=f"set to {rate} by other code: set it to a finite number, at least 0"
        ):
            update(optimizer)
        write(optimizer, 0.01)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", gp.GlidepathWarning)
            update(optimizer)


def test_a_warning_that_is_an_error_leaves_the_factor_as_one():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.constant())
    used(optimizer, 3)
    optimizer.param_groups[0]["lr"] *= 2
    with warnings.catch_warnings():
        warnings.simplefilter("error", gp.GlidepathWarning)
        with pytest.raises(gp.GlidepathWarning, match="GP723"):
            update(optimizer)
    assert used(optimizer, 2) == [0.2, 0.2]


@pytest.mark.parametrize("shows", [False, True])
@pytest.mark.parametrize("factor", [lambda k: 1.0, lambda k: 1 / (1 + k), lambda k: 0.5 if k < 9 else 0.25])
def test_a_closed_formula_on_top_is_used_as_it_writes_also_where_it_stays(shows, factor):
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.warmup(5) >> gp.cosine(100))
    used(optimizer, 3, scheduler)
    other = stock.LambdaLR(optimizer, factor)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        for k in range(20):
            value = update(optimizer)[0]
            assert k < 2 or value == pytest.approx(0.1 * factor(k), rel=1e-12)
            if shows:
                scheduler.step()
            other.step()


def test_the_same_number_written_at_every_update_is_used():
    optimizer, rate = sgd(0.1), 0.0123
    Scheduler(optimizer, gp.cosine(100))
    used(optimizer, 3)
    with pytest.warns(gp.GlidepathWarning, match="GP724"):
        for k in range(20):
            write(optimizer, rate)
            assert update(optimizer) == [pytest.approx(rate, rel=5e-3 if k == 0 else 1e-15)]


def test_a_cut_in_the_middle_of_a_chain_is_one_more_factor():
    plan = gp.warmup(10) >> gp.cosine(90)
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, plan)
    other = stock.ExponentialLR(optimizer, 0.99)
    for k in range(60):
        factor = 0.1 if k > 30 else 1.0
        assert update(optimizer) == [pytest.approx(0.1 * factor * plan(k) * 0.99**k, rel=1e-12)]
        scheduler.step()
        other.step()
        if k == 30:
            optimizer.param_groups[0]["lr"] *= 0.1


# --- averages of the weights ---


@pytest.mark.parametrize("anneal", [0, 1, 5])
@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize("built", ["before", "after", "later"])
def test_swalr_takes_over_for_good_at_its_first_step_and_not_before(anneal, strategy, built):
    plan = gp.cosine(100)

    def averaging(optimizer):
        return torch.optim.swa_utils.SWALR(optimizer, swa_lr=0.05, anneal_epochs=anneal, anneal_strategy=strategy)

    optimizer = sgd(0.1)
    other = averaging(optimizer) if built == "before" else None
    optimizer.param_groups[0]["lr"] = 0.1
    scheduler = Scheduler(optimizer, plan)
    other = averaging(optimizer) if built == "after" else other
    assert used(optimizer, 10) == [0.1 * plan(k) for k in range(10)]
    other = averaging(optimizer) if built == "later" else other
    assert used(optimizer, 10) == [0.1 * plan(k) for k in range(10, 20)]
    with pytest.warns(gp.GlidepathWarning, match="GP725") as caught:
        for _ in range(8):
            other.step()
            rate = rates(optimizer)[0]
            scheduler.step()
            assert used(optimizer, 3) == [rate] * 3
    assert len(caught) == 1
    assert rate == pytest.approx(0.05, rel=1e-12)
    resumed = sgd(0.1)
    resumed.load_state_dict(optimizer.state_dict())
    Scheduler(resumed, plan).load_state_dict(scheduler.state_dict())
    assert used(resumed, 3) == [rate] * 3


@pytest.mark.parametrize("suggestion", [0.063, 0.02, 1e-3, 3e-4])
def test_a_rate_written_after_a_sweep_was_undone_is_the_peak_however_low(suggestion):
    """As learning-rate finders do: save, sweep, load, write the suggestion before the first update."""
    optimizer, plan = sgd(0.01), gp.warmup(6) >> gp.constant()
    scheduler = Scheduler(optimizer, plan)
    saved = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    with pytest.warns(gp.GlidepathWarning):
        for k in range(20):
            write(optimizer, 1e-6 * 2**k)
            update(optimizer)
    optimizer.load_state_dict(saved[0])
    scheduler.load_state_dict(saved[1])
    write(optimizer, suggestion)
    assert used(optimizer, 8) == [suggestion * plan(k) for k in range(8)]
