"""Optimizers of other libraries that ignore, warm up or reuse the rate: stand-ins of the same contract."""

import warnings

import pytest
import torch
from transformers.optimization import Adafactor

import glidepath as gp
from glidepath.torch import Scheduler

WARMUP = gp.warmup(10) >> gp.cosine(90)
PLAIN = gp.cosine(100)


def weight():
    parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    parameter.grad = torch.ones_like(parameter)
    return parameter


class Stand(torch.optim.Optimizer):
    """An optimizer whose groups hold `options` and whose update moves by `self.rate(group, k)`."""

    def __init__(self, params, lr=0.1, attributes=None, **options):
        vars(self).update(attributes or {})
        super().__init__(params, {"lr": lr, "k": 0, **options})

    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.data.sub_(self.rate(group, group["k"]) * parameter.grad)
            group["k"] += 1


class AdaFactor(Stand):
    def rate(self, group, k):
        return min(1e-2, (k + 1) ** -0.5) if group["relative_step"] else group["lr"]


class ApolloDQN(Stand):
    def rate(self, group, k):
        start, steps = group["init_lr"], self.warmup_steps
        return group["lr"] if k + 1 >= steps else (0.1 - start) * (k + 1) / steps + start


class Apollo(Stand):
    def rate(self, group, k):
        return group["lr"] if k >= group["warmup"] else group["init_lr"]


class Ranger21(Stand):
    def rate(self, group, k):
        return group["lr"]


class AdamWScheduleFree(Stand):
    def rate(self, group, k):
        return group["lr"] * min(1.0, (k + 1) / group["warmup_steps"])


class ForeachAdamW(AdamWScheduleFree):
    """The contract of heavyball."""


class FTRL(Stand):
    """The contract of pytorch_optimizer's: the parameter is the sum of the gradients, times the rate."""

    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                total = self.state[parameter]["z"] = self.state[parameter].get("z", 0.0) + parameter.grad
                parameter.data.copy_(-group["lr"] * total)


class Quantized(Stand):
    """The contract of bitsandbytes: `mng` holds what GlobalOptimManager.override_config was given."""

    class Manager:
        def __init__(self, pid2config=None, index2config=None):
            self.pid2config, self.index2config = pid2config or {}, index2config or {}


def moves(optimizer, updates):
    (parameter,) = optimizer.param_groups[0]["params"]
    distances = []
    for _ in range(updates):
        before = parameter.item()
        optimizer.step()
        distances.append(before - parameter.item())
    return distances


def override(kind):
    parameter = weight()
    places = {"pid2config": {id(parameter): {"lr": 1e-5}}, "index2config": {(0, 0): {"lr": 1e-5}}}
    return Quantized([parameter], attributes={"mng": Quantized.Manager(**{kind: places[kind]})})


LOUD = {
    "relative_step": (lambda: AdaFactor([weight()], relative_step=True), PLAIN, "GP737", "relative_step=False"),
    "Apollo's warmup": (
        lambda: ApolloDQN([weight()], init_lr=1e-5, attributes={"warmup_steps": 500}),
        PLAIN,
        "GP737",
        "until update 500 .* warmup_steps=1",
    ),
    "torch_optimizer's Apollo": (lambda: Apollo([weight()], init_lr=0.01, warmup=100), PLAIN, "GP737", "warmup=0"),
    "Ranger21": (
        lambda: Ranger21(
            [weight()],
            attributes={"disable_lr_scheduler": False, "num_warm_up_iterations": 220, "start_warm_down": 720},
        ),
        PLAIN,
        "GP737",
        "from update 720 on: build it with disable_lr_scheduler=True",
    ),
    "the first Ranger21": (
        lambda: Ranger21([weight()], attributes={"use_warmup": True, "warmdown_active": False}),
        PLAIN,
        "GP737",
        "use_warmup=False",
    ),
    "override by parameter": (lambda: override("pid2config"), PLAIN, "GP737", r"1 of 1 parameters \(lr=1e-05\)"),
    "override by place": (lambda: override("index2config"), PLAIN, "GP737", r"1 of 1 parameters \(lr=1e-05\)"),
    "schedule-free warmup": (
        lambda: AdamWScheduleFree([weight()], warmup_steps=10, weight_lr_power=2.0),
        WARMUP,
        "GP738",
        r"AdamWScheduleFree\(warmup_steps=10\) .*product",
    ),
    "heavyball's warmup": (
        lambda: ForeachAdamW([weight()], warmup_steps=10, caution=False),
        WARMUP,
        "GP738",
        "warmup_steps=0",
    ),
    "FTRL": (lambda: FTRL([weight()], lr_power=-0.5), PLAIN, "GP739", "keep lr constant"),
}

SILENT = {
    "absolute steps": (lambda: AdaFactor([weight()], relative_step=False), PLAIN),
    "transformers' Adafactor": (
        lambda: Adafactor([weight()], lr=1e-3, relative_step=False, scale_parameter=True, warmup_init=False),
        WARMUP,
    ),
    "Apollo without its warmup": (lambda: ApolloDQN([weight()], init_lr=0.1, attributes={"warmup_steps": 1}), PLAIN),
    "torch_optimizer's Apollo": (lambda: Apollo([weight()], init_lr=0.01, warmup=0), WARMUP),
    "Ranger21 as an optimizer": (lambda: Ranger21([weight()], attributes={"disable_lr_scheduler": True}), PLAIN),
    "an override of something else": (
        lambda: Quantized(
            [weight()], attributes={"mng": Quantized.Manager({0: {"lr": 1}}, {(0, 0): {"optim_bits": 8}})}
        ),
        PLAIN,
    ),
    "schedule-free without a warmup": (
        lambda: AdamWScheduleFree([weight()], warmup_steps=0, weight_lr_power=2.0),
        WARMUP,
    ),
    "schedule-free's warmup alone": (lambda: AdamWScheduleFree([weight()], warmup_steps=9, weight_lr_power=2.0), PLAIN),
    "a clip that warms up": (lambda: Stand([weight()], warmup_steps=100), WARMUP),  # pytorch_optimizer's AdaGC
    "Prodigy": (lambda: Stand([weight()], lr=1.0, d_coef=1.0, safeguard_warmup=True), WARMUP),
    "FTRL at a constant rate": (lambda: FTRL([weight()], lr_power=-0.5), gp.constant(500)),
    "FTRL's decay": (lambda: FTRL([weight()], lr_power=-0.5, weight_decay=0.1), None),
}


@pytest.mark.parametrize("case", LOUD)
def test_an_optimizer_with_a_rate_of_its_own_is_named_once_with_the_cure(case):
    build, plan, code, text = LOUD[case]
    with pytest.warns(gp.GlidepathWarning, match=rf"{text}.*\[{code}\]") as caught:
        Scheduler(build(), plan)
    assert len(caught) == 1


@pytest.mark.parametrize("case", SILENT)
def test_nothing_is_said_where_the_plan_is_followed(case):
    build, plan = SILENT[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Scheduler(build(), plan) if plan else Scheduler(build(), weight_decay=PLAIN)


def test_relative_steps_move_the_same_under_any_plan():
    scheduled, plain = (AdaFactor([weight()], relative_step=True) for _ in range(2))
    with pytest.warns(gp.GlidepathWarning, match="GP737"):
        Scheduler(scheduled, PLAIN)
    assert moves(scheduled, 20) == moves(plain, 20)


def test_two_warmups_are_squared_and_the_cure_puts_it_right():
    twice, once = (AdamWScheduleFree([weight()], warmup_steps=n, weight_lr_power=2.0) for n in (10, 1))
    with pytest.warns(gp.GlidepathWarning, match="GP738"):
        Scheduler(twice, WARMUP)
    Scheduler(once, WARMUP)
    assert moves(twice, 10) == pytest.approx([0.1 * ((k + 1) / 10) ** 2 for k in range(10)])
    assert moves(once, 10) == pytest.approx([0.1 * (k + 1) / 10 for k in range(10)])


def test_a_decay_to_zero_takes_back_what_ftrl_has_learned():
    optimizer = FTRL([weight()], lr_power=-0.5)
    with pytest.warns(gp.GlidepathWarning, match="GP739"):
        Scheduler(optimizer, gp.linear(20))
    (parameter,) = optimizer.param_groups[0]["params"]
    distances = []
    for _ in range(20):
        optimizer.step()
        distances.append(abs(parameter.item()))
    assert max(distances) > 2 * distances[-1]
