"""Snapshots: a state as a file, written all or not at all, and checked before it is used."""

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch

from .errors import SnapshotError, StoreError

State = dict[str, Any]
UNFINISHED = ".part"


@final
@dataclass(frozen=True)
class Saved:
    """A snapshot that was written.

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
    """The folder of the snapshots: a file for each state, named by its key."""

    folder: Path

    def file(self, key: str) -> Path:
        """Where the snapshot of a state is."""
        return self.folder / key[:2] / f"{key}.pt"

    def write(self, key: str, state: State) -> Saved:
        """Write a state: under another name, to the disk, and then renamed.

        Raises:
            StoreError: if the disk is full, or the folder cannot be written.
        """
        buffer = io.BytesIO()
        torch.save(state, buffer)
        content, file = buffer.getbuffer(), self.file(key)
        unfinished = file.with_suffix(f".{os.getpid()}{UNFINISHED}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            _write_through(unfinished, content)
            os.replace(unfinished, file)
            _flush_folder(file.parent)
        except OSError as error:
            _drop(unfinished)
            raise StoreError(
                f"a snapshot cannot be written in {self.folder}: {error.strerror}. What was kept before is safe"
            ) from error
        return Saved(key, hashlib.sha256(content).hexdigest(), len(content))

    def read(self, saved: Saved) -> State:
        """The state of a snapshot, if the file is bit for bit what was written.

        Raises:
            SnapshotError: if it is not, or is not there.
        """
        content = self._content(saved)
        state: State = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        return state

    def check(self, saved: Saved) -> None:
        """As `read`, without making the state.

        Raises:
            SnapshotError: if the file is not what was written, or is not there.
        """
        self._content(saved)

    def _content(self, saved: Saved) -> bytes:
        try:
            content = self.file(saved.key).read_bytes()
        except FileNotFoundError as error:
            raise SnapshotError(f"the snapshot {saved.key} is missing") from error
        except OSError as error:
            raise SnapshotError(f"the snapshot {saved.key} cannot be read: {error.strerror}") from error
        if len(content) != saved.bytes:
            raise SnapshotError(f"the snapshot {saved.key} has {len(content)} bytes, not {saved.bytes}: cut off")
        if hashlib.sha256(content).hexdigest() != saved.digest:
            raise SnapshotError(f"the snapshot {saved.key} is damaged: its digest is not the one that was noted")
        return content

    def remove(self, key: str) -> None:
        """Delete a snapshot; one that is gone already is no mistake."""
        _drop(self.file(key))

    def strays(self, known: set[str]) -> Iterator[Path]:
        """Files that belong to no known snapshot: what a killed process left half-written, for one."""
        for file in sorted(self.folder.glob("??/*")):
            if file.name.endswith(UNFINISHED) or (file.suffix == ".pt" and file.stem not in known):
                yield file


def _write_through(file: Path, content: Any) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    """The new name, too, is on the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _drop(file: Path) -> None:
    with suppress(OSError):  # a stray costs space, no more; `store gc` finds it
        file.unlink(missing_ok=True)
