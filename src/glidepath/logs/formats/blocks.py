"""Records in blocks of 32 KiB, the log format of LevelDB, as W&B writes it.

A record is one chunk, or a first, some middle and a last one. A chunk is a checksum (4 bytes), a length (2), a kind (1)
and so many bytes; none goes beyond the end of a block. W&B's checksum is the common CRC-32 of the kind and the bytes.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from glidepath.errors import Place, RunError

BLOCK = 32_768
MOST_BYTES = 10_000_000  # of a record; a longer one is passed over
HEAD = struct.Struct("<IHB")
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def read_records(stream: BinaryIO, file: Path, left_out: list[str]) -> Iterator[tuple[int, bytes]]:
    """Yield where each record begins, and its bytes.

    Args:
        stream: behind the header of the file, which belongs to the first block.
        file: named in messages.
        left_out: gets a note on a last record that is not whole, and on one that is too long.

    Raises:
        RunError: if the file is damaged.
    """
    start, record, length = None, bytearray(), 0
    for byte, kind, data in _chunks(stream, file, left_out):
        if (start is None) != (kind in (FULL, FIRST)):
            raise RunError("parts of records in a wrong order: the file is damaged here", place=place_of(file, byte))
        start = byte if start is None else start
        length += len(data)
        if length <= MOST_BYTES:
            record += data
        if kind in (FULL, LAST):
            if length <= MOST_BYTES:
                yield start, bytes(record)
            else:
                left_out.append(f"a record of {length:,} bytes is left out ({place_of(file, start)})")
            start, record, length = None, bytearray(), 0
    if start is not None:
        _note_on_end(file, start, left_out)


def place_of(file: Path, byte: int) -> Place:
    """Return a place in a file without lines."""
    return Place(str(file), part=f"byte {byte}")


def _chunks(stream: BinaryIO, file: Path, left_out: list[str]) -> Iterator[tuple[int, int, bytes]]:
    """Yield where each chunk begins, its kind and its bytes."""
    byte = stream.tell()
    while True:
        rest = BLOCK - byte % BLOCK
        if rest < HEAD.size:  # too little for a chunk, and filled with zeros
            stream.read(rest)
            byte += rest
            continue
        head = stream.read(HEAD.size)
        if not any(head):  # the end, or room that was not written
            _check_room(stream, file, byte)
            return
        length = HEAD.unpack(head)[1] if len(head) == HEAD.size else 0
        if HEAD.size + length > rest:
            raise RunError(
                f"a length of {length:,}, beyond its block: the file is damaged here", place=place_of(file, byte)
            )
        data = stream.read(length)
        if len(head) < HEAD.size or len(data) < length:
            _note_on_end(file, byte, left_out)
            return
        yield byte, _kind(head, data, place_of(file, byte)), data
        byte += HEAD.size + length


def _kind(head: bytes, data: bytes, place: Place) -> int:
    checksum, _, kind = HEAD.unpack(head)
    if zlib.crc32(data, zlib.crc32(head[-1:])) != checksum:
        raise RunError("the checksum of a record is wrong: the file is damaged here", place=place)
    if kind not in (FULL, FIRST, MIDDLE, LAST):
        raise RunError(f"a record of the unknown kind {kind}: the file is damaged here", place=place)
    return int(kind)


def _check_room(stream: BinaryIO, file: Path, byte: int) -> None:
    """Check that nothing but zeros follows."""
    while block := stream.read(BLOCK):
        if any(block):
            raise RunError("zeros where a record belongs: the file is damaged here", place=place_of(file, byte))


def _note_on_end(file: Path, byte: int, left_out: list[str]) -> None:
    note = f"the last record is left out, because it was cut off ({place_of(file, byte)})"
    if note not in left_out:
        left_out.append(note)
