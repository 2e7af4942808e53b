"""Where a base comes from, groups that join or leave, and the end of a plan (rules 1 and 5, rows 2, 4, 8, 13)."""

import copy
import warnings

import pytest
import torch
from torch.optim import lr_scheduler as stock

import glidepath as gp
from glidepath.torch import Scheduler, Set
from tests.torch.loops import parameter, rates, sgd, update, used


def adam(rate=0.1):
    optimizer = torch.optim.Adam([parameter()], lr=rate)
    optimizer.param_groups[0]["params"][0].grad = torch.ones(2)
    return optimizer


def moved_over(make, theirs, updates):
    """Return the state of an optimizer after updates with a scheduler of PyTorch."""
    optimizer = make()
    scheduler = theirs(optimizer)
    for _ in range(updates):
        update(optimizer)
        scheduler.step()
    return optimizer.state_dict()


# --- bases ---


@pytest.mark.parametrize("make", [lambda: sgd(0.1), adam])
def test_a_running_job_that_moves_over_goes_on_at_its_rate(make):
    optimizer = make()
    optimizer.load_state_dict(moved_over(make, lambda o: stock.CosineAnnealingLR(o, 1000), 500))
    Scheduler(optimizer, gp.cosine(1000), position=500)
    assert update(optimizer) == [pytest.approx(0.05, rel=1e-12)]


def test_a_one_cycle_run_that_moves_over_has_its_peak_as_base_said_once():
    make = lambda: sgd(0.1)
    optimizer = make()
    optimizer.load_state_dict(moved_over(make, lambda o: stock.OneCycleLR(o, 0.4, total_steps=100), 40))
    Scheduler(optimizer, gp.cosine(100), position=40)
    with pytest.warns(gp.GlidepathWarning, match=r"max_lr, 0\.4.*GP721"):
        assert update(optimizer) == [0.4 * gp.cosine(100)(40)]


def test_a_longer_horizon_from_here_on_scales_the_same_base():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.cosine(1000))
    used(optimizer, 500)
    scheduler.detach()
    Scheduler(optimizer, gp.cosine(2000), position=500)
    assert update(optimizer) == [0.1 * gp.cosine(2000)(500)]


def test_the_bases_of_other_hyperparameters_go_on_from_their_marks():
    optimizer = sgd(0.1, weight_decay=0.5)
    Scheduler(optimizer, gp.cosine(100), weight_decay=gp.linear(100))
    used(optimizer, 40)
    other = sgd(0.1, weight_decay=0.5)
    other.load_state_dict(optimizer.state_dict())
    Scheduler(other, gp.cosine(100), weight_decay=gp.linear(100), position=40)
    update(other)
    assert rates(other, "weight_decay") == [0.5 * gp.linear(100)(40)]


def test_where_nothing_says_where_the_rate_began_it_is_refused_with_the_cures():
    optimizer = adam()
    update(optimizer)
    optimizer.param_groups[0]["lr"] = 0.05
    with pytest.raises(gp.SchedulerError, match=r"0\.05 after 500 updates.*base=0\.1.*before the optimizer is loaded"):
        Scheduler(optimizer, gp.cosine(1000), position=500)
    assert rates(optimizer) == [0.05]
    assert not optimizer._optimizer_step_pre_hooks
    Scheduler(optimizer, gp.cosine(1000), position=500, base=0.1)
    assert update(optimizer) == [0.1 * gp.cosine(1000)(500)]


def test_plain_sgd_holds_no_state_so_the_present_rate_is_taken_and_said_if_it_is_not_its_default():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.cosine(1000), position=500)  # built with this rate: a new optimizer
    assert update(optimizer) == [0.1 * gp.cosine(1000)(500)]
    loaded = sgd(0.1)
    loaded.param_groups[0]["lr"] = 0.05
    Scheduler(loaded, gp.cosine(1000), position=500)
    with pytest.warns(gp.GlidepathWarning, match=r"present rate of group 0, 0\.05.*GP721"):
        assert update(loaded) == [0.05 * gp.cosine(1000)(500)]


def test_a_state_that_is_loaded_after_building_settles_the_base_without_a_word():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.cosine(100))
    used(optimizer, 50)
    saved = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    other = sgd(0.1)
    other.load_state_dict(saved[0])
    Scheduler(other, gp.cosine(100)).load_state_dict(saved[1])
    assert used(other, 3) == [0.1 * gp.cosine(100)(k) for k in (50, 51, 52)]


def test_bases_are_in_the_groups_and_in_the_optimizers_state_and_put_right_again():
    optimizer = sgd(0.1, 0.02, weight_decay=0.5)
    Scheduler(optimizer, gp.cosine(100), weight_decay=gp.linear(100))
    used(optimizer, 10)
    assert rates(optimizer, "initial_lr") == [0.1, 0.02]
    assert rates(optimizer, "initial_weight_decay") == [0.5, 0.5]
    assert [group["initial_lr"] for group in optimizer.state_dict()["param_groups"]] == [0.1, 0.02]
    bare = copy.deepcopy(optimizer.state_dict())
    for group in bare["param_groups"]:
        del group["initial_lr"], group["initial_weight_decay"]
    optimizer.load_state_dict(bare)
    assert rates(optimizer, "initial_lr") == [0.1, 0.02]


def test_a_hand_change_is_in_the_marked_base_so_that_a_run_goes_on_from_the_optimizer_alone():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.cosine(100))
    used(optimizer, 20, scheduler)
    optimizer.param_groups[0]["lr"] *= 0.5
    used(optimizer, 10, scheduler)
    other = sgd(0.1)
    other.load_state_dict(optimizer.state_dict())
    Scheduler(other, gp.cosine(100), position=30)
    assert update(other) == [0.05 * gp.cosine(100)(30)]


@pytest.mark.parametrize(("base", "expected"), [(0.4, [0.4, 0.08]), ([0.3, 0.7], [0.3, 0.7])])
def test_bases_can_be_given(base, expected):
    optimizer = sgd(0.1, 0.02)
    scheduler = Scheduler(optimizer, gp.cosine(100), base=base)
    assert scheduler.base_lrs == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("base", [-1.0, 0.0, "x", [0.1], [0.1, float("nan")], True])
def test_bases_that_are_none_are_refused(base):
    optimizer = sgd(0.1, 0.02)
    with pytest.raises(gp.GlidepathError):
        Scheduler(optimizer, gp.cosine(100), base=base)
    assert "initial_lr" not in optimizer.param_groups[0]


def test_an_optimizer_loaded_under_a_scheduler_at_0_whose_state_is_forgotten_is_said_once():
    first = adam()
    Scheduler(first, gp.cosine(1000))
    used(first, 500)
    other = adam()
    Scheduler(other, gp.cosine(1000))
    other.load_state_dict(first.state_dict())
    with pytest.warns(gp.GlidepathWarning, match=r"500 updates in it.*position=500.*GP733") as caught:
        used(other, 3)
    assert len(caught) == 1


# --- groups that come and go ---


def test_a_late_group_at_the_rate_of_the_others_moves_with_them():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.linear(100))
    used(optimizer, 50, scheduler)
    optimizer.add_param_group({"params": [parameter()], "lr": optimizer.param_groups[0]["lr"]})
    with pytest.warns(gp.GlidepathWarning, match="GP726") as caught:
        assert update(optimizer) == pytest.approx([0.05, 0.05], rel=1e-12)
    assert update(optimizer) == pytest.approx([0.049, 0.049], rel=1e-12)
    assert len(caught) == 1


def test_a_late_group_at_a_tenth_keeps_a_tenth_as_under_pytorchs_linear():
    ours, theirs = sgd(0.1), sgd(0.1)
    scheduler = Scheduler(ours, gp.linear(100))
    other = stock.LinearLR(theirs, 1.0, 1e-9, 100)
    for optimizer, each in ((ours, scheduler), (theirs, other)):
        for _ in range(50):
            update(optimizer)
            each.step()
        optimizer.add_param_group({"params": [parameter()], "lr": optimizer.param_groups[0]["lr"] / 10})
    with pytest.warns(gp.GlidepathWarning, match="GP726"):
        update(ours)
    update(theirs)
    other.step()
    assert update(ours)[1] == pytest.approx(update(theirs)[1], rel=1e-6)


@pytest.mark.parametrize(
    ("late", "rate", "expected"),
    [(None, 0.1, 0.05), ("base", 0.04, 0.02), ("now", 0.04, 0.04), ("now", 0.1, 0.1), (None, 0.4, 0.2)],
)
def test_how_the_rate_of_a_late_group_is_read(late, rate, expected):
    """The default rate is a base; one whose base would exceed the others' is a base, too."""
    optimizer = sgd(0.1)
    optimizer.defaults["lr"] = 0.1
    scheduler = Scheduler(optimizer, gp.linear(100), late=late)
    used(optimizer, 50, scheduler)
    optimizer.add_param_group({"params": [parameter()], "lr": rate})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        assert update(optimizer)[1] == pytest.approx(expected, rel=1e-12)


def test_a_group_that_is_gone_is_refused_at_the_next_update():
    optimizer = sgd(0.1, 0.2, 0.3)
    scheduler = Scheduler(optimizer, gp.cosine(100))
    used(optimizer, 10)
    del optimizer.param_groups[1]
    with pytest.raises(gp.SchedulerError, match=r"has 2 groups, and had 3: group 1 is gone.*position=10"):
        update(optimizer)
    assert scheduler.position == 10


def test_groups_that_are_reordered_are_followed():
    optimizer = sgd(0.1, 0.2, 0.3)
    scheduler = Scheduler(optimizer, gp.cosine(100))
    used(optimizer, 10)
    optimizer.param_groups.reverse()
    value = gp.cosine(100)(10)
    assert update(optimizer) == pytest.approx([0.3 * value, 0.2 * value, 0.1 * value], rel=1e-15)
    assert [group["base"] for group in scheduler.state_dict()["groups"]["lr"]] == pytest.approx([0.3, 0.2, 0.1])
    used(optimizer, 3)


# --- the end ---


def test_training_past_the_end_of_a_plan_at_zero_is_said_once():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.linear(10))
    used(optimizer, 10)
    with pytest.warns(gp.GlidepathWarning, match=r"ended after 10 updates with a rate of 0.*GP727") as caught:
        assert used(optimizer, 5) == [0.0] * 5
    assert len(caught) == 1


def test_the_last_update_and_a_step_after_it_are_no_training_past_the_end():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.linear(10))
    used(optimizer, 10, scheduler)
    assert rates(optimizer) == [0.0]


def test_an_endless_formula_is_refused_before_the_update_that_would_be_negative():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, "formula('1 - step / 8')")
    used(optimizer, 9)
    with pytest.raises(gp.SchedulerError, match=r"group 0 would become -0\.0125 at update 9"):
        update(optimizer)
    assert (scheduler.position, rates(optimizer)) == (9, [0.0])


def test_a_python_function_is_refused_in_the_same_way():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.formula(lambda step: 1 - step / 8))
    used(optimizer, 9)
    with pytest.raises(gp.SchedulerError, match="at update 9"):
        update(optimizer)


def test_a_set_is_not_marked_as_a_base():
    optimizer = sgd(0.1)
    Scheduler(optimizer, Set(0.1 * gp.cosine(100)))
    used(optimizer, 3)
    assert "initial_lr" not in optimizer.param_groups[0]
