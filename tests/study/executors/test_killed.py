"""Whoever is killed, whenever: every result is equal, and nothing is lost that had been committed."""

import contextlib
import multiprocessing
import os
import random
import signal
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from leading import Silent, led

from glidepath.errors import StudyError, TaskError
from glidepath.study.executors.processes import Processes
from glidepath.study.spec.study import study_from
from glidepath.study.store import Store
from glidepath.study.training import coordinator
from glidepath.study.training.prepare import prepare, train

TRUNK = "warmup(20) >> constant(300) >> "
STUDY: dict[str, Any] = {
    "task": "lines.py:line",
    "seeds": [0, 1],
    "steps": None,
    "schedules": {
        **{f"linear {n}": f"warmup(20) >> constant({380 - n}) >> linear({n})" for n in (20, 40, 80)},
        "root": f"{TRUNK}one_minus_sqrt(80)",
        "cosine": f"{TRUNK}cosine(80)",
        "plateau": "plateau(patience=1, factor=0.5, threshold=0.1)",
    },
}


def committed(store: Path) -> int:
    """The updates that a store holds."""
    if not (store / "store.sqlite").exists():
        return 0
    with contextlib.closing(sqlite3.connect(store / "store.sqlite", timeout=30)) as base:
        tables = {name for (name,) in base.execute("SELECT name FROM sqlite_master")}
        return int(base.execute("SELECT count(*) FROM updates").fetchone()[0]) if "updates" in tables else 0


def test_the_leader_killed_at_ten_random_moments_goes_on_each_time(here: Path) -> None:
    whole = led("whole", **STUDY)
    chance = random.Random(5)
    known = kills = 0
    while kills < 10:
        leader = multiprocessing.get_context("fork").Process(target=led, args=("store",), kwargs=STUDY)
        leader.start()
        leader.join(chance.uniform(0.05, 0.6))
        if leader.is_alive():
            os.kill(leader.pid or 0, signal.SIGKILL)
            kills += 1
        leader.join()
        assert committed(Path("store")) >= known
        known = committed(Path("store"))
        if known == committed(Path("whole")):  # it was faster than ten kills: begin again
            known = 0
            Path("store").rename(f"store-{kills}")
    last = led("store", **STUDY)
    assert last.curves == whole.curves
    longest = max(segment.steps for segment in last.segments)
    assert last.trained <= whole.trained - known + longest


def test_processes_killed_at_ten_random_moments_are_replaced(here: Path) -> None:
    whole, watcher, chance = led("whole", **STUDY), Silent(), random.Random(7)
    over = threading.Event()
    kills = 0
    while kills < 10:
        with Store(Path(f"store-{kills}")) as store:
            prepared = prepare(study_from(STUDY), store)
            executor = Processes(store.snapshots, 1, 2, lambda job, record: None)
            over.clear()
            murderer = threading.Thread(target=_murder, args=(executor, over, chance, watcher))
            murderer.start()
            try:
                curves = train(prepared, executor, watcher)
            finally:
                over.set()
                murderer.join()
                executor.close()
        assert curves == whole.curves
        lost = len(watcher.warnings) - kills
        longest = max(segment.steps for segment in prepared.coordinator.segments)
        assert prepared.coordinator.trained <= whole.trained + lost * longest
        kills = len(watcher.warnings)
    assert all(warning == "a process was lost (killed by signal 9); trained again" for warning in watcher.warnings)


def _murder(executor: Processes, over: threading.Event, chance: random.Random, watcher: Silent) -> None:
    """Kill a process that works, again and again, but leave time between two kills to get on."""
    while not over.wait(chance.uniform(0.0, 0.3)):
        busy = [member for member in list(executor._members) if member.job is not None]
        known = len(watcher.warnings)
        if busy and known < 10:
            os.kill(chance.choice(busy).process.pid or 0, signal.SIGKILL)
            while len(watcher.warnings) == known and not over.wait(0.01):
                pass
            over.wait(2.5)  # seconds: a new process imports PyTorch


def test_a_process_that_would_train_on_other_data_is_refused(here: Path) -> None:
    (here / "ordered.py").write_text(
        "import os\n"
        "from lines import line, Task\n"
        "def task(seed):\n"
        "    t = line(seed)\n"
        "    shift = os.getpid()\n"  # as the order of a set of texts, another in every process
        "    return Task(t.model, t.optimizer, lambda step: t.batch(step + shift), t.loss, t.evaluate)\n"
    )
    with pytest.raises(TaskError, match="begins with other weights or another batch here"):
        led(on="processes", workers=1, task="ordered.py:task", seeds=[0], schedules={"a": "constant()"})


def test_a_stretch_that_kills_its_process_each_time_is_given_up_with_words(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "MOST_LOSSES", 2)
    (here / "deadly.py").write_text(
        "import os, signal\n"
        "from lines import line, Task\n"
        "def task(seed):\n"
        "    t = line(seed)\n"
        "    def batch(step):\n"
        "        if step == 9:\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return t.batch(step)\n"
        "    return Task(t.model, t.optimizer, batch, t.loss, t.evaluate)\n"
    )
    with pytest.raises(StudyError, match=r"lost 2 times, so it is given up: a process was lost \(killed by signal 9\)"):
        led(on="processes", workers=1, task="deadly.py:task", seeds=[0], schedules={"a": "constant()"})
