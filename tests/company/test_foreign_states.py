"""Moving in from other schedulers and out again: their states, their checkpoints, and `read` of a living one."""

import math
import warnings

import pytest
import torch
from torch.optim import lr_scheduler
from torch.optim.swa_utils import SWALR

import glidepath as gp
import glidepath.convert
from glidepath.errors import ConvertError, StateError
from glidepath.torch.foreign_state import foreign_keys, is_foreign, read_foreign, warn_if_state_is_missing
from glidepath.torch.update_counts import updates_in

from ..torch.loops import parameter, rates, update


def adam(*lrs, kind=torch.optim.AdamW, **options):
    return kind([{"params": [parameter()], "lr": lr} for lr in lrs or (0.1,)], **options)


def train(optimizer, scheduler, updates, every=1):
    """Make some updates, and step the scheduler after every so many."""
    for k in range(updates):
        update(optimizer)
        if (k + 1) % every == 0:
            scheduler.step()


SEQUENCE = [lambda o: lr_scheduler.LinearLR(o, total_iters=4), lambda o: lr_scheduler.CosineAnnealingLR(o, 40)]
SCHEDULERS = {
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda k: 1 / (k + 1)),
    "StepLR": lambda o: lr_scheduler.StepLR(o, 5),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 100),
    "CosineAnnealingWarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(o, [build(o) for build in SEQUENCE], [4]),
    "ChainedScheduler": lambda o: lr_scheduler.ChainedScheduler([build(o) for build in SEQUENCE]),
    "SWALR": lambda o: SWALR(o, 0.05),
}


# --- the optimizer's own count ---


COUNTING = ["Adam", "AdamW", "Adagrad", "Adamax", "NAdam", "RAdam", "RMSprop", "Adadelta", "ASGD"]


@pytest.mark.parametrize("kind", COUNTING)
@pytest.mark.parametrize("steps", [0, 1, 7])
def test_updates_are_counted_by_the_optimizer_itself(kind, steps):
    optimizer = adam(0.1, 0.01, kind=getattr(torch.optim, kind))
    for _ in range(steps):
        update(optimizer)
    assert (updates_in(optimizer) or 0) == steps


@pytest.mark.parametrize("options", [{"fused": True}, {"foreach": True}, {"amsgrad": True}])
def test_fused_and_foreach_variants_count_too(options):
    optimizer = adam(0.1, **options)
    for _ in range(3):
        update(optimizer)
    assert updates_in(optimizer) == 3


def test_a_group_that_joined_late_has_a_smaller_count_which_is_not_the_answer():
    optimizer = adam(0.1)
    for _ in range(3):
        update(optimizer)
    optimizer.add_param_group({"params": [parameter()]})
    update(optimizer)
    assert updates_in(optimizer) == 4


def test_plain_sgd_counts_nothing():
    optimizer = adam(0.1, kind=torch.optim.SGD, momentum=0.9)
    update(optimizer)
    assert updates_in(optimizer) is None


def test_eight_bit_optimizers_count_in_plain_numbers_and_others_in_the_group():
    optimizer = adam(0.1, kind=torch.optim.SGD)
    first = optimizer.param_groups[0]["params"][0]
    optimizer.state[first] = {"step": 12, "state1": torch.zeros(2, dtype=torch.uint8)}
    assert updates_in(optimizer) == 12
    optimizer.state[first] = {"exp_avg": torch.zeros(2)}
    optimizer.param_groups[0]["k"] = 30
    assert updates_in(optimizer) == 30


# --- what is read ---


@pytest.mark.parametrize("name", SCHEDULERS)
def test_position_and_bases_of_every_scheduler_of_pytorch_are_read(name):
    optimizer = adam(0.1, 0.02)
    scheduler = SCHEDULERS[name](optimizer)
    train(optimizer, scheduler, 7)
    state = scheduler.state_dict()
    foreign = read_foreign(state, [optimizer])
    assert is_foreign(state)
    assert (foreign.position, foreign.bases) == (7, [0.1, 0.02])
    assert "the optimizer has made 7 updates" in foreign.said


def test_one_cycle_and_cyclic_have_their_peak_as_base():
    optimizer = adam(0.1, 0.1)
    scheduler = lr_scheduler.OneCycleLR(optimizer, [0.3, 0.6], total_steps=50)
    train(optimizer, scheduler, 7)
    assert read_foreign(scheduler.state_dict(), [optimizer]).bases == [0.3, 0.6]
    fresh = adam(0.3, 0.6)  # it was not loaded, and the peak is in its state alone
    with pytest.raises(gp.StateError, match="load the state of the optimizer first"):
        read_foreign(scheduler.state_dict(), [fresh])
    assert read_foreign(scheduler.state_dict(), [fresh], has_bases=True).bases is None
    optimizer = adam(0.1)
    scheduler = lr_scheduler.CyclicLR(optimizer, 0.01, 0.3, cycle_momentum=False)
    train(optimizer, scheduler, 7)
    assert read_foreign(scheduler.state_dict(), [optimizer]).bases == [0.3]


def test_schedules_of_transformers_are_read():
    transformers = pytest.importorskip("transformers")
    for name in ("linear", "cosine", "constant", "inverse_sqrt"):
        optimizer = adam(0.1, 0.02)
        scheduler = transformers.get_scheduler(name, optimizer, 5, 100)
        train(optimizer, scheduler, 7)
        foreign = read_foreign(scheduler.state_dict(), [optimizer])
        assert (foreign.position, foreign.bases) == (7, [0.1, 0.02])


@pytest.mark.parametrize("name", sorted({"StepLR", "CosineAnnealingLR", "SequentialLR", "ChainedScheduler"}))
def test_states_of_the_drop_in_are_read(name, monkeypatch):
    import glidepath.torch.lr_scheduler as drop_in

    for part in ("StepLR", "CosineAnnealingLR", "SequentialLR", "ChainedScheduler", "LinearLR"):
        monkeypatch.setattr(lr_scheduler, part, getattr(drop_in, part))
    optimizer = adam(0.1, 0.02)
    scheduler = SCHEDULERS[name](optimizer)
    train(optimizer, scheduler, 7)
    foreign = read_foreign(scheduler.state_dict(), [optimizer])
    assert (foreign.position, foreign.bases) == (7, [0.1, 0.02])


def test_timm_saves_no_position_so_that_of_the_optimizer_is_taken():
    from .. import timm_alone

    optimizer = adam(0.1, 0.02)
    scheduler = timm_alone.schedulers().CosineLRScheduler(optimizer, 100, warmup_t=5, t_in_epochs=False)
    for k in range(7):
        update(optimizer)
        scheduler.step_update(k + 1)
    state = scheduler.state_dict()
    assert is_foreign(state)
    foreign = read_foreign(state, [optimizer])
    assert (foreign.position, foreign.bases) == (7, [0.1, 0.02])
    with pytest.raises(StateError, match="position=1000"):
        read_foreign(state, [adam(0.1, 0.02, kind=torch.optim.SGD)])


# --- the unit ---


def test_a_state_in_epochs_is_refused_with_both_numbers_and_the_cure():
    optimizer = adam(0.1)
    scheduler = lr_scheduler.StepLR(optimizer, 30)
    train(optimizer, scheduler, 40, every=4)
    with pytest.raises(StateError, match=r"last_epoch .* is 10, .* has made 40 updates.*position=40"):
        read_foreign(scheduler.state_dict(), [optimizer])


def test_the_position_that_the_error_asks_for_is_accepted():
    optimizer = adam(0.1)
    scheduler = lr_scheduler.StepLR(optimizer, 30)
    train(optimizer, scheduler, 40, every=4)
    assert read_foreign(scheduler.state_dict(), [optimizer], position=40).position == 40
    with pytest.raises(StateError, match="position=40"):
        read_foreign(scheduler.state_dict(), [optimizer], position=33)


def test_updates_that_a_grad_scaler_skipped_leave_the_unit_proved():
    optimizer = adam(0.1)
    scheduler = lr_scheduler.StepLR(optimizer, 30)
    train(optimizer, scheduler, 200)
    scheduler.step()
    scheduler.step()
    assert read_foreign(scheduler.state_dict(), [optimizer]).position == 202
    assert read_foreign({"last_epoch": 199, "base_lrs": [0.1]}, [optimizer]).position == 200


def test_the_count_of_the_trainer_proves_the_unit_where_the_optimizer_has_none():
    optimizer = adam(0.1, kind=torch.optim.SGD)
    state = {"last_epoch": 40, "base_lrs": [0.1]}
    assert "the trainer has made 40 updates" in read_foreign(state, [optimizer], updates=40).said
    with pytest.raises(StateError, match=r"is 40, and the trainer has made 160 updates.*position=160"):
        read_foreign(state, [optimizer], updates=160)


def test_without_any_proof_the_count_is_taken_for_updates_and_that_is_said():
    optimizer = adam(0.1, kind=torch.optim.SGD)
    foreign = read_foreign({"last_epoch": 40, "base_lrs": [0.1]}, [optimizer])
    assert foreign.position == 40
    assert "nothing proves it" in foreign.said
    assert read_foreign({"last_epoch": 40, "base_lrs": [0.1]}, [optimizer], position=400).position == 400


# --- what is refused ---


def test_schedulers_that_follow_a_metric_have_no_position_but_the_optimizer_has():
    optimizer = adam(0.1)
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer)
    for _ in range(7):
        update(optimizer)
        plateau.step(1.0)
    for state in (plateau.state_dict(), {"best": 0.3, "last_epoch": 4}):  # PyTorch's and timm's
        assert is_foreign(state)
        assert read_foreign(state, [optimizer]).position == 7
        plain = adam(0.1, kind=torch.optim.SGD)
        with pytest.raises(StateError, match="no position"):
            read_foreign(state, [plain])
        assert read_foreign(state, [plain], position=40).position == 40


def test_a_whole_checkpoint_is_refused_with_the_part_to_give():
    state = {"lr_schedulers": [{"last_epoch": 3}], "optimizer_states": []}
    assert is_foreign(state)
    with pytest.raises(StateError, match="lr_schedulers"):
        read_foreign(state, [adam(0.1)])


@pytest.mark.parametrize(
    "state",
    [
        {"last_epoch": -1},
        {"last_epoch": 1.5},
        {"last_epoch": ""},
        {"last_epoch": 10**400},
        {"last_epoch": 2**60},
        {"last_epoch": torch.zeros(2)},
        {"last_epoch": None},
        {"last_epoch": math.inf},
        {"_schedulers": []},
        {"_schedulers": [3]},
        {"last_epoch": 3, "base_lrs": [math.nan]},
        {"last_epoch": 3, "base_lrs": ["a"]},
        {"last_epoch": 3, "base_lrs": 0.1},
        {"last_epoch": 3, "base_lrs": [0.1, 0.2]},
    ],
)
def test_damaged_states_are_refused(state):
    with pytest.raises(StateError):
        read_foreign(state, [adam(0.1)])


def test_what_is_no_state_of_another_scheduler():
    assert not any(map(is_foreign, (None, [], {}, {"position": 3}, {"version": 1, "position": 3, "last_epoch": 3})))


# --- the way back ---


def ours(position, bases, plan):
    return {"position": position, "version": 2, **foreign_keys(position, bases, [b * plan(position) for b in bases])}


RATIOS = {  # a plan, and PyTorch's scheduler of the same values
    "LambdaLR": (gp.linear(50), lambda o: lr_scheduler.LambdaLR(o, lambda k: max(0.0, 1 - k / 50))),
    "CosineAnnealingLR": (gp.cosine(50), lambda o: lr_scheduler.CosineAnnealingLR(o, 50)),
    "StepLR": (gp.step(every=7), lambda o: lr_scheduler.StepLR(o, 7)),
    "MultiStepLR": (gp.multistep([3, 30]), lambda o: lr_scheduler.MultiStepLR(o, [3, 30])),
    "ExponentialLR": (gp.exponential(every=1, factor=0.9), lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
    "PolynomialLR": (gp.polynomial(50, power=2.0), lambda o: lr_scheduler.PolynomialLR(o, 50, 2.0)),
}


@pytest.mark.parametrize("name", RATIOS)
@pytest.mark.parametrize("position", [0, 1, 20])
def test_schedulers_of_pytorch_go_on_from_our_state(name, position):
    plan, build = RATIOS[name]
    optimizer = adam(0.1, 0.02)
    theirs = build(optimizer)
    for group, base in zip(optimizer.param_groups, (0.1, 0.02), strict=True):  # the optimizer's state is loaded too
        group["lr"], group["initial_lr"] = base * plan(position), base
    theirs.load_state_dict(ours(position, [0.1, 0.02], plan))
    for k in range(position, 45):
        expected = [0.1 * plan(k), 0.02 * plan(k)]
        assert rates(optimizer) == pytest.approx(expected, rel=1e-12)
        assert theirs.get_last_lr() == pytest.approx(expected, rel=1e-12)
        update(optimizer)
        theirs.step()


def test_schedules_of_transformers_go_on_from_our_state():
    transformers = pytest.importorskip("transformers")
    optimizer = adam(0.1, 0.02)
    theirs = transformers.get_scheduler("linear", optimizer, 0, 50)
    theirs.load_state_dict(ours(20, [0.1, 0.02], gp.linear(50)))
    for k in range(21, 50):
        update(optimizer)
        theirs.step()
        assert rates(optimizer) == pytest.approx([0.1 * (1 - k / 50), 0.02 * (1 - k / 50)], rel=1e-12)


def test_warm_restarts_raise_until_they_are_told_where_they_are():
    optimizer = adam(0.1)
    theirs = lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 10)
    theirs.load_state_dict(ours(24, [0.1], gp.linear(50)))
    update(optimizer)
    with pytest.raises(TypeError):
        theirs.step()
    theirs.step(24)
    for k in range(24, 40):
        assert rates(optimizer) == pytest.approx([0.1 * gp.cosine(10)(k % 10)])
        update(optimizer)
        theirs.step()


@pytest.mark.parametrize("name", ["SequentialLR", "ChainedScheduler"])
def test_a_composed_scheduler_refuses_our_state_aloud(name):
    theirs = SCHEDULERS[name](adam(0.1))
    with pytest.raises(KeyError):
        theirs.load_state_dict(ours(20, [0.1], gp.linear(50)))


def test_a_state_of_ours_that_pytorch_has_stepped_on_is_read_as_its_own():
    optimizer = adam(0.1)
    theirs = lr_scheduler.LambdaLR(optimizer, lambda k: 1 - k / 50)
    for _ in range(20):
        update(optimizer)
    theirs.load_state_dict(ours(20, [0.1], gp.linear(50)))
    assert not is_foreign(theirs.state_dict())
    train(optimizer, theirs, 5)
    state = theirs.state_dict()
    assert is_foreign(state)
    assert read_foreign(state, [optimizer]).position == 25


# --- only the optimizer was loaded ---


def test_an_optimizer_that_was_loaded_alone_is_warned_of_with_the_cures():
    optimizer = adam(0.1)
    for _ in range(500):
        update(optimizer)
    with pytest.warns(gp.errors.GlidepathWarning, match=r"500 updates.*load_state_dict.*position=500"):
        warn_if_state_is_missing(optimizer, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_state_is_missing(optimizer, 500)
        warn_if_state_is_missing(adam(0.1), 0)


@pytest.mark.parametrize("ours", [True, False])
def test_plain_sgd_that_was_loaded_alone_shows_it_by_its_rate(ours):
    optimizer = adam(0.1, kind=torch.optim.SGD)
    scheduler = (
        gp.torch.Scheduler(optimizer, gp.cosine(1000)) if ours else lr_scheduler.CosineAnnealingLR(optimizer, 1000)
    )
    train(optimizer, scheduler, 500)
    resumed = adam(0.1, kind=torch.optim.SGD)
    fresh = gp.torch.Scheduler(resumed, gp.cosine(1000))
    resumed.load_state_dict(optimizer.state_dict())
    with pytest.warns(gp.errors.GlidepathWarning, match="GP733"):
        update(resumed)
    assert rates(resumed) == [0.1]
    assert fresh.position == 1


@pytest.mark.parametrize("plan", [gp.cosine(1000), gp.warmup(10, start=0), gp.linear(10, start=0.5, to=0.1)])
@pytest.mark.parametrize("saved", ["before the scheduler", "with it", "no load"])
def test_plain_sgd_that_was_never_trained_is_not_accused(plan, saved):
    optimizer, resumed = adam(0.1, 0.02, kind=torch.optim.SGD), adam(0.1, 0.02, kind=torch.optim.SGD)
    state = optimizer.state_dict()
    if saved == "with it":
        scheduler = gp.torch.Scheduler(optimizer, plan)
        state = optimizer.state_dict()
        assert scheduler.position == 0
    gp.torch.Scheduler(resumed, plan)
    if saved != "no load":
        resumed.load_state_dict(state)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        update(resumed)


def test_plain_sgd_whose_own_state_is_loaded_too_is_not_accused():
    optimizer = adam(0.1, kind=torch.optim.SGD)
    scheduler = gp.torch.Scheduler(optimizer, gp.cosine(1000))
    train(optimizer, scheduler, 500)
    resumed = adam(0.1, kind=torch.optim.SGD)
    fresh = gp.torch.Scheduler(resumed, gp.cosine(1000))
    resumed.load_state_dict(optimizer.state_dict())
    fresh.load_state_dict(scheduler.state_dict())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        update(resumed)
    assert rates(resumed)[0] == pytest.approx(0.1 * gp.cosine(1000)(500))


# --- read() of a living scheduler ---


def test_what_read_gives_names_the_unit():
    optimizer = adam(0.1)
    scheduler = lr_scheduler.StepLR(optimizer, 30)
    train(optimizer, scheduler, 40, every=4)
    conversion = gp.convert.read(scheduler)
    assert (conversion.position, conversion.updates) == (10, 40)
    assert any("stepped 10 times in 40 updates" in quirk for quirk in conversion.quirks)
    with pytest.raises(ConvertError, match="not updates"):
        conversion.attach(optimizer)
    optimizer = adam(0.1, kind=torch.optim.SGD)
    scheduler = lr_scheduler.StepLR(optimizer, 30)
    train(optimizer, scheduler, 40, every=4)
    assert any("a call of its step()" in quirk for quirk in gp.convert.read(scheduler).quirks)
