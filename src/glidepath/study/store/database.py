"""The database of a store: what was trained, each update once.

Only the coordinators of studies write it; several may do so at once.
"""

import json
import math
import sqlite3
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

from glidepath.errors import Cure, StoreError
from glidepath.study.curve import Curve, Record

from .connect import ANOTHER_STORE, connect, translate_errors
from .eviction import EvictionCandidate, choose_evictions
from .snapshots import Snapshots, StoredSnapshot


@final
@dataclass(frozen=True)
class StoredSegment:
    """A segment in the store: updates start..stop-1, and the values that each received."""

    number: int
    path: str
    start: int
    stop: int
    begins: str
    ends: str
    diverged: bool
    width: int
    rows: bytes = field(repr=False)


@final
@dataclass(frozen=True)
class SegmentRange:
    """Updates start..stop-1 of a segment."""

    segment: int
    start: int
    stop: int


@final
class Store:
    """A folder with a database and snapshots; `with Store(folder) as store`.

    Args:
        folder: created if it is missing; one that cannot be written can still be read.

    Raises:
        StoreError: if it cannot be opened, is not a store, or has the format of another version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.snapshots = Snapshots(folder / "snapshots")
        self._base, self.writable = connect(folder)
        self._version = 0

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: Any) -> None:
        self._base.close()

    def require_writable(self) -> None:
        """Raise unless the store can be written; called before hours are spent on what could not be stored.

        Raises:
            StoreError: if the store can only be read.
        """
        if not self.writable:
            raise StoreError(
                f"the store {self.folder} can only be read, and not everything asked for is in it",
                cures=[Cure("make it writable"), ANOTHER_STORE],
            )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write everything inside, or nothing; no other process writes in the meantime."""
        self.require_writable()
        if self._base.in_transaction:
            yield self._base
            return
        with translate_errors(self.folder):
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
                self._base.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has ended the transaction already
                    self._base.execute("ROLLBACK")
                raise

    def has_changed(self) -> bool:
        """Return whether another process has written since the last call; True at the first call."""
        before, self._version = self._version, self._one("PRAGMA data_version")[0]
        return before != self._version

    # --- origins ---

    def reproducibility_check(self, origin: str) -> str | None:
        """Return how a task was checked to be reproducible; None if it was not."""
        row = self._one("SELECT checked FROM origins WHERE origin = ?", origin)
        return None if row is None else row[0]

    def note_origin(self, origin: str, described: Mapping[str, str], checked: str | None) -> None:
        """Store what an origin stands for."""
        with self.transaction() as base:
            base.execute("INSERT OR REPLACE INTO origins VALUES (?, ?, ?)", (origin, json.dumps(described), checked))

    # --- curves ---

    def segments_of(self, path: str, after: int = 0) -> list[StoredSegment]:
        """Return every segment of a path's origin with a number above `after`, in the order of their addition."""
        columns = "segment, path, start, stop, begins, ends, diverged, width, rows"
        with translate_errors(self.folder):
            rows_of_segments = self._base.execute(
                f"SELECT {columns} FROM segments WHERE path = ? AND segment > ? ORDER BY segment", (path, after)
            ).fetchall()
            return [
                StoredSegment(number, path, start, stop, begins, ends, bool(diverged), width, zlib.decompress(rows))
                for number, path, start, stop, begins, ends, diverged, width, rows in rows_of_segments
            ]

    def add(self, segment: StoredSegment, records: Sequence[Record], seconds: float) -> StoredSegment:
        """Store a segment with its records, all or nothing; one that is there already stays as it is.

        Returns:
            The segment with its number in this store.
        """
        columns = (segment.path, segment.width, segment.start, segment.stop, segment.begins, segment.ends)
        compressed = zlib.compress(segment.rows, 1)
        with self.transaction() as base:
            added = base.execute(
                "INSERT OR IGNORE INTO segments (path, width, start, stop, begins, ends, diverged, rows, seconds) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*columns, int(segment.diverged), compressed, seconds),
            )
            row = base.execute(
                "SELECT segment FROM segments WHERE begins = ? AND ends = ?", (segment.begins, segment.ends)
            ).fetchone()
            if added.rowcount:
                updates = ((row[0], record.step, record.rate, record.loss) for record in records)
                base.executemany("INSERT INTO updates VALUES (?, ?, ?, ?)", updates)
        return replace(segment, number=row[0])

    def records(self, part: SegmentRange) -> list[Record]:
        """Return the records of a part of a segment, without metrics."""
        with translate_errors(self.folder):
            rows = self._base.execute(
                "SELECT step, rate, loss FROM updates WHERE segment = ? AND step >= ? AND step < ? ORDER BY step",
                (part.segment, part.start, part.stop),
            )
            return [Record(step, rate, _number(loss)) for step, rate, loss in rows]

    # --- evaluations ---

    def evaluation(self, state: str) -> dict[str, float]:
        """Return the metrics of a state, in their order; empty if it was never evaluated."""
        with translate_errors(self.folder):
            rows = self._base.execute("SELECT name, value FROM evaluations WHERE state = ? ORDER BY place", (state,))
            return {name: _number(value) for name, value in rows}

    def add_evaluations(self, metrics: Mapping[str, Mapping[str, float]]) -> None:
        """Store the metrics of states, by key."""
        rows = ((key, i, *pair) for key, values in metrics.items() for i, pair in enumerate(values.items()))
        with self.transaction() as base:
            base.executemany("INSERT OR IGNORE INTO evaluations VALUES (?, ?, ?, ?)", rows)

    # --- snapshots ---

    def snapshots_of(self, path: str) -> dict[str, tuple[int, StoredSnapshot]]:
        """Return the snapshots of an origin's path by key, each with its step."""
        with translate_errors(self.folder):
            rows = self._base.execute("SELECT state, step, digest, bytes FROM snapshots WHERE path = ?", (path,))
            return {state: (step, StoredSnapshot(state, digest, size)) for state, step, digest, size in rows}

    def all_snapshots(self) -> list[StoredSnapshot]:
        """Return every snapshot, the oldest first."""
        return [
            StoredSnapshot(*row) for row in self.query("SELECT state, digest, bytes FROM snapshots ORDER BY snapshot")
        ]

    def add_snapshot(self, snapshot: StoredSnapshot, path: str, step: int, before: str) -> StoredSnapshot:
        """Register a snapshot that has been written; return the one that stays, if another process was faster."""
        with self.transaction() as base:
            row = (snapshot.key, path, step, before, snapshot.digest, snapshot.bytes)
            columns = "state, path, step, before, digest, bytes"
            base.execute(f"INSERT OR IGNORE INTO snapshots ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row)
            first = StoredSnapshot(
                *self._one("SELECT state, digest, bytes FROM snapshots WHERE state = ?", snapshot.key)
            )
        if first != snapshot:
            self.snapshots.remove(snapshot)
        return first

    def delete_snapshots(self, snapshots: Iterable[StoredSnapshot]) -> None:
        """Delete snapshots: first their rows, then their files; another file of the same state stays."""
        doomed = list(snapshots)
        with self.transaction() as base:
            pairs = ((snapshot.key, snapshot.digest) for snapshot in doomed)
            base.executemany("DELETE FROM snapshots WHERE state = ? AND digest = ?", pairs)
        for snapshot in doomed:
            self.snapshots.remove(snapshot)

    def strays(self) -> list[Path]:
        """Return the files in the folder of the snapshots that belong to none of them."""
        return list(self.snapshots.strays(self.all_snapshots()))

    def snapshot_bytes(self) -> int:
        """Return the bytes of all snapshots together."""
        return int(self._one("SELECT coalesce(sum(bytes), 0) FROM snapshots")[0])

    def snapshots_to_evict(self, budget: int, needed: Container[str] = ()) -> list[StoredSnapshot]:
        """Return the snapshots to delete so that the rest takes no more than a budget; see `eviction.py`.

        Args:
            budget: in bytes.
            needed: the keys of states that are still to be trained from.
        """
        if self.snapshot_bytes() <= budget:
            return []
        steps = dict(self.query("SELECT state, step FROM snapshots"))
        before = dict(self.query("SELECT state, before FROM snapshots UNION SELECT ends, begins FROM segments"))
        every = {snapshot.key: snapshot for snapshot in self.all_snapshots()}
        candidates = [
            EvictionCandidate(snapshot.key, steps[snapshot.key], snapshot.bytes) for snapshot in every.values()
        ]
        return [every[key] for key in choose_evictions(candidates, before, needed, budget)]

    def evict_to(self, budget: int, needed: Container[str] = ()) -> list[StoredSnapshot]:
        """Delete the snapshots over a budget and return them; takes one query of a sum if there are none."""
        evicted = self.snapshots_to_evict(budget, needed)
        if evicted:
            self.delete_snapshots(evicted)
        return evicted

    # --- studies ---

    def note_study(self, study: str, curves: Iterable[tuple[Curve, Sequence[SegmentRange]]]) -> None:
        """Store which parts of segments the runs of a study are made of, for the view `curves`."""
        with self.transaction() as base:
            base.execute("DELETE FROM runs WHERE study = ?", (study,))
            for curve, parts in curves:
                run = curve.run
                row = (study, run.number, run.schedule, run.text, run.horizon, curve.peak, run.seed)
                columns = "study, number, schedule, text, horizon, peak, seed"
                number = base.execute(f"INSERT INTO runs ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", row).lastrowid
                rows = ((number, part.segment, part.start, part.stop) for part in parts)
                base.executemany("INSERT INTO pieces VALUES (?, ?, ?, ?)", rows)

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each table, by name."""
        tables = ("origins", "segments", "updates", "evaluations", "snapshots", "runs")
        return {table: self._one(f"SELECT count(*) FROM {table}")[0] for table in tables}

    def query(self, sql: str, *values: Any) -> list[Any]:
        """Return the rows of a query that only reads."""
        with translate_errors(self.folder):
            return self._base.execute(sql, values).fetchall()

    # --- private ---

    def _one(self, sql: str, *values: Any) -> Any:
        with translate_errors(self.folder):
            return self._base.execute(sql, values).fetchone()


def _number(value: float | None) -> float:
    return math.nan if value is None else value
