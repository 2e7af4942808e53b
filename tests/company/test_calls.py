"""With `clock="calls"` a scheduler warns, and computes ahead, as it does with updates that hooks see."""

import copy
import warnings

import pytest
import torch

import glidepath as gp
from glidepath.torch import Scheduler
from tests.torch.loops import parameter, rates, sgd, update


def adam():
    return torch.optim.Adam([parameter()], lr=0.1)


def train(optimizer, scheduler, updates):
    """The warnings of a loop, by the update that had been made when they came, and the rates used."""
    caught, used = [], []
    for k in range(updates):
        with warnings.catch_warnings(record=True) as new:
            warnings.simplefilter("always")
            used += update(optimizer)
            scheduler.step()
        caught += [(k, warning.message.code) for warning in new]
    return caught, used


CLOCKS = pytest.mark.parametrize("clock", ["updates", "calls"])


@CLOCKS
def test_a_run_past_the_end_of_its_plan_is_said_once(clock):
    optimizer, plan = sgd(0.1), gp.linear(5)
    caught, used = train(optimizer, Scheduler(optimizer, plan, clock=clock), 10)
    assert caught == [(5, "GP727")]
    assert used == [0.1 * plan(k) for k in range(10)]


@CLOCKS
def test_a_base_that_is_unclear_is_said_at_the_first_update_and_rows_are_computed_ahead_then(clock):
    optimizer, plan = sgd(0.1), gp.linear(50)
    optimizer.param_groups[0]["initial_lr"] = 0.5
    scheduler = Scheduler(optimizer, plan, clock=clock)
    caught, used = train(optimizer, scheduler, 10)
    assert caught == [(0, "GP721")]
    assert used == [0.1 * plan(k) for k in range(10)]
    assert scheduler._clock.cache.last_group is optimizer.param_groups[0]


@CLOCKS
@pytest.mark.parametrize("made", [0, 1, 500])
def test_an_optimizer_that_was_loaded_alone_is_said_if_it_has_made_updates(clock, made):
    first = adam()
    for _ in range(made):
        update(first)
    optimizer = adam()
    scheduler = Scheduler(optimizer, gp.cosine(1000), clock=clock)
    optimizer.load_state_dict(copy.deepcopy(first.state_dict()))
    caught, used = train(optimizer, scheduler, 5)
    assert caught == ([(0, "GP733")] if made else [])
    assert used == [0.1 * gp.cosine(1000)(k) for k in range(5)]


@CLOCKS
def test_nothing_is_said_where_the_state_was_loaded_too(clock):
    optimizer, other = adam(), adam()
    scheduler = Scheduler(optimizer, gp.cosine(1000), clock=clock)
    train(optimizer, scheduler, 50)
    resumed = Scheduler(other, gp.cosine(1000), clock=clock)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    resumed.load_state_dict(copy.deepcopy(scheduler.state_dict()))
    caught, used = train(other, resumed, 5)
    assert caught == []
    assert used == [0.1 * gp.cosine(1000)(k) for k in range(50, 55)]
    assert rates(other) == [0.1 * gp.cosine(1000)(55)]
