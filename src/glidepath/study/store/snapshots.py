"""Snapshots: a state as a file, written all or not at all, and checked before it is used.

A file is named by the key of its state and by its own digest, so two processes that keep the same state at once do
not disturb each other.
"""

import hashlib
import io
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from glidepath.errors import Argument, Cure, SnapshotError, StoreError

State = dict[str, Any]
UNFINISHED, FINISHED = ".part", ".pt"
YOUNG = 600.0  # seconds in which an unregistered file may be another process's, about to be registered

# What a pickled NumPy array calls; besides these, reading a snapshot can call nothing but PyTorch's own. They are named
# at every reading, because others may clear the list. (The context manager `safe_globals` came with PyTorch 2.5.)
ARRAYS: list[Any] = [
    np.ndarray,
    np.dtype,
    np.empty(0).__reduce__()[0],  # its place in NumPy has changed its name
    np.float64(0).__reduce__()[0],
    *{type(np.dtype(code)) for code in np.typecodes["All"] if code not in "OV"},
]


@final
@dataclass(frozen=True)
class StoredSnapshot:
    """A snapshot that was written to the store.

    Args:
        key: of the state.
        digest: SHA-256 of the file, 64 hexadecimal digits.
        bytes: size of the file.
    """

    key: str
    digest: str
    bytes: int


@final
@dataclass(frozen=True)
class Snapshots:
    """The folder of the snapshots."""

    folder: Path

    def file(self, snapshot: StoredSnapshot) -> Path:
        """Return the file of a snapshot."""
        return self.folder / snapshot.key[:2] / f"{snapshot.key}-{snapshot.digest[:16]}{FINISHED}"

    def write(self, key: str, state: State) -> StoredSnapshot:
        """Write a state: under another name, to the disk, and then renamed.

        Raises:
            StoreError: if the disk is full, or the folder cannot be written.
        """
        buffer = io.BytesIO()
        torch.save(state, buffer)
        content = buffer.getbuffer()
        snapshot = StoredSnapshot(key, hashlib.sha256(content).hexdigest(), len(content))
        file = self.file(snapshot)
        unfinished = file.with_suffix(f".{secrets.token_hex(6)}{UNFINISHED}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            _write_through(unfinished, content)
            os.replace(unfinished, file)
        except OSError as error:
            _drop(unfinished)
            raise StoreError(
                f"a snapshot of {len(content):,} bytes cannot be written in {self.folder}: {error.strerror}. What was "
                "kept before stays",
                cures=[Cure("free disk space and run it again"), Cure("use another store", Argument("store"))],
            ) from error
        return snapshot

    def read(self, snapshot: StoredSnapshot) -> State:
        """Return the state of a snapshot, if the file is bit for bit what was written.

        Raises:
            SnapshotError: if it is not, or is not there.
        """
        content = self._content(snapshot)
        torch.serialization.add_safe_globals(ARRAYS)
        state: State = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        return state

    def check(self, snapshot: StoredSnapshot) -> None:
        """Check the file as `read` does, without building the state.

        Raises:
            SnapshotError: if the file is not what was written, or is not there.
        """
        self._content(snapshot)

    def _content(self, snapshot: StoredSnapshot) -> bytes:
        try:
            content = self.file(snapshot).read_bytes()
        except FileNotFoundError as error:
            raise SnapshotError(f"the snapshot {snapshot.key} is missing") from error
        except OSError as error:
            raise SnapshotError(f"the snapshot {snapshot.key} cannot be read: {error.strerror}") from error
        if len(content) != snapshot.bytes:
            raise SnapshotError(f"the snapshot {snapshot.key} has {len(content)} bytes in place of {snapshot.bytes}")
        if hashlib.sha256(content).hexdigest() != snapshot.digest:
            raise SnapshotError(f"the snapshot {snapshot.key} is damaged: its digest is not the one in the database")
        return content

    def remove(self, snapshot: StoredSnapshot) -> None:
        """Delete a snapshot's file, unless it is gone already."""
        _drop(self.file(snapshot))

    def strays(self, registered: Iterable[StoredSnapshot]) -> Iterator[Path]:
        """Yield the files of no registered snapshot, which killed processes leave; not those of the last minutes."""
        files, now = {self.file(snapshot) for snapshot in registered}, time.time()
        for file in sorted(self.folder.glob("??/*")):
            if file.suffix in (UNFINISHED, FINISHED) and file not in files and _age(file, now) > YOUNG:
                yield file


def _write_through(file: Path, content: Any) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _age(file: Path, now: float) -> float:
    try:
        return now - file.stat().st_mtime
    except FileNotFoundError:  # its writer has just renamed it
        return 0.0


def _drop(file: Path) -> None:
    with suppress(OSError):  # a stray costs disk space only; `Store.strays` lists it
        file.unlink(missing_ok=True)
