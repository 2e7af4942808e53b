"""`glidepath compare`, as people use it."""

import contextlib
import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from glidepath.cli import main

LINES = Path(__file__).parents[1] / "study" / "lines.py"
TWO = ("--schedule", "cosine=cosine(100%)", "--schedule", "step=step(every=4, factor=0.1)")
FILES = {
    *("report.html", "summary.md", "summary.csv", "summary.parquet", "curves.csv", "curves.parquet"),
    *("curves.png", "final.png", "spent.png", "study.yaml"),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    shutil.copy(LINES, tmp_path)
    return tmp_path


def glidepath(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "glidepath.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_a_tiny_study_of_digits_leaves_a_table_a_page_and_figures(here: Path) -> None:
    done = glidepath("compare", "digits", "--steps", "12", *TWO, "--peak", "0.1", "--seed", "0", "--out", "results/x")
    example = "--seed 0 --seed 1 --seed 2"
    warning = f"glidepath: one seed, number 0, shows no difference between schedules; give several as {example}\n"
    assert (done.returncode, done.stderr) == (0, warning)
    assert {file.name for file in (here / "results/x").iterdir()} == FILES
    assert "validation accuracy" in done.stdout
    assert "no interval can be given" in done.stdout
    with (here / "results/x/curves.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["peak"] for row in rows} == {"0.1"}
    assert len(rows) == 2 * 12
    with (here / "results/x/summary.csv").open() as stream:
        assert [row["verdict"] for row in csv.DictReader(stream)] == ["one seed", "one seed"]


def test_a_study_file_and_its_options_do_the_same(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "mine.yaml").write_text("task: lines.py:line\nsteps: 8\nseeds: [3]\nschedules:\n  a: cosine(100%)\n")
    assert main(["compare", "mine.yaml"]) == 0
    assert main(["compare", "lines.py:line", "--steps", "8", "--seed", "3", "--schedule", "a=cosine(100%)"]) == 0
    first, second = (here / "results" / name / "curves.csv" for name in ("mine", "line"))
    assert first.read_bytes() == second.read_bytes()


def test_options_override_the_file(here: Path) -> None:
    (here / "mine.yaml").write_text("task: lines.py:line\nhorizons: [8, 9]\nseeds: [3]\nschedules:\n  a: constant()\n")
    assert main(["compare", "mine.yaml", "--steps", "5", "--seed", "1", "--out", "out"]) == 0
    with (here / "out/curves.csv").open() as stream:
        assert [(row["seed"], row["step"]) for row in csv.DictReader(stream)] == [("1", str(k)) for k in range(5)]


def test_a_second_call_trains_nothing_and_shows_the_same(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["compare", "lines.py:line", "--steps", "8", *TWO, "--out", "out"]
    assert main(command) == 0
    first, files = capsys.readouterr(), {file: file.stat().st_mtime_ns for file in (here / "out").iterdir()}
    assert main(command) == 0
    second = capsys.readouterr()
    assert second.out.partition("\n\n80 updates")[0] == first.out.partition("\n\n80 updates")[0]
    assert "; 75 trained now" in first.out  # only the first update of a seed is shared
    assert "; 0 trained now\neverything in out is as it was" in second.out
    assert {file: file.stat().st_mtime_ns for file in (here / "out").iterdir()} == files


def test_a_schedule_that_is_added_trains_its_own_branch_only(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trunk = "warmup(4) >> constant(12) >> "
    command = ["compare", "lines.py:line", "--seed", "0", "--schedule", f"a={trunk}linear(4)"]
    assert main([*command, "--schedule", f"b={trunk}cosine(4)"]) == 0
    assert "40 updates in 2 runs, 23 of them different: 1.74 times fewer; 23 trained now" in capsys.readouterr().out
    assert main([*command, "--schedule", f"c={trunk}polynomial(4, power=2)"]) == 0
    assert "; 3 trained now" in capsys.readouterr().out  # the first update of every cooldown is at the peak


def test_the_store_shows_every_run_as_if_it_had_been_trained_alone(here: Path) -> None:
    assert main(["compare", "lines.py:line", "--steps", "8", *TWO, "--seed", "0", "--out", "out"]) == 0
    with (here / "out/curves.csv").open() as stream:
        told = [(row["schedule"], int(row["step"]), float(row["loss"])) for row in csv.DictReader(stream)]
    with contextlib.closing(sqlite3.connect(here / ".glidepath/store.sqlite")) as base:
        query = "SELECT schedule, step, loss FROM curves WHERE study = 'out' ORDER BY number, step"
        assert base.execute(query).fetchall() == told


def test_the_plan_is_printed_and_nothing_is_trained(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["compare", "lines.py:line", "--seed", "0", "--horizon", "100", "--horizon", "200", "--dry-run"]
    assert main([*command, "--schedule", "a=warmup(10%) >> constant()"]) == 0
    told = capsys.readouterr().out
    assert "300 updates, if each run were trained alone" in told
    assert "advice: a warmup of the same number of steps at every horizon" in told
    assert main([*command, "--json", "--schedule", "a=warmup(10) >> constant()"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["runs"], plan["steps_alone"], plan["steps_shared"], plan["ratio"]) == (2, 300, 200, 1.5)
    assert not (here / "results").exists()


def test_the_summary_is_printed_as_json_and_nothing_else_is(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exploding = ("--peak", "50", "--steps", "20", "--seed", "0", "--seed", "1", "--json", "--verify")
    for _ in range(2):  # the second time nothing is written
        assert main(["compare", "lines.py:explodes", *TWO, *exploding, "--no-share"]) == 0
        rows = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
        assert {(row["schedule"], row["verdict"]) for row in rows} == {("cosine", "diverged"), ("step", "diverged")}


def test_a_schedule_that_is_longer_than_its_run_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "lines.py:line", "--steps", "8", "--schedule", "a=cosine(80)", "--dry-run"]) == 0
    assert "a lasts 80 updates: a run of 8 sees only its beginning" in capsys.readouterr().err


def test_one_run_is_verified_from_scratch(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "lines.py:line", "--steps", "8", *TWO, "--seed", "0", "--verify"]) == 0
    assert "trained again alone: every loss, metric and last bit is the same" in capsys.readouterr().out


def test_a_task_that_cannot_be_reproduced_is_refused_for_sharing_and_compared_without(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["compare", "lines.py:counts", "--steps", "8", *TWO, "--seed", "0"]
    assert main(command) == 2
    told = capsys.readouterr().err
    assert "lines.py:counts cannot be reproduced: update 3 had the loss" in told
    assert "the clock: compare without sharing, --no-share [GP302]" in told
    assert main([*command, "--no-share"]) == 0
    assert "16 of them different" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["digit"], "did you mean digits?"),
        (["digits", "--steps", "0"], "steps: "),
        (["digits", "--steps", "10", "--schedule", "a=cosin(5%)"], "did you mean cosine?"),
        (["digits", "--schedule", "a=constant()", "--schedule", "a=constant()"], "two schedules are called 'a'"),
        (["digits", "--evaluate-every", "0"], "evaluate_every must be at least 1, not 0"),
        (["digits", "--threads", "0"], "the number of threads must be at least 1, not 0"),
        (["digits", "--peak", "-1"], "peaks[0]: "),
        (["digits", "--seed", "x"], "seed"),
        (["lines.py"], "lines.py:function"),
        (["lines.py:nothing", "--steps", "5"], "returned None"),
        (["lines.py:breaks", "--steps", "5", *TWO], "the third shard is missing"),
        (["absent.yaml"], "cannot be read"),
        (["lines.py:line", "--on", "mars"], "--on is local, processes, ray or ray://HOST:PORT, not 'mars'"),
        (["lines.py:line", "--workers", "0"], "--workers is at least 1, not 0"),
        (["lines.py:line", "--workers", "4"], "one run at a time: train in several, --on processes [GP302]"),
        (["lines.py:line", "--seeds", "4"], "a seed is given by its number, once for each: --seed 0 --seed 1 --seed 2"),
        (["lines.py:line", "--lr", "4"], "glidepath: the largest rate is --peak, given once for each"),
        (["lines.py:line", "--epochs", "4"], "glidepath: a run is as long as its updates, --steps"),
        (["lines.py:line", "--disk", "much"], "'much' is not a size"),
        (["lines.py:line", "--steps", "5", *TWO, "--out", "lines.py"], "lines.py cannot hold results"),
    ],
)
def test_bad_input_is_told_and_exits_with_2(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["compare", *arguments]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told


def test_nothing_is_written_where_something_is_wrong(here: Path) -> None:
    main(["compare", "lines.py:line", "--schedule", "a=plateau(factor=7)", "--out", "out"])
    assert not (here / "out").exists()


def test_the_bars_show_loss_and_rate_on_a_terminal(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    done = glidepath("compare", "lines.py:line", "--steps", "8", *TWO, "--seed", "0", "--out", "out")
    assert "step, 8 steps, seed 0: validation loss" in done.stderr
    assert "cosine, 8 steps, seed 0: validation loss" in done.stderr


def test_ctrl_c_keeps_what_was_trained_and_the_same_command_goes_on(here: Path) -> None:
    command = [sys.executable, "-m", "glidepath.cli", "compare", "lines.py:line", "--steps", "3000", "--out", "out"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not _updates(here) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "of 40 runs are finished, and what was trained is kept in .glidepath; the same command goes on" in told
    assert "Traceback" not in told
    assert _updates(here) > 0


def _updates(here: Path) -> int:
    """How many updates the store holds."""
    if not (here / ".glidepath/store.sqlite").exists():
        return 0
    with contextlib.closing(sqlite3.connect(here / ".glidepath/store.sqlite", timeout=30)) as base:
        tables = {name for (name,) in base.execute("SELECT name FROM sqlite_master")}
        return base.execute("SELECT count(*) FROM updates").fetchone()[0] if "updates" in tables else 0


# --- screening ---

FIVE = [
    *("--schedule", "a=cosine(100%)", "--schedule", "b=constant(80%) >> linear(20%)", "--schedule", "c=linear(100%)"),
    *("--schedule", "d=constant(60%) >> linear(40%)", "--schedule", "e=step(every=25%, factor=0.5)"),
]


def test_a_screening_trains_some_and_tells_what_was_predicted_of_the_others(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--steps", "40", "--seed", "0", "--evaluate-every", "2", "--screen", "1", "--json", "--out", "s"]
    assert main(["compare", "stdlib_gpt", *FIVE, *options]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert len(answer["summary"]) == 4
    trained = {row["schedule"] for row in answer["screening"] if "measured" in row}
    assert trained == {row["schedule"] for row in answer["summary"]}
    (left,) = [row for row in answer["screening"] if row["schedule"] not in trained]
    assert left["low"] < left["predicted"] < left["high"]
    assert {"screening.csv", "screening.png"} <= {file.name for file in (here / "s").iterdir()}


def test_a_screening_that_cannot_predict_says_what_to_do_and_leaves_no_empty_folder(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "digits", *FIVE, "--steps", "6", "--seed", "0", "--screen", "1", "--out", "s"]) == 2
    assert "Without --screen all of it is trained" in capsys.readouterr().err
    assert not (here / "s").exists()
    assert main(["compare", "digits", *FIVE, "--screen", "0"]) == 2
    assert "at least one schedule to confirm" in capsys.readouterr().err
