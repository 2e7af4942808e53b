"""The rows of a run are what a real optimizer receives under the driver, at every update, bit for bit."""

import math
import struct
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.errors import TaskError
from glidepath.study.sharing.values import WIDEST, RunValues
from glidepath.study.spec.runs import StudyRun
from glidepath.study.spec.schedule_spec import read_spec
from glidepath.torch import Plateau, Scheduler

STEPS = 30
WARM = "warmup(20%) >> cosine(80%)"


def parameter() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.ones(2))


def sgd(*rates: Any, **options: Any) -> torch.optim.Optimizer:
    groups = [{"params": [parameter()], "lr": rate, "name": f"g{i}"} for i, rate in enumerate(rates)]
    return torch.optim.SGD(groups, lr=0.1, **options)


def adamw(*rates: Any, **options: Any) -> torch.optim.Optimizer:
    groups = [{"params": [parameter()], "lr": rate, "name": f"g{i}"} for i, rate in enumerate(rates)]
    return torch.optim.AdamW(groups, lr=0.1, **options)


def run_of(entry: Any, steps: int = STEPS, peak: float | None = None) -> StudyRun:
    spec = read_spec(entry)
    return StudyRun(0, "it", str(spec), spec.over(steps), steps, peak, 0, spec.plateau)


def values_of(optimizer: torch.optim.Optimizer, run: StudyRun, consults: Any = ()) -> RunValues:
    """As the engine reads a task's optimizer: its groups, without their parameters."""
    groups = [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
    return RunValues(run, groups, "origin", consults)


def update(optimizer: torch.optim.Optimizer) -> None:
    for group in optimizer.param_groups:
        for weights in group["params"]:
            weights.grad = torch.zeros_like(weights)
    optimizer.step()


def received(optimizer: torch.optim.Optimizer, values: RunValues) -> list[float]:
    """What the groups hold, slot by slot."""
    return [float(slot.hyperparameter.get(optimizer.param_groups[slot.group])) for slot in values.slots]


FLOAT, HALF = torch.float32, torch.bfloat16
CASES = {
    "one rate": (lambda: sgd(0.1), WARM),
    "two groups": (lambda: sgd(0.1, 0.003), WARM),
    "AdamW": (lambda: adamw(3e-4, 1e-3), WARM),
    "a tensor": (lambda: adamw(torch.tensor(3e-4), foreach=False), WARM),
    "a tensor of 16 bits": (lambda: sgd(torch.tensor(0.1, dtype=HALF), 0.3), WARM),
    "momentum": (lambda: sgd(0.1, momentum=0.9), {"lr": WARM, "momentum": "Set(linear(100%, start=0.85, to=0.95))"}),
    "a beta": (lambda: adamw(0.1, 0.2), {"lr": "cosine(100%)", "betas[0]": "Set(linear(100%, start=0.85, to=0.95))"}),
    "decay": (lambda: adamw(0.1, weight_decay=0.3), {"weight_decay": "cosine(100%)"}),
    "by name": (lambda: sgd(0.1, 0.2), {"lr": {"g0": "cosine(100%)", "g1": "constant()"}}),
    "one of two": (lambda: sgd(0.1, torch.tensor(0.2, dtype=HALF)), {"lr": {"g0": "cosine(100%)"}}),
    "many": (lambda: sgd(*(0.1 * (i + 1) for i in range(WIDEST + 1)), momentum=0.5), {"lr": WARM, "momentum": WARM}),
}


def driven(entry: Any, optimizer: torch.optim.Optimizer) -> Scheduler:
    plans = read_spec(entry).over(STEPS) or {}
    return Scheduler(optimizer, **plans)


@pytest.mark.parametrize("name", CASES)
def test_a_row_is_what_the_optimizer_receives(name: str) -> None:
    make, entry = CASES[name]
    values, optimizer = values_of(make(), run_of(entry)), make()
    seen: list[list[float]] = []
    optimizer.register_step_pre_hook(lambda *_: seen.append(received(optimizer, values)))
    scheduler = driven(entry, optimizer)
    for _ in range(STEPS):
        update(optimizer)
        scheduler.step()
    assert values.matrix(0, STEPS).tolist() == seen
    assert values.complete


@pytest.mark.parametrize("name", CASES)
def test_rows_are_equal_exactly_where_all_their_values_are(name: str) -> None:
    make, entry = CASES[name]
    values = values_of(make(), run_of(entry))
    table = [struct.pack(f"{len(values.slots)}d", *row) for row in values.matrix(0, STEPS).tolist()]
    rows = [values.path.row(k) for k in range(STEPS)]
    assert [rows.index(row) for row in rows] == [table.index(row) for row in table]


def test_a_run_with_a_hyperparameter_more_shares_nothing() -> None:
    one = values_of(sgd(0.1, momentum=0.9), run_of("constant()"))
    other = values_of(sgd(0.1, momentum=0.9), run_of({"lr": "constant()", "momentum": "constant()"}))
    assert one.path.origin != other.path.origin


@pytest.mark.parametrize("rates", [(0.1, 0.025), (torch.tensor(0.1, dtype=HALF), 0.025)])
def test_a_peak_is_the_largest_rate_and_the_others_are_in_proportion(rates: Any) -> None:
    values = values_of(sgd(*rates), run_of("constant()", peak=0.8))
    expected = 0.8 if isinstance(rates[0], float) else torch.tensor(0.8, dtype=HALF).item()
    assert values.matrix(0, 1)[0, 0] == expected
    assert values.matrix(0, 1)[0, 1] == pytest.approx(0.2, rel=0.01)
    assert values.peak == 0.8


def test_a_group_that_no_plan_names_is_a_mistake() -> None:
    with pytest.raises(TaskError, match=r"no parameter group of the task is called 'g7'"):
        values_of(sgd(0.1), run_of({"lr": {"g7": "cosine(100%)"}}))


# --- plateaus ---

METRICS = st.lists(st.sampled_from([1.0, 0.9, 0.5, math.nan]), min_size=1, max_size=12)
PLATEAUS = {
    "plain": "plateau(factor=0.5, patience=0)",
    "warm": "plateau(factor=0.3, patience=1, warmup=7)",
    "cool": "plateau(factor=0.1, patience=0, cooldown=1, minimum=0.01)",
}
RATES: dict[str, Any] = {
    "floats": lambda: (0.1, 0.03),
    "tensors": lambda: (torch.tensor(0.1), torch.tensor(0.03, dtype=HALF)),
}


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("name", PLATEAUS)
@settings(max_examples=25)
@given(metrics=METRICS, every=st.integers(1, 6), rest=st.integers(0, 5))
def test_a_plateau_is_the_same_on_paper_and_on_an_optimizer(
    name: str, rates: str, metrics: list[float], every: int, rest: int
) -> None:
    steps = every * len(metrics) + rest
    consults = sorted({*range(every - 1, steps, every), steps - 1})
    values = values_of(sgd(*RATES[rates]()), run_of(PLATEAUS[name], steps), consults)
    optimizer = sgd(*RATES[rates]())
    keywords = eval(PLATEAUS[name].replace("plateau", "dict"))
    plateau, seen = Plateau(optimizer, **keywords), []
    optimizer.register_step_pre_hook(lambda *_: seen.append(received(optimizer, values)))
    for k in range(steps):
        update(optimizer)
        if k in consults:
            plateau.step(metrics[consults.index(k) % len(metrics)])
    for consult in range(len(consults) - 1):
        assert values.resolved_steps == consults[consult] + 1
        values.consult(metrics[consult % len(metrics)])
    assert values.matrix(0, steps).tolist() == seen
    assert values.complete


def test_a_plateau_knows_no_more_than_its_next_evaluation_allows() -> None:
    values = values_of(sgd(0.1), run_of("plateau(patience=0)", 10), [3, 7, 9])
    known = [values.resolved_steps]
    for metric in (1.0, 1.0):
        values.consult(metric)
        known.append(values.resolved_steps)
    assert known == [4, 8, 10]


def test_runs_on_tensors_leave_the_tensors_of_the_task_alone() -> None:
    optimizer = sgd(torch.tensor(0.1), torch.tensor(0.2))
    for entry in ("plateau(factor=0.5, patience=0, warmup=7)", WARM):
        values = values_of(optimizer, run_of(entry), [3, 7, 29])
        for metric in (1.0, 1.0) if values.run.plan is None else ():
            values.consult(metric)
        assert [float(group["lr"]) for group in optimizer.param_groups] == [
            torch.tensor(0.1).item(),
            torch.tensor(0.2).item(),
        ]
