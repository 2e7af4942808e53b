"""Inspect a store: what it holds, in numbers, and what is wrong with it."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from glidepath.errors import SnapshotError

from .connect import NAME
from .database import Store
from .snapshots import StoredSnapshot

UNKNOWN = {"task": "unknown", "seed": "", "versions": ""}


@final
@dataclass(frozen=True)
class OriginRow:
    """What was trained of one task, from one seed, with one set of versions."""

    task: str
    seed: str
    versions: str
    segments: int
    updates: int
    seconds: float
    snapshots: int
    bytes: int


@final
@dataclass(frozen=True)
class StoreSummary:
    """A store in numbers.

    Args:
        rows: for every origin.
        database: the bytes of the database.
    """

    rows: tuple[OriginRow, ...]
    database: int

    @property
    def updates(self) -> int:
        """Return the number of updates that were trained, each once."""
        return sum(row.updates for row in self.rows)

    @property
    def snapshots(self) -> int:
        """Return the number of snapshots."""
        return sum(row.snapshots for row in self.rows)

    @property
    def bytes(self) -> int:
        """Return the bytes of all snapshots."""
        return sum(row.bytes for row in self.rows)


def summarize(store: Store) -> StoreSummary:
    """Count what is in a store, without reading a snapshot."""
    segments = store.query("SELECT path, count(*), sum(stop - start), sum(seconds) FROM segments GROUP BY path")
    snapshots = store.query("SELECT path, count(*), sum(bytes) FROM snapshots GROUP BY path")
    described = {origin: json.loads(text) for origin, text in store.query("SELECT origin, described FROM origins")}
    totals: dict[str, list[float]] = {}
    for path, *numbers in segments:
        _add(totals, path, [*numbers, 0, 0])
    for path, *numbers in snapshots:
        _add(totals, path, [0, 0, 0.0, *numbers])
    rows = [_row(described.get(origin, UNKNOWN), numbers) for origin, numbers in totals.items()]
    ordered = sorted(rows, key=lambda row: (row.task, row.versions, len(row.seed), row.seed))
    return StoreSummary(tuple(ordered), sum(file.stat().st_size for file in store.folder.glob(f"{NAME}*")))


def _add(totals: dict[str, list[float]], path: str, numbers: list[float]) -> None:
    """Add numbers to those of a path's origin, with which the path begins.

    What follows in the path says which columns its rows have, or that it is not shared.
    """
    origin = path.partition(":")[0].partition("/")[0]
    before = totals.get(origin, [0, 0, 0.0, 0, 0])
    totals[origin] = [sum(pair) for pair in zip(before, numbers, strict=True)]


def _row(described: dict[str, str], numbers: list[Any]) -> OriginRow:
    return OriginRow(described["task"], described["seed"], described["versions"], *numbers)


@final
@dataclass(frozen=True)
class Problems:
    """What is wrong with a store.

    Args:
        database: a line for each thing that is wrong in the database: it cannot be repaired.
        snapshots: those that are damaged or missing, with what is wrong: their states can be trained again.
        strays: files that belong to no snapshot.
    """

    database: tuple[str, ...]
    snapshots: dict[StoredSnapshot, str]
    strays: tuple[Path, ...]

    @property
    def lines(self) -> list[str]:
        """Return everything that is wrong, a line each."""
        return [*self.database, *self.snapshots.values(), *(f"{file} belongs to no snapshot" for file in self.strays)]


def find_problems(store: Store) -> Problems:
    """Check the whole database, and every bit of every snapshot."""
    return Problems(tuple(_check_database(store)), dict(_check_snapshots(store)), tuple(store.strays()))


def _check_snapshots(store: Store) -> Iterator[tuple[StoredSnapshot, str]]:
    for snapshot in store.all_snapshots():
        try:
            store.snapshots.check(snapshot)
        except SnapshotError as error:
            yield snapshot, error.worded()


def _check_database(store: Store) -> Iterator[str]:
    """Yield what SQLite finds, and then what it cannot see: whether every segment has all of its updates and rows."""
    damage = [line for (line,) in store.query("PRAGMA integrity_check") if line != "ok"]
    yield from (f"{store.folder / NAME}: {line}" for line in damage)
    if damage:
        return
    counts = "SELECT segment, count(*) AS trained, min(step) AS first, max(step) AS last FROM updates GROUP BY segment"
    wrong = store.query(
        f"SELECT segment FROM segments LEFT JOIN ({counts}) USING (segment) "
        "WHERE trained IS NOT stop - start OR first IS NOT start OR last IS NOT stop - 1"
    )
    yield from (f"segment {segment} has not all of its updates" for (segment,) in wrong)
    for segment, size, rows in store.query("SELECT segment, width * (stop - start), rows FROM segments"):
        if _length(rows) != size:
            yield f"segment {segment} has lost what its updates received"


def _length(compressed: bytes) -> int:
    try:
        return len(zlib.decompress(compressed))
    except zlib.error:
        return -1
