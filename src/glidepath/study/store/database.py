"""The database of a store: what was trained, each update once.

Only processes that lead a study write it; several may do so at once.
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

from glidepath.errors import StoreError
from glidepath.study.curve import Curve, Record

from .connect import connect, translate_errors
from .eviction import EvictionCandidate, choose_evictions
from .snapshots import Snapshots, StoredSnapshot


@final
@dataclass(frozen=True)
class StoredSegment:
    """A segment as the store knows it: updates start..stop-1, and what each received."""

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
        folder: made if it is not there; one that cannot be written can still be read.

    Raises:
        StoreError: if it cannot be opened, is something else, or another version wrote it.
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
        """To be called before hours are spent on what could not be kept.

        Raises:
            StoreError: if the store can only be read.
        """
        if not self.writable:
            raise StoreError(
                f"the store {self.folder} can only be read, and not everything asked for is in it: make it writable, "
                "or name another one with --store"
            )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is written inside, or nothing; nobody else writes in the meantime."""
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
        """Whether another process has written since this was last asked; the first time it has."""
        before, self._version = self._version, self._one("PRAGMA data_version")[0]
        return before != self._version

    # --- origins ---

    def reproducibility_check(self, origin: str) -> str | None:
        """How a task was found to be reproducible; None if that is not known."""
        found = self._one("SELECT checked FROM origins WHERE origin = ?", origin)
        return None if found is None else found[0]

    def note_origin(self, origin: str, described: Mapping[str, str], checked: str | None) -> None:
        """Keep what an origin stands for."""
        with self.transaction() as base:
            base.execute("INSERT OR REPLACE INTO origins VALUES (?, ?, ?)", (origin, json.dumps(described), checked))

    # --- curves ---

    def segments_of(self, path: str, after: int = 0) -> list[StoredSegment]:
        """Every segment of a path's origin with a number above `after`, in the order in which they were added."""
        columns = "segment, path, start, stop, begins, ends, diverged, width, rows"
        with translate_errors(self.folder):
            found = self._base.execute(
                f"SELECT {columns} FROM segments WHERE path = ? AND segment > ? ORDER BY segment", (path, after)
            ).fetchall()
            return [
                StoredSegment(number, path, start, stop, begins, ends, bool(diverged), width, zlib.decompress(rows))
                for number, path, start, stop, begins, ends, diverged, width, rows in found
            ]

    def add(self, stretch: StoredSegment, records: Sequence[Record], seconds: float) -> StoredSegment:
        """Keep a segment with its records, all or nothing; one that is there already stays as it is.

        Returns:
            The stretch with its number in this store.
        """
        columns = (stretch.path, stretch.width, stretch.start, stretch.stop, stretch.begins, stretch.ends)
        compressed = zlib.compress(stretch.rows, 1)
        with self.transaction() as base:
            added = base.execute(
                "INSERT OR IGNORE INTO segments (path, width, start, stop, begins, ends, diverged, rows, seconds) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*columns, int(stretch.diverged), compressed, seconds),
            )
            found = base.execute(
                "SELECT segment FROM segments WHERE begins = ? AND ends = ?", (stretch.begins, stretch.ends)
            ).fetchone()
            if added.rowcount:
                updates = ((found[0], record.step, record.rate, record.loss) for record in records)
                base.executemany("INSERT INTO updates VALUES (?, ?, ?, ?)", updates)
        return replace(stretch, number=found[0])

    def records(self, piece: SegmentRange) -> list[Record]:
        """The records of a piece, without metrics."""
        with translate_errors(self.folder):
            found = self._base.execute(
                "SELECT step, rate, loss FROM updates WHERE segment = ? AND step >= ? AND step < ? ORDER BY step",
                (piece.segment, piece.start, piece.stop),
            )
            return [Record(step, rate, _number(loss)) for step, rate, loss in found]

    # --- evaluations ---

    def evaluation(self, state: str) -> dict[str, float]:
        """The metrics of a state, in their order; empty if it was never evaluated."""
        with translate_errors(self.folder):
            found = self._base.execute("SELECT name, value FROM evaluations WHERE state = ? ORDER BY place", (state,))
            return {name: _number(value) for name, value in found}

    def add_evaluations(self, metrics: Mapping[str, Mapping[str, float]]) -> None:
        """Keep the metrics of states, by key."""
        rows = ((key, i, *pair) for key, found in metrics.items() for i, pair in enumerate(found.items()))
        with self.transaction() as base:
            base.executemany("INSERT OR IGNORE INTO evaluations VALUES (?, ?, ?, ?)", rows)

    # --- snapshots ---

    def snapshots_of(self, path: str) -> dict[str, tuple[int, StoredSnapshot]]:
        """The snapshots of an origin's path by key, each with its step."""
        with translate_errors(self.folder):
            found = self._base.execute("SELECT state, step, digest, bytes FROM snapshots WHERE path = ?", (path,))
            return {state: (step, StoredSnapshot(state, digest, size)) for state, step, digest, size in found}

    def all_snapshots(self) -> list[StoredSnapshot]:
        """Every snapshot, the oldest first."""
        return [
            StoredSnapshot(*row) for row in self.query("SELECT state, digest, bytes FROM snapshots ORDER BY snapshot")
        ]

    def add_snapshot(self, saved: StoredSnapshot, path: str, step: int, before: str) -> StoredSnapshot:
        """Note a snapshot that has been written; the one that stays, if another process was faster."""
        with self.transaction() as base:
            row = (saved.key, path, step, before, saved.digest, saved.bytes)
            columns = "state, path, step, before, digest, bytes"
            base.execute(f"INSERT OR IGNORE INTO snapshots ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row)
            first = StoredSnapshot(*self._one("SELECT state, digest, bytes FROM snapshots WHERE state = ?", saved.key))
        if first != saved:
            self.snapshots.remove(saved)
        return first

    def delete_snapshots(self, saved: Iterable[StoredSnapshot]) -> None:
        """Delete snapshots: first what is known of them, then the files; another file of the same state stays."""
        gone = list(saved)
        with self.transaction() as base:
            pairs = ((one.key, one.digest) for one in gone)
            base.executemany("DELETE FROM snapshots WHERE state = ? AND digest = ?", pairs)
        for one in gone:
            self.snapshots.remove(one)

    def strays(self) -> list[Path]:
        """Files in the folder of the snapshots that belong to none of them."""
        return list(self.snapshots.strays(self.all_snapshots()))

    def snapshot_bytes(self) -> int:
        """The bytes of all snapshots together."""
        return int(self._one("SELECT coalesce(sum(bytes), 0) FROM snapshots")[0])

    def snapshots_to_evict(self, budget: int, needed: Container[str] = ()) -> list[StoredSnapshot]:
        """The snapshots to give up so that the rest takes no more than a budget; see `keeping.py`.

        Args:
            budget: in bytes.
            needed: the keys of states that are still to be trained from.
        """
        if self.snapshot_bytes() <= budget:
            return []
        steps = dict(self.query("SELECT state, step FROM snapshots"))
        before = dict(self.query("SELECT state, before FROM snapshots UNION SELECT ends, begins FROM segments"))
        every = {one.key: one for one in self.all_snapshots()}
        kept = [EvictionCandidate(one.key, steps[one.key], one.bytes) for one in every.values()]
        return [every[key] for key in choose_evictions(kept, before, needed, budget)]

    def evict_to(self, budget: int, needed: Container[str] = ()) -> list[StoredSnapshot]:
        """Give up what is over a budget; what that was. Costs one look at a sum if nothing is."""
        gone = self.snapshots_to_evict(budget, needed)
        if gone:
            self.delete_snapshots(gone)
        return gone

    # --- studies ---

    def note_study(self, study: str, curves: Iterable[tuple[Curve, Sequence[SegmentRange]]]) -> None:
        """Keep which pieces the runs of a study are made of, for the view `curves`."""
        with self.transaction() as base:
            base.execute("DELETE FROM runs WHERE study = ?", (study,))
            for curve, pieces in curves:
                run = curve.run
                row = (study, run.number, run.schedule, run.text, run.horizon, curve.peak, run.seed)
                columns = "study, number, schedule, text, horizon, peak, seed"
                number = base.execute(f"INSERT INTO runs ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", row).lastrowid
                rows = ((number, piece.segment, piece.start, piece.stop) for piece in pieces)
                base.executemany("INSERT INTO pieces VALUES (?, ?, ?, ?)", rows)

    def counts(self) -> dict[str, int]:
        """How much there is, by name."""
        tables = ("origins", "segments", "updates", "evaluations", "snapshots", "runs")
        return {table: self._one(f"SELECT count(*) FROM {table}")[0] for table in tables}

    def query(self, sql: str, *values: Any) -> list[Any]:
        """Rows, for those who only read."""
        with translate_errors(self.folder):
            return self._base.execute(sql, values).fetchall()

    # --- underneath ---

    def _one(self, sql: str, *values: Any) -> Any:
        with translate_errors(self.folder):
            return self._base.execute(sql, values).fetchone()


def _number(value: float | None) -> float:
    return math.nan if value is None else value
