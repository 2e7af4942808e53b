"""The curves of our own studies are read from their folder and from the store, without the compare engine."""

import math
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import glidepath as gp
from glidepath import logs
from glidepath.errors import RunError
from glidepath.logs import files
from glidepath.logs.studies import results, store
from glidepath.study.curve import Curve, Record
from glidepath.study.report.export import export_curves
from glidepath.study.report.summary import first_metric
from glidepath.study.report.tables import COLUMNS, curves_table, save_table
from glidepath.study.spec.runs import StudyRun
from glidepath.study.store import connect as opening
from glidepath.study.store.database import SegmentRange, Store, StoredSegment


def curve(
    number: int, schedule: str, *, peak: float = 0.1, steps: int = 6, seed: int = 0, falls: bool = False
) -> Curve:
    """Losses 9, 8, 7, ..., a metric after updates 2 and 5, and a rate that falls by a tenth of the peak."""
    run = StudyRun(number, schedule, "constant()", None, steps, peak, seed)
    records = [
        Record(k, peak * max(1 - k / 10, 0.0), 9.0 - k, {"m": 4.0 + number - k / 10} if k % 3 == 2 else {})
        for k in range(steps)
    ]
    return Curve(run, peak, (*records[:-1], Record(steps - 1, peak, math.nan)) if falls else tuple(records))


CURVES = [curve(0, "cosine"), curve(1, "cosine", seed=1), curve(2, "linear", peak=0.2)]


def written(folder: Path, curves: list[Curve] = CURVES) -> Path:
    """A folder of results, as `glidepath compare` writes it."""
    save_table(folder / "curves.csv", *curves_table(curves))
    (folder / "summary.csv").write_text("schedule\ncosine\n")
    return folder


def stored(folder: Path, studies: dict[str, list[Curve]]) -> Path:
    """A store that knows the runs of these studies, each in a piece of its own."""
    with Store(folder) as base:
        for study, curves in studies.items():
            pieces = []
            for one in curves:
                n = len(one.records)
                key = f"{study} {one.run.number}"
                fresh = StoredSegment(0, key, 0, n, f"begin {key}", f"end {key}", one.diverged, 1, b"x" * n)
                pieces.append((one, [SegmentRange(base.add(fresh, one.records, 1.0).number, 0, n)]))
            base.note_study(study, pieces)
    return folder


def same(run, one: Curve) -> bool:
    """Whether a run has the rates and losses of a curve, with the loss of update k after k updates."""
    return (
        run.rates.tolist() == [record.rate for record in one.records]
        and run.updates.tolist() == list(range(1, len(one.records)))
        and run.losses.tolist() == [record.loss for record in one.records[1:]]
        and run.assumed == ""
    )


# --- results ---


@pytest.mark.parametrize("path", ["", "curves.csv"])
def test_the_folder_of_a_study_has_a_run_for_each_of_its_runs(tmp_path, path):
    runs = logs.read(written(tmp_path) / path)
    assert [run.name for run in runs] == [
        "cosine (peak 0.1, seed 0)",
        "cosine (peak 0.1, seed 1)",
        "linear (peak 0.2, seed 0)",
    ]
    assert all(same(run, one) for run, one in zip(runs, CURVES, strict=True))


def test_names_say_no_more_than_it_takes(tmp_path):
    assert [run.name for run in logs.read(written(tmp_path), only=[2, 0])] == ["linear", "cosine"]
    lengths = [curve(0, "cosine", steps=4), curve(1, "cosine", steps=5)]
    assert [run.name for run in logs.read(written(tmp_path, lengths))] == ["cosine (4 steps)", "cosine (5 steps)"]
    twins = [curve(0, "cosine"), curve(1, "cosine")]
    assert [run.name for run in logs.read(written(tmp_path, twins))] == ["cosine (run 0)", "cosine (run 1)"]


def test_a_metric_was_seen_after_its_update(tmp_path):
    run = logs.read(written(tmp_path), metric="m", only=[1])[0]
    assert (run.updates.tolist(), run.losses.tolist()) == ([3, 6], [4.8, 4.5])
    with pytest.raises(RunError, match=r"there is no metric 'x'; there are m, loss"):
        logs.read(tmp_path, metric="x")


def test_a_run_that_diverged_can_be_left_out(tmp_path):
    written(tmp_path, [*CURVES, curve(3, "step", falls=True)])
    where = f"{tmp_path / 'curves.csv'}:20, step (peak 0.1, seed 0), step 5"
    cures = "choose the other runs, only=, or delete the rows from there on"
    message = f"{where}: the loss is not a number: the run diverged: {cures} [GP401]"
    with pytest.raises(RunError, match=re.escape(message)):
        logs.read(tmp_path)
    assert len(logs.read(tmp_path, only=[0, 1, 2])) == 3


def test_a_number_that_no_run_has_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(RunError, match=r"curves\.csv has no run 7; it has 0, 1, 2"):
        logs.read(written(tmp_path), only=[0, 7])
    with pytest.raises(RunError, match=r"has no run without a number; it has 0, 1, 2"):
        logs.read(tmp_path, only=[])


@pytest.mark.parametrize("option", [{"columns": {"loss": "m"}}, {"plan": gp.linear(9), "peak": 0.1}, {"warmup": 3}])
def test_what_only_a_log_needs_is_refused(tmp_path, option):
    with pytest.raises(RunError, match=f"have their rates and columns: leave {'= and '.join(option)}= out"):
        logs.read(written(tmp_path), **option)


def test_runs_are_chosen_by_their_name_or_their_schedule(tmp_path):
    written(tmp_path, [*CURVES, curve(3, "step", falls=True)])
    assert set(logs.names(tmp_path)) >= {"cosine", "cosine (peak 0.1, seed 1)", "linear", "step"}
    assert [run.name for run in logs.read(tmp_path, only=["cosine"])] == [
        "cosine (peak 0.1, seed 0)",
        "cosine (peak 0.1, seed 1)",
    ]
    assert [run.name for run in logs.read(tmp_path, only=["linear (peak 0.2, seed 0)"])] == [
        "linear (peak 0.2, seed 0)"
    ]
    with pytest.raises(RunError, match="no run is called 'exp'; there are cosine, linear, step"):
        logs.read(tmp_path, only=["exp"])


# --- the loss by which a study ranks ---


STEPS = 25
TWENTY = {k: 4.0 - k / 10 for k in range(2, 22)}


def measured(folder: Path, name: str, values: dict[int, float], first: str = "") -> Path:
    """A study of one run with a metric at some steps, after another one if there is one."""
    rows = [f"run,schedule,horizon,seed,peak,step,rate,loss{first and ',' + first},{name}"]
    rows += [
        f"0,cosine,{STEPS},0,0.1,{k},{0.1 - k / 1000},{90 - k}{first and ',0.5'},{values.get(k, '')}"
        for k in range(STEPS)
    ]
    (folder / "curves.csv").write_text("\n".join([*rows, ""]))
    return folder


def test_without_a_metric_the_one_that_ranks_is_read_and_the_run_names_it(tmp_path):
    measured(tmp_path, "validation_loss", TWENTY)
    (run,) = logs.read(tmp_path)
    assert (run.loss, run.updates.tolist()) == ("validation_loss", list(range(3, 23)))
    assert run.losses.tolist() == list(TWENTY.values())
    assert logs.default_loss(tmp_path) == logs.LossChoice("validation_loss", reason="")
    (run,) = logs.read(tmp_path, metric="loss")
    assert (run.loss, run.losses.tolist()) == ("training_loss", [90.0 - k for k in range(1, STEPS)])


@pytest.mark.parametrize(
    "name, values, first, reason",
    [
        ("error", TWENTY, "", "the study ranks by error, which is not called a loss"),
        ("a_loss", {2: 3.0, 5: 2.0}, "", "the study ranks by a_loss, which was measured less than 20 times in a run"),
        ("a_loss", {**TWENTY, 5: 0.0}, "", "the study ranks by a_loss, which is not always a number above 0"),
        ("a_loss", {**TWENTY, 5: math.inf}, "", "the study ranks by a_loss, which is not always a number above 0"),
        ("a_loss", TWENTY, "error", "the study ranks by error, which is not called a loss"),
    ],
)
def test_a_metric_that_no_law_can_be_fitted_to_leaves_the_training_loss_with_the_reason(
    tmp_path, name, values, first, reason
):
    measured(tmp_path, name, values, first)
    assert logs.default_loss(tmp_path) == ("loss", reason)
    assert logs.read(tmp_path)[0].loss == "training_loss"


def test_the_metric_that_is_read_is_the_one_that_the_summary_ranks_by(tmp_path):
    ranked = [curve(0, "cosine", steps=25), curve(1, "linear", steps=25)]
    losses = [
        Curve(
            one.run,
            one.peak,
            tuple(Record(r.step, r.rate, r.loss, {"my_loss": 90.0 - r.step, "m": 1.0}) for r in one.records),
        )
        for one in ranked
    ]
    runs = logs.read(written(tmp_path, losses))
    assert [run.final for run in runs] == [first_metric(one) for one in losses]
    assert {run.loss for run in runs} == {"my_loss"}


def test_a_store_has_the_training_loss_alone_and_says_so(tmp_path):
    stored(tmp_path, {"here": CURVES})
    assert logs.default_loss(tmp_path).metric == "loss"
    assert "a store keeps no metric by run" in logs.default_loss(tmp_path).reason
    assert {run.loss for run in logs.read(tmp_path)} == {"training_loss"}


@pytest.mark.parametrize("only", [[0, 1], ["cosine", "linear"]])
def test_the_loss_is_chosen_by_the_runs_that_are_read(tmp_path, only):
    rows = [
        f"{run},{schedule},{STEPS},0,0.1,{k},0.1,{90 - k},{loss(k)}"
        for run, (schedule, loss) in enumerate(
            {"cosine": lambda k: 5 - k / 9, "linear": lambda k: 6 - k / 9, "high": lambda k: "" if k else 7}.items()
        )
        for k in range(STEPS)
    ]
    head = "run,schedule,horizon,seed,peak,step,rate,loss,validation_loss"
    (tmp_path / "curves.csv").write_text("\n".join([head, *rows, ""]))
    assert {run.loss for run in logs.read(tmp_path)} == {"training_loss"}
    assert {run.loss for run in logs.read(tmp_path, only=only)} == {"validation_loss"}
    assert logs.default_loss(tmp_path, only=only) == ("validation_loss", "")


@pytest.mark.parametrize("where", ["results", "store"])
def test_the_rates_of_a_run_that_diverged_are_read_all_the_same(tmp_path, where):
    curves = [curve(0, "cosine"), curve(1, "step", falls=True)]
    if where == "results":
        written(tmp_path, curves)
    else:
        stored(tmp_path, {"here": curves})
    rates = {each.name: list(each.rates) for each in logs.rates(tmp_path)}
    assert rates == {one.run.schedule: [record.rate for record in one.records] for one in curves}


def test_logs_of_other_programs_have_no_loss_that_ranks(tmp_path):
    (tmp_path / "log.csv").write_text("step,lr,loss\n1,0.1,3\n2,0.1,2\n")
    assert logs.default_loss(tmp_path) is None


# --- exports and damage ---


def test_an_export_is_read_like_the_folder(tmp_path):
    written(tmp_path)
    for name in ("some.csv", "some.parquet"):
        if name.endswith("parquet"):
            pytest.importorskip("pyarrow")
        export_curves(tmp_path, tmp_path / "out" / name, [1, 2])
        runs = logs.read(tmp_path / "out" / name)
        assert all(same(run, one) for run, one in zip(runs, CURVES[1:], strict=True))


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("0,cosine,6,0,0.1,2,", "0,cosine,6,0,0.1,3,", ":2: cosine (peak 0.1, seed 0) does not have every update"),
        ("0,cosine,6,0,0.1,0,", "0,cosine,x,0,0.1,0,", ":2: this is not what glidepath compare writes"),
        ("0,cosine,6,0,0.1,2,", "0,cosine,6,0,0.1,,", ":4: there is no step: the file is damaged"),
        ("0,cosine,6,0,0.1,2,", "0,cosine,6,0,0.1,y,", ":4: step is 'y', not a number"),
    ],
)
def test_results_that_are_damaged_are_refused(tmp_path, old, new, message):
    file = written(tmp_path) / "curves.csv"
    content = file.read_text()
    assert old in content
    file.write_text(content.replace(old, new))
    with pytest.raises(RunError, match=re.escape(f"{file}{message}")):
        logs.read(tmp_path)


def test_what_is_known_of_a_study_here_is_what_the_study_writes():
    assert results.COLUMNS == COLUMNS
    assert (files.STORE, store.OURS, store.FORMAT) == (opening.NAME, opening.OURS, opening.FORMAT)


# --- the store ---


@pytest.mark.parametrize("path", ["", "store.sqlite"])
def test_a_store_has_the_runs_of_its_studies(tmp_path, path):
    runs = logs.read(stored(tmp_path / ".glidepath", {"here": CURVES}) / path)
    assert [run.name for run in runs] == [
        "cosine (peak 0.1, seed 0)",
        "cosine (peak 0.1, seed 1)",
        "linear (peak 0.2, seed 0)",
    ]
    assert all(same(run, one) for run, one in zip(runs, CURVES, strict=True))


def test_the_same_run_of_two_studies_is_told_apart(tmp_path):
    folder = stored(tmp_path, {"one": CURVES[:1], "two": CURVES[:1]})
    assert [run.name for run in logs.read(folder)] == ["cosine (study one)", "cosine (study two)"]
    with pytest.raises(RunError, match="has 2 studies, each with its own numbers"):
        logs.read(folder, only=[0])


def test_reading_a_store_changes_no_byte_and_makes_no_file(tmp_path):
    folder = stored(tmp_path, {"here": CURVES})
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    logs.read(folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()} == before


def test_a_store_is_read_while_another_process_has_it_open(tmp_path):
    stored(tmp_path, {"here": CURVES})
    with Store(tmp_path) as base:
        base.note_study("new", [])
        base.note_study("here", [])
        with pytest.raises(RunError, match=r"store\.sqlite has no runs yet"):
            logs.read(tmp_path)


def test_of_a_store_runs_are_chosen_and_metrics_are_refused(tmp_path):
    stored(tmp_path, {"here": [*CURVES, curve(3, "step", falls=True)]})
    with pytest.raises(RunError, match=r"step .*, step 5: the loss is not a number: the run diverged"):
        logs.read(tmp_path)
    assert [run.name for run in logs.read(tmp_path, only=[1])] == ["cosine"]
    with pytest.raises(RunError, match="no metric by run: read the folder of the study's results"):
        logs.read(tmp_path, metric="m")
    with pytest.raises(RunError, match="a store of Glidepath has its rates and columns: leave warmup= out"):
        logs.read(tmp_path, warmup=3)


def test_a_database_of_something_else_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "log.db") as base:
        base.execute("CREATE TABLE t (x)")
    base.close()
    with pytest.raises(RunError, match=r"log\.db is a database of something else, not a store of Glidepath"):
        logs.read(tmp_path / "log.db")


def test_a_store_of_another_format_and_a_damaged_one_are_refused(tmp_path):
    file = stored(tmp_path, {"here": CURVES}) / "store.sqlite"
    whole = file.read_bytes()
    base = sqlite3.connect(file)
    base.execute("PRAGMA user_version = 2")
    base.close()
    with pytest.raises(RunError, match="has format 2, and this Glidepath reads format 1"):
        logs.read(file)
    for damaged in (whole[:200], whole[:8000], whole[:4096] + b"\xff" * (len(whole) - 4096)):
        for beside in tmp_path.glob("store.sqlite-*"):
            beside.unlink()
        file.write_bytes(damaged)
        with pytest.raises(RunError, match=re.escape(str(file))):
            logs.read(file)


def test_logs_never_load_the_compare_engine_or_pytorch():
    script = "import sys, glidepath.logs; print(*(name for name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in loaded if name.startswith(("glidepath.study", "torch", "pyarrow", "matplotlib"))]
