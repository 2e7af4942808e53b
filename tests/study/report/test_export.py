"""Exports are read back with the packages that people use."""

import math
import sys
from pathlib import Path

import pytest

from glidepath.errors import MissingExtraError, StudyError
from glidepath.study.report.export import export_curves, read_curves
from glidepath.study.report.tables import curves_table, save_table

from .sample_curves import curve

RUNS = [curve("cos/ine", 0, 1.5, number=0), curve("step", 0, math.nan, number=1), curve("step", 1, 2.5, number=2)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "study").mkdir()
    save_table(tmp_path / "study" / "curves.csv", *curves_table(RUNS))
    return tmp_path / "study"


def test_all_runs_as_csv_are_the_same_bytes(folder: Path) -> None:
    to = folder.parent / "new" / "all.csv"
    assert export_curves(folder, to) == 3
    assert to.read_bytes() == (folder / "curves.csv").read_bytes()


def test_some_runs_are_those_runs_alone(folder: Path) -> None:
    to = folder.parent / "some.csv"
    assert export_curves(folder, to, [2, 0]) == 2
    lines = (folder / "curves.csv").read_text().splitlines(keepends=True)
    assert to.read_text() == "".join(line for line in lines if not line.startswith("1,"))


def test_parquet_has_numbers_as_numbers_and_null_where_nothing_was_measured(folder: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    export_curves(folder, folder.parent / "some.PARQUET", [0])
    table = parquet.read_table(folder.parent / "some.PARQUET")
    assert {name: str(kind) for name, kind in zip(table.column_names, table.schema.types, strict=True)} == {
        "run": "int64",
        "schedule": "string",
        "horizon": "int64",
        "seed": "int64",
        "peak": "double",
        "step": "int64",
        "rate": "double",
        "loss": "double",
        "m": "double",
    }
    assert table["m"].to_pylist() == [None] * 19 + [1.5]
    assert table["loss"].to_pylist() == [record.loss for record in RUNS[0].records]


def test_tensorboard_reads_every_scalar_at_its_step(folder: Path) -> None:
    pytest.importorskip("tensorboardX")
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    to = folder.parent / "board"
    assert export_curves(folder, to) == 3
    assert sorted(run.name for run in to.iterdir()) == [
        "000 cos_ine, peak 0.1, 20 steps, seed 0",
        "001 step, peak 0.1, 20 steps, seed 0",
        "002 step, peak 0.1, 20 steps, seed 1",
    ]
    for place, run in zip(sorted(to.iterdir()), RUNS, strict=True):
        events = reader.EventAccumulator(str(place), size_guidance={"scalars": 0}).Reload()
        losses = [(event.step, event.value) for event in events.Scalars("training/loss")]
        assert [step for step, _ in losses] == [record.step for record in run.records]
        expected = [record.loss for record in run.records]
        assert [value for _, value in losses] == pytest.approx(expected, rel=1e-7, nan_ok=True)
        assert set(events.Tags()["scalars"]) == {"training/rate", "training/loss"} | (
            set() if run.diverged else {"evaluation/m"}
        )


def test_a_folder_that_holds_something_is_left_alone(folder: Path) -> None:
    pytest.importorskip("tensorboardX")
    board = folder.parent / "board"
    export_curves(folder, board, [0])
    before = sorted(board.rglob("*"))
    with pytest.raises(StudyError, match="exists already: give a new folder"):
        export_curves(folder, board, [0])
    assert sorted(board.rglob("*")) == before


def test_the_curves_of_the_study_are_never_overwritten(folder: Path) -> None:
    before = (folder / "curves.csv").read_bytes()
    with pytest.raises(StudyError, match="holds the curves of the study itself"):
        export_curves(folder, folder / ".." / "study" / "curves.csv", [0])
    assert (folder / "curves.csv").read_bytes() == before


@pytest.mark.parametrize(("runs", "words"), [([7], "has no run 7; it has the runs 0 to 2"), ([1, 3, 4], "no run 3, 4")])
def test_a_run_that_is_not_there_is_told(folder: Path, runs: list[int], words: str) -> None:
    with pytest.raises(StudyError, match=words):
        export_curves(folder, folder.parent / "x.csv", runs)
    assert not (folder.parent / "x.csv").exists()


def test_a_folder_without_curves_is_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"cannot be read: .*give the folder of a finished study"):
        export_curves(tmp_path, tmp_path / "x.csv")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2].rpartition(",")[0],
        lambda text: text.replace("run,", "number,"),
        lambda text: text.replace("cos/ine", "cos,ine"),
        lambda text: text.replace("\n1,", "\none,", 1),
        lambda text: "",
    ],
)
def test_a_damaged_file_is_told_and_nothing_is_written(folder: Path, damage) -> None:  # type: ignore[no-untyped-def]
    file = folder / "curves.csv"
    file.write_text(damage(file.read_text()))
    with pytest.raises(StudyError):
        export_curves(folder, folder.parent / "x.csv")
    assert not (folder.parent / "x.csv").exists()


def test_a_missing_package_is_told_with_how_to_get_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, package, to in (("parquet", "pyarrow", "x.parquet"), ("tensorboard", "tensorboardX", "board")):
        monkeypatch.setitem(sys.modules, package, None)
        monkeypatch.delitem(sys.modules, f"glidepath.study.report.{name}", raising=False)
        with pytest.raises(MissingExtraError, match=r'pip install "glidepath\[export\]"'):
            export_curves(folder, folder.parent / to)


def test_empty_cells_are_left_out(folder: Path) -> None:
    rows = read_curves(folder).rows
    assert ["m" in row for row in rows[:20]] == [False] * 19 + [True]
