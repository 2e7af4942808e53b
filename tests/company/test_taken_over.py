"""Loads and changes where the plan does not decide alone: SWALR, several optimizers, plans that were replaced."""

import copy
import warnings

import pytest
import torch
from torch.optim import lr_scheduler as stock
from torch.optim.swa_utils import SWALR

import glidepath as gp
from glidepath.torch import Scheduler, Set, set_rate
from tests.torch.loops import parameter, rates, sgd, update, used


def adam(rate=0.1):
    return torch.optim.AdamW([parameter()], lr=rate)


def averaged(steps=60):
    """An optimizer whose rate SWALR anneals, its scheduler, and SWALR."""
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.cosine(100))
    averaging = SWALR(optimizer, swa_lr=0.05, anneal_epochs=5)
    used(optimizer, steps)
    averaging.step()
    used(optimizer, 3)
    averaging.step()
    return optimizer, scheduler, averaging


# --- SWALR ---


@pytest.mark.filterwarnings("ignore::glidepath.GlidepathWarning")
@pytest.mark.parametrize("first", ["the optimizer", "the scheduler"])
@pytest.mark.parametrize("late", [False, True])
def test_a_run_that_swalr_has_taken_over_resumes_at_its_rate_in_either_order(first, late):
    optimizer, scheduler, averaging = averaged()
    states = [copy.deepcopy(each.state_dict()) for each in (optimizer, scheduler, averaging)]
    wanted = []
    for _ in range(8):
        wanted += update(optimizer)
        averaging.step()

    other = sgd(0.1)
    if late:
        other.load_state_dict(copy.deepcopy(states[0]))
    resumed = Scheduler(other, gp.cosine(100))
    again = SWALR(other, swa_lr=0.05, anneal_epochs=5)
    loads = [lambda: other.load_state_dict(states[0]), lambda: resumed.load_state_dict(states[1])]
    for load in loads if first == "the optimizer" else loads[::-1]:
        load()
    again.load_state_dict(states[2])
    values = []
    for _ in range(8):
        values += update(other)
        again.step()
    assert values == wanted


@pytest.mark.filterwarnings("ignore::glidepath.GlidepathWarning")
@pytest.mark.parametrize("plan", [gp.cosine(100), Set(0.1 * gp.cosine(100))])
def test_a_cooldown_after_swalr_begins_at_the_present_rate(plan):
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, plan)
    averaging = SWALR(optimizer, swa_lr=0.05, anneal_epochs=2)
    used(optimizer, 60)
    for _ in range(4):
        averaging.step()
        used(optimizer, 1)
    assert rates(optimizer) == [0.05]
    scheduler.cooldown(gp.linear(10))
    assert used(optimizer, 11) == pytest.approx([0.05 * (1 - k / 10) for k in range(11)], abs=1e-15)


@pytest.mark.filterwarnings("ignore::glidepath.GlidepathWarning")
@pytest.mark.parametrize("groups", [1, 2])
def test_a_cooldown_beside_a_writer_begins_at_what_it_wrote(groups):
    optimizer = sgd(*[0.1] * groups)
    scheduler = Scheduler(optimizer, gp.cosine(100))
    used(optimizer, 20)
    for k in range(5):
        optimizer.param_groups[0]["lr"] = 0.4 - 0.01 * k**2
        update(optimizer)
    held = rates(optimizer)
    scheduler.cooldown(gp.linear(10))
    later = 0.1 * gp.cosine(100)(25)
    assert rates(optimizer) == pytest.approx([held[0], *[later] * (groups - 1)], rel=1e-12)
    used(optimizer, 5)
    assert update(optimizer) == pytest.approx([rate / 2 for rate in (held[0], *[later] * (groups - 1))], rel=1e-12)
    resumed = Scheduler(other := sgd(*[0.1] * groups), gp.cosine(100))
    resumed.load_state_dict(scheduler.state_dict())
    assert update(other) == update(optimizer)


@pytest.mark.filterwarnings("ignore::glidepath.GlidepathWarning")
def test_a_base_after_swalr_is_refused_and_a_new_plan_is_followed():
    optimizer, scheduler, _ = averaged()
    with pytest.raises(gp.SchedulerError, match=r"SWALR has taken over the rate.*replace"):
        set_rate(scheduler, 0.3)
    scheduler.replace(gp.linear(200))
    position = scheduler.position
    assert update(optimizer) == [0.1 * gp.linear(200)(position)]


@pytest.mark.parametrize("made", [0, 10, 12])
def test_a_cooldown_from_zero_is_refused(made):
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.linear(10) if made else gp.linear(10, start=0.0, to=1.0))
    used(optimizer, min(made, 10))
    with pytest.raises(gp.SchedulerError, match=r"lr is 0 at update .*replace\(plan\)"):
        scheduler.cooldown(gp.linear(5))
    assert scheduler.position == min(made, 10)


# --- several optimizers, and tokens ---


@pytest.mark.parametrize("keys", ["all", "those of one optimizer"])
def test_each_optimizer_goes_on_where_it_was_in_tokens(keys):
    def horizon(tokens):
        return gp.Horizon(1000, tokens_per_step=tokens)

    first, second = adam(), adam()
    scheduler = Scheduler([first, second], gp.linear(1000), horizon=horizon(1000))
    used(first, 400)
    used(second, 100)
    state = scheduler.state_dict()
    if keys != "all":
        del state["each_tokens"]
    others = adam(), adam()
    resumed = Scheduler(list(others), gp.linear(1000), horizon=horizon(2000))
    resumed.load_state_dict(state)
    assert [used(each, 1) for each in others] == [[pytest.approx(0.08)], [pytest.approx(0.095)]]
    saved = resumed.state_dict()
    third = adam(), adam()
    again = Scheduler(list(third), gp.linear(1000), horizon=horizon(2000))
    again.load_state_dict(saved)
    assert [update(each) for each in third] == [update(each) for each in others]


@pytest.mark.parametrize("change", [{"each_tokens": [1]}, {"each_tokens": "x"}, {"each_tokens": [1, -2]}])
def test_damaged_tokens_of_each_optimizer_are_refused(change):
    optimizers = [adam(), adam()]
    scheduler = Scheduler(optimizers, gp.linear(1000), horizon=gp.Horizon(1000, tokens_per_step=10))
    with pytest.raises(gp.StateError, match="tokens of this state is"):
        scheduler.load_state_dict({**scheduler.state_dict(), **change})


# --- the optimizer alone ---


@pytest.mark.parametrize("updates", [0, 500])
def test_an_optimizer_of_another_update_that_is_loaded_alone_is_said(updates):
    optimizer, other = adam(), adam()
    Scheduler(optimizer, gp.cosine(1000))
    used(optimizer, 30)
    used(other, updates)
    optimizer.load_state_dict(other.state_dict())
    with pytest.warns(gp.GlidepathWarning, match=rf"with {updates or 'the state'}.*goes on at update 30.*GP733"):
        update(optimizer)


@pytest.mark.parametrize("order", ["optimizer first", "scheduler first"])
def test_an_optimizer_that_is_loaded_with_its_scheduler_during_a_run_is_not(order):
    optimizer = adam()
    scheduler = Scheduler(optimizer, gp.cosine(1000))
    used(optimizer, 10)
    states = copy.deepcopy(optimizer.state_dict()), scheduler.state_dict()
    used(optimizer, 20)
    if order == "optimizer first":
        optimizer.load_state_dict(states[0])
    scheduler.load_state_dict(states[1])
    if order != "optimizer first":
        optimizer.load_state_dict(states[0])
    assert used(optimizer, 2) == [0.1 * gp.cosine(1000)(k) for k in (10, 11)]


def test_an_optimizer_that_is_older_than_its_scheduler_may_be_loaded_at_the_same_update():
    optimizer = adam()
    used(optimizer, 100)
    Scheduler(optimizer, gp.cosine(1000))
    used(optimizer, 30)
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert used(optimizer, 1) == [0.1 * gp.cosine(1000)(30)]


# --- plans that were replaced before a load ---


@pytest.mark.parametrize("shape", [None, gp.linear(10)])
def test_a_plan_that_was_replaced_before_the_load_is_said_to_be_dropped(shape):
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.cosine(100))
    used(optimizer, 10)
    state = scheduler.state_dict()
    other = sgd(0.1)
    resumed = Scheduler(other, gp.cosine(100))
    resumed.replace(gp.linear(50)) if shape is None else resumed.cooldown(shape)
    with pytest.warns(gp.GlidepathWarning, match=r"was replaced by .*linear.*state follows cosine\(100\).*GP703"):
        resumed.load_state_dict(state)
    assert update(other) == update(optimizer)


def test_a_run_that_goes_back_to_before_a_plan_was_replaced_does_so_without_a_word():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.cosine(100))
    used(optimizer, 10)
    state = scheduler.state_dict()
    used(optimizer, 10)
    scheduler.cooldown(gp.linear(5))
    scheduler.load_state_dict(state)
    assert update(optimizer) == [0.1 * gp.cosine(100)(10)]


def test_a_plan_that_was_replaced_alike_before_the_load_and_in_the_state_is_followed():
    optimizer, other = sgd(0.1), sgd(0.1)
    first, second = Scheduler(optimizer, gp.cosine(100)), Scheduler(other, gp.cosine(100))
    used(optimizer, 10)
    first.replace(gp.linear(50))
    second.replace(gp.linear(50))
    second.load_state_dict(first.state_dict())
    assert update(other) == update(optimizer) == [0.1 * gp.linear(50)(10)]


# --- markers ---


def test_a_group_that_was_frozen_by_hand_stays_frozen_over_a_rebuild():
    optimizer = sgd(0.1, 0.1)
    scheduler = Scheduler(optimizer, gp.linear(100))
    used(optimizer, 10)
    optimizer.param_groups[1]["lr"] = 0.0
    used(optimizer, 10)
    scheduler.detach()
    Scheduler(optimizer, gp.linear(100), position=20)
    assert update(optimizer) == [0.1 * gp.linear(100)(20), 0.0]


def one_cycle(updates):
    optimizer = torch.optim.AdamW([parameter()], lr=0.1)
    scheduler = stock.OneCycleLR(optimizer, 0.3, total_steps=60)
    for _ in range(updates):
        update(optimizer)
        scheduler.step()
    return optimizer.state_dict(), scheduler.state_dict()


def test_the_state_of_one_cycle_without_its_optimizer_has_no_peak_and_is_refused():
    state, theirs = one_cycle(30)
    optimizer = adam(0.1)
    scheduler = Scheduler(optimizer, gp.linear(60))
    with pytest.raises(gp.StateError, match=r"peak of OneCycleLR.*load the state of the optimizer first"):
        scheduler.load_state_dict(theirs)
    assert (scheduler.position, rates(optimizer)) == (0, [0.1])
    optimizer.load_state_dict(state)
    with pytest.warns(gp.GlidepathWarning, match=r"with base 0\.3.*GP732"):
        scheduler.load_state_dict(theirs)
    assert update(optimizer) == [0.3 * gp.linear(60)(30)]


def test_the_state_of_one_cycle_is_taken_where_the_base_is_given():
    _, theirs = one_cycle(30)
    optimizer = adam(0.1)
    scheduler = Scheduler(optimizer, gp.linear(60), base=0.2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        scheduler.load_state_dict(theirs)
        assert update(optimizer) == [0.2 * gp.linear(60)(30)]
