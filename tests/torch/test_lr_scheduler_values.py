"""The drop-in's values: PyTorch's own where it is right, the mathematics where it is not."""

import math

import mpmath
import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler as stock

from glidepath.torch import lr_scheduler as ours

from .loops import parameter, rates, sgd, update

CONFIGURATIONS = [
    ("LambdaLR", {"lr_lambda": lambda k: 0.99**k}),
    ("LambdaLR", {"lr_lambda": [lambda k: 1 / (1 + k), lambda k: 0.5 + k % 3]}),
    ("MultiplicativeLR", {"lr_lambda": lambda k: 0.999}),
    ("MultiplicativeLR", {"lr_lambda": lambda k: 1 + 0.1 * math.sin(k)}),
    ("StepLR", {"step_size": 30}),
    ("StepLR", {"step_size": 1, "gamma": 0.99}),
    ("StepLR", {"step_size": 100, "gamma": 1.01}),
    ("MultiStepLR", {"milestones": [20, 80]}),
    ("MultiStepLR", {"milestones": [80, 20, 20, 700], "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [0, 3, -5]}),
    ("MultiStepLR", {"milestones": []}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 100}),
    ("ConstantLR", {"factor": 1}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1e-3, "total_iters": 500}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 300}),
    ("LinearLR", {"start_factor": 0.7, "end_factor": 0.2, "total_iters": 7}),
    ("ExponentialLR", {"gamma": 0.99}),
    ("ExponentialLR", {"gamma": 1.002}),
    ("ExponentialLR", {"gamma": 1}),
    ("ExponentialLR", {"gamma": 0}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 400, "power": 0.9}),
    ("PolynomialLR", {"total_iters": 400, "power": 2}),
    ("PolynomialLR", {"total_iters": 10, "power": 0}),
    ("CosineAnnealingLR", {"T_max": 100}),  # every bounce costs PyTorch a few digits
    ("CosineAnnealingLR", {"T_max": 2000, "eta_min": 1e-4}),
    ("CosineAnnealingLR", {"T_max": 1, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 7.5, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 3000, "eta_min": 0.3}),
    ("CosineAnnealingWarmRestarts", {"T_0": 10}),
    ("CosineAnnealingWarmRestarts", {"T_0": 10, "T_mult": 2, "eta_min": 1e-3}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 3}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 20}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 20, "step_size_down": 7, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0, "max_lr": 1, "step_size_up": 5, "mode": "exp_range", "gamma": 0.99}),
    ("CyclicLR", {"base_lr": [0.1, 0.2], "max_lr": [0.3, 0.4], "step_size_up": 3, "base_momentum": [0.1, 0.2]}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1, "step_size_up": 5, "scale_fn": lambda c: 1 / c, "cycle_momentum": 0}),
    (
        "CyclicLR",
        {"base_lr": 0.1, "max_lr": 1, "step_size_up": 5, "scale_fn": lambda k: 0.9**k, "scale_mode": "iterations"},
    ),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 3000}),
    ("OneCycleLR", {"max_lr": [1.0, 2.0], "total_steps": 3000, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 3001, "three_phase": True, "pct_start": 0.4}),
    ("OneCycleLR", {"max_lr": 1.0, "epochs": 30, "steps_per_epoch": 100, "pct_start": 0.0, "div_factor": 3}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 3000, "cycle_momentum": False, "final_div_factor": 7}),
]
NAMES = [f"{name}-{i}" for i, (name, _) in enumerate(CONFIGURATIONS)]


def curves(optimizer, scheduler, steps):
    """Rates and momenta of all groups before each of some steps, as an array."""
    update(optimizer)
    seen = []
    for _ in range(steps):
        seen.append([float(value) for key in ("lr", "momentum") for value in rates(optimizer, key)])
        scheduler.step()
    return np.array(seen)


def close(got, want, rel, tiny):
    return all(math.isclose(float(g), float(w), rel_tol=rel, abs_tol=tiny) for g, w in zip(got, want, strict=True))


@pytest.mark.parametrize(("name", "arguments"), CONFIGURATIONS, ids=NAMES)
def test_every_value_of_3000_steps_is_pytorchs(name, arguments):
    theirs, mine = sgd(0.1, 0.5, momentum=0.9), sgd(0.1, 0.5, momentum=0.9)
    a, b = getattr(stock, name)(theirs, **arguments), getattr(ours, name)(mine, **arguments)
    np.testing.assert_allclose(curves(mine, b, 3000), curves(theirs, a, 3000), rtol=1e-12, atol=1e-15)
    assert rates(mine) == b.get_last_lr()
    assert b.last_epoch == a.last_epoch == 3000


@pytest.mark.parametrize(("name", "arguments"), CONFIGURATIONS, ids=NAMES)
@pytest.mark.parametrize(("dtype", "rel"), [(torch.float64, 1e-12), (torch.float32, 1e-4)])
def test_tensor_rates_are_pytorchs_and_filled_in_place(name, arguments, dtype, rel):
    def tensors():
        return sgd(*(torch.tensor(rate, dtype=dtype) for rate in (0.1, 0.5)), momentum=0.9)

    theirs, mine = tensors(), tensors()
    held = rates(mine)
    a, b = getattr(stock, name)(theirs, **arguments), getattr(ours, name)(mine, **arguments)
    tiny = 1e-7 if dtype == torch.float32 else 1e-15
    np.testing.assert_allclose(curves(mine, b, 200), curves(theirs, a, 200), rtol=rel, atol=tiny)
    assert all(now is before for now, before in zip(rates(mine), held, strict=True))


@pytest.mark.parametrize(("name", "arguments"), CONFIGURATIONS, ids=NAMES)
def test_lr_at_is_what_stepping_writes_and_moves_nothing(name, arguments):
    optimizer = sgd(0.1, 0.5, momentum=0.9)
    scheduler = getattr(ours, name)(optimizer, **arguments)
    before = rates(optimizer), rates(optimizer, "momentum"), scheduler.last_epoch
    ahead = [scheduler.lr_at(k) for k in range(120)]
    assert before == (rates(optimizer), rates(optimizer, "momentum"), scheduler.last_epoch)
    update(optimizer)
    for k in range(120):
        assert rates(optimizer) == ahead[k]
        scheduler.step()


JUMPING = [
    c
    for c in CONFIGURATIONS
    if c[0] not in ("LambdaLR", "MultiplicativeLR", "CyclicLR", "OneCycleLR")
    and min(c[1].get("milestones", [0]), default=0) >= 0  # PyTorch's closed form counts negative ones, its step() not
]


@pytest.mark.parametrize(("name", "arguments"), JUMPING)
def test_jumping_with_step_epoch_gives_pytorchs_closed_form(name, arguments):
    theirs, mine = sgd(0.1, 0.5), sgd(0.1, 0.5)
    a, b = getattr(stock, name)(theirs, **arguments), getattr(ours, name)(mine, **arguments)
    restarts = name == "CosineAnnealingWarmRestarts"
    for epoch in (5, 17, 2, 400, 0, 20):
        update(theirs), update(mine)
        if restarts:
            a.step(epoch), b.step(epoch)
        else:
            for scheduler, code in ((a, ""), (b, " [GP708]")):
                with pytest.warns(UserWarning, match="epoch parameter") as caught:
                    scheduler.step(epoch)
                assert [str(w.message) for w in caught] == [f"{ours.EPOCH_DEPRECATION_WARNING}{code}"]
        assert close(rates(mine), rates(theirs), 1e-12, 1e-15), epoch
        assert b.last_epoch == epoch


@pytest.mark.parametrize(("name", "arguments"), [c for c in CONFIGURATIONS if c[0] == "OneCycleLR"])
def test_adams_beta1_moves_as_pytorchs(name, arguments):
    theirs, mine = (torch.optim.AdamW([{"params": [parameter()]}, {"params": [parameter()]}], lr=0.1) for _ in range(2))
    a, b = stock.OneCycleLR(theirs, **arguments), ours.OneCycleLR(mine, **arguments)
    update(theirs), update(mine)
    for _ in range(1000):
        a.step(), b.step()
        assert close([g["betas"][0] for g in mine.param_groups], [g["betas"][0] for g in theirs.param_groups], 1e-12, 0)


def test_cosine_keeps_its_digits_in_the_last_steps_before_zero_where_pytorch_loses_them():
    optimizer = sgd(0.1)
    scheduler = ours.CosineAnnealingLR(optimizer, T_max=100_000)
    with mpmath.workdps(40):
        for k in (1, 50_000, 99_990, 99_999, 100_001, 199_999, 1_234_567):
            exact = mpmath.mpf(0.1) * (1 + mpmath.cos(mpmath.pi * k / 100_000)) / 2
            assert abs(scheduler.lr_at(k)[0] - exact) <= 2e-15 * exact
    assert scheduler.lr_at(100_000) == [0.0]


@pytest.mark.parametrize("kind", [np.float64, np.float32, torch.tensor])
def test_hyperparameters_lose_their_numpy_and_tensor_wrapping(kind):
    for scheduler in (
        ours.ExponentialLR(sgd(), kind(0.5)),
        ours.StepLR(sgd(), 3, kind(0.5)),
        ours.MultiStepLR(sgd(), np.array([3, 5]), kind(0.5)),
        ours.ConstantLR(sgd(), kind(0.5)),
        ours.CosineAnnealingLR(sgd(), 10, kind(0.5)),
    ):
        wrapped = [v for v in vars(scheduler).values() if isinstance(v, (np.generic, torch.Tensor))]
        assert wrapped == []


def test_each_formula_is_a_plan_of_glidepath_that_prints():
    shown = [
        ours.StepLR(sgd(), 30).schedule,
        ours.MultiStepLR(sgd(), [30, 80]).schedule,
        ours.ConstantLR(sgd(), 0.5).schedule,
        ours.LinearLR(sgd(), 0.5).schedule,
        ours.ExponentialLR(sgd(), 0.9).schedule,
        ours.PolynomialLR(sgd(), 10, 0.9).schedule,
        ours.CosineAnnealingLR(sgd(), 10).schedule,
    ]
    assert [plan.text for plan in shown] == [
        "step(every=30)",
        "multistep([30, 80])",
        "0.5 * constant(5) >> constant()",
        "linear(5, to=1.0, start=0.5)",
        "exponential(every=1, factor=0.9)",
        "polynomial(10, power=0.9)",
        "repeat(cosine(10) >> cosine(10, to=1.0, start=0.0))",
    ]
