"""The `trainer_state.json` of Hugging Face's Trainer: what it logged, as one list of rows.

A row says how many updates had been made. Its rate is that of the last of them; its loss is the mean over the updates
since the row before, and counts as seen by the last of them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from glidepath.errors import Place, RunError

from ..dialects import TRAINER
from ..names import short_repr
from ..series import Number, Scalars, Spot, gather_scalars
from .json_file import read_json

STATE = "trainer_state.json"
CHECKPOINT = "checkpoint-"
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
    return gather_scalars(Place(str(file)), _name(file), _numbers(file, rows), horizon, TRAINER)


def _name(file: Path) -> str:
    folder = file.resolve().parent
    return folder.parent.name if _number(file.resolve()) is not None else folder.name


def _numbers(file: Path, rows: list[Any]) -> Iterator[Number]:
    for i, row in enumerate(rows):
        spot = (str(file), None, f"log_history[{i}]")
        if not isinstance(row, dict) or not _is_number(row.get("step")):
            raise RunError(f"{short_repr(row)} is not a row with a step", place=Place(*spot))
        if SUMMARY not in row:
            yield from _numbers_of_row(row, spot)


def _numbers_of_row(row: Mapping[str, Any], spot: Spot) -> Iterator[Number]:
    for name in ("loss", "learning_rate", "eval_loss"):
        if name in row and not _is_number(row[name]):
            raise RunError(f"{name} is {short_repr(row[name])}, not a number", place=Place(*spot))
    for name, value in row.items():
        if name != "step" and _is_number(value):
            yield name, float(row["step"]), float(value), spot


def _is_number(value: Any) -> bool:
    return type(value) is float or (type(value) is int and abs(value) < 2**63)
