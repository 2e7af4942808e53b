"""Multipliers of the rate in parameter groups, `lr_scale` and `lr_mult`; timm's schedulers are the oracle."""

import warnings

import pytest
import torch

import glidepath as gp
from glidepath.torch import Scheduler, Set
from glidepath.torch.multipliers import apply_multipliers, read_multipliers

from ..timm_alone import schedulers


def layer_scales(layers, decay):
    """MAE's and BEiT's layer decay: 1 for the head, decay ** layers for the patch embedding."""
    return [decay ** (layers - layer) for layer in range(layers + 1)]


def optimizer_with(scales, rate=1e-3, kind=torch.optim.AdamW, key="lr_scale"):
    groups = []
    for scale in scales:
        parameter = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
        groups.append({"params": [parameter], **({} if scale is None else {key: scale})})
    return kind(groups, lr=rate)


def rates_of(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def update(optimizer):
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.ones_like(parameter)
    optimizer.step()


VIT_LARGE = layer_scales(25, 0.75)  # 24 blocks and the embedding: 1,329 to 1


def test_row_17_the_rates_of_layer_decay_are_timms_at_every_update():
    theirs, ours = (optimizer_with(VIT_LARGE) for _ in range(2))
    reference = schedulers().CosineLRScheduler(
        theirs, t_initial=40, lr_min=0.0, warmup_t=10, warmup_lr_init=0.0, warmup_prefix=True, t_in_epochs=False
    )
    with pytest.warns(gp.GlidepathWarning, match=r"from 0.0007525 to 1, .*\[GP736\]") as caught:
        Scheduler(ours, gp.linear(10, start=0, to=1) >> gp.cosine(40))
    assert len(caught) == 1
    for k in range(50):
        reference.step_update(k)
        assert rates_of(theirs) == pytest.approx([1e-3 * 1.0 * s * rates_of(theirs)[-1] / 1e-3 for s in VIT_LARGE])
        update(ours)
        assert rates_of(ours) == pytest.approx(rates_of(theirs), rel=1e-12, abs=1e-18), k


def test_pytorchs_own_schedulers_ignore_the_multipliers():
    optimizer = optimizer_with([0.5, 1.0])
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 0.5, 1.0, 2)
    update(optimizer)
    scheduler.step()
    assert rates_of(optimizer) == [7.5e-4, 7.5e-4]


def test_after_timms_scheduler_the_rates_are_in_the_ratio_and_nothing_is_said():
    optimizer = optimizer_with(VIT_LARGE)
    schedulers().CosineLRScheduler(optimizer, t_initial=40, t_in_epochs=False)
    assert apply_multipliers(optimizer.param_groups, rates_of(optimizer)) == rates_of(optimizer)


@pytest.mark.parametrize(
    ("groups", "rates", "bases"),
    [
        ([{"lr_scale": 0.5}, {"lr_scale": 1.0}], [0.1, 0.1], [0.05, 0.1]),
        ([{"lr_mult": 1}, {"lr_mult": 10}], [0.1, 0.1], [0.1, 1.0]),
        ([{"lr_scale": 0.5}, {}], [0.1, 0.1], [0.05, 0.1]),
        ([{"lr_scale": 0.5}], [0.1], [0.05]),
        ([{"lr_scale": 0.0}, {"lr_scale": 1.0}], [0.1, 0.1], [0.0, 0.1]),
        ([{"lr_scale": 0.5, "lr_mult": 2.0}, {"lr_mult": 3.0}], [0.1, 0.1], [0.1, 0.3]),
    ],
)
def test_equal_rates_are_multiplied_and_it_is_said(groups, rates, bases):
    with pytest.warns(gp.GlidepathWarning, match=r"PyTorch's schedulers ignore it.*\[GP736\]") as caught:
        assert apply_multipliers(groups, rates) == pytest.approx(bases)
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("groups", "rates"),
    [
        ([{}, {}], [0.1, 0.2]),
        ([], []),
        ([{"lr_scale": 1.0}, {"lr_scale": 1.0}], [0.1, 0.2]),
        ([{"lr_scale": 0.5}, {"lr_scale": 1.0}], [0.05, 0.1]),
        ([{"lr_scale": 0.5}, {}], [0.3, 0.6]),
        ([{"lr_scale": 0.0}, {"lr_scale": 2.0}], [0.0, 0.2]),
        ([{"lr_scale": "fast"}, {"lr_scale": 1.0}], [0.1, 0.1]),
        ([{"lr_scale": float("nan")}], [0.1]),
        ([{"lr_scale": True}], [0.1]),
        ([{"lr_scale": None}, {"lr_scale": None}], [0.1, 0.1]),
    ],
)
def test_nothing_is_said_where_there_is_nothing_to_do(groups, rates):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert apply_multipliers(groups, rates) == rates


def test_rates_that_differ_in_another_ratio_stay_and_one_warning_says_that_the_multipliers_are_not_read():
    groups = [{"lr_scale": 0.5}, {"lr_scale": 1.0}]
    with pytest.warns(
        gp.GlidepathWarning, match=r"lr_scale of the groups is not read.*0\.1, 0\.3.*\[GP736\]"
    ) as caught:
        assert apply_multipliers(groups, [0.1, 0.3]) == [0.1, 0.3]
    assert len(caught) == 1


class ScalingSGD(torch.optim.SGD):
    """An optimizer that multiplies by `lr_scale` itself."""

    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.data.sub_(group["lr"] * group["lr_scale"] * parameter.grad)


def test_an_optimizer_that_reads_the_multipliers_itself_is_left_to_itself():
    groups = [{"lr_scale": 0.5}, {"lr_scale": 1.0}]
    assert read_multipliers(groups, ScalingSGD) is None
    assert read_multipliers(groups, torch.optim.AdamW) == [0.5, 1.0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert apply_multipliers(groups, [0.1, 0.1], ScalingSGD) == [0.1, 0.1]


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.LBFGS, torch.optim.Muon])
def test_no_optimizer_of_pytorch_reads_them(kind):
    assert read_multipliers([{"lr_scale": 0.5}], kind) == [0.5]


def test_multipliers_count_once_across_a_resume_and_a_second_scheduler():
    first = optimizer_with([0.25, 1.0], rate=0.1)
    with pytest.warns(gp.GlidepathWarning, match="GP736"):
        scheduler = Scheduler(first, gp.linear(10))
    for _ in range(4):
        update(first)
    resumed = optimizer_with([0.25, 1.0], rate=0.1)
    resumed.load_state_dict(first.state_dict())
    scheduler.detach()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Scheduler(resumed, gp.linear(10), position=4)
    update(resumed)
    assert rates_of(resumed) == pytest.approx([0.1 * 0.25 * 0.6, 0.1 * 0.6])


def test_a_key_that_is_removed_first_is_ignored():
    optimizer = optimizer_with([0.25, 1.0], rate=0.1)
    for group in optimizer.param_groups:
        group.pop("lr_scale", None)
    Scheduler(optimizer, gp.linear(10))
    update(optimizer)
    assert rates_of(optimizer) == [0.1, 0.1]


# --- applied once, wherever a scheduler is built ---


def quietly(function):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return function()


def scheduled(optimizer, plan, **options):
    with pytest.warns(gp.GlidepathWarning, match="GP736"):
        return Scheduler(optimizer, plan, **options)


@pytest.mark.parametrize("scales", [[0.5], [0.5, 0.5], [0.25, 1.0]])
def test_a_scheduler_that_is_built_again_applies_no_multiplier_again(scales):
    optimizer, plan = optimizer_with(scales, rate=0.1), gp.cosine(1000)
    scheduled(optimizer, plan).detach()
    for _ in range(3):  # a notebook cell that is run again
        quietly(lambda: Scheduler(optimizer, plan).detach())
    scheduler = quietly(lambda: Scheduler(optimizer, plan))
    for _ in range(500):
        update(optimizer)
    assert scheduler.base_lrs == [0.1 * scale for scale in scales]
    scheduler.detach()
    resumed = optimizer_with(scales, rate=0.1)
    resumed.load_state_dict(optimizer.state_dict())
    for other in (optimizer, resumed):
        again = quietly(lambda: Scheduler(other, plan, position=500))  # noqa: B023
        quietly(lambda: update(other))  # noqa: B023
        assert again.base_lrs == [0.1 * scale for scale in scales]
        assert rates_of(other) == [0.1 * scale * plan(500) for scale in scales]


def test_a_rate_that_is_set_anew_before_the_scheduler_is_built_again_is_multiplied():
    optimizer = optimizer_with([0.5, 0.5], rate=0.1)
    scheduled(optimizer, gp.constant()).detach()
    for group in optimizer.param_groups:
        group["lr"] = 0.1
    assert scheduled(optimizer, gp.constant()).base_lrs == [0.05, 0.05]


def test_a_multiplier_that_was_changed_takes_the_place_of_the_one_before():
    optimizer = optimizer_with([0.5, 0.5], rate=0.1)
    scheduled(optimizer, gp.constant()).detach()
    optimizer.param_groups[0]["lr_scale"] = 0.25
    assert scheduled(optimizer, gp.constant()).base_lrs == [0.025, 0.05]


def test_pytorchs_initial_lr_has_no_multiplier_in_it():
    optimizer = optimizer_with([0.5, 0.5], rate=0.1)
    torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: 1 / (k + 1))
    assert scheduled(optimizer, gp.constant(), position=5).base_lrs == [0.05, 0.05]


# --- late groups, base= and Set ---


def late_group(scale, **options):
    return {"params": [torch.nn.Parameter(torch.ones(2, dtype=torch.float64))], "lr_scale": scale, **options}


def test_the_multiplier_of_a_late_group_at_the_default_rate_is_read():
    optimizer = optimizer_with([1.0], rate=0.1)
    scheduler = Scheduler(optimizer, gp.linear(100))
    update(optimizer)
    optimizer.add_param_group(late_group(0.01))
    with pytest.warns(gp.GlidepathWarning, match=r"lr_scale 0\.01 and the rate 0\.1: its base is 0\.001.*GP736"):
        update(optimizer)
    assert rates_of(optimizer) == pytest.approx([0.099, 0.00099])
    assert scheduler.base_lrs == [0.1, 0.001]
    scheduler.detach()
    assert quietly(lambda: Scheduler(optimizer, gp.linear(100), position=2)).base_lrs == [0.1, 0.001]


@pytest.mark.parametrize(("rate", "says"), [(0.05, "not read, as it came with a rate of its own"), (0.001, None)])
def test_a_late_group_with_a_rate_of_its_own_keeps_it(rate, says):
    optimizer = optimizer_with([1.0, 0.5], rate=0.1)
    scheduled(optimizer, gp.constant())
    update(optimizer)
    optimizer.add_param_group(late_group(0.01, lr=rate))
    if says is None:
        quietly(lambda: update(optimizer))
    else:
        with pytest.warns(gp.GlidepathWarning, match=rf"{says}.*GP736"):
            update(optimizer)
    assert rates_of(optimizer) == [0.1, 0.05, rate]


def test_one_base_for_the_highest_group_is_multiplied_for_the_others():
    optimizer = optimizer_with([0.1, 1.0], rate=0.1)
    scheduled(optimizer, gp.cosine(100), base=0.2)
    assert rates_of(optimizer) == pytest.approx([0.02, 0.2])


@pytest.mark.parametrize(("bases", "is_said"), [([0.2, 0.2], True), ([0.02, 0.2], False)])
def test_bases_for_each_group_are_used_as_given(bases, is_said):
    optimizer = optimizer_with([0.1, 1.0], rate=0.1)

    def build():
        return Scheduler(optimizer, gp.cosine(100), base=bases)

    if is_said:
        with pytest.warns(gp.GlidepathWarning, match=r"not read: base=\[...\] gives the base of each.*GP736"):
            build()
    else:
        quietly(build)
    assert rates_of(optimizer) == bases


def test_a_plan_that_sets_the_rate_does_not_read_them_and_says_so():
    optimizer = optimizer_with([0.1, 1.0], rate=0.1)
    with pytest.warns(gp.GlidepathWarning, match=r"not read: Set\(plan\) gives the rate itself.*GP736"):
        Scheduler(optimizer, Set("0.1 * cosine(100)"))
    update(optimizer)
    assert rates_of(optimizer) == [0.1, 0.1]
