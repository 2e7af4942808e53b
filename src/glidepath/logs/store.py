"""The curves in a store of Glidepath, read with plain SQL from its view `curves`; nothing is written."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from glidepath.errors import RunError
from glidepath.runs.run import Run

from .study import Setting, chosen, names, run_of_losses

OURS, FORMAT = 0x676C6964, 1  # in the header of the file
PATIENCE = 60.0  # seconds to wait for another process that writes
CURVE = "SELECT step, rate, loss FROM curves WHERE study = ? AND number = ? ORDER BY step"


def runs_of_store(file: Path, metric: str | None = None, numbers: Sequence[int] | None = None) -> list[Run]:
    """Every run of the studies that used a store.

    Args:
        file: the database.
        metric: refused, because a store keeps metrics by state; the results of a study have them by run.
        numbers: of the runs; all of them if not given.

    Raises:
        RunError: if it is no store, is damaged, or a chosen run diverged.
    """
    if metric is not None:
        raise RunError(f"{file}: a store has no metric by run: read the folder of the study's results")
    with _opened(file) as base:
        found = base.execute("SELECT number, schedule, peak, horizon, seed, study FROM runs ORDER BY run").fetchall()
        settings = chosen([Setting(*row) for row in found], numbers, str(file))
        pairs = zip(names(settings), settings, strict=True)
        return [_run(base, file, name, setting) for name, setting in pairs]


def _run(base: sqlite3.Connection, file: Path, name: str, setting: Setting) -> Run:
    rows = base.execute(CURVE, (setting.study, setting.number)).fetchall()
    if not rows:
        raise RunError(f"{file}: {name} has no updates yet")
    steps, rates, losses = np.array(rows, dtype=np.float64).T  # NULL becomes NaN
    return run_of_losses(name, str(file), steps, rates, losses)


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    """The database, if it is a store of this format."""
    log = file.with_name(f"{file.name}-wal")
    # a log with something in it needs the index beside it; without one, nothing beside the file is touched
    how = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?{how}", uri=True, timeout=PATIENCE)) as base:
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
