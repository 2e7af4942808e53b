"""Whole studies in one call."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from glidepath.errors import SnapshotError
from glidepath.study.curve import Curve
from glidepath.study.executors import executor_for
from glidepath.study.spec.study import study_from
from glidepath.study.store import Store
from glidepath.study.training.coordinator import Watcher
from glidepath.study.training.jobs import Executor
from glidepath.study.training.prepare import Prepared, prepare, train

SCHEDULES = {"fixed": "constant()", "warm": "warmup(30%) >> cosine(70%)", "step": "step(every=5, factor=0.3)"}
LINES = {"task": "lines.py:line", "steps": 20, "seeds": [0, 1], "schedules": SCHEDULES}


class Silent(Watcher):
    """A watcher that only remembers."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def on_warning(self, message: str) -> None:
        self.warnings.append(message)


class Led:
    """A study that was led to its end: its curves, the updates it trained, the warnings."""

    def __init__(self, prepared: Prepared, curves: list[Curve], warnings: list[str]) -> None:
        self.curves, self.warnings = curves, warnings
        self.trained, self.segments = prepared.coordinator.trained, prepared.coordinator.segments
        self.states = dict(_states(prepared))


def _states(prepared: Prepared) -> Any:
    """The last state of every run, where there is one."""
    ledger = prepared.coordinator.ledger
    for number in range(len(prepared.runs)):
        saved = ledger.snapshot(number, ledger.end(number))
        if saved is not None:
            with suppress(SnapshotError):  # nobody has needed one that was damaged
                yield number, prepared.store.snapshots.read(saved)


def led(store: str | Path = ".glidepath", on: str = "local", workers: int | None = None, **described: Any) -> Led:
    """A study led to its end; what is not given is that of LINES."""
    study, watcher = study_from(LINES | described), Silent()
    with Store(Path(store)) as opened:
        prepared = prepare(study, opened)
        executor: Executor = executor_for(on, opened.snapshots, study.threads, workers, lambda job, record: None)
        try:
            return Led(prepared, train(prepared, executor, watcher), watcher.warnings)
        finally:
            executor.close()


def curves(store: str | Path = ".glidepath", **described: Any) -> list[Curve]:
    """The curves of a study."""
    return led(store, **described).curves
