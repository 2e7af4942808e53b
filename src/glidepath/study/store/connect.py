"""Opening a store's database: made where there is none, and only read where it cannot be written."""

import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from glidepath.errors import StoreError

FORMAT = 1
OURS = 0x676C6964  # "glid", in the header of the file
PATIENCE = 60.0  # seconds to wait for another process that writes
NAME = "store.sqlite"


def connect(folder: Path) -> tuple[sqlite3.Connection, bool]:
    """The database of a folder, and whether it can be written.

    Raises:
        StoreError: if it cannot be opened, is something else, or another version wrote it.
    """
    writable = _prepare_folder(folder)
    with translate_errors(folder):
        base = _open_connection(folder / NAME, writable)
        try:
            if writable and _header(base) == (0, 0):
                _create_tables(base)
            _check_format(base, folder / NAME)
            if writable:
                base.execute("PRAGMA journal_mode = WAL")  # who reads waits for nobody
        except BaseException:
            base.close()
            raise
        return base, writable


@contextmanager
def translate_errors(folder: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except (sqlite3.Error, zlib.error) as error:
        raise StoreError(f"the store {folder} cannot be used: {error}{_advice(str(error))}") from error


def _advice(reason: str) -> str:
    if "full" in reason:
        return ". What was kept before stays; make room, and go on"
    if "locked" in reason:
        return f": another process has been writing for {PATIENCE:.0f} seconds"
    if "malformed" in reason or "not a database" in reason or "decompress" in reason:
        return f". {NAME} is damaged, or something else's: move it away, or name another store with --store"
    return ""


def _prepare_folder(folder: Path) -> bool:
    """Make the folder; whether it can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"no store can be made in {folder}: {error.strerror}") from error
    file = folder / NAME
    if not file.exists() and not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError(f"no store can be made in {folder}: it cannot be written")
    return os.access(folder, os.W_OK | os.X_OK) and (not file.exists() or os.access(file, os.W_OK))


def _open_connection(file: Path, writable: bool) -> sqlite3.Connection:
    """A connection whose transactions begin and end where we say so."""
    if writable:
        base = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)
        base.execute("PRAGMA synchronous = NORMAL")
        base.execute("PRAGMA foreign_keys = ON")
        return base
    log = file.with_name(f"{NAME}-wal")
    # a killed process leaves its last commits in the log, and beside it the index that is needed to read it
    how = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
    return sqlite3.connect(f"{file.resolve().as_uri()}?{how}", uri=True, timeout=PATIENCE, isolation_level=None)


def _create_tables(base: sqlite3.Connection) -> None:
    """All tables, or none; another process may be about to do the same, and something else's file stays as it is."""
    base.execute("BEGIN EXCLUSIVE")
    try:
        if base.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            for statement in (files(__package__) / "schema.sql").read_text().split(";\n"):
                base.execute(statement)
            base.execute(f"PRAGMA application_id = {OURS}")
            base.execute(f"PRAGMA user_version = {FORMAT}")
        base.execute("COMMIT")
    except BaseException:
        base.execute("ROLLBACK")
        raise


def _header(base: sqlite3.Connection) -> tuple[int, int]:
    """Whose file it is, and of which format; zeros if it is new, or does not say."""
    return (
        base.execute("PRAGMA application_id").fetchone()[0],
        base.execute("PRAGMA user_version").fetchone()[0],
    )


def _check_format(base: sqlite3.Connection, file: Path) -> None:
    ours, version = _header(base)
    if ours != OURS:
        raise StoreError(f"{file} is a database of something else: name another store with --store")
    if version != FORMAT:
        raise StoreError(
            f"{file} has format {version}, and this Glidepath knows format {FORMAT}: another version wrote it, so use "
            "that one, or name another store with --store"
        )
