"""The drop-in as PyTorch's module: its names, how it attaches, warns, saves, and lives with PyTorch's own classes."""

import copy
import gc
import inspect
import math
import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler as stock

from glidepath.errors import GlidepathError, GlidepathWarning
from glidepath.torch import lr_scheduler as ours

from .loops import parameter, rates, sgd, update

CLASSES = [name for name in ours.__all__ if name != "LRScheduler"]


def advance(optimizer, *schedulers, steps=1):
    """The first group's rate after each of some updates."""
    seen = []
    for _ in range(steps):
        update(optimizer)
        for scheduler in schedulers:
            scheduler.step()
        seen.append(float(rates(optimizer)[0]))
    return seen


# --- names ---


def test_every_public_name_of_pytorchs_module_is_here():
    assert set(ours.__all__) == set(stock.__all__)
    assert ours._LRScheduler.__name__ == "_LRScheduler"
    assert ours.EPOCH_DEPRECATION_WARNING == stock.EPOCH_DEPRECATION_WARNING


@pytest.mark.parametrize("name", ours.__all__)
def test_arguments_and_defaults_are_pytorchs_with_verbose_after_them(name):
    def arguments(module):
        given = inspect.signature(getattr(module, name).__init__).parameters.values()
        return [(p.name, p.default, p.kind) for p in given]

    *mine, verbose = arguments(ours)
    assert mine == [p for p in arguments(stock) if p[0] != "verbose"]
    assert verbose[0] == "verbose"


@pytest.mark.parametrize("name", CLASSES)
def test_every_docstring_has_the_arguments_and_where_it_differs(name):
    text = inspect.getdoc(getattr(ours, name))
    assert "Args:" in text
    assert "Differs from PyTorch's:" in text
    assert all(f"\n    {p}: " in text for p in list(inspect.signature(getattr(ours, name)).parameters))


@pytest.mark.parametrize("name", CLASSES)
def test_frameworks_find_an_instance_of_pytorchs_own_class(name):
    cls = getattr(ours, name)
    assert issubclass(cls, stock.LRScheduler)
    assert issubclass(cls, stock.ReduceLROnPlateau) == (name == "ReduceLROnPlateau")


def test_in_the_place_of_pytorchs_module_even_swalr_is_built_on_it():
    code = """
import importlib, sys, torch
from glidepath.torch import lr_scheduler as ours
sys.modules["torch.optim.lr_scheduler"] = torch.optim.lr_scheduler = ours
swa = importlib.reload(torch.optim.swa_utils)
optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
swa_lr = swa.SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
assert isinstance(swa_lr, ours.LRScheduler)
seen = []
for _ in range(4):
    optimizer.step()
    swa_lr.step()
    seen.append(optimizer.param_groups[0]["lr"])
assert seen == [0.75, 0.5, 0.5, 0.5], seen
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


# --- attaching ---


def test_what_is_no_optimizer_is_refused():
    for build in (
        lambda o: ours.StepLR(o, 3),
        lambda o: ours.LambdaLR(o, lambda k: 1.0),
        lambda o: ours.CyclicLR(o, 0.1, 0.2),
        lambda o: ours.OneCycleLR(o, 0.1, 3),
        ours.ReduceLROnPlateau,
    ):
        with pytest.raises(TypeError, match="str is not an Optimizer") as caught:
            build("adam")
        assert isinstance(caught.value, GlidepathError)


def test_resuming_without_initial_lr_says_which_group_and_what_to_do():
    with pytest.raises(
        KeyError, match=r"'initial_lr' is not specified in param_groups\[0\].*load the optimizer's state"
    ):
        ours.StepLR(sgd(), 3, last_epoch=1)
    optimizer = sgd(momentum=0.9)
    ours.StepLR(optimizer, 3)
    with pytest.raises(KeyError, match="'max_lr' is not specified"):
        ours.OneCycleLR(optimizer, 0.1, 10, last_epoch=1)


def test_what_is_no_function_is_refused():
    for cls in (ours.LambdaLR, ours.MultiplicativeLR):
        with pytest.raises(TypeError, match="lr_lambda should be a function of the step, but got float"):
            cls(sgd(), 0.95)


def test_an_optimizer_without_momentum_needs_cycle_momentum_false():
    optimizer = torch.optim.Rprop([parameter()])
    for build in (
        lambda **k: ours.CyclicLR(optimizer, 0.1, 0.2, **k),
        lambda **k: ours.OneCycleLR(optimizer, 1, 9, **k),
    ):
        with pytest.raises(ValueError, match="give cycle_momentum=False"):
            build()
        build(cycle_momentum=False)


@pytest.mark.parametrize("drop", ["scheduler", "optimizer"])
def test_neither_keeps_the_other_alive_nor_needs_the_garbage_collector(drop):
    gc.disable()
    try:
        optimizer = sgd()
        scheduler = ours.ChainedScheduler([ours.LambdaLR(optimizer, lambda k: 1.0), ours.StepLR(optimizer, 3)])
        advance(optimizer, scheduler)
        gone = weakref.ref(scheduler), weakref.ref(optimizer)
        del scheduler
        assert gone[0]() is None
        assert gc.get_referrers(optimizer) == []
        del optimizer
        assert gone[1]() is None
    finally:
        gc.enable()


def test_base_rates_and_groups_never_share_a_tensor():
    lr = torch.tensor(0.5)
    optimizer = sgd(lr)
    scheduler = ours.ExponentialLR(optimizer, 0.5)
    lr.mul_(0.1)
    assert float(scheduler.base_lrs[0]) == float(optimizer.param_groups[0]["initial_lr"]) == 0.5
    assert float(scheduler.get_last_lr()[0]) == 0.5


def test_a_wrapper_without_hooks_of_its_own_can_be_scheduled():
    class Wrapper(torch.optim.Optimizer):
        def __init__(self, inner):
            self.inner = inner

        @property
        def param_groups(self):
            return self.inner.param_groups

    optimizer = sgd(1.0)
    scheduler = ours.ExponentialLR(Wrapper(optimizer), 0.5)
    scheduler.step()
    assert rates(optimizer) == [0.5]


# --- order of the two steps ---


def test_the_order_is_only_asked_for_at_the_first_step():
    optimizer = sgd()
    scheduler = ours.StepLR(optimizer, 3)
    with pytest.warns(UserWarning, match=r"called before `optimizer.step\(\)`.*how-to-adjust-learning-rate \[GP710\]"):
        scheduler.step()
    scheduler.step()


def test_a_step_that_is_overridden_afterwards_is_told():
    optimizer = sgd()
    scheduler = ours.StepLR(optimizer, 3)
    original = optimizer.step
    optimizer.step = lambda: original()
    update(optimizer)
    with pytest.warns(
        UserWarning, match=r"`optimizer.step\(\)` has been overridden.*how-to-adjust-learning-rate \[GP709\]"
    ):
        scheduler.step()


def test_get_lr_outside_of_step_points_to_get_last_lr_and_changes_nothing():
    optimizer = sgd(1.0)
    scheduler = ours.ExponentialLR(optimizer, 0.5)
    with pytest.warns(UserWarning, match=r"get_last_lr\(\) \[GP707\]"):
        assert scheduler.get_lr() == [1.0]
    assert advance(optimizer, scheduler, steps=3) == [0.5, 0.25, 0.125]


def test_a_framework_may_drive_with_get_lr_and_last_epoch_alone():
    optimizer = sgd(1.0)
    scheduler = ours.ExponentialLR(optimizer, 0.5)
    seen = []
    for _ in range(4):
        scheduler._get_lr_called_within_step = True
        optimizer.param_groups[0]["lr"] = scheduler.get_lr()[0]
        scheduler.last_epoch += 1
        seen.append(rates(optimizer)[0])
    assert seen == [1.0, 0.5, 0.25, 0.125]


# --- what others do to the rate ---


def test_a_change_by_hand_is_kept_exactly_where_the_schedule_stands_still():
    optimizer = sgd(1.0)
    scheduler = ours.StepLR(optimizer, 3, 0.5)
    optimizer.param_groups[0]["lr"] = 0.3
    assert advance(optimizer, scheduler, steps=3) == [0.3, 0.3, 0.15]


def test_a_rate_set_by_hand_after_a_schedule_ended_at_zero_stays():
    optimizer = sgd(1.0)
    scheduler = ours.PolynomialLR(optimizer, 2)
    advance(optimizer, scheduler, steps=3)
    optimizer.param_groups[0]["lr"] = 0.3
    assert advance(optimizer, scheduler, steps=2) == [0.3, 0.3]


def test_a_group_frozen_with_a_rate_of_zero_stays_frozen_until_it_gets_a_rate_again():
    optimizer = sgd(1.0)
    scheduler = ours.LambdaLR(optimizer, lambda k: 0.5**k)
    advance(optimizer, scheduler, steps=2)
    optimizer.param_groups[0]["lr"] = 0.0
    assert advance(optimizer, scheduler, steps=2) == [0.0, 0.0]
    optimizer.param_groups[0]["lr"] = 1.0
    assert advance(optimizer, scheduler, steps=1) == [0.5]


def test_jumping_with_step_epoch_forgets_what_others_did_as_in_pytorch():
    optimizer = sgd(1.0)
    scheduler = ours.StepLR(optimizer, 3, 0.5)
    optimizer.param_groups[0]["lr"] = 0.3
    update(optimizer)
    with pytest.warns(UserWarning, match=r"epoch parameter.*\[GP708\]"):
        scheduler.step(4)
    assert rates(optimizer) == [0.5]


def test_nobodys_interference_leaves_the_bits_of_the_formula():
    optimizer = sgd(0.1)
    scheduler = ours.ExponentialLR(optimizer, 0.9)
    assert advance(optimizer, scheduler, steps=500) == [0.1 * 0.9**k for k in range(1, 501)]


def test_a_change_at_a_sequences_first_member_reaches_the_second():
    optimizer = sgd(1.0)
    members = [ours.LinearLR(optimizer, 0.5, total_iters=4), ours.ExponentialLR(optimizer, 0.5)]
    scheduler = ours.SequentialLR(optimizer, members, [4])
    advance(optimizer, scheduler, steps=2)
    optimizer.param_groups[0]["lr"] *= 0.1
    assert advance(optimizer, scheduler, steps=4) == pytest.approx([0.0875, 0.1, 0.05, 0.025])


def test_a_sequence_within_a_chain_keeps_the_chains_factor_at_its_milestone():
    optimizer = sgd(1.0)
    inner = ours.SequentialLR(optimizer, [ours.ConstantLR(optimizer, 0.5, 9), ours.StepLR(optimizer, 2, 0.1)], [3])
    scheduler = ours.ChainedScheduler([inner, ours.ExponentialLR(optimizer, 0.9)])
    factors = [0.5, 0.5, 1, 1, 0.1, 0.1, 0.01]
    assert advance(optimizer, scheduler, steps=7) == pytest.approx([f * 0.9 ** (k + 1) for k, f in enumerate(factors)])


# --- where a new schedule starts ---


def loaded(rate=1.0, gamma=0.5, steps=10):
    """An optimizer whose rate and initial_lr come from another run."""
    old, new = sgd(rate), sgd(rate)
    advance(old, ours.ExponentialLR(old, gamma), steps=steps)
    new.load_state_dict(old.state_dict())
    return new


def test_on_a_loaded_optimizer_a_new_schedule_starts_where_pytorchs_would():
    for build in (
        lambda m, o: m.StepLR(o, 2),
        lambda m, o: m.ExponentialLR(o, 0.9),
        lambda m, o: m.LambdaLR(o, lambda k: 0.9**k),
        lambda m, o: m.CosineAnnealingLR(o, 20, eta_min=1e-4),
        lambda m, o: m.CosineAnnealingWarmRestarts(o, 5, eta_min=1e-4),
        lambda m, o: m.SequentialLR(o, [m.LinearLR(o, 0.1), m.CosineAnnealingLR(o, 20, 1e-4)], [5]),
    ):
        theirs, mine = loaded(), loaded()
        a, b = build(stock, theirs), build(ours, mine)
        assert rates(mine) == pytest.approx(rates(theirs))
        assert advance(mine, b, steps=15) == pytest.approx(advance(theirs, a, steps=15))


def test_a_load_is_not_taken_for_a_change_by_hand():
    other, mine = loaded(), sgd(1.0)
    advance(mine, ours.ExponentialLR(mine, 0.9), steps=3)
    mine.load_state_dict(other.state_dict())
    ours.LambdaLR(mine, lambda k: 1.0)
    assert rates(mine) == [1.0]


def test_a_change_by_hand_between_building_and_loading_is_kept():
    first, second = sgd(1.0), sgd(1.0)
    scheduler = ours.ExponentialLR(first, 0.5)
    advance(first, scheduler, steps=3)
    resumed = ours.ExponentialLR(second, 0.5)
    second.param_groups[0]["lr"] = 0.03
    resumed.load_state_dict(scheduler.state_dict())
    assert rates(second) == [0.03]
    assert advance(second, resumed) == [0.015]


def test_a_second_phase_goes_on_from_the_first_and_ends_at_its_own_floor():
    optimizer = sgd(1.0)
    advance(optimizer, ours.ExponentialLR(optimizer, 0.5), steps=3)
    second = ours.CosineAnnealingLR(optimizer, 4, eta_min=0.01)
    assert second.base_lrs == [1.0]
    assert rates(optimizer) == [0.125]
    assert advance(optimizer, second, steps=4)[-1] == pytest.approx(0.01)


def test_a_rate_that_is_set_by_hand_for_a_second_phase_is_its_base_rate():
    optimizer = sgd(1.0)
    advance(optimizer, ours.ExponentialLR(optimizer, 0.5), steps=3)
    optimizer.param_groups[0]["lr"] = 0.002
    members = [ours.LinearLR(optimizer, 0.5), ours.CosineAnnealingLR(optimizer, 4, eta_min=1e-4)]
    assert [m.base_lrs for m in members] == [[0.002], [0.002]]
    scheduler = ours.SequentialLR(optimizer, members, [5])
    assert rates(optimizer) == [0.001]
    assert advance(optimizer, scheduler, steps=9)[4::4] == pytest.approx([0.002, 1e-4])


def test_warmup_and_cosine_chained_end_at_the_floor():
    optimizer = sgd(1.0)
    chain = [ours.LinearLR(optimizer, 0.01, total_iters=5), ours.CosineAnnealingLR(optimizer, 20, eta_min=0.05)]
    assert advance(optimizer, *chain, steps=20)[-1] == pytest.approx(0.05)


# --- with PyTorch's own schedulers ---


def test_pytorchs_sequence_and_chain_take_these_as_members():
    mixed, pure = sgd(1.0), sgd(1.0)

    def build(o, m):
        members = [m.LinearLR(o, 0.5), m.ChainedScheduler([m.StepLR(o, 2), m.ExponentialLR(o, 0.9)])]
        return stock.SequentialLR(o, [members[0], m.CosineAnnealingLR(o, 9)], [4])

    assert advance(mixed, build(mixed, ours), steps=12) == pytest.approx(advance(pure, build(pure, stock), steps=12))


def test_these_take_pytorchs_as_members():
    optimizer = sgd(1.0)
    members = [stock.ConstantLR(optimizer, 0.5, 9), stock.ExponentialLR(optimizer, 0.5)]
    assert advance(optimizer, ours.SequentialLR(optimizer, members, [2]), steps=4) == [0.5, 1.0, 0.5, 0.25]


@pytest.mark.parametrize("first", ["ours", "stock"])
def test_both_kinds_share_an_optimizer_and_multiply(first):
    optimizer = sgd(1.0)
    kinds = (ours, stock) if first == "ours" else (stock, ours)
    pair = kinds[0].StepLR(optimizer, 2, 0.5), kinds[1].ExponentialLR(optimizer, 0.9)
    assert advance(optimizer, *pair, steps=5) == pytest.approx([0.9**k * 0.5 ** (k // 2) for k in range(1, 6)])


STATEFUL = {
    "LambdaLR": lambda m, o: m.LambdaLR(o, lambda k: 1 / (1 + k)),
    "MultiplicativeLR": lambda m, o: m.MultiplicativeLR(o, lambda k: 0.9),
    "StepLR": lambda m, o: m.StepLR(o, 3),
    "MultiStepLR": lambda m, o: m.MultiStepLR(o, [3, 9]),
    "ConstantLR": lambda m, o: m.ConstantLR(o),
    "LinearLR": lambda m, o: m.LinearLR(o, total_iters=9),
    "ExponentialLR": lambda m, o: m.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda m, o: m.PolynomialLR(o, 20),
    "CosineAnnealingLR": lambda m, o: m.CosineAnnealingLR(o, 20),
    "CosineAnnealingWarmRestarts": lambda m, o: m.CosineAnnealingWarmRestarts(o, 3, 2),
    "CyclicLR": lambda m, o: m.CyclicLR(o, 0.1, 0.2, 4, mode="exp_range", gamma=0.9),
    "OneCycleLR": lambda m, o: m.OneCycleLR(o, 0.3, 20),
    "ReduceLROnPlateau": lambda m, o: m.ReduceLROnPlateau(o, patience=1),
    "SequentialLR": lambda m, o: m.SequentialLR(o, [m.LinearLR(o), m.ExponentialLR(o, 0.9)], [5]),
    "ChainedScheduler": lambda m, o: m.ChainedScheduler([m.LinearLR(o), m.ExponentialLR(o, 0.9)]),
}


def go(optimizer, scheduler, steps):
    seen = []
    for _ in range(steps):
        update(optimizer)
        scheduler.step(*[1.0] * isinstance(scheduler, stock.ReduceLROnPlateau))
        seen.append([*rates(optimizer), *rates(optimizer, "momentum")])
    return seen


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize(("from_kind", "to_kind"), [(stock, ours), (ours, stock)], ids=["into ours", "into PyTorch's"])
def test_checkpoints_go_over_from_one_kind_to_the_other(name, from_kind, to_kind):
    first = sgd(0.1, momentum=0.9)
    scheduler = STATEFUL[name](from_kind, first)
    go(first, scheduler, 7)
    second = sgd(0.1, momentum=0.9)
    other = STATEFUL[name](to_kind, second)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    other.load_state_dict(copy.deepcopy(scheduler.state_dict()))
    for got, want in zip(go(second, other, 8), go(first, scheduler, 8), strict=True):
        assert got == pytest.approx(want, rel=1e-9)


# --- subclasses ---


def test_a_subclass_with_get_lr_alone_works_as_in_pytorch():
    class Halving(ours.LRScheduler):
        def get_lr(self):
            return [base * 0.5**self.last_epoch for base in self.base_lrs]

    optimizer = sgd(1.0, 0.1)
    scheduler = Halving(optimizer)
    assert advance(optimizer, scheduler, steps=3) == [0.5, 0.25, 0.125]
    twin = Halving(sgd(1.0, 0.1))
    twin.load_state_dict(scheduler.state_dict())
    assert rates(twin.optimizer) == [0.125, 0.0125]


def test_if_get_lr_raises_nothing_has_moved():
    class Failing(ours.LRScheduler):
        def get_lr(self):
            if self.last_epoch == 2:
                raise RuntimeError("no rate")
            return [base * 0.5**self.last_epoch for base in self.base_lrs]

    optimizer = sgd(1.0)
    scheduler = Failing(optimizer)
    advance(optimizer, scheduler)
    before = scheduler.state_dict()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no rate"):
            advance(optimizer, scheduler)
        assert scheduler.state_dict() == before


def test_a_get_lr_that_returns_too_few_rates_is_an_error():
    class Short(ours.LRScheduler):
        def get_lr(self):
            return [0.1]

    with pytest.raises(GlidepathError, match=r"get_lr\(\) returned 1 rates for 2 parameter groups"):
        Short(sgd(0.1, 0.2))


# --- the study note ---


def test_the_notes_own_lambda_runs_and_warns_of_its_first_value():
    optimizer = torch.optim.Adam([parameter()], lr=0.01)
    with pytest.warns() as seen:
        scheduler = ours.LambdaLR(optimizer, lr_lambda=lambda epoch: np.sin(epoch) / epoch)
    assert [str(w.message) for w in seen if w.category is GlidepathWarning] == [
        "LambdaLR gives group 0 the rate nan at step 0: no update can use it [GP711]"
    ]
    assert math.isnan(rates(optimizer)[0])
    assert advance(optimizer, scheduler, steps=99) == pytest.approx([0.01 * math.sin(k) / k for k in range(1, 100)])


def test_the_notes_change_by_hand_is_the_mechanism_that_needs_no_scheduler():
    optimizer = sgd(0.01)
    seen = []
    for epoch in range(10):
        if epoch % 5 == 0:
            for group in optimizer.param_groups:
                group["lr"] *= 0.9
        seen.append(optimizer.state_dict()["param_groups"][0]["lr"])
    assert seen == [0.01 * 0.9] * 5 + [0.01 * 0.9 * 0.9] * 5


def test_the_notes_loop_without_updates_draws_the_curve_with_one_warning():
    optimizer = sgd(0.01)
    scheduler = ours.MultiStepLR(optimizer, milestones=[20, 80], gamma=0.9)

    def stepped():
        scheduler.step()
        return optimizer.state_dict()["param_groups"][0]["lr"]

    with pytest.warns(UserWarning, match=r"how-to-adjust-learning-rate \[GP710\]") as warned:
        seen = [stepped() for _ in range(100)]
    assert len(warned) == 1
    assert seen == [0.01] * 19 + [0.01 * 0.9] * 60 + [0.01 * 0.9**2] * 21


def test_the_notes_plateau_takes_all_nine_parameters():
    optimizer = sgd(0.01)
    with pytest.warns(UserWarning, match=r"verbose is deprecated.*\[GP706\]"):
        scheduler = ours.ReduceLROnPlateau(
            optimizer,
            mode="min",
            factor=0.1,
            patience=10,
            verbose=False,
            threshold=0.0001,
            threshold_mode="rel",
            cooldown=0,
            min_lr=0,
            eps=1e-08,
        )
    seen = [(scheduler.step(1.0), rates(optimizer)[0])[1] for _ in range(12)]
    assert seen == [0.01] * 11 + [pytest.approx(0.001)]


# --- plateau, value by value ---


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("options", [{}, {"cooldown": 3, "patience": 1}, {"min_lr": [0.01, 0.02], "patience": 0}])
def test_a_plateau_of_positive_metrics_cuts_where_pytorchs_does(mode, threshold_mode, options):
    theirs, mine = sgd(0.5, 0.1), sgd(0.5, 0.1)
    arguments = {"mode": mode, "threshold_mode": threshold_mode, "threshold": 0.01, "factor": 0.5, **options}
    a, b = stock.ReduceLROnPlateau(theirs, **arguments), ours.ReduceLROnPlateau(mine, **arguments)
    metrics = 1.0 + 0.3 * np.cos(np.arange(200) / 7) * np.exp(-np.arange(200) / 50)
    for metric in metrics:
        a.step(metric), b.step(torch.tensor(metric))
        assert rates(mine) == rates(theirs)
        assert (b.best, b.num_bad_epochs, b.cooldown_counter) == (a.best, a.num_bad_epochs, a.cooldown_counter)


def test_a_plateau_takes_epochs_with_the_deprecation_warning():
    scheduler = ours.ReduceLROnPlateau(sgd())
    with pytest.warns(UserWarning, match=r"epoch parameter.*\[GP708\]"):
        scheduler.step(1.0, epoch=7)
    assert scheduler.last_epoch == 7
