"""What Rprop, ASGD and Adafactor really do with a rate, and that the warnings and their cures say so."""

import warnings

import pytest
import torch

import glidepath as gp
from glidepath.torch import Scheduler

PLAN = gp.linear(12)


def moves(optimizer, updates):
    """How far the one parameter, whose gradient is always 1, moves in each update."""
    (parameter,) = optimizer.param_groups[0]["params"]
    distances = []
    for _ in range(updates):
        before = parameter.item()
        parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        distances.append(before - parameter.item())
    return distances


def build(kind, **options):
    return kind([torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))], **options)


def test_rprop_moves_the_same_under_any_schedule():
    scheduled, constant = build(torch.optim.Rprop, lr=0.1), build(torch.optim.Rprop, lr=0.1)
    with pytest.warns(gp.GlidepathWarning, match="GP714"):
        Scheduler(scheduled, PLAN)
    assert moves(scheduled, 8) == moves(constant, 8)


def test_asgd_is_one_update_late_and_the_cure_puts_it_right():
    plain, shifted = (build(torch.optim.ASGD, lr=0.1, lambd=0, alpha=0) for _ in range(2))
    with pytest.warns(gp.GlidepathWarning, match="GP715"):
        Scheduler(plain, PLAN)
        Scheduler(shifted, PLAN[1:])
    planned = [0.1 * PLAN(k) for k in range(8)]
    assert moves(plain, 8) == pytest.approx([planned[0], *planned[:-1]], rel=1e-6)
    assert moves(shifted, 8)[1:] == pytest.approx(planned[1:], rel=1e-6)


def test_adafactor_is_capped_from_the_update_on_that_the_warning_names():
    optimizer = build(torch.optim.Adafactor, lr=0.1, weight_decay=0.0)
    with pytest.warns(gp.GlidepathWarning, match="at update 100: "):
        Scheduler(optimizer, gp.constant(400))
    (parameter,) = optimizer.param_groups[0]["params"]
    parameter.data.fill_(1.0)
    relative = []
    for k in range(400):
        before = parameter.item()
        parameter.grad = torch.full_like(parameter, (-1.0) ** k)
        optimizer.step()
        relative.append(abs(before - parameter.item()) / abs(before))
    assert relative[99] == pytest.approx(0.1)
    assert relative[100] == pytest.approx(101**-0.5)
    assert relative[399] == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("plan", "lr", "step"),
    [
        (gp.constant(), 0.01, 10_000),
        (gp.constant(10_001), 0.01, 10_000),
        (gp.Set(gp.constant(900)), 7.0, 1),
        (gp.warmup(50), 1, 13),
    ],
)
def test_the_update_that_the_warning_names_is_the_first_above_the_cap(plan, lr, step):
    values = plan.plan if isinstance(plan, gp.Set) else plan
    scale = 1 if isinstance(plan, gp.Set) else lr
    assert next(k for k in range(20_000) if scale * values(k) > (k + 1) ** -0.5 * (1 + 1e-9)) == step
    with pytest.warns(gp.GlidepathWarning, match=f"at update {step:,}: "):
        Scheduler(build(torch.optim.Adafactor, lr=lr), plan)


@pytest.mark.parametrize("order", [("low", "high"), ("high", "low")])
def test_the_cap_is_found_in_whichever_group_it_is(order):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "name": name} for name in order]
    optimizer = torch.optim.Adafactor(groups, lr=0.1)
    plans = {"low": 0.01 * gp.constant(400), "high": gp.constant(400)}
    with pytest.warns(gp.GlidepathWarning, match="at update 100: "):
        Scheduler(optimizer, {name: plans[name] for name in order})


def test_a_minimum_above_the_cap_counts():
    with pytest.warns(gp.GlidepathWarning, match="at update 400: "):
        Scheduler(build(torch.optim.Adafactor, lr=0.05), gp.exponential(every=10, factor=0.1), minimum=0.05)


@pytest.mark.parametrize(
    "build_scheduler",
    [
        lambda: Scheduler(build(torch.optim.Adafactor, lr=0.1), gp.constant(100)),
        lambda: Scheduler(build(torch.optim.Adafactor, lr=0.01), gp.cosine(10_000)),
        lambda: Scheduler(build(torch.optim.Adafactor, lr=0.3), gp.inverse_sqrt(warmup=10)),
        lambda: Scheduler(build(torch.optim.ASGD, lr=0.1, weight_decay=0.1), weight_decay=PLAN),
        lambda: Scheduler(build(torch.optim.Adagrad, lr=0.1), PLAN),
    ],
)
def test_nothing_is_said_where_the_rate_is_used_as_it_is_set(build_scheduler):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build_scheduler()
