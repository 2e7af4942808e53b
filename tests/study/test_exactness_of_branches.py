"""A run that shares its beginning with others equals the same run trained alone, bit for bit."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from leading import Led, led

from glidepath.study.engine.check import find_difference

SCHEDULES = {
    "constant": "warmup(4) >> constant(26)",
    "cosine": "warmup(4) >> cosine(26)",
    "linear": "warmup(4) >> constant(14) >> linear(12)",
    "root": "warmup(4) >> constant(14) >> one_minus_sqrt(12)",
    "short": "warmup(4) >> constant(8) >> linear(6)",
    "step": "(warmup(4) * step(every=13, factor=0.1))[:30]",
    "plateau": "plateau(patience=0, factor=0.5, threshold=0.1)",
    "both": {"lr": "warmup(4) >> constant(26)", "weight_decay": "Set(linear(30, start=0.1))"},
}


@pytest.fixture
def networks(here: Path) -> Path:
    shutil.copy(Path(__file__).parent / "networks.py", here)
    return here


def of(task: str, store: str, **described: Any) -> Led:
    study = {"steps": None, "seeds": [0], "schedules": SCHEDULES, "evaluate_every": 5}
    return led(store, task=f"networks.py:{task}", **study | described)


@pytest.mark.parametrize("task", ["gpt_adamw", "gpt_sgd", "cnn_adamw", "cnn_sgd"])
def test_every_run_of_a_study_is_the_run_trained_alone(networks: Path, task: str) -> None:
    shared, alone = of(task, "shared"), of(task, "alone", share=False)
    assert shared.curves == alone.curves  # every rate, loss and metric
    assert shared.trained < 0.8 * alone.trained == 0.8 * sum(len(curve.records) for curve in alone.curves)
    assert shared.states.keys() == alone.states.keys() == set(range(len(shared.curves)))
    assert [find_difference(shared.states[i], alone.states[i]) for i in shared.states] == [None] * len(shared.curves)


@pytest.mark.parametrize("task", ["gpt_adamw", "cnn_sgd"])
def test_processes_train_the_same_bits(networks: Path, task: str) -> None:
    here, there = of(task, "here"), of(task, "there", on="processes", workers=2)
    assert here.curves == there.curves
    assert here.trained == there.trained
    assert [find_difference(here.states[i], there.states[i]) for i in here.states] == [None] * len(here.curves)


def test_a_schedule_added_later_trains_its_own_branch_only_and_changes_no_other_curve(networks: Path) -> None:
    before = of("gpt_adamw", "store", schedules={"linear": SCHEDULES["linear"]})
    after = of("gpt_adamw", "store")
    fresh = of("gpt_adamw", "fresh")
    assert after.curves == fresh.curves
    assert before.trained + after.trained <= fresh.trained + before.trained  # nothing is trained twice but evaluations
    late = of("gpt_adamw", "fresh", schedules=SCHEDULES | {"late": "warmup(4) >> constant(14) >> cosine(12)"})
    assert late.trained == 11  # the first update of each cooldown is at the peak
    assert [curve for curve in late.curves if curve.run.schedule != "late"] == _numbered(fresh, late)


def _numbered(fresh: Led, late: Led) -> list[Any]:
    """The curves of `fresh` under the numbers that they have in `late`."""
    runs = {(curve.run.schedule, curve.run.seed): curve.run for curve in late.curves}
    return [replace(curve, run=runs[curve.run.schedule, curve.run.seed]) for curve in fresh.curves]
