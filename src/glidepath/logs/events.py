"""Event files of TensorBoard: the scalars in them, and nothing else.

A file is a chain of records: a length (8 bytes), its checksum (4), so many bytes of an Event, their checksum (4). Both
checksums are checked. Of an Event only numbers are read; images, texts, graphs and lists are passed over.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from glidepath.errors import RunError, needs_extra

from .scalars import Scalars, gathered

with needs_extra("logs", "event files"):
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

MOST_BYTES = 65_536  # of a record with a scalar; what is longer holds something else
HEAD, SUM = struct.Struct("<QI"), struct.Struct("<I")
AROUND = HEAD.size + SUM.size
NUMBERS = {1: ("float_val", "f"), 2: ("double_val", "d"), 3: ("int_val", "i"), 9: ("int64_val", "q")}  # by DataType


def scalars_of_events(where: Path, name: str, files: Sequence[Path]) -> Scalars:
    """The scalars in the event files of one run, each of which goes on where the one before it was interrupted.

    A run that was killed leaves its last event torn: it is left out, and `assumed` says so.

    Raises:
        RunError: if a file is damaged, or holds no scalars.
    """
    torn: list[str] = []
    found = [each for file in files for each in _scalars(file, torn)]
    if torn and not found:
        raise RunError(f"{torn[0]}: the event file was cut off here, and no number comes before")
    scalars = gathered(str(where), name, found)
    notes = [scalars.assumed, *(f"the last event is left out, because it was cut off ({place})" for place in torn)]
    return replace(scalars, assumed="; ".join(filter(None, notes)))


def _scalars(file: Path, torn: list[str]) -> Iterator[tuple[str, float, float, str]]:
    for start, data in _records(file, torn):
        place = f"{file}, byte {start}"
        try:
            event = Event.FromString(data)
        except DecodeError as error:
            raise RunError(f"{place}: this is no event of TensorBoard, or damaged") from error
        for value in event.summary.value:
            number = _number(value, place)
            if number is not None:
                yield value.tag, float(event.step), number, place


def _number(value: Any, place: str) -> float | None:
    """The number of a value, if it has just one."""
    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return float(value.simple_value)
    if kind != "tensor" or value.tensor.dtype not in NUMBERS or any(d.size != 1 for d in value.tensor.tensor_shape.dim):
        return None
    field, letter = NUMBERS[value.tensor.dtype]
    packed, listed = value.tensor.tensor_content, getattr(value.tensor, field)
    if packed and len(packed) == struct.calcsize(f"<{letter}"):
        return float(struct.unpack(f"<{letter}", packed)[0])
    if not packed and len(listed) == 1:
        return float(listed[0])
    raise RunError(f"{place}: {value.tag[:40]!r} is a tensor whose shape and content differ: the file is damaged")


def _records(file: Path, torn: list[str]) -> Iterator[tuple[int, bytes]]:
    """Where each record begins, and its bytes; long ones are passed over, and the last one if it is not whole."""
    try:
        with file.open("rb") as stream:
            size, start = file.stat().st_size, 0
            while start < size:
                length = _length(stream, file, start)
                if length is None or start + AROUND + length > size:
                    torn.append(f"{file}, byte {start}")
                    return
                if length <= MOST_BYTES:
                    yield start, _data(stream, file, start, length)
                start += AROUND + length
                stream.seek(start)
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror or error}") from error


def _length(stream: BinaryIO, file: Path, start: int) -> int | None:
    """The bytes of a record, if so much of it is there."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    length, checksum = HEAD.unpack(head)
    if masked_crc32c(head[:8]) != checksum:
        raise RunError(f"{file}, byte {start}: the checksum of a length is wrong: the file is damaged from here on")
    return int(length)


def _data(stream: BinaryIO, file: Path, start: int, length: int) -> bytes:
    data = stream.read(length)
    if masked_crc32c(data) != SUM.unpack(stream.read(SUM.size))[0]:
        raise RunError(f"{file}, byte {start}: the checksum of an event is wrong: the file is damaged here")
    return data
