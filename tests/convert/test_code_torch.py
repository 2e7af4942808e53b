"""Plans as schedulers of PyTorch, transformers and timm: built on a real optimizer, and stepped."""

import functools
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler
from transformers import get_scheduler

from glidepath import Schedule, parse
from glidepath.convert import code, read
from tests.catalogue import SCHEDULES
from tests.timm_alone import schedulers

from .executed import RUN, apart, executed, steps_of

PEAK = 0.3

# plan, and the classes that its code uses; with a peak where a floor is a rate
TORCH = {
    "warmup(500) >> cosine(9500)": ["LinearLR(", "CosineAnnealingLR(", "SequentialLR(", "lambda step: 0.0"],
    "warmup(500) >> cosine(8000, to=0.1)": ["CosineAnnealingLR(", "eta_min=0.03", "lambda step: 0.1"],
    "warmup(500) >> constant(7500) >> linear(2000)": ["LinearLR(", "ConstantLR(", "milestones=[500, 8000]"],
    "cosine(9000)": ["SequentialLR(", "CosineAnnealingLR("],
    "linear(3000, to=0.1)": ["return LinearLR("],
    "linear(300, to=1.0, start=0.1) >> polynomial(9000, power=0.9)": ["PolynomialLR(", "total_iters=9000"],
    "0.1 * constant(300) >> step(every=1000)": ["lambda step: 0.1", "StepLR("],
    "step(every=30, factor=0.9)": ["return StepLR("],
    "step(every=300)[:900] >> linear(500, to=0.01, start=0.1)": ["StepLR(", "milestones=[900]"],
    "multistep([300, 300, 8000], factor=0.5)": ["return MultiStepLR("],
    "warmup(10) >> exponential(every=1, factor=0.999)": ["ExponentialLR("],
    "repeat(cosine(700), growth=2)": ["return CosineAnnealingWarmRestarts(", "T_mult=2"],
    "warmup(10) >> repeat(cosine(700, to=0.5))": ["CosineAnnealingWarmRestarts(", "eta_min=0.15"],
    "repeat(cosine(700, to=0.1) >> cosine(700, to=1.0, start=0.1))": ["return CosineAnnealingLR(optimizer, T_max=700,"],
    "constant()": ["return ConstantLR("],
    "warmup(9, start=0.1, to=0.7) >> 0.7 * linear(2000)": ["LinearLR("],
    "warmup(0) >> linear(9000)": ["return LinearLR("],
}
# plan, and the name that its code gives to get_scheduler
TRANSFORMERS = {
    "constant()": '"constant"',
    "linear(500, to=1.0, start=0.0) >> constant()": '"constant_with_warmup"',
    "linear(500, to=1.0, start=0.0) >> linear(9000)": '"linear"',
    "linear(9000)": '"linear"',
    "linear(500, to=1.0, start=0.0) >> polynomial(9000, power=1.7)": '"polynomial"',
    "linear(500, to=1.0, start=0.0) >> inverse_power(timescale=70)": '"inverse_sqrt"',
    "linear(500, to=1.0, start=0.0) >> constant(4000) >> cosine(5000)": '"warmup_stable_decay"',
    "linear(500, to=1.0, start=0.1) >> constant(4000) >> one_minus_sqrt(5000, to=0.1)": '"1-sqrt"',
    "constant(4000) >> linear(5000, to=0.2)": '"decay_type": "linear"',
    "linear(500, to=1.0, start=0.0) >> repeat(cosine(9000) >> cosine(9000, to=1.0, start=0.0))": '"cosine"',
    "repeat(cosine(900, to=0.1) >> cosine(900, to=1.0, start=0.1))": '"cosine_with_min_lr"',
    "linear(50, to=1.0, start=0.0) >> repeat(cosine(450), times=20)": '"cosine_with_restarts"',
}
# plan, and the class that its code uses
TIMM = {
    "cosine(9000)": "CosineLRScheduler(optimizer, t_initial=9000,",
    "cosine(9000, to=0.1, k=1.5)": "k_decay=1.5",
    "linear(500, to=1.0, start=0.01) >> cosine(9000, to=0.1)": "warmup_prefix=True",
    "linear(500, to=1.0, start=0.0) >> polynomial(9000, power=0.9)": "PolyLRScheduler(",
    "linear(50, to=1.0, start=0.0) >> repeat(cosine(450, to=0.1), times=20)": "cycle_limit=20",
    "repeat(cosine(450), times=20, shrink=0.8)": "cycle_decay=0.8",
    "tanh(9000, to=0.1, lower=-6.0)": "TanhLRScheduler(",
    "linear(500, to=1.0, start=0.0) >> step(every=700, factor=0.5)": "StepLRScheduler(",
    "multistep([3, 700, 8000], factor=0.5)": "decay_t=[4, 701, 8001]",
}


@pytest.fixture(scope="module", autouse=True)
def timm_without_its_models() -> None:
    schedulers()


def built(source: str, lr: float = PEAK) -> tuple[torch.optim.Optimizer, Any]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=lr)
    return optimizer, executed(source)["make_scheduler"](optimizer)


def stepped(source: str, steps: int) -> list[float]:
    """The rate that every update uses."""
    optimizer, scheduler = built(source)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def counted(source: str, steps: int) -> list[float]:
    """The same by the count of updates, timm's way."""
    optimizer, scheduler = built(source)
    rates = []
    for k in range(steps):
        scheduler.step_update(k)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def check(plan: Schedule, rates: list[float]) -> None:
    assert apart(rates, plan, list(range(len(rates))), peak=PEAK) < 1e-12


@pytest.mark.parametrize("text", TORCH)
def test_a_plan_is_built_of_pytorchs_own_classes(text: str) -> None:
    source = code(parse(text), to="torch", peak=PEAK)
    assert all(name in source for name in TORCH[text])
    assert "def factor" not in source
    check(parse(text), stepped(source, RUN + 500))


@pytest.mark.parametrize("text", TRANSFORMERS)
def test_a_plan_is_one_of_the_names_of_transformers(text: str) -> None:
    source = code(parse(text), to="transformers")
    assert TRANSFORMERS[text] in source
    assert "get_scheduler(" in source
    check(parse(text), stepped(source, RUN + 500))


@pytest.mark.parametrize("text", TIMM)
def test_a_plan_is_one_of_the_schedulers_of_timm(text: str) -> None:
    source = code(parse(text), to="timm", peak=PEAK)
    assert TIMM[text] in source
    assert "class" not in source
    check(parse(text), counted(source, RUN + 500))


@pytest.mark.parametrize("text", SCHEDULES)
def test_any_plan_can_be_written_for_pytorch(text: str) -> None:
    plan = parse(text)
    source = code(plan, to="torch", peak=PEAK)
    if "def factor" not in source:
        check(plan, stepped(source, 3_000))
        return
    steps = steps_of(plan)
    assert "PyTorch has no classes for this plan" in source
    check(plan, stepped(source, 300))
    factor = executed(source)["factor"]
    assert apart([factor(k) for k in steps], plan, steps) < 1e-12


@pytest.mark.parametrize("text", SCHEDULES[::4])
def test_any_plan_can_be_written_for_transformers_and_timm(text: str) -> None:
    plan = parse(text)
    check(plan, stepped(code(plan, to="transformers"), 1_000))
    check(plan, counted(code(plan, to="timm"), 1_000))


@pytest.mark.parametrize("text", ["warmup(500) >> cosine(9500, to=0.1)", "repeat(cosine(100, to=0.1))"])
def test_a_floor_is_a_rate_in_pytorch_so_without_a_peak_a_function_is_written(text: str) -> None:
    source = code(parse(text), to="torch")
    assert "def factor" in source
    check(parse(text), stepped(source, 1_000))


def test_without_a_peak_the_code_works_for_groups_with_different_rates() -> None:
    plan = parse("warmup(50) >> cosine(150)")
    groups = [{"params": [torch.nn.Parameter(torch.zeros(()))], "lr": lr} for lr in (0.1, 0.01)]
    optimizer = torch.optim.SGD(groups)
    scheduler = executed(code(plan, to="torch"))["make_scheduler"](optimizer)
    for k in range(300):
        rates = [group["lr"] for group in optimizer.param_groups]
        assert rates == pytest.approx([0.1 * plan(k), 0.01 * plan(k)], abs=1e-14)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize(
    "text",
    [
        "linear(500, to=1.0, start=0.0) >> cosine(9000)",  # rises again past the end
        "warmup(500) >> linear(9000)",  # (k + 1) / n
        "linear(500, to=1.0, start=0.0) >> linear(9000, to=0.1)",
        "linear(500, to=1.0, start=0.0) >> constant(10) >> linear(9000, to=0.1)",  # one floor for both ends
        "linear(500, to=1.0, start=0.0) >> constant(10) >> cosine(9000, k=2.0)",
        "0.5 * constant(10) >> linear(9000)",
        "repeat(cosine(100), times=22)",  # a restart would be lost to rounding
        "repeat(cosine(100), times=3, growth=2)",
        "repeat(cosine(100, to=0.1), times=3)",
        "repeat(linear(100), times=3)",
        "repeat(cosine(100) >> cosine(100, to=0.9, start=0.0))",  # rises, but not as it fell
        "repeat(cosine(100) >> cosine(99, to=1.0, start=0.0))",
        "0.5 * linear(9000)",
    ],
)
def test_where_transformers_differs_a_function_is_written(text: str) -> None:
    source = code(parse(text), to="transformers")
    assert "No name of transformers has the same values" in source
    check(parse(text), stepped(source, 1_000))


@pytest.mark.parametrize(
    "text",
    [
        "warmup(500) >> cosine(9000)",
        "linear(500, to=1.0, start=0.1) >> cosine(9000)",  # a rate, and no peak is known
        "cosine(9000, to=0.1)",
        "cosine(9000, start=0.5)",
        "multistep([3, 9], factor=[0.5, 0.1])",
        "repeat(cosine(450, to=0.1), times=20, shrink=0.8)",
        "repeat(cosine(450))",
        "0.5 * cosine(9000)",
    ],
)
def test_where_timm_differs_a_class_of_its_kind_is_written(text: str) -> None:
    source = code(parse(text), to="timm")
    assert "class PlanScheduler(Scheduler)" in source
    check(parse(text), counted(source, 1_000))


def test_a_scheduler_of_timm_has_its_first_rate_before_it_is_stepped() -> None:
    optimizer, _ = built(code(parse("warmup(50) >> rex(50)"), to="timm"))
    assert optimizer.param_groups[0]["lr"] == PEAK / 50


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda optimizer: lr_scheduler.StepLR(optimizer, 30), "StepLR("),
        (lambda optimizer: lr_scheduler.MultiStepLR(optimizer, [30, 80]), "MultiStepLR("),
        (lambda optimizer: lr_scheduler.ExponentialLR(optimizer, 0.99), "ExponentialLR("),
        (lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 100, eta_min=0.01), "CosineAnnealingLR("),
        (lambda optimizer: lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 10, 2), "CosineAnnealingWarmRestarts("),
        (lambda optimizer: lr_scheduler.PolynomialLR(optimizer, 100, 0.9), "PolynomialLR("),
        (lambda optimizer: lr_scheduler.LinearLR(optimizer, 0.1, 1.0, 9), "LinearLR("),
        (lambda optimizer: get_scheduler("cosine", optimizer, 10, 100), '"cosine"'),
        (lambda optimizer: get_scheduler("linear", optimizer, 10, 100), '"linear"'),
    ],
)
def test_what_was_read_from_a_library_is_written_for_it_as_it_was(make: Any, name: str) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=PEAK)
    theirs = read(make(optimizer))
    source = code(theirs.schedule, to="torch" if name[0] != '"' else "transformers", peak=theirs.bases[0])
    assert name in source
    check(theirs.schedule, stepped(source, 500))


def test_the_rate_that_the_optimizer_needs_is_told() -> None:
    told = functools.partial(code, parse("warmup(5) >> cosine(9)"))
    assert "# The optimizer's own rate, 0.3, is the peak: build it with that lr." in told(to="torch", peak=0.3)
    assert "# The optimizer's own rate is the peak: build it with that lr." in told(to="torch")
