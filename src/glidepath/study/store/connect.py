"""Connect to a store's database: create it where there is none, and only read it where it cannot be written."""

import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from glidepath.errors import Argument, Cure, StoreError

FORMAT = 1
OURS = 0x676C6964  # "glid", in the header of the file
PATIENCE = 60.0  # seconds to wait for another process that writes
NAME = "store.sqlite"

FULL, BUSY, LOCKED, CORRUPT, NOT_A_DATABASE = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
)
PRIMARY = 0xFF  # the bits of an extended result code that hold the primary one
ANOTHER_STORE = Cure("use another store", Argument("store"))


def connect(folder: Path) -> tuple[sqlite3.Connection, bool]:
    """Open the database of a folder; return it, and whether it can be written.

    Raises:
        StoreError: if it cannot be opened, is not a store, or has the format of another version.
    """
    writable = _prepare_folder(folder)
    with translate_errors(folder):
        base = _open_connection(folder / NAME, writable)
        try:
            if writable and _header(base) == (0, 0):
                _create_tables(base)
            _check_format(base, folder / NAME)
            if writable:
                base.execute("PRAGMA journal_mode = WAL")  # readers never wait for a writer
        except BaseException:
            base.close()
            raise
        return base, writable


@contextmanager
def translate_errors(folder: Path) -> Iterator[None]:
    """Turn SQLite's errors into a `StoreError` that says what to do."""
    try:
        yield
    except (sqlite3.Error, zlib.error) as error:
        reason, cures = _explain(error)
        raise StoreError(f"the store {folder} cannot be used: {error}{reason}", cures=cures) from error


def _explain(error: Exception) -> tuple[str, list[Cure]]:
    """Return what an error means for the store, decided by its result code, and what to do about it."""
    code = getattr(error, "sqlite_errorcode", 0) & PRIMARY  # Python's own errors have none
    if code == FULL:
        return ". What was kept before stays", [Cure("free disk space and run it again")]
    if code in (BUSY, LOCKED):
        return f"; another process has been writing for {PATIENCE:.0f} seconds", [Cure("run it again later")]
    if code in (CORRUPT, NOT_A_DATABASE) or isinstance(error, zlib.error):
        return f"; {NAME} is damaged, or is not a store", [Cure("move it away"), ANOTHER_STORE]
    return "", []


def _prepare_folder(folder: Path) -> bool:
    """Create the folder if it is missing; return whether it can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"no store can be created in {folder}: {error.strerror}") from error
    file = folder / NAME
    if not file.exists() and not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError(f"no store can be created in {folder}: it cannot be written")
    return os.access(folder, os.W_OK | os.X_OK) and (not file.exists() or os.access(file, os.W_OK))


def _open_connection(file: Path, writable: bool) -> sqlite3.Connection:
    """Open a connection whose transactions begin and end only where this package says so."""
    if writable:
        base = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)
        base.execute("PRAGMA synchronous = NORMAL")
        base.execute("PRAGMA foreign_keys = ON")
        return base
    log = file.with_name(f"{NAME}-wal")
    # a killed process leaves its last commits in the log, and beside it the index that is needed to read it
    mode = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
    return sqlite3.connect(f"{file.resolve().as_uri()}?{mode}", uri=True, timeout=PATIENCE, isolation_level=None)


def _create_tables(base: sqlite3.Connection) -> None:
    """Create all tables, or none: another process may do the same, and a file of another program stays as it is."""
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
    """Return the application that a file belongs to, and its format; zeros if it is new, or does not say."""
    return (
        base.execute("PRAGMA application_id").fetchone()[0],
        base.execute("PRAGMA user_version").fetchone()[0],
    )


def _check_format(base: sqlite3.Connection, file: Path) -> None:
    application, version = _header(base)
    if application != OURS:
        raise StoreError(f"{file} is the database of another application", cures=[ANOTHER_STORE])
    if version != FORMAT:
        raise StoreError(
            f"{file} has format {version}, and this Glidepath reads format {FORMAT}",
            cures=[Cure("use the version that wrote it"), ANOTHER_STORE],
        )
