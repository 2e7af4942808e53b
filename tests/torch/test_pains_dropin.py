"""The pains of PyTorch's schedulers, row by row, on the drop-in.

The numbers are the rows of the table of what users suffer from. Where PyTorch's own tests require the pain, the test
says so in its name. Rows 8, 9 and 14 need another interface: they are `Scheduler`'s.
"""

import copy
import functools
import io
import math
import operator
import pickle

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler as stock

from glidepath.errors import GlidepathError, GlidepathWarning
from glidepath.torch import lr_scheduler as ours

from .loops import parameter, rates, sgd, update

SCHEDULERS = {
    "LambdaLR": lambda o, **k: ours.LambdaLR(o, lambda e: 1 / (1 + e), **k),
    "MultiplicativeLR": lambda o, **k: ours.MultiplicativeLR(o, lambda e: 0.9, **k),
    "StepLR": lambda o, **k: ours.StepLR(o, 5, 0.5, **k),
    "MultiStepLR": lambda o, **k: ours.MultiStepLR(o, [4, 10, 10], 0.5, **k),
    "ConstantLR": lambda o, **k: ours.ConstantLR(o, 0.25, 10, **k),
    "LinearLR": lambda o, **k: ours.LinearLR(o, 0.1, total_iters=15, **k),
    "ExponentialLR": lambda o, **k: ours.ExponentialLR(o, 0.9, **k),
    "PolynomialLR": lambda o, **k: ours.PolynomialLR(o, 30, 0.9, **k),
    "CosineAnnealingLR": lambda o, **k: ours.CosineAnnealingLR(o, 12, 0.001, **k),
    "CosineAnnealingWarmRestarts": lambda o, **k: ours.CosineAnnealingWarmRestarts(o, 3, 2, **k),
    "CyclicLR": lambda o, **k: ours.CyclicLR(o, 0.01, 0.1, 4, 7, mode="triangular2", **k),
    "OneCycleLR": lambda o, **k: ours.OneCycleLR(o, 0.3, 30, **k),
    "SequentialLR": lambda o, **k: ours.SequentialLR(
        o, [ours.LinearLR(o, 0.1), ours.CosineAnnealingLR(o, 9), ours.ExponentialLR(o, 0.9)], [5, 14], **k
    ),
    "ChainedScheduler": lambda o: ours.ChainedScheduler([ours.LinearLR(o, 0.1), ours.ExponentialLR(o, 0.9)]),
    "ReduceLROnPlateau": lambda o: ours.ReduceLROnPlateau(o, patience=1, factor=0.5),
}
RESUMABLE = sorted(SCHEDULERS.keys() - {"ChainedScheduler", "ReduceLROnPlateau"})
by_name = pytest.mark.parametrize("name", sorted(SCHEDULERS))


def step(scheduler):
    """One step; a plateau sees a metric that never gets better."""
    scheduler.step(*[1.0] * isinstance(scheduler, ours.ReduceLROnPlateau))


def optimizer_of(rate=0.1, groups=2):
    return sgd(*[rate] * groups, momentum=0.9)


def run(scheduler, optimizer, steps):
    """What each of some updates used: rates and momenta."""
    used = []
    for _ in range(steps):
        used.append([*rates(optimizer), *rates(optimizer, "momentum")])
        update(optimizer)
        step(scheduler)
    return used


def saved_and_loaded(state):
    """Through a file, as safely as PyTorch can read it."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


# --- 1: the order of resuming ---


@by_name
@pytest.mark.parametrize("at", [1, 7, 10, 20])
@pytest.mark.parametrize("order", ["o S s", "S o s", "S s o", "S s", "o S s with the wrong base"])
def test_pain_01_resuming_gives_the_same_rates_in_every_order(name, at, order):
    straight = optimizer_of()
    expected = run(SCHEDULERS[name](straight), straight, 25)

    first = optimizer_of()
    scheduler = SCHEDULERS[name](first)
    run(scheduler, first, at)
    states = saved_and_loaded({"o": first.state_dict(), "s": scheduler.state_dict()})

    resumed, scheduler = optimizer_of(0.7 if "wrong" in order else 0.1), None
    for action in order.split(" with ")[0].split():
        if action == "S":
            scheduler = SCHEDULERS[name](resumed)
        if action == "o":
            resumed.load_state_dict(copy.deepcopy(states["o"]))
        if action == "s":
            scheduler.load_state_dict(states["s"])
    assert run(scheduler, resumed, 25 - at) == expected[at:]


def test_pain_01_two_schedulers_on_one_optimizer_resume_too():
    def build(o):
        return [ours.StepLR(o, 3, 0.5), ours.LinearLR(o, 0.1, total_iters=20)]

    def go(o, schedulers, steps):
        for _ in range(steps):
            update(o)
            for s in schedulers:
                s.step()
        return rates(o)

    straight = optimizer_of()
    expected = go(straight, build(straight), 12)
    for loaded in ([0, 1], [1, 0]):
        first = optimizer_of()
        pair = build(first)
        go(first, pair, 7)
        resumed = optimizer_of()
        resumed.load_state_dict(first.state_dict())
        again = build(resumed)
        for i in loaded:
            again[i].load_state_dict(pair[i].state_dict())
        assert go(resumed, again, 5) == pytest.approx(expected, rel=1e-12)


def test_pain_01_get_last_lr_and_the_rate_in_force_agree_after_loading_the_scheduler_alone():
    first = optimizer_of()
    scheduler = ours.ExponentialLR(first, 0.5)
    run(scheduler, first, 3)
    second = optimizer_of()
    other = ours.ExponentialLR(second, 0.5)
    other.load_state_dict(scheduler.state_dict())
    assert rates(second) == other.get_last_lr() == [0.0125, 0.0125]


# --- 2: resuming with last_epoch ---


@pytest.mark.parametrize("name", RESUMABLE)
def test_pain_02_resuming_with_last_epoch_goes_on_exactly_at_every_step(name):
    straight = optimizer_of()
    expected = run(SCHEDULERS[name](straight), straight, 25)
    for at in range(1, 25):
        first = optimizer_of()
        run(SCHEDULERS[name](first), first, at)
        resumed = optimizer_of()
        resumed.load_state_dict(first.state_dict())
        scheduler = SCHEDULERS[name](resumed, last_epoch=at - 1)
        assert scheduler.last_epoch == at
        assert run(scheduler, resumed, 25 - at) == [pytest.approx(e, rel=1e-12) for e in expected[at:]], at


def test_pain_02_resuming_on_a_milestone_does_not_decay_twice():
    optimizer = sgd(0.1)
    run(ours.StepLR(optimizer, 5), optimizer, 5)
    resumed = ours.StepLR(optimizer, 5, last_epoch=4)
    assert resumed.get_last_lr() == rates(optimizer) == [pytest.approx(0.01)]


def test_pain_02_last_epoch_on_an_optimizer_that_was_not_loaded_is_on_the_curve_too():
    optimizer = sgd(0.1)
    optimizer.param_groups[0]["initial_lr"] = 0.1
    assert ours.ExponentialLR(optimizer, 0.5, last_epoch=2).get_last_lr() == [0.0125]


def test_pain_02_a_rate_that_was_changed_by_hand_before_it_was_saved_stays_changed():
    optimizer = sgd(0.1)
    scheduler = ours.ExponentialLR(optimizer, 0.5)
    run(scheduler, optimizer, 3)
    optimizer.param_groups[0]["lr"] *= 10
    resumed = ours.ExponentialLR(optimizer, 0.5, last_epoch=2)
    assert rates(optimizer) == [pytest.approx(0.125)]
    run(resumed, optimizer, 1)
    assert rates(optimizer) == [pytest.approx(0.0625)]


def test_pain_02_two_schedulers_resumed_with_last_epoch_still_multiply():
    def build(o, **k):
        return [ours.StepLR(o, 3, 0.5, **k), ours.LinearLR(o, 0.1, total_iters=20, **k)]

    def go(o, schedulers, steps):
        for _ in range(steps):
            update(o)
            for scheduler in schedulers:
                scheduler.step()
        return rates(o)

    straight, first = optimizer_of(), optimizer_of()
    expected = go(straight, build(straight), 12)
    go(first, build(first), 7)
    resumed = optimizer_of()
    resumed.load_state_dict(first.state_dict())
    assert go(resumed, build(resumed, last_epoch=6), 5) == pytest.approx(expected, rel=1e-12)


# --- 3: loading overrides hyperparameters ---


def test_pain_03_loading_overwrites_the_hyperparameters_because_pytorchs_own_tests_require_it():
    """A state is loaded into a scheduler with another T_max, and every attribute must then be the state's.

    Use `glidepath.torch.Scheduler`, whose state is a position, and where the plan in the code wins with a warning.
    """
    saved = ours.CosineAnnealingLR(optimizer_of(), T_max=10).state_dict()
    longer = ours.CosineAnnealingLR(optimizer_of(), T_max=100)
    longer.load_state_dict(saved)
    assert longer.T_max == 10


# --- 4: composition ---


def sequence_of(o, first, second, at):
    return ours.SequentialLR(o, [first(o), second(o)], [at])


def test_pain_04_sequences_and_chains_nest_at_any_place():
    def member(o):
        return sequence_of(
            o, lambda o: ours.ConstantLR(o, 0.5, 100), lambda o: ours.ChainedScheduler([ours.StepLR(o, 2, 0.1)]), 3
        )

    optimizer = sgd(1.0)
    scheduler = sequence_of(optimizer, lambda o: ours.ExponentialLR(o, 0.9), member, 2)
    used = [r[0] for r in run(scheduler, optimizer, 10)]
    assert used == pytest.approx([1, 0.9, 0.5, 0.5, 0.5, 1, 1, 0.1, 0.1, 0.01])


def test_pain_04_a_sequence_of_one_is_its_member():
    alone, within = sgd(1.0), sgd(1.0)
    expected = run(ours.LinearLR(alone, 0.5), alone, 10)
    assert run(ours.SequentialLR(within, [ours.LinearLR(within, 0.5)], []), within, 10) == expected


def test_pain_04_a_one_cycle_later_in_a_sequence_does_not_change_the_first_member():
    optimizer = sgd(0.5, momentum=0.9)
    members = [ours.ConstantLR(optimizer, 1.0), ours.OneCycleLR(optimizer, 0.05, 10)]
    scheduler = ours.SequentialLR(optimizer, members, [3])
    used = [r[0] for r in run(scheduler, optimizer, 6)]
    alone = sgd(0.5, momentum=0.9)
    assert used == [0.5] * 3 + [r[0] for r in run(ours.OneCycleLR(alone, 0.05, 10), alone, 3)]


def test_pain_04_a_multiplicative_member_begins_again_at_its_base():
    optimizer = sgd(1.0)
    scheduler = sequence_of(
        optimizer, lambda o: ours.ExponentialLR(o, 0.5), lambda o: ours.MultiplicativeLR(o, lambda k: 0.9), 3
    )
    assert [r[0] for r in run(scheduler, optimizer, 6)] == pytest.approx([1, 0.5, 0.25, 1, 0.9, 0.81])


def test_pain_04_unsorted_milestones_are_refused():
    o = sgd()
    with pytest.raises(GlidepathError, match=r"must ascend, not \[5, 3\]"):
        ours.SequentialLR(o, [ours.StepLR(o, 1) for _ in range(3)], [5, 3])


FACTORS = {
    "lambda": (lambda o: ours.LambdaLR(o, lambda k: 1 / (1 + k)), lambda k: 1 / (1 + k)),
    "exponential": (lambda o: ours.ExponentialLR(o, 0.9), lambda k: 0.9**k),
    "step": (lambda o: ours.StepLR(o, 3, 0.5), lambda k: 0.5 ** (k // 3)),
    "cosine": (lambda o: ours.CosineAnnealingLR(o, 40), lambda k: (1 + math.cos(math.pi * k / 40)) / 2),
    "constant": (lambda o: ours.ConstantLR(o, 0.3), lambda k: 0.3 if k < 5 else 1),
    "restarts": (
        lambda o: ours.CosineAnnealingWarmRestarts(o, 7),
        lambda k: (1 + math.cos(math.pi * (k % 7) / 7)) / 2,
    ),
}


@pytest.mark.parametrize("first", FACTORS)
@pytest.mark.parametrize("second", FACTORS)
@pytest.mark.parametrize("chained", [True, False])
def test_pain_04_two_schedulers_multiply_in_either_order(first, second, chained):
    optimizer = sgd(0.5)
    schedulers = [FACTORS[first][0](optimizer), FACTORS[second][0](optimizer)]
    if chained:
        schedulers = [ours.ChainedScheduler(schedulers)]
    for k in range(30):
        assert rates(optimizer)[0] == pytest.approx(0.5 * FACTORS[first][1](k) * FACTORS[second][1](k), rel=1e-9)
        update(optimizer)
        for scheduler in schedulers:
            scheduler.step()


@pytest.mark.parametrize("name", sorted(SCHEDULERS.keys() - {"ReduceLROnPlateau"}))
def test_pain_04_no_scheduler_undoes_the_cut_of_a_plateau_or_a_hand(name):
    free, cut = optimizer_of(), optimizer_of()
    a, b = SCHEDULERS[name](free), SCHEDULERS[name](cut)
    expected = run(a, free, 25)
    used = run(b, cut, 4)
    for group in cut.param_groups:
        group["lr"] *= 0.125
    used += run(b, cut, 21)
    assert [u[0] for u in used] == [pytest.approx(e[0] * (0.125 if k >= 4 else 1)) for k, e in enumerate(expected)]


# --- 5: metrics of a plateau ---


def plateau_with(metrics, **options):
    """The rates after each metric, from 1.0 on, cut by 10 after two that are no better."""
    optimizer = sgd(1.0)
    scheduler = ours.ReduceLROnPlateau(optimizer, patience=1, **options)
    return [(scheduler.step(m), rates(optimizer)[0])[1] for m in metrics]


@pytest.mark.parametrize(("mode", "worse"), [("min", 1e-5), ("max", -1e-5)])
def test_pain_05_a_little_worse_than_a_negative_best_is_not_better(mode, worse):
    best = -1.0
    assert plateau_with([best, best + worse, best + worse], mode=mode) == [1.0, 1.0, 0.1]
    assert plateau_with([best, best, best], mode=mode) == [1.0, 1.0, 0.1]


@pytest.mark.parametrize(("mode", "better"), [("min", -0.01), ("max", 0.01)])
def test_pain_05_clearly_better_than_a_negative_best_is_better(mode, better):
    assert plateau_with([-1.0 + k * better for k in range(6)], mode=mode) == [1.0] * 6


def test_pain_05_nan_counts_as_no_better_as_in_pytorch_and_says_so():
    with pytest.warns(GlidepathWarning, match=r"the metric is nan.* so 2 of them in a row cut the rate \[GP712\]"):
        assert plateau_with([1.0, math.nan, math.nan]) == [1.0, 1.0, 0.1]


@pytest.mark.parametrize(("mode", "infinite"), [("max", math.inf), ("min", -math.inf)])
def test_pain_05_one_infinite_metric_is_not_the_best_for_ever(mode, infinite):
    improving = [10.0 + k for k in range(5)] if mode == "max" else [10.0 - k for k in range(5)]
    with pytest.warns(GlidepathWarning, match=r"the metric is -?inf.*\[GP712\]"):
        assert plateau_with([5.0 if mode == "max" else 15.0, infinite, *improving], mode=mode) == [1.0] * 7


def test_pain_05_rates_below_eps_are_never_cut_because_that_is_what_eps_means_in_pytorch():
    optimizer = sgd(1e-9)
    scheduler = ours.ReduceLROnPlateau(optimizer, patience=0)
    for _ in range(3):
        scheduler.step(1.0)
    assert rates(optimizer) == [1e-9]


# --- 6: optimizer.step ---


@pytest.mark.parametrize(
    "replace",
    [
        lambda step: functools.partial(step),
        lambda step: lambda *args: step(*args),
        lambda step: torch.compile(step, backend="eager"),
    ],
    ids=["partial", "function", "compiled"],
)
def test_pain_06_any_kind_of_optimizer_step_can_be_scheduled(replace):
    optimizer = sgd(0.1)
    optimizer.step = replace(optimizer.step)
    scheduler = ours.ExponentialLR(optimizer, 0.5)
    assert [r[0] for r in run(scheduler, optimizer, 3)] == [0.1, 0.05, 0.025]


def test_pain_06_optimizer_step_is_not_patched():
    optimizer = sgd()
    ours.StepLR(optimizer, 3)
    assert "step" not in vars(optimizer)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))], ids=["deepcopy", "pickle"])
def test_pain_06_a_copied_scheduler_goes_on_without_a_false_warning(copied):
    optimizer = sgd(0.1)
    scheduler = ours.ExponentialLR(optimizer, 0.5)
    update(optimizer)
    twin = copied(scheduler)
    twin.step()
    assert rates(twin.optimizer) == [0.05]
    assert rates(optimizer) == [0.1]


def test_pain_06_a_skipped_update_of_a_grad_scaler_brings_no_warning():
    optimizer = sgd(0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127)
    scheduler = ours.ExponentialLR(optimizer, 0.5)
    loss = (optimizer.param_groups[0]["params"][0] * 1e10).sum()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scheduler.step()
    assert not optimizer._opt_called


def test_pain_06_the_wrong_order_still_brings_the_warning_that_pytorchs_own_tests_require():
    optimizer = sgd()
    scheduler = ours.StepLR(optimizer, 3)
    optimizer.param_groups[0]["params"][0].grad = torch.ones(2)
    with pytest.warns(UserWarning, match=r"how-to-adjust-learning-rate \[GP710\]") as seen:
        scheduler.step()
    assert seen[0].filename == __file__


def test_pain_06_steps_are_counted_by_calls_because_that_is_what_step_means_in_pytorch():
    optimizer = sgd(1.0)
    scheduler = ours.ExponentialLR(optimizer, 0.5)
    update(optimizer)
    for _ in range(4):
        scheduler.step()
    assert rates(optimizer) == [0.0625]


# --- 7: groups that come later ---


@pytest.mark.parametrize("name", sorted(SCHEDULERS.keys() - {"CyclicLR", "OneCycleLR", "ReduceLROnPlateau"}))
def test_pain_07_a_group_added_later_gets_its_own_rate_times_the_same_factor(name):
    optimizer, alone = optimizer_of(0.1), optimizer_of(0.02)
    scheduler, expected = SCHEDULERS[name](optimizer), run(SCHEDULERS[name](alone), alone, 25)
    run(scheduler, optimizer, 7)
    optimizer.add_param_group({"params": [parameter()], "lr": 0.02})
    used = run(scheduler, optimizer, 18)
    assert used[0][2] == 0.02
    assert [u[2] for u in used[1:]] == [pytest.approx(e[0]) for e in expected[8:]]


@pytest.mark.parametrize("name", ["CyclicLR", "OneCycleLR"])
def test_pain_07_a_group_added_later_moves_between_the_same_bounds(name):
    optimizer = optimizer_of()
    scheduler = SCHEDULERS[name](optimizer)
    run(scheduler, optimizer, 7)
    optimizer.add_param_group({"params": [parameter()], "lr": 0.02})
    assert all(u[0] == u[2] and u[3] == u[5] for u in run(scheduler, optimizer, 18)[1:])


def test_pain_07_where_groups_have_their_own_bounds_the_error_says_so_and_nothing_moves():
    optimizer = optimizer_of()
    scheduler = ours.CyclicLR(optimizer, 0.1, [0.2, 0.3], 5)
    optimizer.add_param_group({"params": [parameter()], "lr": 1.0})
    update(optimizer)
    with pytest.raises(GlidepathError, match=r"group 2 is new, and the others have different bounds"):
        scheduler.step()
    assert (rates(optimizer), scheduler.last_epoch) == ([0.1, 0.1, 1.0], 0)
    one_cycle = optimizer_of()
    scheduler = ours.OneCycleLR(one_cycle, [0.1, 0.2], 10)
    one_cycle.add_param_group({"params": [parameter()], "lr": 1.0})
    update(one_cycle)
    with pytest.raises(GlidepathError, match=r"group 2 is new, and the max_lr of the others differ: give it max"):
        scheduler.step()


def test_pain_07_where_groups_have_their_own_functions_the_error_says_what_to_do_and_nothing_moves():
    optimizer = optimizer_of()
    scheduler = ours.LambdaLR(optimizer, [lambda k: 0.5**k, lambda k: 0.1**k])
    optimizer.add_param_group({"params": [parameter()], "lr": 1.0})
    update(optimizer)
    with pytest.raises(GlidepathError, match=r"append one to scheduler\.lr_lambdas"):
        scheduler.step()
    assert (rates(optimizer), scheduler.last_epoch) == ([0.1, 0.1, 1.0], 0)
    scheduler.lr_lambdas.append(lambda k: 0.25)
    scheduler.step()
    assert rates(optimizer) == [0.05, pytest.approx(0.01), 0.25]


# --- 10: looking ahead ---


def test_pain_10_every_class_with_a_formula_can_be_previewed_without_being_used_up():
    for name in [*RESUMABLE, "ChainedScheduler"]:
        optimizer = optimizer_of()
        scheduler = SCHEDULERS[name](optimizer)
        ahead = [scheduler.lr_at(k) for k in range(25)]
        assert scheduler.last_epoch == 0
        assert [u[:2] for u in run(scheduler, optimizer, 25)] == [pytest.approx(a, rel=1e-12) for a in ahead], name


def test_pain_10_a_schedule_is_drawn_and_reviewed_as_any_plan_of_glidepath():
    plan = ours.StepLR(sgd(), 30).schedule
    assert plan.block(28, 32) == [1.0, 1.0, 0.1, 0.1]


# --- 11: the end of OneCycleLR ---


@pytest.mark.parametrize("three_phase", [True, False])
def test_pain_11_one_cycle_holds_its_last_rate_and_momentum_past_its_end(three_phase):
    optimizer = sgd(0.1, momentum=0.9)
    scheduler = ours.OneCycleLR(optimizer, 1.0, 10, three_phase=three_phase)
    used = run(scheduler, optimizer, 15)
    assert used[9:] == [used[9]] * 6
    assert used[9] == [pytest.approx(1 / 25 / 1e4), 0.95]


def test_pain_11_a_one_cycle_that_only_rises_holds_its_peak():
    optimizer = sgd(0.1, momentum=0.9)
    used = run(ours.OneCycleLR(optimizer, 1.0, 10, pct_start=1.0), optimizer, 15)
    assert used[9:] == [[1.0, 0.85]] * 6


@pytest.mark.parametrize(("total", "share"), [(10, 0.1), (2, 0.5), (1, 0.3), (1, 1.0), (10, 1.0), (10, 0.0), (3, 0.99)])
@pytest.mark.parametrize("three_phase", [True, False])
def test_pain_11_one_cycle_of_any_length_divides_nothing_by_zero(total, share, three_phase):
    optimizer = sgd(0.1, momentum=0.9)
    scheduler = ours.OneCycleLR(optimizer, 1.0, total, pct_start=share, three_phase=three_phase)
    assert all(0 < rate <= 1 for rate, _ in run(scheduler, optimizer, total + 3))


# --- 12: cosine after T_max ---


def test_pain_12_a_manual_cut_outlives_the_bounce_of_a_cosine():
    optimizer = sgd(1.0)
    scheduler = ours.CosineAnnealingLR(optimizer, 5)
    run(scheduler, optimizer, 2)
    optimizer.param_groups[0]["lr"] *= 0.1
    assert [r[0] for r in run(scheduler, optimizer, 9)][-1] == pytest.approx(0.1)


def test_pain_12_the_rate_rises_again_after_t_max_because_that_is_what_t_max_means_in_pytorch():
    assert ours.CosineAnnealingLR(sgd(1.0), 5).lr_at(10) == [1.0]


# --- 13: degenerate arguments ---


@pytest.mark.parametrize(
    ("build", "value"),
    [
        (lambda o: ours.ConstantLR(o, 0.25, total_iters=0), 1.0),
        (lambda o: ours.LinearLR(o, 0.25, total_iters=0), 1.0),
        (lambda o: ours.LinearLR(o, 0.25, 0.5, total_iters=0), 0.5),
    ],
)
def test_pain_13_a_warmup_of_no_length_is_over_at_once(build, value):
    optimizer = sgd(1.0)
    assert [r[0] for r in run(build(optimizer), optimizer, 3)] == [value] * 3


def test_pain_13_a_constant_factor_of_zero_comes_back_from_zero():
    optimizer = sgd(1.0)
    assert [r[0] for r in run(ours.ConstantLR(optimizer, 0.0, 2), optimizer, 4)] == [0.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("build", "last"),
    [
        (lambda o: ours.ConstantLR(o, 0.5, 2.5), 1.0),
        (lambda o: ours.LinearLR(o, 0.5, 0.9, 2.5), 0.9),
        (lambda o: ours.PolynomialLR(o, 2.5, 2), 0.0),
    ],
)
def test_pain_13_a_fractional_length_ends_where_a_whole_one_does(build, last):
    optimizer = sgd(1.0)
    used = [r[0] for r in run(build(optimizer), optimizer, 5)]
    assert used[3:] == [last, last]
    assert used[2] != last


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda o: ours.StepLR(o, 0), "step_size must be at least 1, not 0"),
        (lambda o: ours.StepLR(o, 2.5), "step_size is a count of steps, a whole number, not 2.5"),
        (lambda o: ours.StepLR(o, 3, -1), "gamma must be at least 0, not -1"),
        (lambda o: ours.StepLR(o, 3, math.nan), "gamma must be a finite number, not nan"),
        (lambda o: ours.MultiStepLR(o, [3], -0.1), "gamma must be at least 0"),
        (lambda o: ours.MultiStepLR(o, [3.5]), "a milestone is a step, a whole number, not 3.5"),
        (lambda o: ours.ExponentialLR(o, -0.9), "gamma must be at least 0"),
        (lambda o: ours.ConstantLR(o, 1.5), "factor of ConstantLR must be at most 1"),
        (lambda o: ours.ConstantLR(o, 0.5, -1), "total_iters must be at least 0"),
        (lambda o: ours.LinearLR(o, 0.0), "start_factor must be above 0"),
        (lambda o: ours.LinearLR(o, 1.1), "start_factor must be at most 1"),
        (lambda o: ours.LinearLR(o, 0.5, -0.1), "end_factor must be at least 0"),
        (lambda o: ours.PolynomialLR(o, 0), "total_iters must be above 0"),
        (lambda o: ours.PolynomialLR(o, 5, -1), "power must be at least 0"),
        (lambda o: ours.CosineAnnealingLR(o, 0), "T_max must be above 0"),
        (lambda o: ours.CosineAnnealingLR(o, 5, -0.1), "eta_min must be at least 0"),
        (lambda o: ours.CosineAnnealingWarmRestarts(o, 0), "T_0 must be at least 1"),
        (lambda o: ours.CosineAnnealingWarmRestarts(o, 5, 1.5), "T_mult is a count"),
        (lambda o: ours.CosineAnnealingWarmRestarts(o, 5, 1, "0"), "Expected float or int eta_min"),
        (lambda o: ours.CyclicLR(o, 0.1, 0.2, 0), "step_size_up must be above 0"),
        (lambda o: ours.CyclicLR(o, 0.1, 0.2, mode="square"), "mode is one of"),
        (lambda o: ours.CyclicLR(o, 0.1, 0.2, scale_mode="epoch"), "scale_mode is 'cycle' or 'iterations'"),
        (lambda o: ours.CyclicLR(o, [0.1], 0.2), "base_lr must have the same length as optimizer.param_groups"),
        (lambda o: ours.OneCycleLR(o, 0.1), "You must define either total_steps OR"),
        (lambda o: ours.OneCycleLR(o, 0.1, 0), "total_steps must be at least 1"),
        (lambda o: ours.OneCycleLR(o, 0.1, 10, pct_start=1.1), "pct_start must be at most 1"),
        (lambda o: ours.OneCycleLR(o, 0.1, 10, anneal_strategy="x"), "anneal_strategy must be one of"),
        (lambda o: ours.OneCycleLR(o, 0.1, 10, div_factor=0), "div_factor must be above 0"),
        (lambda o: ours.ReduceLROnPlateau(o, factor=1.0), "Factor should be < 1.0"),
        (lambda o: ours.ReduceLROnPlateau(o, factor=-0.1), "factor must be at least 0"),
        (lambda o: ours.ReduceLROnPlateau(o, mode="best"), "mode 'best' is unknown"),
        (lambda o: ours.ReduceLROnPlateau(o, threshold_mode="x"), "threshold mode 'x' is unknown"),
        (lambda o: ours.ReduceLROnPlateau(o, min_lr=[0.1]), "expected 2 min_lrs"),
        (lambda o: ours.LambdaLR(o, [lambda k: 1.0]), "Expected 2 lr_lambdas"),
        (lambda o: ours.SequentialLR(o, [], []), "at least one scheduler"),
        (lambda o: ours.SequentialLR(o, [ours.StepLR(o, 1)], [3]), "one more than the number of milestone points"),
        (lambda o: ours.SequentialLR(o, [ours.ReduceLROnPlateau(o)], []), "does not support ReduceLROnPlateau"),
        (lambda o: ours.ChainedScheduler([]), "at least one scheduler"),
        (lambda o: ours.ChainedScheduler([ours.StepLR(sgd(), 1)], o), "belong to the same optimizer"),
    ],
)
def test_pain_13_bad_arguments_are_refused_when_built_and_nothing_is_changed(build, message):
    optimizer = optimizer_of()
    before = copy.deepcopy([{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups])
    with pytest.raises(ValueError, match=message) as caught:
        build(optimizer)
    assert isinstance(caught.value, GlidepathError)
    after = [{k: v for k, v in g.items() if k not in ("params", "initial_lr")} for g in optimizer.param_groups]
    assert after == before


# --- 15: a second scheduler, and the initial_lr that the first has left ---


@pytest.mark.parametrize("name", sorted(set(RESUMABLE) - {"CyclicLR", "OneCycleLR"}))
def test_pain_15_a_second_scheduler_starts_from_the_rate_that_was_set_for_it(name):
    optimizer = sgd(1.0, momentum=0.9)
    run(ours.ExponentialLR(optimizer, 0.5), optimizer, 5)
    optimizer.param_groups[0]["lr"] = 0.002
    second, alone = SCHEDULERS[name](optimizer), sgd(0.002, momentum=0.9)
    assert run(second, optimizer, 10) == run(SCHEDULERS[name](alone), alone, 10)


@pytest.mark.parametrize("build", [SCHEDULERS["LambdaLR"], SCHEDULERS["CosineAnnealingWarmRestarts"]])
def test_pain_15_a_second_scheduler_is_not_held_down_by_one_that_ended_at_zero(build):
    optimizer, alone = sgd(1.0), sgd(1.0)
    first, second = ours.PolynomialLR(optimizer, 3), build(optimizer)
    run(first, optimizer, 3)
    assert rates(optimizer) == [0.0]
    expected = run(build(alone), alone, 5)
    update(optimizer)
    second.step()
    assert run(second, optimizer, 4) == expected[1:]


def test_pain_15_lambda_starts_over_from_initial_lr_on_a_loaded_optimizer_as_in_pytorch():
    old, new = sgd(1.0), sgd(1.0)
    run(ours.ExponentialLR(old, 0.5), old, 10)
    new.load_state_dict(old.state_dict())
    ours.LambdaLR(new, lambda k: 1.0)
    assert rates(new) == [1.0]


def test_pain_15_two_phases_by_hand_with_a_cyclic_that_was_built_first_stay_between_its_bounds():
    optimizer = sgd(0.5, momentum=0.9)
    cosine = ours.CosineAnnealingLR(optimizer, 20)
    cyclic = ours.CyclicLR(optimizer, 0.1, 0.3, 2)
    run(cosine, optimizer, 20)
    update(optimizer)
    cyclic.step()
    assert [r[0] for r in run(cyclic, optimizer, 4)] == pytest.approx([0.2, 0.3, 0.2, 0.1])


# --- 16: saving ---


class Slotted:
    __slots__ = ("factor",)

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, k):
        return self.factor**k


@pytest.mark.parametrize(
    "function", [operator.neg, math.exp, Slotted(0.5), functools.partial(pow, 0.5), abs, np.sqrt, Slotted(0.5).__call__]
)
def test_pain_16_any_callable_can_be_saved(function):
    state = ours.LambdaLR(sgd(), function).state_dict()
    assert saved_and_loaded(state) == state


@pytest.mark.parametrize(
    ("saved", "built"),
    [
        (functools.partial(pow, 0.5), functools.partial(pow, 0.1)),
        (Slotted(0.5), Slotted(0.1)),
    ],
    ids=["partial", "slots"],
)
def test_pain_16_the_arguments_of_a_callable_come_back(saved, built):
    scheduler = ours.LambdaLR(sgd(1.0), built)
    scheduler.load_state_dict(saved_and_loaded(ours.LambdaLR(sgd(1.0), saved).state_dict()))
    assert scheduler.lr_at(3) == [0.125]


@by_name
def test_pain_16_loading_leaves_the_state_as_it_was_so_it_can_be_loaded_again(name):
    optimizer = optimizer_of()
    scheduler = SCHEDULERS[name](optimizer)
    run(scheduler, optimizer, 3)
    state = scheduler.state_dict()
    before = copy.deepcopy(state)
    for _ in range(2):
        again = SCHEDULERS[name](optimizer_of())
        again.load_state_dict(state)
        run(again, again.optimizer, 2)
        assert state == before


@by_name
def test_pain_16_a_state_is_a_copy_and_stays_what_it_was(name):
    optimizer = optimizer_of()
    scheduler = SCHEDULERS[name](optimizer)
    state = scheduler.state_dict()
    before = copy.deepcopy(state)
    run(scheduler, optimizer, 5)
    assert state == before


def test_pain_16_numpy_hyperparameters_and_rates_load_with_weights_only():
    optimizer = sgd(0.1)
    scheduler = ours.LambdaLR(optimizer, lambda k: np.float64(0.5) ** k)
    run(scheduler, optimizer, 3)
    states = {"o": optimizer.state_dict(), "s": scheduler.state_dict()}
    states["e"] = ours.ExponentialLR(sgd(), np.float64(0.5)).state_dict()
    assert saved_and_loaded(states)["s"] == states["s"]
    assert type(rates(optimizer)[0]) is float


@pytest.mark.parametrize("state", [{}, {"gamma": 0.5}, {"model": {}, "optimizer": {}}])
@by_name
def test_pain_16_what_is_not_a_state_is_refused_and_nothing_of_it_is_loaded(name, state):
    scheduler = SCHEDULERS[name](optimizer_of())
    before = scheduler.state_dict()
    with pytest.raises(GlidepathError, match="not a state of"):
        scheduler.load_state_dict(state)
    assert scheduler.state_dict() == before


def test_pain_16_a_state_for_more_groups_is_refused():
    state = ours.StepLR(optimizer_of(groups=3), 3).state_dict()
    with pytest.raises(GlidepathError, match="a state for 3 parameter groups; this optimizer has 2"):
        ours.StepLR(optimizer_of(), 3).load_state_dict(state)


# --- 17: restarts ---


@pytest.mark.parametrize(("first", "growth"), [(1, 3), (10, 3), (1, 2), (7, 5), (10, 1)])
def test_pain_17_no_restart_is_lost_to_the_rounding_of_a_logarithm(first, growth):
    optimizer = sgd(1.0)
    update(optimizer)
    scheduler = ours.CosineAnnealingWarmRestarts(optimizer, first, growth, eta_min=0.01)
    update(optimizer)
    start, length = 0, first
    for _ in range(20):
        scheduler.step(start)
        assert (scheduler.T_cur, scheduler.T_i, scheduler.get_last_lr()) == (0, length, [1.0])
        start, length = start + length, length * growth
        scheduler.step(start - 1)
        assert scheduler.T_cur == scheduler.T_i - 1


def test_pain_17_fractions_of_an_epoch_go_on_from_where_they_are():
    optimizer = sgd(1.0)
    scheduler = ours.CosineAnnealingWarmRestarts(optimizer, 10)
    update(optimizer)
    scheduler.step(2.5)
    scheduler.step()
    assert scheduler.get_last_lr()[0] == pytest.approx((1 + math.cos(math.pi * 0.35)) / 2)


# --- 18: tensor rates ---


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_pain_18_a_rate_of_low_precision_does_not_freeze_or_drift(dtype):
    optimizer = sgd(torch.tensor(1.0, dtype=dtype))
    rate = rates(optimizer)[0]
    scheduler = ours.ExponentialLR(optimizer, 0.999)
    for k in range(1, 2001):
        update(optimizer)
        scheduler.step()
        assert rate.item() == torch.tensor(0.999**k, dtype=torch.float64).to(dtype).item()
    assert rates(optimizer)[0] is rate


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_pain_18_a_warmup_in_low_precision_arrives(dtype):
    optimizer = sgd(torch.tensor(1.0, dtype=dtype))
    run_tensor = ours.LinearLR(optimizer, 1e-3, total_iters=1000)
    for _ in range(1000):
        update(optimizer)
        run_tensor.step()
    assert rates(optimizer)[0].item() == 1.0


def test_pain_18_a_change_by_hand_of_a_tensor_rate_is_noticed_too():
    optimizer = sgd(torch.tensor(1.0, dtype=torch.bfloat16))
    scheduler = ours.StepLR(optimizer, 2, 0.5)
    rates(optimizer)[0].mul_(0.5)
    seen = []
    for _ in range(4):
        update(optimizer)
        scheduler.step()
        seen.append(rates(optimizer)[0].item())
    assert seen == [0.5, 0.25, 0.25, 0.125]


# --- 19: compiled ---


@pytest.mark.parametrize("tensor", [True, False])
def test_pain_19_a_compiled_step_is_compiled_no_more_often_than_with_pytorchs(tensor):
    def graphs(module):
        torch._dynamo.reset()
        seen = []
        optimizer = sgd(torch.tensor(0.1) if tensor else 0.1)
        scheduler = module.LinearLR(optimizer, 0.1, total_iters=10)

        def backend(graph, _):
            seen.append(graph)
            return graph.forward

        @torch.compile(backend=backend)
        def both():
            optimizer.step()
            scheduler.step()

        for p in optimizer.param_groups[0]["params"]:
            p.grad = torch.ones_like(p)
        for _ in range(6):
            both()
        assert float(rates(optimizer)[0]) == pytest.approx(0.1 * (0.1 + 0.9 * 0.6))
        return len(seen)

    assert graphs(ours) <= graphs(stock)


# --- 20: verbose ---


@by_name
@pytest.mark.parametrize("verbose", [True, False])
def test_pain_20_verbose_is_accepted_everywhere_with_one_warning(name, verbose):
    cls = getattr(ours, name)
    optimizer = optimizer_of()
    arguments = {
        "LambdaLR": (optimizer, lambda k: 1.0),
        "MultiplicativeLR": (optimizer, lambda k: 1.0),
        "StepLR": (optimizer, 3),
        "MultiStepLR": (optimizer, [3]),
        "ExponentialLR": (optimizer, 0.9),
        "CosineAnnealingLR": (optimizer, 3),
        "CosineAnnealingWarmRestarts": (optimizer, 3),
        "CyclicLR": (optimizer, 0.1, 0.2),
        "OneCycleLR": (optimizer, 0.1, 10),
        "SequentialLR": (optimizer, [ours.StepLR(optimizer, 3)], []),
        "ChainedScheduler": ([ours.StepLR(optimizer, 3)],),
    }.get(name, (optimizer,))
    with pytest.warns(UserWarning, match=r"verbose is deprecated.*\[GP706\]") as seen:
        cls(*arguments, verbose=verbose)
    assert len(seen) == 1


def test_pain_20_a_plateau_that_is_verbose_prints_its_cuts(capsys):
    optimizer = sgd(1.0, 0.5)
    with pytest.warns(UserWarning, match=r"verbose is deprecated.*\[GP706\]"):
        scheduler = ours.ReduceLROnPlateau(optimizer, patience=0, verbose=True)
    scheduler.step(1.0)
    assert capsys.readouterr().out == ""
    scheduler.step(1.0)
    assert capsys.readouterr().out.splitlines() == [
        "epoch 2: learning rate of group 0 reduced to 1.0000e-01",
        "epoch 2: learning rate of group 1 reduced to 5.0000e-02",
    ]


def test_pain_20_a_subclass_that_passes_verbose_on_still_works():
    class Halving(ours.LRScheduler):
        def __init__(self, optimizer, last_epoch=-1, verbose=False):
            super().__init__(optimizer, last_epoch, verbose)

        def get_lr(self):
            return [base * 0.5**self.last_epoch for base in self.base_lrs]

    optimizer = sgd(1.0)
    with pytest.warns(UserWarning, match=r"verbose is deprecated.*\[GP706\]"):
        scheduler = Halving(optimizer)
    update(optimizer)
    scheduler.step()
    assert rates(optimizer) == [0.5]
