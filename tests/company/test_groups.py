"""Groups that leave, come, change places or share a tensor while a scheduler runs."""

import copy

import pytest
import torch

import glidepath as gp
from glidepath.torch import Scheduler, Set
from tests.torch.loops import parameter, rates, sgd, update, used


@pytest.mark.parametrize("number", [0, 1])
def test_a_group_that_another_has_taken_the_place_of_is_refused(number):
    optimizer = sgd(0.1, 0.001)
    scheduler = Scheduler(optimizer, gp.constant())
    used(optimizer, 10)
    optimizer.param_groups.pop(number)
    optimizer.add_param_group({"params": [parameter()], "lr": 0.05})
    with pytest.raises(gp.SchedulerError, match=rf"group {number} is gone, and another is there; detach\(\)"):
        update(optimizer)
    assert scheduler.position == 10
    scheduler.detach()
    Scheduler(optimizer, gp.constant(), position=10, base=rates(optimizer))
    assert update(optimizer) == rates(optimizer)


def test_the_only_group_that_is_cleared_and_another_added_is_refused():
    optimizer = sgd(0.1)
    Scheduler(optimizer, gp.constant())
    used(optimizer, 10)
    optimizer.param_groups.clear()
    optimizer.add_param_group({"params": [parameter()], "lr": 0.003})
    with pytest.raises(gp.SchedulerError, match="group 0 is gone"):
        update(optimizer)


def test_groups_that_are_built_anew_in_another_order_are_followed_by_their_parameters():
    optimizer = sgd(0.1, 0.001, 0.02)
    scheduler = Scheduler(optimizer, gp.linear(100))
    used(optimizer, 10)
    groups = [dict(group) for group in optimizer.param_groups]
    optimizer.param_groups.clear()
    for group in groups[::-1]:
        optimizer.add_param_group(group)
    assert update(optimizer) == [base * gp.linear(100)(10) for base in (0.02, 0.001, 0.1)]
    assert scheduler.base_lrs == [0.02, 0.001, 0.1]


def test_a_load_replaces_every_dict_at_its_place():
    optimizer = sgd(0.1, 0.001)
    scheduler = Scheduler(optimizer, gp.linear(100))
    used(optimizer, 10)
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert update(optimizer) == [base * gp.linear(100)(10) for base in (0.1, 0.001)]
    assert scheduler.position == 11


def test_a_late_group_under_a_plan_without_a_base_is_overwritten_and_said():
    optimizer = sgd(0.1)
    Scheduler(optimizer, Set(0.1 * gp.linear(100)))
    used(optimizer, 10)
    optimizer.add_param_group({"params": [parameter()], "lr": 0.3})
    with pytest.warns(gp.GlidepathWarning, match=r"group 1 joined with lr = 0\.3, and Set\(plan\) has no base.*GP729"):
        assert update(optimizer) == pytest.approx([0.09, 0.09])


def test_a_late_group_with_the_usual_rate_under_a_plan_without_a_base_is_not_said():
    optimizer = sgd(0.1)
    Scheduler(optimizer, Set(0.1 * gp.linear(100)))
    used(optimizer, 10)
    optimizer.add_param_group({"params": [parameter()]})
    assert update(optimizer) == pytest.approx([0.09, 0.09])


@pytest.mark.parametrize("looks", ["state_dict", "step"])
def test_a_late_group_may_get_its_rate_after_a_look_at_it(looks):
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.linear(100))
    used(optimizer, 50)
    optimizer.add_param_group({"params": [parameter()]})
    getattr(scheduler, looks)()
    optimizer.param_groups[1]["lr"] = 0.02
    with pytest.warns(gp.GlidepathWarning, match="group 1 joined with the rate 0.02.*GP726"):
        assert update(optimizer) == [0.05, 0.02]
    assert update(optimizer) == pytest.approx([0.049, 0.0196])


def test_a_tensor_that_two_groups_are_given_during_the_run_is_refused():
    optimizer = sgd(0.1, 0.01)
    for group in optimizer.param_groups:
        group["lr"] = torch.tensor(group["lr"])
    scheduler = Scheduler(optimizer, gp.linear(100))
    used(optimizer, 10)
    optimizer.param_groups[1]["lr"] = optimizer.param_groups[0]["lr"]
    with pytest.raises(gp.SchedulerError, match=r"same tensor.*clone\(\)"):
        update(optimizer)
    assert scheduler.position == 10
    optimizer.param_groups[1]["lr"] = torch.tensor(0.0091)
    with pytest.warns(gp.GlidepathWarning, match="GP722"):
        assert [float(rate) for rate in update(optimizer)] == pytest.approx([0.09, 0.009], rel=1e-5)


def test_an_optimizer_that_trains_another_block_of_parameters_is_followed_by_place():
    optimizer = sgd(0.1, 0.001)
    Scheduler(optimizer, gp.linear(100))
    used(optimizer, 10)
    optimizer.param_groups = [{**group, "params": [parameter()]} for group in optimizer.param_groups]
    assert update(optimizer) == [base * gp.linear(100)(10) for base in (0.1, 0.001)]
