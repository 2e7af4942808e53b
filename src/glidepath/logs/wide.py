"""Tables in which a logger keeps everything, a column for each name and most cells empty.

They are Lightning's `metrics.csv`, the history of a W&B run as CSV, and the data of a chart that W&B exports, which has
a column for each run. Their rows are turned into scalars.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from glidepath.errors import RunError
from glidepath.runs.run import FloatArray

from .names import rates, training_losses
from .scalars import LIGHTNING, TRAINER, Offsets, Scalars, gathered, is_evaluation, offsets_of
from .table import EMPTY, Table, called, header_of, read_table

Kind = Literal["Lightning", "W&B history", "W&B chart"]
CALLS = "_step"  # W&B's own step counts the calls of log(), which is not always the updates
UPDATES = ("train/global_step", "trainer/global_step", "global_step")  # where integrations keep the updates
AXES = ("Step", *UPDATES)
BETWEEN = " - "  # the name of a run and that of what was logged
BOUNDS = ("__MIN", "__MAX")


def kind_of_table(header: Sequence[str]) -> Kind | None:
    """Who wrote a table with these columns; None if it is any other.

    >>> kind_of_table(["epoch", "lr-SGD", "step", "train_loss"]), kind_of_table(["step", "lr", "loss"])
    ('Lightning', None)
    >>> kind_of_table(["Step", "run 1 - loss", "run 1 - loss__MIN", "run 1 - loss__MAX"])
    'W&B chart'
    """
    if CALLS in header:
        return "W&B history"
    if len(header) > 1 and header[0] in AXES and all(BETWEEN in name for name in header[1:]):
        return "W&B chart"
    if {"step", "epoch"} <= set(header) and any(name.startswith("lr-") for name in header):
        return "Lightning"
    return None


def scalars_of_table(file: Path, kind: Kind, columns: Mapping[str, str]) -> list[Scalars]:
    """The runs in such a table; `columns` may name the step.

    Raises:
        RunError: if a cell of the step, or of what may be a rate or a loss, is no number.
    """
    header = header_of(file)
    step = _step(file, header, kind, columns.get("step"))
    table = read_table(file, list(header))
    named = set(columns.values())
    logged = [name for name in header if name != step]
    runs = _runs(logged) if kind == "W&B chart" else {file.stem: {name: name for name in logged}}
    return [_scalars(table, name, step, _numbers(table, each, named), named) for name, each in runs.items()]


def _runs(header: Sequence[str]) -> dict[str, dict[str, str]]:
    """The columns of each run in a chart, by what they are of; its bands are left out."""
    runs: dict[str, dict[str, str]] = {}
    for column in header:
        run, _, what = column.rpartition(BETWEEN)
        if not what.endswith(BOUNDS):
            runs.setdefault(run, {})[what] = column
    return runs


def _step(file: Path, header: Sequence[str], kind: Kind, given: str | None) -> str:
    if given is not None:
        return called(file, header, given)
    if kind == "W&B chart":
        return header[0]
    return next((name for name in (*UPDATES, "step") if name in header), CALLS)


def _numbers(table: Table, columns: Mapping[str, str], named: set[str]) -> dict[str, tuple[str, FloatArray]]:
    """The columns of numbers; one of texts or pictures is passed over, unless it would be read."""
    found = {}
    for name, column in columns.items():
        try:
            found[name] = column, table.numbers(column)
        except RunError:
            if _is_needed(name, named) or is_evaluation(name):
                raise
    return found


def _is_needed(name: str, named: set[str]) -> bool:
    """Whether it may be the rate or the loss."""
    return name in named or bool(training_losses([name]) or rates([name]))


def _scalars(
    table: Table, name: str, step: str, series: Mapping[str, tuple[str, FloatArray]], named: set[str]
) -> Scalars:
    where = str(table.file) if name == table.file.stem else f"{table.file}, run {name}"
    return replace(gathered(where, name, _found(table, step, series, named)), offsets=_offsets(step, series))


def _offsets(step: str, names: Iterable[str]) -> Offsets:
    if step == "train/global_step":
        return TRAINER
    return LIGHTNING if step == "trainer/global_step" else offsets_of(names)


def _found(
    table: Table, step: str, series: Mapping[str, tuple[str, FloatArray]], named: set[str]
) -> Iterator[tuple[str, float, float, str]]:
    """Every cell that is not empty; one that says nan is kept, because a loss that became nan is the end of a run.

    A row without a step is of a call of log() by the user's own code: it is passed over, unless it has the rate or the
    loss, whose step then is wrong.
    """
    steps = table.numbers(step)
    for name, (column, values) in series.items():
        needed = _is_needed(name, named)
        for row in (row for row, cell in enumerate(table.cells[column]) if cell not in EMPTY):
            if needed or table.cells[step][row] not in EMPTY:
                yield name, float(steps[row]), float(values[row]), table.place(row)
