"""The bars of a study in training."""

from pathlib import Path

import pytest

from glidepath.cli.output.progress import ProgressBars
from glidepath.study import Progress, compare

LINES = {"task": "lines.py:line", "steps": 20, "seeds": [0]}


@pytest.fixture(autouse=True)
def terminal(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")


def whole_bar(names: tuple[str, ...]) -> tuple[float, float | None]:
    """Run a study under the bars; return how far the bar of the whole came, and how long it is."""
    with ProgressBars(Path(".glidepath")) as bars:
        compare(LINES | {"schedules": dict.fromkeys(names, "constant()")}, progress=bars)
        whole = bars.bars.tasks[0]
        return whole.completed, whole.total


@pytest.mark.parametrize("name", ["[/]", "[bold]x", ":smile:", "{task}"])
def test_a_schedule_is_shown_under_the_name_that_it_has(capsys: pytest.CaptureFixture[str], name: str) -> None:
    whole_bar((name,))
    assert f"  1  {name}, 20 steps, seed 0: validation loss" in capsys.readouterr().err


@pytest.mark.parametrize("reports", [True, False])
def test_the_bar_of_the_whole_is_full_in_the_end_however_seldom_workers_report(
    reports: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not reports:
        monkeypatch.setattr(ProgressBars, "on_update", Progress.on_update)
    assert whole_bar(("a", "b")) == (20, 20)


def test_a_run_that_diverged_says_at_which_update(capsys: pytest.CaptureFixture[str]) -> None:
    study = LINES | {"task": "lines.py:explodes", "peaks": [50.0], "schedules": {"a": "constant()"}}
    with ProgressBars(Path(".glidepath")) as bars:
        curve = compare(study, progress=bars).curves[0]
    assert f"diverged at update {len(curve.records) - 1}" in capsys.readouterr().err
