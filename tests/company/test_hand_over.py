"""When SWALR takes over, and for how long a write is expected to be a base: at a fact, and not at a likeness."""

import copy
import gc
import warnings

import pytest
import torch
from torch.optim.swa_utils import SWALR

import glidepath as gp
from glidepath.torch import Scheduler
from tests.torch.loops import rates, sgd, update, used

WARMUP = gp.warmup(1000) >> gp.constant()


def quietly(function):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return function()


# --- SWALR ---


@pytest.mark.parametrize("factor", [0.7, 0.75, 0.5])  # .75 and .5 are on the curve from .1 to .05
def test_a_cut_by_hand_beside_an_swalr_for_later_is_a_factor(factor):
    optimizer, plan = sgd(0.1), gp.constant(60) >> gp.cosine(40)
    scheduler = Scheduler(optimizer, plan)
    averaging = SWALR(optimizer, swa_lr=0.05, anneal_epochs=2, anneal_strategy="linear")
    used(optimizer, 50)
    optimizer.param_groups[0]["lr"] *= factor
    assert quietly(lambda: used(optimizer, 20)) == [0.1 * factor * plan(k) for k in range(50, 70)]
    averaging.step()
    (rate,) = rates(optimizer)
    with pytest.warns(gp.GlidepathWarning, match="GP725"):
        assert used(optimizer, 3) == [rate] * 3
    scheduler.step()
    assert rates(optimizer) == [rate]


def test_a_plateau_beside_an_swalr_for_later_cuts_the_plan():
    optimizer, plan = sgd(0.1), gp.cosine(1000)
    Scheduler(optimizer, plan)
    averaging = SWALR(optimizer, swa_lr=0.01)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    for _ in range(4):
        used(optimizer, 50)
        plateau.step(1.0)
    assert used(optimizer, 50)[-1] == pytest.approx(0.1 / 8 * plan(249))
    assert averaging.get_last_lr() == [0.1]


def test_a_chain_beside_an_swalr_for_later_multiplies_the_plan():
    optimizer, plan = sgd(0.1), gp.cosine(100)
    Scheduler(optimizer, plan)
    averaging = SWALR(optimizer, swa_lr=0.05, anneal_epochs=10, anneal_strategy="linear")
    chain = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.95)  # the first step is that of SWALR, too
    for k in range(20):
        assert update(optimizer) == pytest.approx([0.1 * plan(k) * 0.95**k]), k
        chain.step()
    assert averaging.get_last_lr() == [0.1]


def test_an_swalr_of_another_optimizer_says_nothing_about_this_one():
    optimizer, other = sgd(0.1), sgd(0.1)
    Scheduler(optimizer, gp.constant())
    mine, theirs = SWALR(optimizer, swa_lr=0.05), SWALR(other, swa_lr=0.05)
    used(other, 1)
    theirs.step()
    used(optimizer, 5)
    optimizer.param_groups[0]["lr"] *= 0.7
    assert quietly(lambda: used(optimizer, 2)) == pytest.approx([0.07] * 2)
    assert mine.get_last_lr() == [0.1]


def test_an_swalr_that_cannot_be_seen_takes_over_by_the_look_of_its_write():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.cosine(100))
    averaging = SWALR(optimizer, swa_lr=0.05)
    gc.freeze()
    try:
        used(optimizer, 5)
        averaging.step()
        (rate,) = rates(optimizer)
        with pytest.warns(gp.GlidepathWarning, match="GP725"):
            assert used(optimizer, 3) == [rate] * 3
    finally:
        gc.unfreeze()


# --- a base that is expected ---


def loaded_at(position, scheduler):
    state = copy.deepcopy(scheduler.state_dict())
    assert state["position"] == position
    scheduler.load_state_dict(state)


def halved(optimizer):
    optimizer.param_groups[0]["lr"] *= 0.5
    with pytest.warns(gp.GlidepathWarning, match=r"0\.5 times what was shown.*GP728"):
        update(optimizer)


def test_a_base_is_expected_until_the_first_update_and_not_after_a_later_load():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, WARMUP)
    scheduler.expect_base()
    used(optimizer, 100)
    loaded_at(100, scheduler)
    halved(optimizer)
    assert rates(optimizer) == pytest.approx([0.05 * WARMUP(100)])
    assert used(optimizer, 1000)[-1] == pytest.approx(0.05)


def test_a_base_is_expected_after_a_sweep_until_an_update_follows_the_plan():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, WARMUP)
    used(optimizer, 100)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in range(5):
            optimizer.param_groups[0]["lr"] = 0.01 * (1 + k * 7 % 5)
            update(optimizer)
    used(optimizer, 5)
    loaded_at(110, scheduler)
    halved(optimizer)
    assert rates(optimizer) == pytest.approx([0.05 * WARMUP(110)])
    assert used(optimizer, 1000)[-1] == pytest.approx(0.05)


def test_an_expected_base_is_used_whatever_it_is():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, WARMUP)
    scheduler.expect_base()
    scheduler.step()
    optimizer.param_groups[0]["lr"] = 2e-4
    assert quietly(lambda: used(optimizer, 1000))[-1] == 2e-4
