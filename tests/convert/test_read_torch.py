"""Schedulers of torch are read without being stepped; the real ones are then stepped, and every value compared."""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler as stock
from torch.optim.swa_utils import SWALR

import glidepath as gp
import glidepath.convert
from glidepath.convert import read
from glidepath.errors import ConvertError
from glidepath.torch import Plateau, Scheduler, Set
from glidepath.torch import lr_scheduler as ours

from .read_stepping import STEPS, assert_read_back, assert_same, optimizer, served, stepped


def faded(k):
    return 0.999**k


def waved(k):
    return 1 + 0.01 * math.sin(k)


ALONE = [
    ("LambdaLR", {"lr_lambda": faded}, False),
    ("LambdaLR", {"lr_lambda": [faded, waved]}, False),
    ("MultiplicativeLR", {"lr_lambda": lambda k: 0.9995 + 0.0001 * (k % 3)}, False),
    ("StepLR", {"step_size": 300}, True),
    ("StepLR", {"step_size": 1, "gamma": 0.999}, True),
    ("MultiStepLR", {"milestones": [200, 8000]}, True),
    ("MultiStepLR", {"milestones": [80, 20, 20, 700, 0, -5], "gamma": 0.5}, True),
    ("MultiStepLR", {"milestones": []}, True),
    ("ConstantLR", {}, True),
    ("ConstantLR", {"factor": 0.25, "total_iters": 100}, True),
    ("ConstantLR", {"factor": 0.25, "total_iters": 0}, True),
    ("ConstantLR", {"factor": 0.25, "total_iters": 7.5}, True),
    ("ConstantLR", {"factor": 1.0}, True),
    ("LinearLR", {}, True),
    ("LinearLR", {"start_factor": 1e-3, "total_iters": 500}, True),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 3000}, True),
    ("LinearLR", {"total_iters": 7.5}, True),
    ("LinearLR", {"total_iters": 0}, True),
    ("ExponentialLR", {"gamma": 0.999}, True),
    ("ExponentialLR", {"gamma": 1.0}, True),
    ("ExponentialLR", {"gamma": 0.0}, True),
    ("ExponentialLR", {"gamma": -0.999}, True),
    ("PolynomialLR", {}, True),
    ("PolynomialLR", {"total_iters": 4000, "power": 0.9}, True),
    ("PolynomialLR", {"total_iters": 9.5, "power": 2.0}, True),
    ("PolynomialLR", {"total_iters": 10, "power": 0}, True),
    ("CosineAnnealingLR", {"T_max": 100}, True),
    ("CosineAnnealingLR", {"T_max": 9000, "eta_min": 0.01}, True),
    ("CosineAnnealingLR", {"T_max": 1, "eta_min": 0.2}, True),
    ("CosineAnnealingLR", {"T_max": 7.3, "eta_min": 0.01}, True),
    ("CosineAnnealingWarmRestarts", {"T_0": 10}, True),
    ("CosineAnnealingWarmRestarts", {"T_0": 10, "T_mult": 3, "eta_min": 1e-3}, True),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 16}, True),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 2000, "step_size_down": 7}, True),
    ("CyclicLR", {"base_lr": 0.0, "max_lr": [0.3, 0.4], "step_size_up": 500, "mode": "triangular2"}, True),
    ("CyclicLR", {"base_lr": 0.2, "max_lr": 1, "step_size_up": 512, "mode": "exp_range", "gamma": 0.9999}, True),
    ("CyclicLR", {"base_lr": 0.4, "max_lr": 0.1, "step_size_up": 512.5, "step_size_down": 100}, True),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1, "step_size_up": 256, "scale_fn": lambda c: 1 / c}, False),
    (
        "CyclicLR",
        {"base_lr": 0.1, "max_lr": 1, "step_size_up": 256, "scale_fn": faded, "scale_mode": "iterations"},
        False,
    ),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": STEPS}, True),
    ("OneCycleLR", {"max_lr": [1.0, 0.02], "total_steps": STEPS, "anneal_strategy": "linear"}, True),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": STEPS, "pct_start": 0.31237}, True),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": STEPS, "three_phase": True, "pct_start": 0.4}, True),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": STEPS + 1, "three_phase": True, "pct_start": 0.7}, True),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": STEPS, "pct_start": 0.0}, True),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": STEPS, "pct_start": 1.0, "cycle_momentum": False}, True),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": STEPS + 7, "pct_start": 0.77, "anneal_strategy": "linear"}, True),
]
IDS = [f"{name}-{i}" for i, (name, _, _) in enumerate(ALONE)]


@pytest.mark.parametrize(("name", "arguments", "has_text"), ALONE, ids=IDS)
def test_every_value_of_10000_steps_is_torchs(name, arguments, has_text):
    scheduler = getattr(stock, name)(optimizer(), **arguments)
    conversion = read(scheduler)
    assert conversion.source == f"torch {name}"
    every_rise_costs_torch_digits = name == "CosineAnnealingLR"
    assert_same(served(conversion), stepped(scheduler), 1e-11 if every_rise_costs_torch_digits else 1e-12)
    assert assert_read_back(*conversion.schedules) == has_text
    assert has_text or any("no text" in quirk for quirk in conversion.quirks)


def test_a_cosine_that_rises_again_is_torchs_own_closed_form():
    scheduler = stock.CosineAnnealingLR(optimizer(), T_max=700, eta_min=0.01)
    conversion, theirs = read(scheduler), []
    for k in range(STEPS):
        scheduler.last_epoch = k
        theirs.append(scheduler._get_closed_form_lr())
    assert_same(served(conversion), np.array(theirs))


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [c[:2] for c in ALONE if c[0] in ("CyclicLR", "OneCycleLR") and c[1].get("cycle_momentum", 1)],
)
def test_the_momentum_of_cycles_is_read_too(name, arguments, kind):
    scheduler = getattr(stock, name)(optimizer(kind=kind), **arguments)
    key = "momentum" if kind is torch.optim.SGD else "betas[0]"
    momenta = read(scheduler).others[key]
    theirs = stepped(scheduler, 3000, key)
    assert_same(np.stack([plan.block(0, 3000) for plan in momenta], axis=1), theirs)


def test_groups_that_differ_in_their_rates_alone_have_one_schedule():
    for name, arguments, _ in ALONE:
        if (
            not any(isinstance(v, list) for k, v in arguments.items() if k != "milestones")
            and "eta_min" not in arguments
        ):
            conversion = read(getattr(stock, name)(optimizer(0.1, 0.7, 1 / 3), **arguments))
            assert conversion.schedule == conversion.schedules[2], name


def test_an_absolute_floor_is_another_ratio_in_each_group():
    conversion = read(stock.CosineAnnealingLR(optimizer(0.1, 0.5), T_max=50, eta_min=0.01))
    assert conversion.bases == (0.1, 0.5)
    assert [plan(50) for plan in conversion.schedules] == [0.1, 0.02]
    with pytest.raises(ConvertError, match="a different schedule in each group"):
        _ = conversion.schedule


def test_simple_schedulers_are_read_as_one_would_write_them():
    def text(name, **arguments):
        return read(getattr(stock, name)(optimizer(0.1, 0.7), **arguments)).schedule.text

    assert text("StepLR", step_size=30) == "step(every=30)"
    assert text("LinearLR", start_factor=0.25, total_iters=5) == "linear(5, to=1.0, start=0.25)"
    assert text("ConstantLR", factor=0.5) == "0.5 * constant(5) >> constant()"
    assert text("MultiStepLR", milestones=[80, 30]) == "multistep([30, 80])"
    assert text("ExponentialLR", gamma=0.9) == "exponential(every=1, factor=0.9)"
    assert text("CosineAnnealingLR", T_max=9) == "repeat(cosine(9) >> cosine(9, to=1.0, start=0.0))"
    assert text("CosineAnnealingWarmRestarts", T_0=9, T_mult=2) == "repeat(cosine(9), growth=2.0)"
    assert text("PolynomialLR", total_iters=9) == "linear(9)"
    assert text("OneCycleLR", max_lr=1.0, total_steps=10) == "cosine(2, to=1.0, start=0.04) >> cosine(7, to=4e-06)"


def test_a_plan_of_ours_that_is_the_lambda_is_read_as_itself():
    plan = gp.warmup(10) >> gp.cosine(90)
    assert read(stock.LambdaLR(optimizer(), plan)).schedule == plan


@example(1, 0.9999999999999999, False, False)
@example(2, 0.9999999999999999, False, False)
@example(9, 0.9999999999999999, True, False)
@given(st.integers(1, 120), st.floats(0, 1).filter(lambda p: p == 0 or p > 1e-6), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_one_cycles_of_any_length_and_share(steps, share, cosine, three_phase):
    arguments = {"three_phase": three_phase, "anneal_strategy": "cos" if cosine else "linear"}
    try:
        scheduler = stock.OneCycleLR(optimizer(), 1.0, total_steps=steps, pct_start=share, **arguments)
    except ZeroDivisionError:
        return
    conversion = read(scheduler)
    assert_same(served(conversion, steps), stepped(scheduler, steps), 1e-9 if share < 1e-3 else 1e-12)


def test_past_the_end_of_one_cycle_the_last_rate_is_held_and_torch_raises():
    scheduler = stock.OneCycleLR(optimizer(), 1.0, total_steps=100)
    conversion = read(scheduler)
    stepped(scheduler, 101)
    assert scheduler.get_last_lr()[0] > 100 * conversion.rate(100)
    assert conversion.rate(10**6) == conversion.rate(99)
    assert "raises at update 101" in conversion.quirks[0]
    with pytest.raises(ValueError, match="Tried to step"):
        scheduler.step()


@pytest.mark.parametrize(("strategy", "steps"), [("cos", 10), ("linear", 700), ("cos", 0)])
def test_swalr_anneals_from_the_rate_that_it_finds(strategy, steps):
    opt = optimizer(0.1, 0.7)
    before = stock.ExponentialLR(opt, 0.9)
    stepped(before, 11)
    scheduler = SWALR(opt, swa_lr=0.05, anneal_epochs=steps, anneal_strategy=strategy)
    conversion = read(scheduler)
    assert conversion.bases == (0.1, 0.7)
    assert_same(served(conversion, 1000), stepped(scheduler, 1000))
    assert any("rate in the group" in quirk for quirk in conversion.quirks)


def test_a_scheduler_that_was_built_on_another_rate_goes_on_from_it():
    opt = optimizer(0.1, 0.7)
    stepped(stock.ExponentialLR(opt, 0.9), 10)
    scheduler = stock.StepLR(opt, 5)
    conversion = read(scheduler)
    assert_same(served(conversion, 100), stepped(scheduler, 100))
    assert any("continues from those" in quirk for quirk in conversion.quirks)


@pytest.mark.parametrize(("name", "arguments", "has_text"), ALONE, ids=IDS)
def test_reading_changes_nothing_and_reading_later_gives_the_same(name, arguments, has_text):
    scheduler = getattr(stock, name)(optimizer(), **arguments)
    first = read(scheduler)
    stepped(scheduler, 41)
    state, groups = dict(vars(scheduler)), [dict(group) for group in scheduler.optimizer.param_groups]
    later = read(scheduler)
    assert (later.position, first.position) == (40, 0)
    assert dict(vars(scheduler)) == state
    assert [dict(group) for group in scheduler.optimizer.param_groups] == groups
    np.testing.assert_allclose(served(later, 300), served(first, 300), rtol=1e-9, atol=1e-12)


def test_a_rate_that_somebody_else_has_changed_is_told():
    scheduler = stock.LambdaLR(optimizer(), faded)
    assert not any("what changed it" in quirk for quirk in read(scheduler).quirks)
    scheduler.optimizer.param_groups[1]["lr"] = 0.3
    assert any("0.3 now" in quirk for quirk in read(scheduler).quirks)


# --- schedulers made of schedulers ---


def sequential(*members, milestones):
    def build(opt):
        return stock.SequentialLR(opt, [member(opt) for member in members], milestones)

    return build


def chained(*members):
    return lambda opt: stock.ChainedScheduler([member(opt) for member in members])


def of(name, **arguments):
    return lambda opt: getattr(stock, name)(opt, **arguments)


LINEAR, COSINE, FADING = (
    of("LinearLR", total_iters=50),
    of("CosineAnnealingLR", T_max=900),
    of("ExponentialLR", gamma=0.999),
)
FLOORED = of("CosineAnnealingLR", T_max=900, eta_min=0.01)

COMPOSED = [
    (sequential(LINEAR, COSINE, milestones=[50]), True),
    (sequential(LINEAR, FLOORED, milestones=[20]), True),
    (sequential(FADING, of("StepLR", step_size=100), of("PolynomialLR", total_iters=500), milestones=[30, 400]), True),
    (sequential(of("ConstantLR", factor=0.1, total_iters=9), FADING, milestones=[5]), True),
    (sequential(LINEAR, of("ConstantLR", total_iters=0), milestones=[5]), True),
    (sequential(LINEAR, of("MultiStepLR", milestones=[-3, 0, 5, 5]), milestones=[7]), True),
    (sequential(FADING, of("MultiplicativeLR", lr_lambda=waved), milestones=[20]), False),
    (sequential(FADING, lambda opt: SWALR(opt, 0.02, anneal_epochs=100), milestones=[20]), True),
    (sequential(LINEAR, of("OneCycleLR", max_lr=1.0, total_steps=3000), milestones=[50]), True),
    (sequential(LINEAR, of("CyclicLR", base_lr=0.01, max_lr=0.3, step_size_up=64), COSINE, milestones=[50, 777]), True),
    (sequential(of("LambdaLR", lr_lambda=faded), of("CosineAnnealingWarmRestarts", T_0=7), milestones=[9]), False),
    (sequential(LINEAR, COSINE, FADING, milestones=[0, 40]), True),
    (sequential(LINEAR, COSINE, FADING, milestones=[40, 40]), True),
    (sequential(COSINE, milestones=[]), True),
    (sequential(FADING, of("ConstantLR"), milestones=[1]), True),
    (chained(of("ConstantLR", factor=0.1, total_iters=9), FADING), True),
    (chained(LINEAR, of("StepLR", step_size=300), of("MultiStepLR", milestones=[5, 80])), True),
    (chained(LINEAR, COSINE), True),
    (chained(COSINE, of("LinearLR", start_factor=1.0, end_factor=0.5, total_iters=400)), True),
    (chained(COSINE, FADING), False),
    (chained(FLOORED, FADING), False),
    (chained(of("LambdaLR", lr_lambda=faded), FADING), False),
    (chained(FADING, of("CosineAnnealingWarmRestarts", T_0=100, eta_min=0.01)), True),
    (chained(FADING), True),
    (chained(FLOORED), True),
    (chained(sequential(LINEAR, FADING, milestones=[50]), of("StepLR", step_size=100)), False),
    (sequential(sequential(LINEAR, FADING, milestones=[50]), COSINE, milestones=[300]), False),
    (sequential(chained(LINEAR, FADING), FLOORED, milestones=[300]), False),
    (chained(of("OneCycleLR", max_lr=1.0, total_steps=3000), FADING), False),
]


@pytest.mark.filterwarnings("ignore:Detected call of:UserWarning")  # nested, torch steps a member when it is built
@pytest.mark.filterwarnings("ignore:The epoch parameter:UserWarning")  # torch's own SequentialLR
@pytest.mark.parametrize(("build", "has_text"), COMPOSED, ids=range(len(COMPOSED)))
def test_every_value_of_composed_schedulers_is_torchs(build, has_text):
    scheduler = build(optimizer())
    conversion = read(scheduler)
    steps = 2900
    assert_same(served(conversion, steps), stepped(scheduler, steps), 3e-12)
    assert assert_read_back(*conversion.schedules) == has_text
    assert has_text or any("no text" in quirk for quirk in conversion.quirks)


@pytest.mark.parametrize("build", [COMPOSED[8][0], COMPOSED[9][0], COMPOSED[28][0]])
def test_the_momentum_within_composed_schedulers(build):
    scheduler = build(optimizer())
    momenta = read(scheduler).others["momentum"]
    theirs = stepped(scheduler, 2900, "momentum")
    assert_same(np.stack([plan.block(0, 2900) for plan in momenta], axis=1), theirs)


def test_a_sequence_is_read_as_one_would_write_it():
    scheduler = sequential(
        of("LinearLR", start_factor=0.1, total_iters=5), of("ExponentialLR", gamma=0.5), milestones=[5]
    )
    assert (
        read(scheduler(optimizer())).schedule.text == "linear(5, to=1.0, start=0.1) >> exponential(every=1, factor=0.5)"
    )


@pytest.mark.parametrize(
    "build",
    [
        sequential(LINEAR, sequential(LINEAR, FADING, milestones=[5]), milestones=[9]),
        sequential(LINEAR, chained(LINEAR, FADING), milestones=[9]),
    ],
)
def test_nesting_that_torch_itself_cannot_step_is_refused(build):
    scheduler = build(optimizer())
    with pytest.raises(ConvertError, match="NotImplementedError at 9"):
        read(scheduler)
    with pytest.raises(NotImplementedError):
        stepped(scheduler, 20)


def test_groups_of_replayed_schedulers_share_a_schedule_if_nothing_is_absolute():
    assert read(chained(COSINE, FADING)(optimizer())).schedule(10) < 1
    assert len(set(read(chained(FLOORED, FADING)(optimizer())).schedules)) == 2


# --- what is refused ---


def test_plateaus_are_refused_with_the_call_that_does_the_same():
    scheduler = stock.ReduceLROnPlateau(optimizer(), mode="max", factor=0.5, patience=3, min_lr=1e-4)
    with pytest.raises(ConvertError) as caught:
        read(scheduler)
    call = str(caught.value).partition("write glidepath.torch.")[2].partition(" and call")[0]
    plateau = eval(call, {"Plateau": Plateau, "optimizer": scheduler.optimizer})
    assert (plateau.mode, plateau.factor, plateau.patience, plateau.minimum) == ("max", 0.5, 3, 1e-4)
    with pytest.raises(ConvertError, match="follows a metric"):
        read(plateau)


class Halving(stock.LRScheduler):
    def get_lr(self):
        return [group["lr"] / 2 for group in self.optimizer.param_groups]


class Renamed(stock.StepLR):
    """Computes what its parent does."""


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (Halving, "a scheduler of your own"),
        (of("PolynomialLR", power=-1.0), "divides by zero at update 5"),
        (of("StepLR", step_size=-3), "every must be at least 1"),
        (of("StepLR", step_size=2, gamma=-1.0), "factor must be at least 0"),
        (of("CosineAnnealingLR", T_max=-3), "length of cosine"),
        (lambda opt: stock.SequentialLR(opt, [LINEAR(opt)] * 3, [9, 5]), "do not ascend"),
        (sequential(FADING, of("LinearLR", total_iters=0), milestones=[5]), "divides by zero when SequentialLR"),
        (chained(Halving, FADING, COSINE), "a scheduler of your own"),
    ],
)
def test_what_cannot_be_read_says_why(build, words):
    with pytest.raises(ConvertError, match=words):
        read(build(optimizer()))


def test_an_optimizer_is_no_scheduler():
    with pytest.raises(ConvertError, match="SGD is not a scheduler that can be read; these are: StepLR"):
        read(optimizer())


def test_a_base_rate_of_zero_is_refused_where_the_rate_is_no_multiple_of_it():
    with pytest.raises(ConvertError, match="base rate of 0"):
        read(stock.CosineAnnealingLR(optimizer(0.0, 0.1), T_max=5, eta_min=0.01))
    assert read(stock.StepLR(optimizer(0.0, 0.1), 5)).bases == (0.0, 0.1)


def test_a_subclass_that_changes_nothing_is_its_parent():
    assert read(Renamed(optimizer(), 30)).schedule == gp.step(every=30)


def test_a_factor_of_zero_comes_back_where_torch_divides_by_zero():
    scheduler = stock.ConstantLR(optimizer(), factor=0.0, total_iters=3)
    conversion = read(scheduler)
    assert [conversion.rate(k) for k in range(4)] == [0.0, 0.0, 0.0, 0.1]
    assert "divides by zero at update 3" in conversion.quirks[0]
    with pytest.raises(ZeroDivisionError):
        stepped(scheduler, 5)


# --- the drop-in classes and the driver ---


@pytest.mark.parametrize(("name", "arguments", "has_text"), ALONE, ids=IDS)
def test_every_value_of_the_drop_in_classes(name, arguments, has_text):
    scheduler = getattr(ours, name)(optimizer(), **{k: abs(v) if k == "gamma" else v for k, v in arguments.items()})
    conversion = read(scheduler)
    assert conversion.source == f"glidepath.torch {name}"
    assert_same(served(conversion, 3000), stepped(scheduler, 3000))
    assert_read_back(*conversion.schedules)


OWN = [
    lambda opt: ours.SequentialLR(opt, [ours.LinearLR(opt), ours.CosineAnnealingLR(opt, 90, 0.01)], [5]),
    lambda opt: ours.SequentialLR(opt, [ours.ExponentialLR(opt, 0.9), ours.MultiplicativeLR(opt, waved)], [9]),
    lambda opt: ours.ChainedScheduler([ours.CosineAnnealingLR(opt, 90, 0.01), ours.ExponentialLR(opt, 0.99)]),
    lambda opt: ours.ChainedScheduler([ours.LambdaLR(opt, faded), ours.LinearLR(opt)]),
    lambda opt: ours.SequentialLR(
        opt,
        [ours.LinearLR(opt), ours.ChainedScheduler([ours.StepLR(opt, 9), ours.LinearLR(opt)]), ours.StepLR(opt, 7)],
        [5, 60],
    ),
]


@pytest.mark.parametrize("build", OWN, ids=range(len(OWN)))
def test_every_value_of_composed_drop_in_classes(build):
    scheduler = build(optimizer())
    conversion = read(scheduler)
    assert_same(served(conversion, 900), stepped(scheduler, 900))


def test_the_driver_is_read_with_its_bases_its_floor_and_all_that_it_drives():
    opt = optimizer(0.1, 0.7)
    plan, falling = gp.warmup(5) >> gp.cosine(50), gp.linear(40, to=0.8, start=0.95)
    scheduler = Scheduler(opt, plan, minimum=0.01, momentum=Set(falling))
    conversion = read(scheduler)
    assert conversion.bases == (0.1, 0.7)
    assert conversion.others == {"momentum": (falling, falling)}
    seen = []
    for _ in range(100):
        seen.append([group["lr"] for group in opt.param_groups])
        opt.step()
        scheduler.step()
    assert_same(served(conversion, 100), np.array(seen))
    assert read(scheduler).position == 100


def test_a_factor_by_hand_and_a_group_that_no_plan_drives_are_read_from_the_driver():
    opt = optimizer(0.1, 0.7)
    opt.param_groups[0]["name"] = "head"
    scheduler = Scheduler(opt, {"head": gp.cosine(50)})
    opt.param_groups[0]["lr"] = 0.05
    opt.step()
    conversion = read(scheduler)
    assert conversion.rate(25, 0) == pytest.approx(0.025)
    assert conversion.schedules[1] == gp.constant()
    assert conversion.bases[1] == 0.7


@pytest.mark.parametrize("chain", [False, True])
def test_a_group_that_came_after_the_scheduler_is_refused_with_both_numbers(chain):
    opt = optimizer(0.1, 0.7)
    scheduler = stock.StepLR(opt, 3)
    scheduler = stock.ChainedScheduler([scheduler], opt) if chain else scheduler
    opt.add_param_group({"params": [torch.zeros(1)]})
    with pytest.raises(ConvertError, match="built for 2 parameter groups and its optimizer has 3 now"):
        read(scheduler)


def test_warm_restarts_with_a_clock_of_their_own_are_refused():
    opt = optimizer(0.1)
    opt.param_groups[0]["initial_lr"] = 0.1
    with pytest.raises(ConvertError, match="T_cur=3 of T_i=10, and update 13 is at 8 of 10"):
        read(stock.CosineAnnealingWarmRestarts(opt, 5, 2, last_epoch=12))


@pytest.mark.filterwarnings("ignore:The epoch parameter:UserWarning", "ignore:Detected call of:UserWarning")  # torch's
def test_warm_restarts_that_were_stepped_by_parts_of_an_epoch_are_refused():
    scheduler = stock.CosineAnnealingWarmRestarts(optimizer(0.1), 5, 2)
    scheduler.step(20.5)
    with pytest.raises(ConvertError, match="without an epoch"):
        read(scheduler)


@pytest.mark.parametrize("growth", [1, 2])
def test_warm_restarts_are_read_at_any_update(growth):
    scheduler = stock.CosineAnnealingWarmRestarts(optimizer(0.1), 5, growth)
    for steps in range(1, 40):
        scheduler.optimizer.step()
        scheduler.step()
        assert read(scheduler).position == steps


@pytest.mark.parametrize("milestone", [None, 7])
def test_a_fractional_step_size_falls_as_torch_has_it(milestone):
    opt = optimizer(0.1, 0.7)
    scheduler = stock.StepLR(opt, 2.5, gamma=0.9)
    if milestone:
        scheduler = stock.SequentialLR(opt, [stock.ConstantLR(opt, 0.5, 3), scheduler], [milestone])
    assert_same(served(read(scheduler), 60), stepped(scheduler, 60))


def test_a_conversion_gives_the_rate_of_every_update():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    conversion = glidepath.convert.read(torch.optim.lr_scheduler.StepLR(optimizer, 30))
    assert isinstance(conversion, glidepath.convert.Conversion)
    assert [conversion.rate(k) for k in (0, 29, 30)] == pytest.approx([0.1, 0.1, 0.01])
