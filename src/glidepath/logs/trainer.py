"""The `trainer_state.json` of Hugging Face's Trainer: what it logged, as one list of rows.

A row says how many updates had been made. Its rate is that of the last of them; its loss is the mean over the updates
since the row before, and counts as seen by the last of them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from glidepath.errors import RunError

from .names import shown
from .scalars import TRAINER, Scalars, gathered

STATE = "trainer_state.json"
CHECKPOINT = "checkpoint-"
MOST_BYTES = 200_000_000
SUMMARY = "train_runtime"  # only the last row of a training has it, and its loss is a mean over everything


def state_in(folder: Path) -> Path | None:
    """The state in a Trainer's output folder: its own, or that of its latest checkpoint."""
    if (folder / STATE).is_file():
        return folder / STATE
    states = [file for file in folder.glob(f"{CHECKPOINT}*/{STATE}") if _number(file) is not None]
    return max(states, key=lambda file: _number(file) or 0, default=None)


def _number(state: Path) -> int | None:
    text = state.parent.name.removeprefix(CHECKPOINT)
    return int(text) if text.isdecimal() else None


def scalars_of_state(file: Path) -> Scalars:
    """What a Trainer logged.

    Raises:
        RunError: if it is damaged, too large, or the JSON of something else.
    """
    state = _json(file)
    rows = state.get("log_history") if isinstance(state, dict) else None
    if not isinstance(rows, list):
        raise RunError(f"{file} is JSON without a list log_history, so it is not the state of a Trainer")
    planned = state.get("max_steps")
    horizon = planned if type(planned) is int and planned > 0 else None
    found = gathered(str(file), _name(file), _found(file, rows), horizon)
    return replace(found, offsets=TRAINER)


def _name(file: Path) -> str:
    folder = file.resolve().parent
    return folder.parent.name if _number(file.resolve()) is not None else folder.name


def _found(file: Path, rows: list[Any]) -> Iterator[tuple[str, float, float, str]]:
    for i, row in enumerate(rows):
        place = f"{file}, log_history[{i}]"
        if not isinstance(row, dict) or not _is_number(row.get("step")):
            raise RunError(f"{place}: {shown(row)} is no row with a step")
        if SUMMARY not in row:
            yield from _of_row(row, place)


def _of_row(row: Mapping[str, Any], place: str) -> Iterator[tuple[str, float, float, str]]:
    for name in ("loss", "learning_rate", "eval_loss"):
        if name in row and not _is_number(row[name]):
            raise RunError(f"{place}: {name} is {shown(row[name])}, not a number")
    for name, value in row.items():
        if name != "step" and _is_number(value):
            yield name, float(row["step"]), float(value), place


def _is_number(value: Any) -> bool:
    return type(value) is float or (type(value) is int and abs(value) < 2**63)


def _json(file: Path) -> Any:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise RunError(f"{file} has more than {MOST_BYTES:,} bytes: this is no log of a Trainer")
        return json.loads(file.read_bytes().decode("utf-8"))
    except json.JSONDecodeError as error:
        raise RunError(f"{file}:{error.lineno}: {error.msg}: the file is no JSON, or was cut off") from error
    except UnicodeDecodeError as error:
        raise RunError(f"{file}, byte {error.start}: not UTF-8: the file is no JSON, or damaged") from error
    except RecursionError as error:
        raise RunError(f"{file}: lists in lists, too deep for the state of a Trainer") from error
    except ValueError as error:  # a number with thousands of digits
        raise RunError(f"{file}: {error}: the file is damaged") from error
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror or error}") from error
