"""Changes of a living run that cannot be made, or cannot be kept: refused before anything changes, or said."""

import copy
import warnings

import pytest

import glidepath as gp
from glidepath.torch import Scheduler
from tests.torch.loops import rates, sgd, used

FUNCTION = gp.formula(lambda k: 1.0)


def saved(scheduler):
    return copy.deepcopy(scheduler.state_dict())


def quietly(function):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return function()


def horizon(batch):
    return gp.Horizon(1_000_000 // batch, tokens_per_step=batch)


# --- several optimizers ---


@pytest.mark.parametrize("counts", [(100, 500), (100, 10)])
def test_a_cooldown_of_optimizers_at_several_counts_is_refused_with_a_cure(counts):
    first, second = sgd(0.1), sgd(0.2)
    scheduler = Scheduler([first, second], gp.constant())
    used(first, counts[0])
    used(second, counts[1])
    with pytest.raises(gp.SchedulerError, match=rf"made \[{counts[0]}, {counts[1]}\] updates.*scheduler\.replace"):
        scheduler.cooldown("linear(200)")
    assert used(first, 3) == [0.1] * 3
    assert used(second, 3) == [0.2] * 3
    assert "linear" not in repr(scheduler)


def test_a_cooldown_of_optimizers_at_one_count_decays_each():
    first, second = sgd(0.1), sgd(0.2)
    scheduler = Scheduler([first, second], gp.constant())
    used(first, 10)
    used(second, 10)
    scheduler.cooldown("linear(4)")
    for optimizer, base in ((first, 0.1), (second, 0.2)):
        assert used(optimizer, 4) == pytest.approx([base * share for share in (1, 0.75, 0.5, 0.25)])


# --- values that are out of bounds ---


def test_an_endless_plan_that_replaces_another_is_refused_at_its_first_negative_rate():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.cosine(100))
    used(optimizer, 10)
    scheduler.replace(gp.formula("1 - step/50"))
    assert used(optimizer, 41) == pytest.approx([0.1 * (1 - k / 50) for k in range(10, 51)])
    with pytest.raises(gp.SchedulerError, match="update 51, and is at least 0"):
        used(optimizer, 1)


def test_a_state_from_before_the_position_of_the_check_is_checked_too():
    plan = gp.formula("step - 250")[:1000]
    optimizer = sgd(1e-3)
    scheduler = Scheduler(optimizer, plan, position=500, base=1e-3)
    state = saved(scheduler) | {"position": 249, "positions": [249], "last_epoch": 249}
    with pytest.raises(gp.StateError, match=r"-0\.001 at update 249"):
        scheduler.load_state_dict(state)
    assert scheduler.position == 500


# --- plans that a state does not hold ---


def test_a_cooldown_over_a_python_function_goes_on_after_a_resume():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, FUNCTION)
    used(optimizer, 10)
    scheduler.cooldown("linear(10)")
    assert used(optimizer, 5) == pytest.approx([0.1 * (1 - k / 10) for k in range(5)])
    other = sgd(0.1)
    quietly(lambda: Scheduler(other, FUNCTION).load_state_dict(saved(scheduler), on_change="error"))
    assert used(other, 5) == pytest.approx([0.1 * (1 - k / 10) for k in range(5, 10)])


def test_a_plan_that_replaced_a_python_function_goes_on_after_a_resume():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, FUNCTION)
    used(optimizer, 10)
    scheduler.replace("0.1 * cosine(100)")
    other = sgd(0.1)
    resumed = Scheduler(other, FUNCTION)
    quietly(lambda: resumed.load_state_dict(saved(scheduler), on_change="error"))
    assert used(other, 5) == [0.1 * (0.1 * gp.cosine(100))(k) for k in range(10, 15)]
    assert saved(resumed)["replaced"] == {"lr": None}


@pytest.mark.parametrize("code", [FUNCTION, gp.cosine(50)])
def test_a_python_function_that_replaced_the_plan_is_said_to_be_lost(code):
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, code)
    used(optimizer, 10)
    scheduler.replace(gp.formula(lambda k: 0.01))
    state = saved(scheduler)
    other = sgd(0.1)
    resumed = Scheduler(other, code)
    for choice in ("error", "saved"):
        with pytest.raises(gp.StateError, match="Python function, which no state holds"):
            resumed.load_state_dict(state, on_change=choice)
        assert resumed.position == 0
    with pytest.warns(gp.GlidepathWarning, match=r"call replace\(\) or cooldown\(\) again.*GP703"):
        resumed.load_state_dict(state)
    assert used(other, 3) == [0.1 * code(k) for k in range(10, 13)]


@pytest.mark.parametrize(("before", "code"), [(FUNCTION, gp.cosine(50)), (gp.cosine(50), FUNCTION)])
def test_a_third_plan_in_the_code_is_said_also_where_one_is_a_python_function(before, code):
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, before)
    used(optimizer, 10)
    scheduler.replace("0.5 * linear(90)")
    state, other = saved(scheduler), sgd(0.1)
    resumed = Scheduler(other, code)
    with pytest.raises(gp.StateError, match="another plan"):
        resumed.load_state_dict(state, on_change="error")
    with pytest.warns(gp.GlidepathWarning, match=r"another plan.*GP703"):
        resumed.load_state_dict(state)
    assert used(other, 3) == [0.1 * code(k) for k in range(10, 13)]


# --- another batch ---


def test_a_cooldown_before_a_resume_with_another_batch_is_said_to_be_lost():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.constant(), horizon=horizon(1000))
    used(optimizer, 100)
    scheduler.cooldown("linear(50)")
    used(optimizer, 10)
    state, other = saved(scheduler), sgd(0.1)
    resumed = Scheduler(other, gp.constant(), horizon=horizon(2000))
    for choice in ("error", "saved"):
        with pytest.raises(gp.StateError, match="counts updates of another batch"):
            resumed.load_state_dict(state, on_change=choice)
        assert resumed.position == 0
    with pytest.warns(gp.GlidepathWarning, match=r"another batch.*cooldown\(\) again.*GP703"):
        resumed.load_state_dict(state)
    assert used(other, 2) == [0.1] * 2
    same = sgd(0.1)
    quietly(lambda: Scheduler(same, gp.constant(), horizon=horizon(1000)).load_state_dict(state))
    assert used(same, 2) == pytest.approx([0.08, 0.078])


def test_another_plan_with_another_batch_is_said():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, "cosine(100%)", horizon=horizon(1000))
    used(optimizer, 100)
    state, other = saved(scheduler), sgd(0.1)
    resumed = Scheduler(other, "linear(100%)", horizon=horizon(2000))
    with pytest.raises(gp.StateError, match="another plan"):
        resumed.load_state_dict(state, on_change="error")
    with pytest.warns(gp.GlidepathWarning, match=r"another plan, and another batch.*GP703"):
        resumed.load_state_dict(state)
    assert used(other, 2) == [0.1 * gp.linear(500)(k) for k in (50, 51)]


@pytest.mark.parametrize(
    "plan", ["cosine(100%)", "warmup(5%) >> 0.5 * cosine(95%, to=0.1)", "wsd(100%, warmup=10%, cooldown=20%)"]
)
def test_the_same_plan_with_another_batch_is_not(plan):
    optimizer, other = sgd(0.1), sgd(0.1)
    scheduler = Scheduler(optimizer, plan, horizon=horizon(1000))
    used(optimizer, 100)
    resumed = Scheduler(other, plan, horizon=horizon(2000))
    quietly(lambda: resumed.load_state_dict(saved(scheduler), on_change="error"))
    assert used(other, 2) == [0.1 * gp.parse(plan).over(500)(k) for k in (50, 51)]


# --- states that cannot be used ---


def spoil(state, **entries):
    state["groups"]["lr"][0] |= entries
    return state


@pytest.mark.parametrize(
    ("spoiled", "says"),
    [
        (lambda state: spoil(state, base=-0.1), "lr is at least 0"),
        (lambda state: spoil(state, factor=-1.0), "lr is at least 0"),
        (lambda state: spoil(state, base=1e300, factor=1e300), "would become inf"),
        (lambda state: state | {"plans": {"lr": "-1 * constant()"}}, "would become -0.1"),
        (lambda state: {"last_epoch": 5, "base_lrs": [-0.1]}, "at least 0"),
        (lambda state: {"last_epoch": 5, "base_lrs": [1e308 * 10]}, "not finite numbers"),
    ],
)
def test_a_state_that_cannot_be_used_changes_nothing_and_nothing_is_said(spoiled, says):
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.cosine(100))
    used(optimizer, 10)
    state, other = spoiled(saved(scheduler)), sgd(0.3)
    target = Scheduler(other, gp.cosine(100))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(gp.StateError, match=says):
            target.load_state_dict(state, on_change="saved")
    assert (target.position, target.base_lrs) == (0, [0.3])
    assert used(other, 3) == [0.3 * gp.cosine(100)(k) for k in range(3)]


def test_a_state_is_checked_at_the_position_of_each_optimizer():
    pair = [sgd(0.1), sgd(0.1)]
    scheduler = Scheduler(pair, gp.formula("1/(step-7)**2"))
    with pytest.raises(gp.StateError, match="would become inf at update 7"):
        scheduler.load_state_dict(saved(scheduler) | {"positions": [0, 7]})
    assert scheduler.positions == [0, 0]
    assert rates(pair[1]) == pytest.approx([0.1 / 49])


def test_a_foreign_state_is_checked_before_it_is_taken_over():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, gp.formula("1/(step-7)**2"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(gp.StateError, match="would become inf at update 7"):
            scheduler.load_state_dict({"last_epoch": 7, "base_lrs": [0.1]})
    assert scheduler.position == 0


def test_a_foreign_state_counts_updates_and_not_tokens():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, "cosine(1000)", horizon=horizon(1000))
    used(optimizer, 100)
    other = sgd(0.1)
    resumed = Scheduler(other, "cosine(1000)", horizon=horizon(500))
    resumed.load_state_dict(saved(scheduler))
    assert used(other, 1) == [0.1 * gp.cosine(1000)(200)]
    with pytest.warns(gp.GlidepathWarning, match="GP732"):
        resumed.load_state_dict({"last_epoch": 100, "base_lrs": [0.1]})
    assert used(other, 1) == [0.1 * gp.cosine(1000)(100)]
