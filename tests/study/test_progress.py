"""The bars of a study in training."""

from pathlib import Path

import pytest
from leading import LINES

from glidepath.study.executors.local import Local
from glidepath.study.spec.study import study_from
from glidepath.study.store import Store
from glidepath.study.training.prepare import prepare, train
from glidepath.study.training.progress import Screen


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")


def shown(names: tuple[str, ...], told: bool) -> tuple[float, float | None]:
    """A study under a screen; how far the bar of the whole came, and how long it is."""
    study = study_from(LINES | {"seeds": [0], "schedules": dict.fromkeys(names, "constant()")})
    with Store(Path(".glidepath")) as store, Screen() as screen:
        executor = Local(store.snapshots, screen.updated) if told else Local(store.snapshots)
        train(prepare(study, store), executor, screen)
        whole = screen.bars.tasks[0]
        return whole.completed, whole.total


@pytest.mark.parametrize("name", ["[/]", "[bold]x", ":smile:", "{task}"])
def test_a_schedule_is_shown_under_the_name_that_it_has(
    here: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    shown((name,), told=True)
    assert f"  1  {name}, 20 steps, seed 0: validation loss" in capsys.readouterr().err


@pytest.mark.parametrize("told", [True, False])
def test_the_bar_of_the_whole_is_full_in_the_end_however_seldom_workers_report(here: Path, told: bool) -> None:
    assert shown(("a", "b"), told) == (20, 20)
