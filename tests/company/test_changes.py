"""Several optimizers under one scheduler, other plans on a living run, and tokens (rules 7 and 8)."""

import copy
import io
import pickle
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import glidepath as gp
from glidepath.torch import Scheduler, Set
from tests.torch.loops import parameter, rates, sgd, update, used

PLAN = gp.warmup(5) >> gp.constant(40) >> gp.cosine(20)


def through_disk(state):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=True)


# --- several optimizers ---


@pytest.mark.parametrize("container", [list, tuple, lambda pair: dict(zip("ab", pair, strict=True))])
def test_one_scheduler_drives_several_optimizers_each_by_its_own_count(container):
    first, second = sgd(0.1), sgd(0.02, 0.03)
    scheduler = Scheduler(container([first, second]), PLAN)
    assert used(first, 10) == [0.1 * PLAN(k) for k in range(10)]
    assert used(second, 4) == [0.02 * PLAN(k) for k in range(4)]
    assert (scheduler.position, scheduler.positions) == (10, [10, 4])
    scheduler.step()
    assert scheduler.get_last_lr() == [0.1 * PLAN(10), 0.02 * PLAN(4), 0.03 * PLAN(4)] == scheduler.get_lr()
    assert scheduler.base_lrs == [0.1, 0.02, 0.03]


def test_the_state_of_several_optimizers_goes_on_in_each():
    def build():
        pair = [sgd(0.1), torch.optim.Adam([parameter()], lr=0.02)]
        return pair, Scheduler(pair, PLAN, momentum=None)

    (first, second), scheduler = build()
    used(first, 10)
    used(second, 4)
    state = through_disk(scheduler.state_dict())
    (first, second), resumed = build()
    resumed.load_state_dict(state)
    assert resumed.positions == [10, 4]
    assert (update(first), update(second)) == ([0.1 * PLAN(10)], [0.02 * PLAN(4)])
    with pytest.raises(gp.StateError, match="2 optimizers"):
        Scheduler(sgd(0.1), PLAN).load_state_dict(state)


def test_a_hyperparameter_may_be_there_in_one_of_several_optimizers_only():
    first, second = sgd(0.1, momentum=0.9), torch.optim.Adam([parameter()], lr=0.02)
    Scheduler([first, second], PLAN, momentum=Set(gp.linear(10, start=0.8, to=0.9)))
    used(first, 3)
    used(second, 3)
    assert rates(first, "momentum") == [gp.linear(10, start=0.8, to=0.9)(2)]


def test_several_optimizers_survive_pickling_and_detach():
    scheduler = Scheduler([sgd(0.1), sgd(0.2)], PLAN)
    used(scheduler.optimizers[0], 3)
    twin = pickle.loads(pickle.dumps(scheduler))
    assert used(twin.optimizers[0], 2) == [0.1 * PLAN(k) for k in (3, 4)]
    assert used(twin.optimizers[1], 2) == [0.2 * PLAN(k) for k in (0, 1)]
    scheduler.detach()
    assert used(scheduler.optimizers[1], 2) == [0.2 * PLAN(0)] * 2


@pytest.mark.parametrize("optimizers", [[], {}, [None], "sgd", [sgd(0.1), PLAN]])
def test_what_is_no_list_of_optimizers_is_refused(optimizers):
    with pytest.raises(gp.SchedulerError):
        Scheduler(optimizers, PLAN)


def test_an_optimizer_that_is_there_twice_is_refused():
    optimizer = sgd(0.1)
    with pytest.raises(gp.SchedulerError, match="there twice"):
        Scheduler([optimizer, optimizer], PLAN)


# --- other plans on a living run ---


@settings(max_examples=30, deadline=None)
@given(at=st.integers(0, 60), more=st.integers(0, 20))
def test_a_cooldown_decays_from_the_present_rate_and_goes_on_after_a_resume(at, more):
    shape = gp.one_minus_sqrt(30)
    optimizer = sgd(0.1, 0.03)
    scheduler = Scheduler(optimizer, PLAN)
    used(optimizer, at)
    scheduler.cooldown(shape)
    expected = [[base * PLAN(at) * shape(k) for base in (0.1, 0.03)] for k in range(30)]
    assert [update(optimizer) for _ in range(more)] == [pytest.approx(row, rel=1e-12) for row in expected[:more]]
    other = sgd(0.1, 0.03)
    resumed = Scheduler(other, PLAN)
    resumed.load_state_dict(through_disk(scheduler.state_dict()))
    assert [update(other) for _ in range(30 - more)] == [pytest.approx(row, rel=1e-12) for row in expected[more:]]


def test_a_replaced_plan_is_asked_at_the_same_position():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, "cosine(100%)", horizon=100)
    used(optimizer, 50)
    scheduler.replace(gp.cosine(200))
    assert used(optimizer, 3) == [0.1 * gp.cosine(200)(k) for k in (50, 51, 52)]
    scheduler.replace("linear(100%)")
    assert used(optimizer, 3) == [0.1 * gp.linear(100)(k) for k in (53, 54, 55)]
    state = scheduler.state_dict()
    assert (state["plans"], state["replaced"]) == ({"lr": "linear(100)"}, {"lr": "cosine(100)"})


def test_if_the_code_gives_a_third_plan_the_code_wins_and_it_is_said():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    used(optimizer, 20)
    scheduler.cooldown("linear(10)")
    other = sgd(0.1)
    with pytest.warns(gp.GlidepathWarning, match=r"another plan.*GP703"):
        Scheduler(other, gp.cosine(90)).load_state_dict(scheduler.state_dict())
    assert update(other) == [0.1 * gp.cosine(90)(20)]


def test_if_the_code_gives_the_new_plan_itself_nothing_is_said():
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    used(optimizer, 20)
    scheduler.replace(gp.cosine(90))
    other = sgd(0.1)
    Scheduler(other, gp.cosine(90)).load_state_dict(scheduler.state_dict())
    assert update(other) == [0.1 * gp.cosine(90)(20)]


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.replace("cosin(5)"),
        lambda s: s.replace(gp.formula("1 / (7 - step)")),
        lambda s: s.replace(gp.linear(10, to=-1)),
        lambda s: s.replace(Set(gp.linear(10))),
        lambda s: s.replace(momentum=gp.linear(10)),
        lambda s: s.replace(),
        lambda s: s.replace("cosine(5%)"),
        lambda s: s.cooldown(3),
        lambda s: s.cooldown(gp.linear(10, to=-1)),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_nothing_has_changed(change):
    optimizer = sgd(0.1, momentum=0.9)
    scheduler = Scheduler(optimizer, PLAN)
    used(optimizer, 7)
    before = copy.deepcopy(scheduler.state_dict())
    with pytest.raises(gp.GlidepathError):
        change(scheduler)
    assert scheduler.state_dict() == before
    assert used(optimizer, 3) == [0.1 * PLAN(k) for k in (7, 8, 9)]


def test_a_scheduler_of_the_momentum_alone_has_nothing_to_cool_down():
    scheduler = Scheduler(sgd(0.1, momentum=0.9), momentum=Set(gp.constant()))
    with pytest.raises(gp.SchedulerError, match="no plan schedules the rate"):
        scheduler.cooldown("linear(10)")


# --- tokens ---


@pytest.mark.parametrize("factor", [2, 0.5])
def test_a_plan_in_tokens_goes_on_where_it_was_in_tokens_with_another_batch(factor):
    def build(tokens_per_step):
        optimizer = sgd(0.1)
        horizon = gp.Horizon(3_000_000 // tokens_per_step, tokens_per_step=tokens_per_step)
        return optimizer, Scheduler(optimizer, "linear(3Mtok)", horizon=horizon)

    optimizer, scheduler = build(10_000)
    used(optimizer, 100)
    state = through_disk(scheduler.state_dict())
    other, resumed = build(int(10_000 * factor))
    resumed.load_state_dict(state)
    assert update(other) == [pytest.approx(0.1 * 2 / 3, rel=1e-12)]
    assert resumed.position == 101
    assert resumed.state_dict()["tokens"] == 1_000_000 + int(10_000 * factor)


def test_the_same_batch_goes_on_as_ever():
    optimizer = sgd(0.1)
    horizon = gp.Horizon(300, tokens_per_step=10)
    scheduler = Scheduler(optimizer, "linear(100%)", horizon=horizon)
    used(optimizer, 100)
    other = sgd(0.1)
    Scheduler(other, "linear(100%)", horizon=horizon).load_state_dict(scheduler.state_dict())
    assert update(other) == [0.1 * gp.linear(300)(100)]


# --- states ---


@pytest.mark.parametrize(
    "damage",
    [
        {"groups": {"lr": [{"base": 1e308, "factor": 1e10}]}},
        {"plans": {"lr": "formula('1 / (7 - step)')"}, "replaced": {"lr": PLAN.text}},
        {"plans": {"lr": "cosine(5%)"}, "replaced": {"lr": PLAN.text}},
        {"plans": {"lr": 3}},
        {"groups": {"lr": {"base": 0.1}}},
        {"groups": {"lr": [{"base": True, "factor": 1.0}]}},
        {"positions": [7, 7]},
        {"positions": [-1]},
        {"positions": "7"},
        {"replaced": []},
        {"averaged": "lr"},
        {"tokens": "many"},
        {"position": "7"},
        {"position": "seven"},
        {"position": None},
        {"position": 7.0},
        {"tokens": float("nan")},
        {"version": 3},
    ],
)
def test_a_state_that_is_refused_has_changed_nothing(damage):
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    used(optimizer, 7)
    before = copy.deepcopy(scheduler.state_dict())
    with pytest.raises(gp.StateError):
        scheduler.load_state_dict({**before, **damage})
    assert scheduler.state_dict() == before
    assert used(optimizer, 3) == [0.1 * PLAN(k) for k in (7, 8, 9)]


def test_nothing_is_said_in_a_run_that_is_saved_and_resumed_again_and_again():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer = sgd(0.1, momentum=0.9)
        scheduler = Scheduler(optimizer, PLAN)
        for k in range(65):
            assert update(optimizer) == [0.1 * PLAN(k)]
            scheduler.step()
            saved = through_disk((optimizer.state_dict(), scheduler.state_dict()))
            optimizer = sgd(0.1, momentum=0.9)
            if k % 2:
                optimizer.load_state_dict(saved[0])
            scheduler = Scheduler(optimizer, PLAN)
            scheduler.load_state_dict(saved[1])
            if not k % 2:
                optimizer.load_state_dict(saved[0])


@pytest.mark.parametrize("first", [True, False])
def test_a_member_of_pytorchs_sequence_is_refused_with_the_way_to_join_plans(first):
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, PLAN)
    other = torch.optim.lr_scheduler.ConstantLR(optimizer, 0.5)
    members = [scheduler, other] if first else [other, scheduler]
    with pytest.raises(gp.SchedulerError, match="join the plans"):
        torch.optim.lr_scheduler.SequentialLR(optimizer, members, [3])


def test_the_step_after_the_last_update_shows_nothing_where_the_next_value_cannot_be():
    """Independent weight decay, 1 / plan, is infinite where the plan ends at 0; the run has to be saved before."""
    optimizer, plan = sgd(0.1, weight_decay=0.01), gp.linear(20)
    scheduler = Scheduler(optimizer, plan, weight_decay=1 / plan)
    for _ in range(20):
        update(optimizer)
        assert rates(optimizer)[0] * rates(optimizer, "weight_decay")[0] == pytest.approx(0.001, rel=1e-12)
        scheduler.step()
    assert scheduler.position == 20
    with pytest.warns(gp.GlidepathWarning, match="GP727"), pytest.raises(gp.SchedulerError, match="inf at update 20"):
        update(optimizer)
