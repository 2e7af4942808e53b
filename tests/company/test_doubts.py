"""What cannot be told for sure is said: bases of other hyperparameters, plans without a base, rates of other code."""

import copy
import warnings

import pytest
import torch

import glidepath as gp
from glidepath.torch import Scheduler, Set, set_rate
from tests.torch.loops import parameter, rates, sgd, update, used

PLAN = gp.warmup(1000) >> gp.constant()


def quietly(function):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return function()


def loaded_without_markers(optimizer, other):
    state = copy.deepcopy(optimizer.state_dict())
    for group in state["param_groups"]:
        for key in [key for key in group if key.startswith("initial_")]:
            del group[key]
    other.load_state_dict(state)
    return other


# --- bases of other hyperparameters ---


@pytest.mark.parametrize("key", ["weight_decay", "momentum"])
def test_a_value_that_may_have_decayed_is_said_to_be_the_base(key):
    plan = gp.cosine(1000)
    optimizer = sgd(0.1, **{key: 0.1})
    Scheduler(optimizer, **{key: plan})
    used(optimizer, 500)
    other = loaded_without_markers(optimizer, sgd(0.1, **{key: 0.1}))
    scheduler = Scheduler(other, **{key: plan}, position=500)
    with pytest.warns(gp.GlidepathWarning, match=rf"scales the present value.*rebase\({key}=.*GP721"):
        update(other)
    scheduler.rebase(**{key: 0.1})
    update(other)
    assert rates(other, key) == pytest.approx([0.1 * plan(501)])


def test_an_element_that_may_have_decayed_is_said_too():
    plan = gp.linear(1000, to=0.5)
    optimizer = torch.optim.Adam([parameter()], lr=0.1, betas=(0.9, 0.99))
    Scheduler(optimizer, betas=(plan, None))
    used(optimizer, 500)
    other = loaded_without_markers(optimizer, torch.optim.Adam([parameter()], lr=0.1, betas=(0.9, 0.99)))
    Scheduler(other, betas=(plan, None), position=500)
    with pytest.warns(gp.GlidepathWarning, match=r"plan of betas\[0\] scales.*GP721"):
        update(other)


def test_the_default_of_the_optimizer_and_a_marked_base_are_sure():
    plan = gp.cosine(1000)
    optimizer = sgd(0.1, weight_decay=0.1)
    Scheduler(optimizer, weight_decay=plan)
    used(optimizer, 500)
    marked = sgd(0.1, weight_decay=0.1)
    marked.load_state_dict(optimizer.state_dict())
    for other in (marked, sgd(0.1, weight_decay=0.1)):
        Scheduler(other, weight_decay=plan, position=500)
        quietly(lambda: update(other))  # noqa: B023
        assert rates(other, "weight_decay") == [0.1 * plan(500)]


# --- plans without a base ---


def test_a_plan_without_a_base_is_not_given_one():
    optimizer, plan = sgd(0.1), 1e-3 * gp.cosine(100)
    scheduler = Scheduler(optimizer, Set(plan))
    used(optimizer, 3)
    for change in (lambda: scheduler.rebase(lr=3e-3), lambda: set_rate(scheduler, 3e-3)):
        with pytest.raises(gp.SchedulerError, match=r"Set\(plan\), which has no base: change the plan, replace\(lr="):
            change()
    scheduler.rebase()
    assert used(optimizer, 2) == [plan(3), plan(4)]


@pytest.mark.parametrize("sets", [False, True])
def test_the_cure_for_a_writer_at_every_update_fits_the_plan(sets):
    optimizer = sgd(0.1)
    Scheduler(optimizer, Set("0.1 * cosine(100)") if sets else gp.cosine(100))
    used(optimizer, 3)
    with pytest.warns(gp.GlidepathWarning) as caught:
        for k in range(6):
            optimizer.param_groups[0]["lr"] = 0.01 * (1 + (k * 7) % 5)
            update(optimizer)
    texts = [str(warning.message) for warning in caught]
    assert any("GP724" in text for text in texts)
    assert any("set_rate(" in text for text in texts) is not sets


# --- rates of other code ---


def test_get_lr_gives_the_rate_that_other_code_has_written_where_the_plan_stands_aside():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    used(optimizer, 10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in range(6):
            optimizer.param_groups[0]["lr"] = rate = 0.01 * (1 + (k * 7) % 5)
            scheduler.step()
            shown = (scheduler.get_lr(), scheduler.state_dict()["_last_lr"])
            assert shown == (update(optimizer),) * 2, k
            assert k < 3 or shown == ([rate],) * 2
    update(optimizer)
    scheduler.step()
    assert scheduler.get_lr() == [0.1 * PLAN(17)]


# --- bounds, and optimizers of one's own ---


def test_a_dampening_below_0_is_refused_with_its_update():
    optimizer = sgd(0.1, momentum=0.9, dampening=0.1)
    with pytest.raises(gp.SchedulerError, match=r"dampening of .* would be -0\.02 at update 6, and must be at least 0"):
        Scheduler(optimizer, dampening=Set(gp.linear(10, start=0.1, to=-0.1)))
    assert update(optimizer) == [0.1]


@pytest.mark.parametrize(("name", "code"), [("ASGD", "GP715"), ("Rprop", "GP714")])
def test_a_subclass_uses_the_rate_as_its_class_does(name, code):
    kind = type("Own", (getattr(torch.optim, name),), {})
    with pytest.warns(gp.GlidepathWarning, match=code):
        Scheduler(kind([parameter()], lr=0.1), gp.cosine(10))
