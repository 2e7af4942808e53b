"""The file of an offline run of W&B, `run-ID.wandb`: the rows of its history, and nothing else.

Behind a header of 7 bytes come records of Protocol Buffers. Row k of the history holds what was logged at one step of
W&B, each value as JSON under its key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

from glidepath.errors import Place, RunError

from ..dialects import dialect_of
from ..lines import open_binary
from ..names import is_epoch
from ..series import Scalars
from .blocks import place_of, read_records
from .calls import COUNT_OF_CALLS
from .objects import gather_rows, is_trained, parse_json
from .protobuf import read_fields
from .runs_in_file import scalars_of_rows

MAGIC = b":W&B\xe1\xbe"
HEADER = MAGIC + b"\0"  # the last byte is the version
HISTORY, METRIC, RUN = 2, 12, 17  # the numbers of fields: of a record, and below of these three
ITEM, STEP = 1, 2
KEYS, VALUE = (1, 2), 16  # of an item: key or the parts of nested_key, and value_json
NUMBER = 1  # of a step
DEFINED, STEP_METRIC = (1, 2), 4  # of a metric, by `define_metric`: its name or a pattern, and the name of its step
EVERY = "*"  # the pattern of all metrics
NAMES = (1, 8)  # of a run: run_id and display_name


@final
@dataclass(frozen=True)
class _Beside:
    """What a file says beside the rows: names of the run, those of its step by `define_metric`, and notes."""

    names: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def scalars_of_wandb(file: Path, columns: Mapping[str, str], per_epoch: int | None = None) -> list[Scalars]:
    """Return the history of an offline run.

    A run that was killed leaves its last record torn: it is left out, and `assumed` says so.

    Raises:
        RunError: if the file is damaged, or has no history.
    """
    beside = _Beside()
    rows = gather_rows(_rows(file, beside), lambda byte: place_of(file, byte), set(columns.values()))
    if not rows.cells:
        raise RunError(f"{file} holds no numbers of a run")
    name = beside.names[-1] if beside.names else file.stem.removeprefix("run-")
    dialect = dialect_of(rows.names)
    dialect = replace(dialect, steps=(*beside.steps[:1], *dialect.steps))
    every = scalars_of_rows(Place(str(file)), name, rows, columns, dialect, per_epoch)
    return [each.assume(*beside.left_out) for each in every]


def _rows(file: Path, beside: _Beside) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the rows of the history, each with its first byte."""
    with open_binary(file) as stream:
        header = stream.read(len(HEADER))
        if header != HEADER:
            problem = "a file of W&B in another version than 0, which alone is known, or cut off"
            raise RunError(problem, place=place_of(file, 0))
        for byte, record in read_records(stream, file, beside.left_out):
            place = place_of(file, byte)
            try:
                yield from ((byte, row) for row in _rows_of_record(record, place, beside))
            except RunError:
                raise
            except ValueError as error:
                raise RunError(f"{error}: this is not a record of W&B, or damaged", place=place) from error


def _rows_of_record(record: bytes, place: Place, beside: _Beside) -> Iterator[Mapping[str, Any]]:
    for number, value in read_fields(record):
        if number == HISTORY:
            yield _row(_bytes(value), place)
        elif number == RUN:
            beside.names.extend(_names(_bytes(value)))
        elif number == METRIC:
            beside.steps.extend(_steps(_bytes(value)))


def _steps(metric: bytes) -> Iterator[str]:
    """Yield the step of all metrics, or of one that is called like a rate or a loss, if it is not an epoch."""
    texts = [
        (number, _bytes(value).decode()) for number, value in read_fields(metric) if number in (*DEFINED, STEP_METRIC)
    ]
    if any(number in DEFINED and (text == EVERY or is_trained(text)) for number, text in texts):
        yield from (text for number, text in texts if number == STEP_METRIC and not is_epoch(text))


def _names(run: bytes) -> list[str]:
    """Return the names of a run, the last of them the one to show."""
    names = [(number, _bytes(value).decode()) for number, value in read_fields(run) if number in NAMES]
    return [name for _, name in sorted(names) if name]


def _row(history: bytes, place: Place) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for number, value in read_fields(history):
        if number == ITEM:
            key, text = _item(_bytes(value))
            cell = parse_json(text, place)
            if not (isinstance(cell, dict) and "_type" in cell):  # a picture, a table
                row[key] = cell
        elif number == STEP:
            step = (count for field, count in read_fields(_bytes(value)) if field == NUMBER)
            row.setdefault(COUNT_OF_CALLS, next(step, 0))
    return row


def _item(item: bytes) -> tuple[str, str]:
    """Return the key of a value, and the value as JSON."""
    path: list[str] = []
    text = "null"
    for number, value in read_fields(item):
        if number == VALUE:
            text = _bytes(value).decode()
        elif number in KEYS:
            path.append(_bytes(value).decode())
    return "/".join(path), text


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where bytes belong")
    return value
