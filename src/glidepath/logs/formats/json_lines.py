"""JSON lines, an object for every logged row: of mmengine, mmcv, Detectron2, LLaMA-Factory, Stable-Baselines3, Ray,
Glidepath's own recorder, or a loop of one's own.

A run that was killed leaves its last line torn: it is left out, and `assumed` says so, as of lines that are no objects.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from glidepath.errors import Place, RunError

from ..dialects import RECORD, TRAINER, UNKNOWN, Dialect, dialect_of
from ..lines import open_binary, read_lines
from ..names import short_repr
from ..series import Scalars
from .objects import gather_rows, parse_json
from .runs_in_file import scalars_of_rows

MOST_BYTES = 10_000_000  # of a line
EVALUATING = ("val", "test")  # the mode of mmcv's rows that tell of no update, with the names of those that do
VERSION = 1  # of a record of `glidepath.torch.Recorder`
COMMON = {"scalars", "metrics", "history", "log", "logs", "progress", "result", "results", "trainer_log", "train_log"}
BENEATH = "vis_data"  # the folder of mmengine's logs, below that of the run


def is_json_lines(first: bytes) -> bool:
    """Return whether a file with this first line holds JSON lines, and not one object, as a Trainer's state is."""
    if len(first) > MOST_BYTES or b'"log_history"' in first:
        return False
    try:
        return isinstance(json.loads(first.decode("utf-8-sig")), dict)
    except (ValueError, RecursionError):
        return False


def scalars_of_json_lines(file: Path, columns: Mapping[str, str], per_epoch: int | None = None) -> list[Scalars]:
    """Return the runs in a file of JSON lines.

    Args:
        file: to be read.
        columns: may name the step, which otherwise has one of the common names.
        per_epoch: the updates of an epoch, for rows whose steps begin again in every epoch.

    Raises:
        RunError: if a row is damaged, or they are not those of a run.
    """
    left_out: list[str] = []
    headers: list[Mapping[str, Any]] = []
    lines = _rows(file, left_out, headers)
    rows = gather_rows(lines, lambda line: Place(str(file), line=line), set(columns.values()))
    if not rows.cells:
        raise RunError(f"{file} holds no numbers of a run")
    dialect = _check_record(file, headers[0]) if headers else dialect_of([*rows.names, *rows.texts])
    if dialect is TRAINER:  # which writes no JSON lines: these are names of one's own
        dialect = UNKNOWN
    every = scalars_of_rows(Place(str(file)), name_of(file), rows, columns, dialect, per_epoch)
    return [each.assume(*left_out) for each in every]


def _check_record(file: Path, header: Mapping[str, Any]) -> Dialect:
    if header.get("version") != VERSION:
        problem = f"a record of version {short_repr(header.get('version'))}, and {VERSION} is known: update Glidepath"
        raise RunError(problem, place=Place(str(file), line=1))
    return RECORD


def name_of(file: Path) -> str:
    """Return the name of a run: that of its file, or of the folder if the file is called as all others are."""
    if file.stem not in COMMON:
        return file.stem
    folder = file.resolve().parent
    return (folder.parent if folder.name == BENEATH else folder).name or file.stem


def _rows(file: Path, left_out: list[str], headers: list[Mapping[str, Any]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the rows that are objects, each with its line; `headers` gets that of Glidepath's recorder."""
    others = 0
    for number, row in _values(file, left_out):
        if not isinstance(row, dict):
            others += 1
        elif row.get("glidepath") == "record":
            headers.append(row)
        elif row.get("mode") in EVALUATING:
            yield number, {f"{row['mode']}_{name}": value for name, value in row.items()}
        else:
            yield number, row
    if others:
        left_out.append(f"{others} line{'s' * (others > 1)} left out that {'are' if others > 1 else 'is'} no object")


def _values(file: Path, left_out: list[str]) -> Iterator[tuple[int, Any]]:
    """Yield what every line says, with its number; blank lines, and a last one that was cut off, are left out."""
    with open_binary(file) as stream:
        for number, line in read_lines(stream, MOST_BYTES):
            place = Place(str(file), line=number)
            if len(line) > MOST_BYTES:
                raise RunError(f"more than {MOST_BYTES:,} bytes in one line: this is not the log of a run", place=place)
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                if text.strip():
                    yield number, parse_json(text, place)
            except (RunError, UnicodeDecodeError) as error:
                if line.endswith(b"\n"):
                    raise _damage_error(error, place) from error
                left_out.append(f"the last line is left out, because it was cut off ({place})")


def _damage_error(error: RunError | UnicodeDecodeError, place: Place) -> RunError:
    if isinstance(error, RunError):
        return error
    return RunError("not UTF-8: this is not JSON, or damaged", place=place)
