"""`glidepath export`, as people use it."""

import csv
from pathlib import Path

import pytest

from glidepath.cli.app import build

HEAD = "run,schedule,horizon,seed,peak,step,rate,loss,validation_loss\n"
CURVES = HEAD + "0,cosine,2,0,0.1,0,0.1,2.5,\n0,cosine,2,0,0.1,1,0.05,1.5,1.25\n1,step,1,0,0.1,0,0.1,2.5,2.25\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study").mkdir()
    (tmp_path / "study/curves.csv").write_text(CURVES)
    return tmp_path


def glidepath(*arguments: str) -> None:
    """The command alone, as the table of commands adds it."""
    app = build()
    if "export" not in app:
        app.command("glidepath.cli.export:export", name="export")
    app(["export", *arguments], exit_on_error=False)


def test_a_run_is_written_and_counted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    glidepath("study", "--to", "one.csv", "--run", "0")
    assert capsys.readouterr().out == "wrote 1 run to one.csv\n"
    with Path("one.csv").open() as stream:
        assert [row["loss"] for row in csv.DictReader(stream)] == ["2.5", "1.5"]


def test_without_a_number_all_runs_are_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    glidepath("study", "--to", "all.csv")
    assert capsys.readouterr().out == "wrote 2 runs to all.csv\n"
    assert Path("all.csv").read_text() == CURVES
