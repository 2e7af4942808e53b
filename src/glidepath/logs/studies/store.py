"""The curves in a store of Glidepath, read with plain SQL from its view `curves`; nothing is written."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from glidepath.errors import Cure, Place, RunError
from glidepath.runs.deviation import Rates
from glidepath.runs.run import FloatArray, Run

from ..entries import Entry
from ..names import TRAINING_LOSS
from .study import Only, StudySettings, choose_by_number, names_of, rates_of_run, run_of_losses

OURS, FORMAT = 0x676C6964, 1  # in the header of the file
PATIENCE = 60.0  # seconds to wait for another process that writes
RUNS = "SELECT number, schedule, peak, horizon, seed, study FROM runs ORDER BY run"
CURVE = "SELECT step, rate, loss FROM curves WHERE study = ? AND number = ? ORDER BY step"


def entries_of_store(file: Path, metric: str | None = None, only: Only | None = None) -> list[Entry]:
    """Return every run of the studies that used a store.

    Args:
        file: the database.
        metric: only the training loss, because a store keeps metrics by state; the results of a study have them by run.
        only: the runs, by number; all of them if not given.

    Raises:
        RunError: if it is not a store, or is damaged.
    """
    if metric not in (None, TRAINING_LOSS):
        cure = Cure("read the folder of the study's results")
        raise RunError("a store keeps no metric by run", place=str(file), cures=[cure])
    return [Entry(name, each.schedule, partial(_read_run, file, name, each)) for name, each in _runs(file, only)]


def rates_of_store(file: Path) -> list[Rates]:
    """Return the rates of every run of the studies that used a store, whatever their losses are.

    Raises:
        RunError: if it is not a store, or is damaged.
    """
    return [rates_of_run(name, Place(str(file)), *_read_curve(file, name, each)[:2]) for name, each in _runs(file)]


def _runs(file: Path, only: Only | None = None) -> list[tuple[str, StudySettings]]:
    with _connect(file) as base:
        settings = [StudySettings(*row) for row in base.execute(RUNS).fetchall()]
    settings = choose_by_number(settings, only, Place(str(file)))
    return list(zip(names_of(settings), settings, strict=True))


def _read_run(file: Path, name: str, settings: StudySettings) -> Run:
    return run_of_losses(name, Place(str(file)), *_read_curve(file, name, settings))


def _read_curve(file: Path, name: str, settings: StudySettings) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the steps, the rates and the losses of a run; NaN for a loss that is not a number."""
    with _connect(file) as base:
        rows = base.execute(CURVE, (settings.study, settings.number)).fetchall()
    if not rows:
        raise RunError(f"{name} has no updates yet", place=str(file))
    steps, rates, losses = np.array(rows, dtype=np.float64).T  # NULL becomes NaN
    return steps, rates, losses


@contextmanager
def _connect(file: Path) -> Iterator[sqlite3.Connection]:
    """Connect to the database, if it is a store of this format."""
    log = file.with_name(f"{file.name}-wal")
    # a log with something in it needs the index beside it; without one, nothing beside the file is touched
    mode = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?{mode}", uri=True, timeout=PATIENCE)) as base:
            _check(base, file)
            yield base
    except (sqlite3.Error, ValueError, TypeError) as error:
        if isinstance(error, RunError):
            raise
        raise RunError(f"the store {file} cannot be read: {error}") from error


def _check(base: sqlite3.Connection, file: Path) -> None:
    ours, version = (base.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if ours != OURS:
        raise RunError(f"{file} is a database of something else, not a store of Glidepath")
    if version != FORMAT:
        raise RunError(
            f"{file} has format {version}, and this Glidepath reads format {FORMAT}: another version wrote it"
        )
