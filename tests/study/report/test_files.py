"""The folder of a study holds the same numbers in every form."""

import ast
import csv
import importlib.util
import math
from pathlib import Path

import pytest

import glidepath.study.report
from glidepath.study.curve import Curve, Record
from glidepath.study.report.export import read_curves
from glidepath.study.report.files import report
from glidepath.study.report.summary import summary
from glidepath.study.report.tables import curves_table, save_table
from glidepath.study.spec.runs import StudyRun

from .sample_curves import curve, curves

RUNS = curves(a=[1.0, 1.1, 1.3], b=[2.0, 2.1, math.nan])
ALWAYS = {"report.html", "summary.md", "curves.png", "final.png", "spent.png", "summary.csv", "curves.csv"}


def test_everything_is_written_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    files = report(tmp_path, RUNS, summary(RUNS))
    assert {file.name for file in files} >= ALWAYS
    assert sorted(files) == sorted(tmp_path.iterdir())


def test_without_pyarrow_everything_else_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "glidepath.study.report.files.find_spec", lambda name: None if name == "pyarrow" else found(name)
    )
    assert {file.name for file in report(tmp_path, RUNS, summary(RUNS))} == ALWAYS


def test_curves_lose_no_bit_in_csv(tmp_path: Path) -> None:
    records = (Record(0, 0.1 + 0.2, 1 / 3), Record(1, 5e-324, math.inf, {}))
    save_table(
        tmp_path / "curves.csv",
        *curves_table([Curve(StudyRun(3, "x, y", "constant()", None, 9, None, 7), 0.1, records)]),
    )
    first, second = read_curves(tmp_path).rows
    same = {"run": 3, "schedule": "x, y", "horizon": 9, "seed": 7, "peak": 0.1}
    assert first == {**same, "step": 0, "rate": 0.1 + 0.2, "loss": 1 / 3}
    assert second == {**same, "step": 1, "rate": 5e-324, "loss": math.inf}


def test_a_metric_called_like_a_column_keeps_both(tmp_path: Path) -> None:
    records = (Record(0, 0.5, 1.0, {"loss": 2.0, "step": 7.0}),)
    save_table(tmp_path / "curves.csv", *curves_table([Curve(StudyRun(0, "a", "", None, 1, None, 0), 0.5, records)]))
    (row,) = read_curves(tmp_path).rows
    assert (row["loss"], row["evaluated_loss"], row["step"], row["evaluated_step"]) == (1.0, 2.0, 0, 7.0)


def test_parquet_holds_what_csv_holds(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    report(tmp_path, RUNS, summary(RUNS))
    rows = [
        {name: value for name, value in row.items() if value is not None}
        for row in parquet.read_table(tmp_path / "curves.parquet").to_pylist()
    ]
    assert repr(rows) == repr(read_curves(tmp_path).rows)  # as text, where NaN equals NaN
    kept = parquet.read_table(tmp_path / "summary.parquet").to_pylist()
    with (tmp_path / "summary.csv").open() as stream:
        assert [row["verdict"] for row in csv.DictReader(stream)] == [row["verdict"] for row in kept]


def test_the_summary_says_which_peaks_were_chosen(tmp_path: Path) -> None:
    runs = curves(a=[1.0, 1.1], b=[2.0, 2.1], peak=0.1) + curves(a=[3.0, 3.1], b=[1.5, 1.6], peak=0.2)
    report(tmp_path, runs, summary(runs))
    with (tmp_path / "summary.csv").open() as stream:
        rows = [(r["schedule"], r["peak"], r["best_peak"], r["verdict"]) for r in csv.DictReader(stream)]
    assert rows == [
        ("a", "0.1", "True", "best"),
        ("b", "0.2", "True", "worse"),
        ("b", "0.1", "False", "other peak"),
        ("a", "0.2", "False", "other peak"),
    ]


def test_the_markdown_has_the_verdict_and_a_row_for_every_setting(tmp_path: Path) -> None:
    runs = [curve("a|b", seed, 1.0 + seed) for seed in range(2)] + [curve("*c*", seed, 9.5 + seed) for seed in range(2)]
    report(tmp_path, runs, summary(runs))
    text = (tmp_path / "summary.md").read_text()
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert [len(line.replace("\\|", "").split("|")) for line in table] == [9, 9, 9, 9]
    assert "a\\|b" in table[2]
    assert "\\*c\\*" in table[3]
    assert "- a|b is best: *c* is shown to be worse in m (2 seeds)" in text


def test_the_report_knows_curves_and_not_how_they_were_trained() -> None:
    room = Path(glidepath.study.report.__file__).parent
    read = [node for file in room.rglob("*.py") for node in ast.walk(ast.parse(file.read_text()))]
    absolute = {node.module or "" for node in read if isinstance(node, ast.ImportFrom) and node.level == 0}
    absolute |= {alias.name for node in read if isinstance(node, ast.Import) for alias in node.names}
    known = (
        "glidepath.study.report",
        "glidepath.study.curve",
        "glidepath.errors",
        "glidepath.extras",
        "glidepath.plot",
    )
    known += ("glidepath.study.screening.row", "glidepath.ticks", "glidepath.core")
    ours = {name for name in absolute if name.startswith("glidepath")}
    assert {name for name in ours if not name.startswith(known)} == set()
    assert "torch" not in {name.partition(".")[0] for name in absolute - ours}
