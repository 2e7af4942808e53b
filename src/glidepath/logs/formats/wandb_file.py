"""The file of an offline run of W&B, `run-ID.wandb`: the rows of its history, and nothing else.

Behind a header of 7 bytes come records of Protocol Buffers. Row k of the history holds what was logged at one step of
W&B, each value as JSON under its key.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from glidepath.errors import Place, RunError

from ..dialects import dialect_of
from ..lines import open_binary
from ..series import Scalars
from .blocks import place_of, read_records
from .calls import COUNT_OF_CALLS
from .objects import gather_rows, parse_json
from .protobuf import read_fields
from .runs_in_file import scalars_of_rows

MAGIC = b":W&B\xe1\xbe"
HEADER = MAGIC + b"\0"  # the last byte is the version
RECORD = {"history": 2, "run": 17}  # the numbers of fields, here and below
HISTORY = {"item": 1, "step": 2}
ITEM = {"key": 1, "nested_key": 2, "value_json": 16}
STEP = {"num": 1}
RUN = {"run_id": 1, "display_name": 8}


def scalars_of_wandb(file: Path, columns: Mapping[str, str], per_epoch: int | None = None) -> list[Scalars]:
    """Return the history of an offline run.

    A run that was killed leaves its last record torn: it is left out, and `assumed` says so.

    Raises:
        RunError: if the file is damaged, or has no history.
    """
    left_out: list[str] = []
    names: list[str] = []
    rows = gather_rows(_rows(file, left_out, names), lambda byte: place_of(file, byte), set(columns.values()))
    if not rows.cells:
        raise RunError(f"{file} holds no numbers of a run")
    name = names[-1] if names else file.stem.removeprefix("run-")
    every = scalars_of_rows(Place(str(file)), name, rows, columns, dialect_of(rows.names), per_epoch)
    return [each.saying(*left_out) for each in every]


def _rows(file: Path, left_out: list[str], names: list[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the rows of the history, each with its first byte; `names` gets those of the run."""
    with open_binary(file) as stream:
        header = stream.read(len(HEADER))
        if header != HEADER:
            problem = "a file of W&B in another version than 0, which alone is known, or cut off"
            raise RunError(problem, place=place_of(file, 0))
        for byte, record in read_records(stream, file, left_out):
            place = place_of(file, byte)
            try:
                for number, value in read_fields(record):
                    if number == RECORD["history"]:
                        yield byte, _row(_bytes(value), place)
                    elif number == RECORD["run"]:
                        names.extend(_names(_bytes(value)))
            except RunError:
                raise
            except ValueError as error:
                raise RunError(f"{error}: this is not a record of W&B, or damaged", place=place) from error


def _names(run: bytes) -> list[str]:
    """Return the name of a run, in the end the one to show."""
    fields = dict(read_fields(run))
    names = [_bytes(fields[RUN[key]]).decode() for key in ("run_id", "display_name") if RUN[key] in fields]
    return [name for name in names if name]


def _row(history: bytes, place: Place) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for number, value in read_fields(history):
        if number == HISTORY["item"]:
            key, text = _item(_bytes(value))
            cell = parse_json(text, place)
            if not (isinstance(cell, dict) and "_type" in cell):  # a picture, a table
                row[key] = cell
        elif number == HISTORY["step"]:
            row.setdefault(COUNT_OF_CALLS, dict(read_fields(_bytes(value))).get(STEP["num"], 0))
    return row


def _item(item: bytes) -> tuple[str, str]:
    """Return the key of a value, and the value as JSON."""
    path: list[str] = []
    text = "null"
    for number, value in read_fields(item):
        if number in (ITEM["key"], ITEM["nested_key"]):
            path.append(_bytes(value).decode())
        elif number == ITEM["value_json"]:
            text = _bytes(value).decode()
    return "/".join(path), text


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where bytes belong")
    return value
