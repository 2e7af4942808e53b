"""The database of a trackio project, PROJECT.db: a row for every call of log, its numbers as JSON, of several runs.

It is only read, without trackio, and leaves no files beside it.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from glidepath.errors import Place, RunError

from ..dialects import dialect_of
from ..names import short_repr
from ..series import Scalars
from .calls import COUNT_OF_CALLS
from .objects import Rows, gather_rows, parse_json
from .runs_in_file import scalars_of_rows

TABLE, NEEDED, RUN = "metrics", {"id", "run_name", "step", "metrics"}, "run_id"  # older ones have no run_id
WRITTEN = "-wal"  # at the end of the name of a file beside the database, with rows that are not yet in it
MOST_BYTES = 10_000_000  # of a row


def is_trackio(file: Path) -> bool:
    """Return whether a SQLite database is trackio's."""
    try:
        with closing(_open(file)) as base:
            return _columns(base) >= NEEDED
    except (sqlite3.Error, OSError):
        return False


def scalars_of_trackio(file: Path, columns: Mapping[str, str], per_epoch: int | None = None) -> list[Scalars]:
    """Return the numbers of every run in a project.

    Raises:
        RunError: if the database is damaged, or has no runs.
    """
    try:
        with closing(_open(file)) as base:
            key = RUN if RUN in _columns(base) else "run_name"
            runs = base.execute(f"SELECT {key}, run_name FROM metrics GROUP BY {key} ORDER BY min(id)").fetchall()
            gathered = [(str(name), _gather(base, file, key, run, columns)) for run, name in runs]
    except (sqlite3.Error, OSError, OverflowError) as error:
        raise RunError(f"the database {file} cannot be read: {error}") from error
    every = [
        scalars_of_rows(Place(str(file), part=f"run {name}"), name, rows, columns, dialect_of(rows.names), per_epoch)
        for name, rows in gathered
        if set(rows.cells) > {COUNT_OF_CALLS}
    ]
    if not every:
        raise RunError(f"{file} has no runs with metrics")
    return [run for several in every for run in several]


def _open(file: Path) -> sqlite3.Connection:
    """Open a database without writing; without a lock, unless another program may be writing to it."""
    beside = file.with_name(f"{file.name}{WRITTEN}")
    how = "mode=ro" if beside.exists() and beside.stat().st_size else "mode=ro&immutable=1"
    return sqlite3.connect(f"{file.resolve().as_uri()}?{how}", uri=True)


def _columns(base: sqlite3.Connection) -> set[str]:
    return {str(name) for _, name, *_ in base.execute(f"PRAGMA table_info({TABLE})")}


def _gather(base: sqlite3.Connection, file: Path, key: str, run: object, columns: Mapping[str, str]) -> Rows:
    return gather_rows(_rows(base, file, key, run), lambda i: _place_of(file, i), set(columns.values()))


def _rows(base: sqlite3.Connection, file: Path, key: str, run: object) -> Iterator[tuple[int, Mapping[str, Any]]]:
    query = f"SELECT id, step, length(metrics), metrics FROM metrics WHERE {key} IS ? ORDER BY id"
    for i, step, length, content in base.execute(query, (run,)):
        place = _place_of(file, i)
        if not isinstance(step, int) or not isinstance(content, bytes | str) or length > MOST_BYTES:
            problem = f"{short_repr((step, content))} is not a step with its metrics: the database is damaged"
            raise RunError(problem, place=place)
        yield i, {COUNT_OF_CALLS: step, **_object(content, place)}


def _object(content: bytes | str, place: Place) -> Mapping[str, Any]:
    try:
        row = parse_json(content.decode() if isinstance(content, bytes) else content, place)
    except UnicodeDecodeError as error:
        raise RunError("not UTF-8: the database is damaged", place=place) from error
    if not isinstance(row, dict):
        raise RunError(f"{short_repr(row)} is no object of JSON: the database is damaged", place=place)
    return row


def _place_of(file: Path, i: int) -> Place:
    return Place(str(file), part=f"metrics, row {i}")
