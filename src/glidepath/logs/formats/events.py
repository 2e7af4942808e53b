"""Event files of TensorBoard: the scalars in them, and nothing else.

A file is a chain of records: a length (8 bytes), its checksum (4), so many bytes of an Event, their checksum (4). Both
checksums are checked. Of an Event only numbers are read; images, texts, graphs and lists are passed over.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from glidepath.errors import Place, RunError
from glidepath.extras import needs_extra

from ..lines import open_binary
from ..series import Number, Scalars, Spot, gather_scalars

with needs_extra("logs", "event files"):
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

MOST_BYTES = 65_536  # of a record with a scalar; what is longer holds something else
HEAD, SUM = struct.Struct("<QI"), struct.Struct("<I")
AROUND = HEAD.size + SUM.size
NUMBERS = {1: ("float_val", "f"), 2: ("double_val", "d"), 3: ("int_val", "i"), 9: ("int64_val", "q")}  # by DataType


def scalars_of_events(
    path: Path, name: str, files: Sequence[Path], parts: Mapping[str, Sequence[Path]] | None = None
) -> Scalars:
    """Return the scalars in the event files of one run, each of which resumes where the one before it was interrupted.

    A run that was killed leaves its last event torn: it is left out, and `assumed` says so.

    Args:
        path: for messages.
        name: of the run.
        files: of the run.
        parts: event files with one number of the run, by what it is called.

    Raises:
        RunError: if a file is damaged, or holds no scalars.
    """
    torn: list[Place] = []
    numbers = list(read_numbers(files, torn))
    for part, own in (parts or {}).items():
        numbers.extend((part, step, value, spot) for _, step, value, spot in read_numbers(own, torn))
    if torn and not numbers:
        raise RunError("the event file was cut off here, and no number comes before", place=torn[0])
    scalars = gather_scalars(Place(str(path)), name, numbers)
    return scalars.assume(*(f"the last event is left out, because it was cut off ({place})" for place in torn))


def read_numbers(files: Sequence[Path], torn: list[Place]) -> Iterator[Number]:
    """Yield the scalars in event files; `torn` gets the places of events that were cut off.

    Raises:
        RunError: if a file is damaged.
    """
    return (number for file in files for number in _numbers(file, torn))


def _spot(file: Path, byte: int) -> Spot:
    return str(file), None, f"byte {byte}"


def _numbers(file: Path, torn: list[Place]) -> Iterator[Number]:
    for start, data in _records(file, torn):
        spot = _spot(file, start)
        try:
            event = Event.FromString(data)
        except DecodeError as error:
            raise RunError("this is not an event of TensorBoard, or damaged", place=Place(*spot)) from error
        for value in event.summary.value:
            number = _number(value, spot)
            if number is not None:
                yield value.tag, float(event.step), number, spot


def _number(value: Any, spot: Spot) -> float | None:
    """Return the number of a value, if it has just one."""
    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return float(value.simple_value)
    if kind != "tensor" or value.tensor.dtype not in NUMBERS or any(d.size != 1 for d in value.tensor.tensor_shape.dim):
        return None
    field, code = NUMBERS[value.tensor.dtype]
    packed, listed = value.tensor.tensor_content, getattr(value.tensor, field)
    if packed and len(packed) == struct.calcsize(f"<{code}"):
        return float(struct.unpack(f"<{code}", packed)[0])
    if not packed and len(listed) == 1:
        return float(listed[0])
    problem = f"{value.tag[:40]!r} is a tensor whose shape and content differ: the file is damaged"
    raise RunError(problem, place=Place(*spot))


def _records(file: Path, torn: list[Place]) -> Iterator[tuple[int, bytes]]:
    """Yield where each record begins, and its bytes; long ones are left out, and the last one if it is not whole."""
    with open_binary(file) as stream:
        size, start = file.stat().st_size, 0
        while start < size:
            length = _length(stream, file, start)
            if length is None or start + AROUND + length > size:
                torn.append(Place(*_spot(file, start)))
                return
            if length <= MOST_BYTES:
                yield start, _data(stream, file, start, length)
            start += AROUND + length
            stream.seek(start)


def _length(stream: BinaryIO, file: Path, start: int) -> int | None:
    """Return the number of bytes of a record, if so much of it is there."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    length, checksum = HEAD.unpack(head)
    if masked_crc32c(head[:8]) != checksum:
        problem = "the checksum of a length is wrong: the file is damaged from here on"
        raise RunError(problem, place=Place(*_spot(file, start)))
    return int(length)


def _data(stream: BinaryIO, file: Path, start: int, length: int) -> bytes:
    data = stream.read(length)
    if masked_crc32c(data) != SUM.unpack(stream.read(SUM.size))[0]:
        problem = "the checksum of an event is wrong: the file is damaged here"
        raise RunError(problem, place=Place(*_spot(file, start)))
    return data
