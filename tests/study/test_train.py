"""Runs are fair, repeatable, and tell the rate that each update really used."""

import csv
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import glidepath as gp
from glidepath.study.curve import Curve
from glidepath.study.errors import StudyError
from glidepath.study.run import prepare, train_all
from glidepath.study.spec import study_from
from glidepath.study.train import reproducible
from glidepath.tasks import TaskError, load_task

SCHEDULES = {"fixed": "constant()", "warm": "warmup(30%) >> cosine(70%)", "step": "step(every=5, factor=0.3)"}


def trained(out: str, *, force: bool = False, **described: Any) -> list[Curve]:
    base = {"task": "lines.py:line", "steps": 20, "seeds": [0, 1], "schedules": SCHEDULES}
    return train_all(prepare(study_from(base | described), Path(out), force=force))


def rows(out: str) -> list[dict[str, str]]:
    with (Path(out) / "curves.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def of(table: list[dict[str, str]], schedule: str, seed: int = 0) -> list[dict[str, str]]:
    return [row for row in table if row["schedule"] == schedule and row["seed"] == str(seed)]


def test_the_same_study_twice_is_the_same_file_byte_for_byte(here: Path) -> None:
    trained("first")
    torch.rand(7)
    trained("second")
    assert (here / "first/curves.csv").read_bytes() == (here / "second/curves.csv").read_bytes()


def test_every_rate_in_the_file_is_the_base_times_the_plan_bit_for_bit(here: Path) -> None:
    trained("out")
    for name, text in SCHEDULES.items():
        plan = gp.parse(text).over(20)
        for seed in (0, 1):
            assert [float(row["rate"]) for row in of(rows("out"), name, seed)] == [0.1 * plan(k) for k in range(20)]


def test_the_losses_are_those_of_a_loop_written_by_hand(here: Path) -> None:
    trained("out", schedules={"warm": SCHEDULES["warm"]}, seeds=[1])
    torch.set_num_threads(1)
    torch.manual_seed(1)
    task, plan, losses = load_task("lines.py:line")(1), gp.parse(SCHEDULES["warm"]).over(20), []
    task.model.train()
    for k in range(20):
        for group, base in zip(task.optimizer.param_groups, (0.05, 0.1), strict=True):
            group["lr"] = base * plan(k)
        task.optimizer.zero_grad()
        loss = task.loss(task.model, task.batch(k))
        loss.backward()
        task.optimizer.step()
        losses.append(loss.item())
    assert [float(row["loss"]) for row in of(rows("out"), "warm", 1)] == losses


def test_all_schedules_begin_at_the_same_loss_and_seeds_do_not(here: Path) -> None:
    trained("out")
    firsts = {seed: {of(rows("out"), name, seed)[0]["loss"] for name in SCHEDULES} for seed in (0, 1)}
    assert len(firsts[0]) == len(firsts[1]) == 1
    assert firsts[0] != firsts[1]


def test_global_random_numbers_depend_on_the_seed_alone() -> None:
    def drawn(seed: int) -> tuple[float, float, float]:
        with reproducible(seed):
            return random.random(), np.random.rand(), torch.rand(1).item()

    first = drawn(5)
    _ = random.random(), np.random.rand(), torch.rand(1)
    assert drawn(5) == first
    assert all(a != b for a, b in zip(drawn(6), first, strict=True))


def test_how_often_is_evaluated_changes_nothing_else(here: Path) -> None:
    often, seldom = trained("often", evaluate_every=1), trained("seldom", evaluate_every=20)
    for a, b in zip(often, seldom, strict=True):
        assert [record.loss for record in a.records] == [record.loss for record in b.records]
        assert a.records[-1].metrics == b.records[-1].metrics


def test_metrics_come_after_every_so_many_updates_and_after_the_last(here: Path) -> None:
    curve = trained("out", evaluate_every=6)[0]
    assert [record.step for record in curve.records if record.metrics] == [5, 11, 17, 19]


def test_evaluation_happens_out_of_training_mode(here: Path) -> None:
    assert {record.metrics["training"] for record in trained("out")[0].records if record.metrics} == {0.0}


def test_a_peak_scales_every_group_and_is_the_largest_rate(here: Path) -> None:
    seen: list[list[float]] = []
    prepared = prepare(study_from({"task": "lines.py:spied", "steps": 3, "seeds": [0], "peaks": [0.3]}), Path("out"))
    train_all(prepared, lambda run, record: seen.append([record.rate]) if run.schedule == "fixed" else None)
    assert seen == [[0.3]] * 3
    groups = (here / "groups.txt").read_text().splitlines()
    assert groups[0] == f"[{0.3 * (0.05 / 0.1)}, 0.3]"


def test_a_horizon_resolves_percentages_for_itself(here: Path) -> None:
    curves = trained("out", steps=None, horizons=[10, 20], seeds=[0], schedules={"cosine": "cosine(100%)"})
    assert [len(curve.records) for curve in curves] == [10, 20]
    for curve in curves:
        plan = gp.cosine(len(curve.records))
        assert [record.rate for record in curve.records] == [0.1 * plan(k) for k in range(len(curve.records))]


def test_a_plateau_halves_the_rate_after_the_evaluations_that_call_for_it(here: Path) -> None:
    text = "plateau(factor=0.5, patience=1, threshold=0.05)"
    curve = trained("out", steps=60, seeds=[0], schedules={"plateau": text}, evaluate_every=4)[0]
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
        trained("out", schedules={"p": text})
    assert not Path("out").exists()


def test_a_run_that_diverges_ends_there_and_is_counted_as_such(here: Path) -> None:
    curves = trained("out", task="lines.py:explodes", peaks=[50.0], schedules={"fixed": "constant()"}, seeds=[0])
    assert curves[0].diverged
    assert len(curves[0].records) < 20
    assert not math.isfinite(curves[0].records[-1].loss)
    assert trained("out", task="lines.py:explodes", peaks=[50.0], schedules={"fixed": "constant()"}, seeds=[0])[
        0
    ].diverged


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
        trained("out", steps=2)
        assert torch.get_num_threads() == 2
        assert not torch.are_deterministic_algorithms_enabled()
        assert before == (random.random(), np.random.rand(), torch.rand(1))
    finally:
        torch.set_num_threads(1)


def test_a_task_that_fails_while_it_trains_is_blamed_at_its_line(here: Path) -> None:
    with pytest.raises(
        TaskError, match=r"making batch 3: ValueError: the third shard is missing \(.*lines.py, line \d+"
    ):
        trained("out", task="lines.py:breaks")


def test_a_loss_with_many_elements_is_refused_with_its_shape(here: Path) -> None:
    with pytest.raises(TaskError, match=r"the loss of lines.py:vector is shape \(8, 1\)"):
        trained("out", task="lines.py:vector")


# --- the folder ---


def test_finished_runs_are_not_trained_again(here: Path) -> None:
    first = trained("out")
    before = (here / "out/curves.csv").read_bytes()
    prepared = prepare(
        study_from({"task": "lines.py:line", "steps": 20, "seeds": [0, 1], "schedules": SCHEDULES}), Path("out")
    )
    assert prepared.waiting == ()
    assert train_all(prepared) == first
    assert (here / "out/curves.csv").read_bytes() == before


def test_a_stopped_study_goes_on_and_ends_in_the_same_bytes(here: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        trained("out", task="lines.py:stops")
    assert {row["seed"] for row in rows("out")} == {"0"}
    text = (here / "out/study.yaml").read_text()
    trained("whole", task="lines.py:line")
    (here / "out/study.yaml").write_text(text.replace("lines.py:stops", "lines.py:line"))
    trained("out", task="lines.py:line")
    assert (here / "out/curves.csv").read_bytes() == (here / "whole/curves.csv").read_bytes()


def test_another_study_in_the_folder_is_refused_and_left_alone(here: Path) -> None:
    trained("out")
    before = (here / "out/curves.csv").read_bytes()
    with pytest.raises(StudyError, match="holds another study: there 'steps: 20', here 'steps: 21'"):
        trained("out", steps=21)
    assert (here / "out/curves.csv").read_bytes() == before


def test_a_changed_task_file_is_another_study(here: Path) -> None:
    trained("out")
    with (here / "lines.py").open("a") as stream:
        stream.write("\n# changed\n")
    with pytest.raises(StudyError, match="the task's file"):
        trained("out")


def test_force_gives_the_old_study_up(here: Path) -> None:
    trained("out")
    assert len(trained("out", steps=5, force=True)[0].records) == 5
    assert {row["step"] for row in rows("out")} == {str(k) for k in range(5)}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "\n".join(text.split("\n")[:-5]),
        lambda text: text[:-30],
        lambda text: text.replace("0.1", "x"),
        lambda text: "a,b\n1,2\n",
    ],
)
def test_a_spoiled_file_is_refused_in_words(here: Path, spoil: Any) -> None:
    trained("out")
    file = here / "out/curves.csv"
    file.write_text(spoil(file.read_text()))
    with pytest.raises(StudyError, match="not as it was written"):
        trained("out")


def test_the_study_that_was_written_can_be_run_and_gives_the_same_bytes(here: Path) -> None:
    from glidepath.study.written import read_study

    trained("out")
    train_all(prepare(read_study(here / "out/study.yaml"), Path("again")))
    assert (here / "out/curves.csv").read_bytes() == (here / "again/curves.csv").read_bytes()
    assert (here / "out/study.yaml").read_bytes() == (here / "again/study.yaml").read_bytes()
