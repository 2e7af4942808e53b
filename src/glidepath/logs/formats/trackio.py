"""The database of a trackio project, PROJECT.db: a row for every call of log, its numbers as JSON, of several runs.

It is only read, without trackio, and leaves no files beside it.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import groupby
from operator import itemgetter
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
            gathered = list(_runs(base, file, key, set(columns.values())))
    except (sqlite3.Error, OSError, OverflowError) as error:
        raise RunError(f"the database {file} cannot be read: {error}") from error
    every = [
        scalars_of_rows(Place(str(file), part=f"run {name}"), name, rows, columns, dialect_of(rows.names), per_epoch)
        for name, _, rows in sorted(gathered, key=itemgetter(1))
        if set(rows.cells) > {COUNT_OF_CALLS}
    ]
    if not every:
        raise RunError(f"{file} has no runs with metrics")
    return [run for several in every for run in several]


def _open(file: Path) -> sqlite3.Connection:
    """Open a database without writing; without a lock, unless another program may be writing to it."""
    beside = file.with_name(f"{file.name}{WRITTEN}")
    how = "mode=ro" if beside.exists() and beside.stat().st_size else "mode=ro&immutable=1"
    base = sqlite3.connect(f"{file.resolve().as_uri()}?{how}", uri=True)
    base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
    return base


def _columns(base: sqlite3.Connection) -> set[str]:
    """Return the columns of the table; none if it is a view, which could compute anything."""
    tables = {name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return {str(name) for _, name, *_ in base.execute(f"PRAGMA table_info({TABLE})")} if TABLE in tables else set()


def _runs(base: sqlite3.Connection, file: Path, key: str, named: set[str]) -> Iterator[tuple[str, int, Rows]]:
    """Yield the name of every run, the number of its first row, and its rows."""
    query = f"SELECT {key}, run_name, id, step, metrics FROM {TABLE} ORDER BY {key}, id"
    for _, cells in groupby(base.execute(query), itemgetter(0)):
        heads: list[tuple[str, int]] = []
        rows = gather_rows(_rows(cells, file, heads), lambda i: _place_of(file, i), named)
        yield *heads[0], rows


def _rows(
    cells: Iterable[Sequence[Any]], file: Path, heads: list[tuple[str, int]]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the rows of a run, each with its number; `heads` gets its name and the number of the first."""
    for _, name, i, step, content in cells:
        if type(i) is not int or type(step) is not int or not isinstance(content, bytes | str):
            problem = f"{short_repr((step, content))} is not a step with its metrics: the database is damaged"
            raise RunError(problem, place=_place_of(file, i))
        if not heads:
            heads.append((str(name), i))
        yield i, {COUNT_OF_CALLS: step, **_object(content, _place_of(file, i))}


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
