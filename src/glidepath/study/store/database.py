"""The database of a store: what was trained, each update once. Only the process that leads a study writes it."""

import json
import math
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, final

from glidepath.study.curve import Curve, Record

from .errors import StoreError
from .snapshots import Saved, Snapshots

FORMAT = 1
PATIENCE = 60.0  # seconds to wait for another process that writes


@final
@dataclass(frozen=True)
class Stretch:
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
class Piece:
    """Updates start..stop-1 of a segment."""

    segment: int
    start: int
    stop: int


@final
class Store:
    """A folder with a database and snapshots; `with Store(folder) as store`.

    Args:
        folder: made if it is not there.

    Raises:
        StoreError: if it cannot be opened, or another version wrote it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.snapshots = Snapshots(folder / "snapshots")
        with _told(folder):
            self.writable = _prepared(folder)
            self._base = _opened(folder / "store.sqlite", self.writable)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: Any) -> None:
        self._base.close()

    # --- origins ---

    def checked(self, origin: str) -> str | None:
        """How a task was found to be reproducible; None if that is not known."""
        found = self._one("SELECT checked FROM origins WHERE origin = ?", origin)
        return None if found is None else found[0]

    def note_origin(self, origin: str, described: Mapping[str, str], checked: str | None) -> None:
        """Keep what an origin stands for."""
        with self._writing() as base:
            base.execute("INSERT OR REPLACE INTO origins VALUES (?, ?, ?)", (origin, json.dumps(described), checked))

    # --- curves ---

    def stretches(self, path: str) -> list[Stretch]:
        """Every segment of a path's origin."""
        columns = "segment, path, start, stop, begins, ends, diverged, width, rows"
        with _told(self.folder):
            found = self._base.execute(f"SELECT {columns} FROM segments WHERE path = ?", (path,)).fetchall()
        return [
            Stretch(number, path, start, stop, begins, ends, bool(diverged), width, zlib.decompress(rows))
            for number, path, start, stop, begins, ends, diverged, width, rows in found
        ]

    def add(self, stretch: Stretch, records: Sequence[Record], seconds: float) -> Stretch:
        """Keep a segment with its records, all or nothing; one that is there already stays as it is.

        Returns:
            The stretch with its number in this store.
        """
        columns = (stretch.path, stretch.width, stretch.start, stretch.stop, stretch.begins, stretch.ends)
        compressed = zlib.compress(stretch.rows, 1)
        with self._writing() as base:
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

    def records(self, piece: Piece) -> list[Record]:
        """The records of a piece, without metrics."""
        with _told(self.folder):
            found = self._base.execute(
                "SELECT step, rate, loss FROM updates WHERE segment = ? AND step >= ? AND step < ? ORDER BY step",
                (piece.segment, piece.start, piece.stop),
            )
            return [Record(step, rate, _number(loss)) for step, rate, loss in found]

    # --- evaluations ---

    def evaluation(self, state: str) -> dict[str, float]:
        """The metrics of a state, in their order; empty if it was never evaluated."""
        with _told(self.folder):
            found = self._base.execute("SELECT name, value FROM evaluations WHERE state = ? ORDER BY place", (state,))
            return {name: _number(value) for name, value in found}

    def add_evaluations(self, metrics: Mapping[str, Mapping[str, float]]) -> None:
        """Keep the metrics of states, by key."""
        rows = ((key, i, *pair) for key, found in metrics.items() for i, pair in enumerate(found.items()))
        with self._writing() as base:
            base.executemany("INSERT OR IGNORE INTO evaluations VALUES (?, ?, ?, ?)", rows)

    # --- snapshots ---

    def saved(self, path: str) -> dict[str, tuple[int, Saved]]:
        """The snapshots of an origin's path by key, each with its step."""
        with _told(self.folder):
            found = self._base.execute("SELECT state, step, digest, bytes FROM snapshots WHERE path = ?", (path,))
            return {state: (step, Saved(state, digest, size)) for state, step, digest, size in found}

    def every_saved(self) -> list[tuple[Saved, str, int, str]]:
        """Every snapshot, with its path, step, and the key of the state before it; the oldest first."""
        with _told(self.folder):
            found = self._base.execute("SELECT state, digest, bytes, path, step, before FROM snapshots")
            return [(Saved(*row[:3]), *row[3:]) for row in found]

    def add_saved(self, saved: Saved, path: str, step: int, before: str) -> None:
        """Note a snapshot that has been written."""
        with self._writing() as base:
            row = (saved.key, path, step, before, saved.digest, saved.bytes)
            base.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?, ?)", row)

    def forget_saved(self, keys: Iterable[str]) -> None:
        """Delete snapshots: first what is known of them, then the files."""
        gone = list(keys)
        with self._writing() as base:
            base.executemany("DELETE FROM snapshots WHERE state = ?", ((key,) for key in gone))
        for key in gone:
            self.snapshots.remove(key)

    # --- studies ---

    def note_study(self, study: str, curves: Iterable[tuple[Curve, Sequence[Piece]]]) -> None:
        """Keep which pieces the runs of a study are made of, for the view `curves`."""
        with self._writing() as base:
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
        with _told(self.folder):
            return self._base.execute(sql, values).fetchall()

    # --- underneath ---

    def _one(self, sql: str, *values: Any) -> Any:
        with _told(self.folder):
            return self._base.execute(sql, values).fetchone()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it, or nothing."""
        if not self.writable:
            raise StoreError(f"the store {self.folder} cannot be written, so nothing new can be kept: use --store")
        with _told(self.folder), self._base:
            yield self._base


def _prepared(folder: Path) -> bool:
    """Make the folder; whether it can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        if (folder / "store.sqlite").exists():
            return False
        raise StoreError(f"no store can be made in {folder}: {error.strerror}") from error
    return True


def _opened(file: Path, writable: bool) -> sqlite3.Connection:
    if not writable:
        return sqlite3.connect(f"{file.resolve().as_uri()}?immutable=1", uri=True)
    base = sqlite3.connect(file, timeout=PATIENCE)
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("PRAGMA synchronous = NORMAL")
    base.execute("PRAGMA foreign_keys = ON")
    version = base.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, FORMAT):
        raise StoreError(f"{file} has format {version}; this Glidepath reads format {FORMAT}: use another --store")
    base.executescript((files(__package__) / "schema.sql").read_text())
    base.execute(f"PRAGMA user_version = {FORMAT}")
    return base


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StoreError(f"the store {folder} cannot be used: {error}") from error


def _number(value: float | None) -> float:
    return math.nan if value is None else value
