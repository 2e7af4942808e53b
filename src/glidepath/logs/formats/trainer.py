"""The `trainer_state.json` of Hugging Face's Trainer: what it logged, as one list of rows.

A row says how many updates had been made. Its rate is that of the last of them; its loss is the mean over the updates
since the row before, and counts as seen by the last of them.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from glidepath.errors import Place, RunError

from ..dialects import TRAINER
from ..names import short_repr
from ..series import Scalars, Series, scalars_of_series
from .json_file import read_json

STATE = "trainer_state.json"
CHECKPOINT = "checkpoint-"
NEEDED = ("loss", "learning_rate", "eval_loss")  # which have to be numbers
SUMMARY = "train_runtime"  # only the last row of a training has it, and its loss is a mean over everything


def state_in(folder: Path) -> Path | None:
    """Return the state in a Trainer's output folder: its own, or that of its latest checkpoint."""
    if (folder / STATE).is_file():
        return folder / STATE
    states = [file for file in folder.glob(f"{CHECKPOINT}*/{STATE}") if _number(file) is not None]
    return max(states, key=lambda file: _number(file) or 0, default=None)


def _number(state: Path) -> int | None:
    text = state.parent.name.removeprefix(CHECKPOINT)
    return int(text) if text.isdecimal() else None


def scalars_of_state(file: Path) -> Scalars:
    """Return the numbers that a Trainer logged.

    Raises:
        RunError: if it is damaged, too large, or the JSON of something else.
    """
    state = read_json(file, "the log of a Trainer")
    rows = state.get("log_history") if isinstance(state, dict) else None
    if not isinstance(rows, list):
        raise RunError(f"{file} is JSON without a list log_history, so it is not the state of a Trainer")
    most = state.get("max_steps")
    horizon = most if type(most) is int and most > 0 else None
    series, left_out = _gather(file, rows)
    scalars = scalars_of_series(Place(str(file)), _name(file), series, horizon, TRAINER)
    return scalars.assume(f"{left_out} row{'s' * (left_out > 1)} without a step left out" if left_out else "")


def _name(file: Path) -> str:
    folder = file.resolve().parent
    return folder.parent.name if _number(file.resolve()) is not None else folder.name


def _gather(file: Path, rows: Sequence[Any]) -> tuple[dict[str, Series], int]:
    """Return the numbers by name, and how many rows have no step."""
    cells: dict[str, tuple[list[int], list[float]]] = {}
    steps = np.full(len(rows), np.nan)
    left_out = 0
    for i, row in enumerate(rows):
        if isinstance(row, dict) and row.get("step") is None:
            left_out += 1
        elif not isinstance(row, dict) or not _is_number(row["step"]):
            raise RunError(f"{short_repr(row)} is not a row with a step", place=_place(file, i))
        elif SUMMARY not in row:
            steps[i] = row["step"]
            _add(cells, i, row, file)
    arrays = {name: (np.array(places), np.array(values)) for name, (places, values) in cells.items()}
    locate = partial(_place, file)
    return {name: Series(steps[places], values, places, locate) for name, (places, values) in arrays.items()}, left_out


def _add(cells: dict[str, tuple[list[int], list[float]]], i: int, row: Mapping[str, Any], file: Path) -> None:
    """Add the numbers of row i."""
    for name, value in row.items():
        if name in cells and type(value) is float:  # nearly all
            cells[name][0].append(i)
            cells[name][1].append(value)
        elif _is_number(value) and name != "step":
            places, values = cells.setdefault(name, ([], []))
            places.append(i)
            values.append(float(value))
        elif name in NEEDED and not _is_number(value):
            raise RunError(f"{name} is {short_repr(value)}, not a number", place=_place(file, i))


def _place(file: Path, i: int) -> Place:
    return Place(str(file), part=f"log_history[{i}]")


def _is_number(value: Any) -> bool:
    return type(value) is float or (type(value) is int and abs(value) < 2**63)
