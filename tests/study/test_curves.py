"""Runs are fair, repeatable, and tell the rate that each update really used."""

import math
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from leading import LINES, SCHEDULES, Silent, curves, led

import glidepath as gp
from glidepath.errors import StudyError, TaskError
from glidepath.study.curve import Curve
from glidepath.study.executors.local import Local
from glidepath.study.spec.study import study_from
from glidepath.study.store import Store
from glidepath.study.training.prepare import prepare, train
from glidepath.tasks import load_task
from glidepath.torch.randomness import preserve_rng_state, seed_everything


def of(found: list[Curve], schedule: str, seed: int = 0) -> Curve:
    return next(curve for curve in found if (curve.run.schedule, curve.run.seed) == (schedule, seed))


def losses(curve: Curve) -> list[float]:
    return [record.loss for record in curve.records]


def test_the_same_study_twice_has_the_same_curves(here: Path) -> None:
    first = curves("first")
    torch.rand(7)
    assert curves("second") == first


def test_every_rate_is_the_base_times_the_plan_bit_for_bit(here: Path) -> None:
    found = curves()
    for name, text in SCHEDULES.items():
        plan = gp.parse(text).over(20)
        for seed in (0, 1):
            assert [record.rate for record in of(found, name, seed).records] == [0.1 * plan(k) for k in range(20)]


def test_the_losses_are_those_of_a_loop_written_by_hand(here: Path) -> None:
    found = curves(schedules={"warm": SCHEDULES["warm"]}, seeds=[1])
    torch.set_num_threads(1)
    torch.manual_seed(1)
    task, plan, by_hand = load_task("lines.py:line")(1), gp.parse(SCHEDULES["warm"]).over(20), []
    task.model.train()
    for k in range(20):
        for group, base in zip(task.optimizer.param_groups, (0.05, 0.1), strict=True):
            group["lr"] = base * plan(k)
        task.optimizer.zero_grad()
        loss = task.loss(task.model, task.batch(k))
        loss.backward()
        task.optimizer.step()
        by_hand.append(loss.item())
    assert losses(found[0]) == by_hand


def test_all_schedules_begin_at_the_same_loss_and_seeds_do_not(here: Path) -> None:
    found = curves()
    firsts = {seed: {losses(of(found, name, seed))[0] for name in SCHEDULES} for seed in (0, 1)}
    assert len(firsts[0]) == len(firsts[1]) == 1
    assert firsts[0] != firsts[1]


def test_global_random_numbers_depend_on_the_seed_alone() -> None:
    def drawn(seed: int) -> tuple[float, float, float]:
        with preserve_rng_state():
            seed_everything(seed)
            return random.random(), np.random.rand(), torch.rand(1).item()

    first = drawn(5)
    _ = random.random(), np.random.rand(), torch.rand(1)
    assert drawn(5) == first
    assert all(a != b for a, b in zip(drawn(6), first, strict=True))


def test_how_often_is_evaluated_changes_nothing_else(here: Path) -> None:
    often, seldom = curves("often", evaluate_every=1), curves("seldom", evaluate_every=20)
    for a, b in zip(often, seldom, strict=True):
        assert [record.loss for record in a.records] == [record.loss for record in b.records]
        assert a.records[-1].metrics == b.records[-1].metrics


def test_metrics_come_after_every_so_many_updates_and_after_the_last(here: Path) -> None:
    curve = curves(evaluate_every=6)[0]
    assert [record.step for record in curve.records if record.metrics] == [5, 11, 17, 19]


def test_evaluation_happens_out_of_training_mode(here: Path) -> None:
    assert {record.metrics["training"] for record in curves()[0].records if record.metrics} == {0.0}


def test_a_peak_scales_every_group_and_is_the_largest_rate(here: Path) -> None:
    found = curves(
        task="lines.py:spied", steps=3, seeds=[0], peaks=[0.3], schedules={"fixed": "constant()"}, share=False
    )
    assert [record.rate for record in found[0].records] == [0.3] * 3
    assert found[0].peak == 0.3
    groups = (here / "groups.txt").read_text().splitlines()
    assert groups[-1] == f"[{0.3 * (0.05 / 0.1)}, 0.3]"


def test_a_horizon_resolves_percentages_for_itself(here: Path) -> None:
    found = curves(steps=None, horizons=[10, 20], seeds=[0], schedules={"cosine": "cosine(100%)"})
    assert [len(curve.records) for curve in found] == [10, 20]
    for curve in found:
        plan = gp.cosine(len(curve.records))
        assert [record.rate for record in curve.records] == [0.1 * plan(k) for k in range(len(curve.records))]


def test_a_plateau_halves_the_rate_after_the_evaluations_that_call_for_it(here: Path) -> None:
    text = "plateau(factor=0.5, patience=1, threshold=0.05)"
    curve = curves(steps=60, seeds=[0], schedules={"plateau": text}, evaluate_every=4)[0]
    rate, best, bad, expected = 0.1, math.inf, 0, []
    for record in curve.records:
        expected.append(rate)
        if record.metrics:
            metric = record.metrics["validation_loss"]
            best, bad = (metric, 0) if metric < best * 0.95 else (best, bad + 1)
            if bad > 1:
                rate, bad = rate / 2, 0
    assert len(set(expected)) > 1
    assert [record.rate for record in curve.records] == expected


@pytest.mark.parametrize("text", ["plateau(factr=0.5)", "plateau(factor=2)", "plateau(reduce=5)", "plateau(mode='up')"])
def test_a_plateau_with_a_wrong_argument_is_refused_before_anything_trains(here: Path, text: str) -> None:
    with pytest.raises(StudyError, match=r"schedules\.p: "):
        curves(schedules={"p": text})


def test_a_run_that_diverges_ends_there_and_is_counted_as_such(here: Path) -> None:
    exploding = {"task": "lines.py:explodes", "peaks": [50.0], "schedules": {"fixed": "constant()"}, "seeds": [0]}
    first, again = led(**exploding), led(**exploding)
    assert first.curves[0].diverged
    assert len(first.curves[0].records) == first.trained < 20
    assert not math.isfinite(first.curves[0].records[-1].loss)
    assert again.trained == 0
    assert losses(again.curves[0])[:-1] == losses(first.curves[0])[:-1]
    assert again.curves[0].diverged


def test_threads_determinism_and_random_numbers_are_put_back(here: Path) -> None:
    torch.set_num_threads(2)
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    before = random.random(), np.random.rand(), torch.rand(1)
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    try:
        curves(steps=2)
        assert torch.get_num_threads() == 2
        assert not torch.are_deterministic_algorithms_enabled()
        assert before == (random.random(), np.random.rand(), torch.rand(1))
    finally:
        torch.set_num_threads(1)


def test_a_task_that_fails_while_it_trains_is_blamed_at_its_line(here: Path) -> None:
    with pytest.raises(
        TaskError, match=r"lines\.py:\d+, in batch: .* making batch 3: ValueError: the third shard is missing"
    ):
        curves(task="lines.py:breaks")


def test_a_loss_with_many_elements_is_refused_with_its_shape(here: Path) -> None:
    with pytest.raises(TaskError, match=r"the loss of lines.py:vector is shape \(8, 1\)"):
        curves(task="lines.py:vector")


@pytest.mark.parametrize("first", [{"steps": 1}, {"evaluate_every": 1, "schedules": {"cuts": "plateau()"}}])
def test_a_study_too_short_to_tell_does_not_vouch_for_a_task(here: Path, first: dict[str, Any]) -> None:
    with suppress(StudyError):
        led(task="lines.py:counts", **first)
    with pytest.raises(StudyError, match="cannot be reproduced"):
        led(task="lines.py:counts")


def test_a_plateau_of_which_one_update_is_known_does_not_stand_for_the_others(here: Path) -> None:
    schedules = {"cuts": "plateau()", "fixed": "constant()"}
    with pytest.raises(StudyError, match="cannot be reproduced"):
        led(task="lines.py:counts", evaluate_every=1, schedules=schedules)


EDITS = """
from pathlib import Path

def factor():
    return 1

def edits(seed):
    task = line(seed)
    def batch(step):
        if step == 10:
            Path("edited.py").write_text(Path("edited.py").read_text().replace("return 1", "return 3"))
        return task.batch(step)
    return Task(task.model, task.optimizer, batch, lambda m, b: factor() * task.loss(m, b), task.evaluate)
"""


def _with_edits(here: Path, factor: int = 1) -> None:
    text = (here / "lines.py").read_text() + EDITS.replace("return 1", f"return {factor}", 1)
    (here / "edited.py").write_text(text)


def test_a_task_whose_file_is_edited_while_it_trains_stays_what_it_was(here: Path) -> None:
    _with_edits(here)
    edited, plain = curves(task="edited.py:edits"), curves()
    assert "return 3" in (here / "edited.py").read_text()
    assert [losses(curve) for curve in edited] == [losses(curve) for curve in plain]


def test_a_task_whose_file_is_edited_before_it_is_loaded_for_training_is_refused(here: Path) -> None:
    _with_edits(here)
    with Store(here / "store") as store:
        prepared = prepare(study_from(LINES | {"task": "edited.py:edits"}), store)
        _with_edits(here, factor=2)
        with pytest.raises(TaskError, match=r"the code of edited.py:edits has changed since this study began"):
            train(prepared, Local(store.snapshots), Silent())


def test_without_sharing_no_run_feels_another_one(here: Path) -> None:
    found = curves(task="lines.py:counts", share=False, seeds=[0], schedules={"a": "constant()", "b": "constant()"})
    assert losses(found[0]) == losses(found[1])


def test_without_sharing_no_run_goes_on_from_a_snapshot(here: Path) -> None:
    schedules = dict.fromkeys("abc", "constant()")
    described = {"task": "lines.py:counts", "share": False, "seeds": [0], "schedules": schedules}
    found = led(on="processes", workers=2, **described).curves
    assert losses(found[0]) == losses(found[1]) == losses(found[2])
