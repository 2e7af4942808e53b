"""Other code that writes the rate at every update, of some groups, to a floor, or beside a look at the state."""

import math
import warnings

import pytest
import torch
from torch.optim import lr_scheduler as stock

import glidepath as gp
from glidepath.torch import Plateau, Scheduler
from tests.torch.loops import sgd, update, used


@pytest.mark.parametrize("shows", [False, True])
@pytest.mark.parametrize("looks", [(9, 14), range(20)])
def test_a_look_at_the_state_within_a_chain_changes_no_rate(shows, looks):
    optimizer, plan = sgd(0.1), gp.cosine(20)
    scheduler = Scheduler(optimizer, plan)
    other = stock.ExponentialLR(optimizer, 0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        for k in range(20):
            assert update(optimizer) == [pytest.approx(0.1 * plan(k) * 0.9**k, rel=1e-12)]
            if shows:
                scheduler.step()
            other.step()
            if k in looks:
                scheduler.state_dict()


@pytest.mark.parametrize("looks", [False, True])
def test_a_look_at_the_state_within_a_sweep_changes_no_rate(looks):
    optimizer, plan = sgd(0.1), gp.warmup(10) >> gp.constant()
    scheduler = Scheduler(optimizer, plan)
    used(optimizer, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        for k in range(6):
            optimizer.param_groups[0]["lr"] = rate = 0.01 + 0.005 * math.sin(k)
            if looks:
                scheduler.state_dict()
            assert k == 0 or update(optimizer) == [rate]
            if k == 0:
                update(optimizer)


def _plateau(optimizer, own):
    if own:
        return Plateau(optimizer, factor=0.5, patience=0, minimum=0.04)
    return stock.ReduceLROnPlateau(optimizer, factor=0.5, patience=0, min_lr=0.04)


@pytest.mark.parametrize("own", [False, True])
def test_a_plateau_that_reaches_its_floor_stays_there(own):
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.constant())
    plateau, values = _plateau(optimizer, own), []
    for _ in range(8):
        values += update(optimizer)
        plateau.step(1.0)
    assert values == pytest.approx([0.1, 0.1, 0.05, *[0.04] * 5], rel=1e-12)


@pytest.mark.parametrize("clock", ["updates", "calls"])
@pytest.mark.parametrize("plan", [gp.constant(), gp.linear(100)])
def test_two_different_cuts_in_a_row_are_two_factors(clock, plan):
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, plan, clock=clock)
    used(optimizer, 4, scheduler)
    optimizer.param_groups[0]["lr"] *= 0.5
    used(optimizer, 1, scheduler)
    optimizer.param_groups[0]["lr"] *= 0.1
    used(optimizer, 1, scheduler)
    assert used(optimizer, 3, scheduler) == pytest.approx([0.005 * plan(k) for k in (6, 7, 8)], rel=1e-12)


@pytest.mark.parametrize("tensors", [False, True])
def test_a_writer_of_one_group_leaves_the_others_to_the_plan(tensors):
    optimizer, plan = sgd(0.1, 0.05, 0.1), gp.linear(100)
    if tensors:
        for group in optimizer.param_groups:
            group["lr"] = torch.tensor(group["lr"], dtype=torch.float64)
    scheduler = Scheduler(optimizer, plan)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for k in range(20):
            if k > 3:
                value = 0.01 + 0.005 * math.sin(k)
                optimizer.param_groups[1]["lr"] = torch.tensor(value, dtype=torch.float64) if tensors else value
            held = [float(rate) for rate in update(optimizer)]
            assert [held[0], held[2]] == [0.1 * plan(k)] * 2
            assert k < 5 or held[1] == value
    said = [str(w.message) for w in caught if "[GP724]" in str(w.message)]
    assert len(said) == 1
    assert said[0].startswith("lr of group 1 ")
    assert [float(rate) for rate in update(optimizer)] == [
        pytest.approx(base * plan(20), rel=1e-12) for base in (0.1, 0.05, 0.1)
    ]
    assert scheduler.base_lrs == [0.1, 0.05, 0.1]


def test_one_cycle_built_beside_a_scheduler_is_used_as_it_writes():
    optimizer, alone = (torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1, momentum=0.9) for _ in range(2))
    Scheduler(optimizer, gp.cosine(100))
    ours, theirs = (stock.OneCycleLR(each, 0.3, total_steps=60) for each in (optimizer, alone))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        for k in range(30):
            held, wanted = update(optimizer), update(alone)
            assert held == pytest.approx(wanted, rel=2e-2 if k < 2 else 1e-12)
            ours.step()
            theirs.step()


# --- a write of the very value that is due next ---


@pytest.mark.parametrize("rates", [(0.1,), (0.1, 0.05)])
@pytest.mark.parametrize("plan", [gp.linear(100), gp.exponential(every=1, factor=0.99)])
def test_a_chain_whose_ratio_is_that_of_the_plan_multiplies_from_its_first_write_on(plan, rates):
    optimizer = sgd(*rates)
    Scheduler(optimizer, plan)
    other = stock.ExponentialLR(optimizer, 0.99)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        for k in range(20):
            assert update(optimizer) == [pytest.approx(rate * plan(k) * 0.99**k, rel=1e-12) for rate in rates]
            other.step()


def test_a_write_into_one_group_of_the_value_that_is_due_is_a_factor_and_said():
    optimizer, plan = sgd(0.1, 0.1), gp.linear(100)
    Scheduler(optimizer, plan)
    update(optimizer)
    optimizer.param_groups[1]["lr"] *= 0.99
    with pytest.warns(gp.GlidepathWarning, match=r"0.99 times the last value, so 0.09801 now.*GP722"):
        update(optimizer)
    for k in range(2, 5):
        assert update(optimizer) == pytest.approx([0.1 * plan(k), 0.099 * plan(k)], rel=1e-12)


def test_what_get_lr_has_told_is_no_write_in_any_group():
    optimizer, plan = sgd(0.1, 0.05), gp.warmup(10) >> gp.linear(90)
    scheduler = Scheduler(optimizer, plan)
    for k in range(20):
        for group, rate in zip(optimizer.param_groups, scheduler.get_lr(), strict=True):
            group["lr"] = rate
        assert update(optimizer) == [0.1 * plan(k), 0.05 * plan(k)]
    assert scheduler.state_dict()["groups"]["lr"] == [{"base": base, "factor": 1.0} for base in (0.1, 0.05)]


def test_a_hand_that_changes_one_group_beside_what_get_lr_has_told_of_another_changes_one():
    optimizer, plan = sgd(0.1, 0.05), gp.linear(200)
    scheduler = Scheduler(optimizer, plan)
    used(optimizer, 5)
    optimizer.param_groups[0]["lr"] = scheduler.get_lr()[0]
    optimizer.param_groups[1]["lr"] *= 0.5
    for k in range(5, 9):
        assert update(optimizer) == pytest.approx([0.1 * plan(k), 0.025 * plan(k)], rel=1e-12)


def test_a_write_of_another_hyperparameter_leaves_the_rates_of_the_row_that_it_breaks():
    optimizer, plan = sgd(0.1, 0.05, weight_decay=0.2), gp.linear(100)
    Scheduler(optimizer, plan, weight_decay=gp.linear(500))
    used(optimizer, 5)
    optimizer.param_groups[1]["weight_decay"] *= 0.5
    for k in range(5, 9):
        assert update(optimizer) == [0.1 * plan(k), 0.05 * plan(k)]
        decays = [group["weight_decay"] for group in optimizer.param_groups]
        assert decays == pytest.approx([0.2 * gp.linear(500)(k), 0.1 * gp.linear(500)(k)], rel=1e-12)


# --- clock="calls": what was written is taken in before the call counts ---


def _by_calls(plan, *rates):
    optimizer = sgd(*rates)
    return optimizer, Scheduler(optimizer, plan, clock="calls")


def test_a_base_written_before_the_first_counted_call_is_a_base():
    optimizer, scheduler = _by_calls(gp.warmup(1000) >> gp.constant(), 1e-4)
    optimizer.param_groups[0]["lr"] = 1e-3
    update(optimizer)
    with pytest.warns(gp.GlidepathWarning, match="a new base.*GP728"):
        scheduler.step()
    assert used(optimizer, 1001, scheduler)[-1] == 1e-3


def test_a_schedule_that_counts_calls_comes_back_when_the_writer_stops():
    optimizer, scheduler = _by_calls(gp.linear(100), 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        for k in range(10):
            optimizer.param_groups[0]["lr"] = 0.01 + 0.005 * math.sin(k)
            used(optimizer, 1, scheduler)
        used(optimizer, 1, scheduler)
    assert used(optimizer, 2, scheduler) == [0.1 * gp.linear(100)(k) for k in (11, 12)]
    assert scheduler.state_dict()["groups"]["lr"] == [{"base": 0.1, "factor": 1.0}]


def test_a_late_group_is_read_at_the_update_that_it_joined_for():
    optimizer, scheduler = _by_calls(gp.linear(100), 0.1)
    used(optimizer, 50, scheduler)
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(1))], "lr": 0.05})
    update(optimizer)
    with pytest.warns(gp.GlidepathWarning, match="GP726"):
        scheduler.step()
    assert scheduler.base_lrs == [0.1, 0.1]


def test_a_factor_written_between_two_counted_calls_is_no_riddle():
    optimizer, scheduler = _by_calls(gp.step(every=4), 0.1)
    used(optimizer, 3, scheduler)
    optimizer.param_groups[0]["lr"] *= 0.5
    assert used(optimizer, 2, scheduler) == pytest.approx([0.05, 0.005], rel=1e-12)


def test_what_waits_for_an_update_is_said_at_a_counted_call_and_the_rows_run_ahead():
    optimizer = sgd(0.1)
    optimizer.param_groups[0]["initial_lr"] = 0.3
    scheduler = Scheduler(optimizer, gp.linear(5), clock="calls")
    with pytest.warns(gp.GlidepathWarning, match="GP721"):
        used(optimizer, 1, scheduler)
    assert scheduler._clocks[0].cache.last_group is not None
    used(optimizer, 4, scheduler)
    with pytest.warns(gp.GlidepathWarning, match="GP727"):
        used(optimizer, 1, scheduler)


def test_a_call_counts_where_every_rate_and_gradient_is_zero():
    optimizer, scheduler = _by_calls(gp.clip(gp.linear(10, start=0.0, to=1.0), minimum=0), 0.1)
    for group in optimizer.param_groups:
        group["params"][0].grad = torch.zeros(2)
    scheduler.step()
    assert scheduler.position == 1
