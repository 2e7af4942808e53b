"""Tables in which a logger keeps everything, a column for each name and most cells empty.

They are Lightning's `metrics.csv`, the history of a W&B run as CSV, and the data of a chart that W&B exports, which has
a column for each run. Their rows are turned into scalars.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from glidepath.errors import Place, RunError
from glidepath.runs.run import FloatArray

from .csv_rows import EMPTY
from .names import loss_names, rate_names, refuse_epochs
from .scalars import LIGHTNING, TRAINER, Number, Offsets, Scalars, gather_scalars, is_evaluation, offsets_of
from .source import Source
from .table import Table, check_column, read_table

WideKind = Literal["Lightning", "W&B history", "W&B chart"]
CALLS = "_step"  # W&B's own step counts the calls of log(), which is not always the updates
UPDATES = ("train/global_step", "trainer/global_step", "global_step")  # where integrations keep the updates
AXES = ("Step", *UPDATES)
BETWEEN = " - "  # the name of a run and that of what was logged
BOUNDS = ("__MIN", "__MAX")


def kind_of_table(header: Sequence[str]) -> WideKind | None:
    """Return which logger wrote a table with these columns; None if it is any other table.

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


def scalars_of_table(source: Source, kind: WideKind, columns: Mapping[str, str]) -> list[Scalars]:
    """Return the runs in such a table; `columns` may name the step.

    Raises:
        RunError: if a cell of the step, or of a possible rate or loss, is not a number.
    """
    header = source.header
    step = _choose_step(source, kind, columns.get("step"))
    table = read_table(source, list(header))
    named = set(columns.values())
    others = [name for name in header if name != step]
    runs = _columns_by_run(others) if kind == "W&B chart" else {source.path.stem: {name: name for name in others}}
    return [_scalars(source, table, name, step, _numbers(table, each, named), named) for name, each in runs.items()]


def _columns_by_run(header: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the columns of each run in a chart, by what they log; its bands are left out."""
    runs: dict[str, dict[str, str]] = {}
    for column in header:
        run, _, quantity = column.rpartition(BETWEEN)
        if not quantity.endswith(BOUNDS):
            runs.setdefault(run, {})[quantity] = column
    return runs


def _choose_step(source: Source, kind: WideKind, name: str | None) -> str:
    if name is not None:
        refuse_epochs(source.place, name)
        return check_column(source, name)
    if kind == "W&B chart":
        return source.header[0]
    return next((column for column in (*UPDATES, "step") if column in source.header), CALLS)


def _numbers(table: Table, columns: Mapping[str, str], named: set[str]) -> dict[str, tuple[str, FloatArray]]:
    """Return the columns of numbers; one of texts or pictures is left out, unless it would be read."""
    numbers = {}
    for name, column in columns.items():
        try:
            numbers[name] = column, table.numbers(column)
        except RunError:
            if _is_needed(name, named) or is_evaluation(name):
                raise
    return numbers


def _is_needed(name: str, named: set[str]) -> bool:
    """Return whether a column may be the rate or the loss."""
    return name in named or bool(loss_names([name]) or rate_names([name]))


def _scalars(
    source: Source,
    table: Table,
    name: str,
    step: str,
    series: Mapping[str, tuple[str, FloatArray]],
    named: set[str],
) -> Scalars:
    place = source.place if name == source.path.stem else Place(str(source.path), part=f"run {name}")
    scalars = gather_scalars(place, name, _numbers_in_cells(table, step, series, named))
    return replace(scalars, offsets=_offsets(step, series))


def _offsets(step: str, names: Iterable[str]) -> Offsets:
    if step == "train/global_step":
        return TRAINER
    return LIGHTNING if step == "trainer/global_step" else offsets_of(names)


def _numbers_in_cells(
    table: Table, step: str, series: Mapping[str, tuple[str, FloatArray]], named: set[str]
) -> Iterator[Number]:
    """Yield every cell that is not empty; one that says nan is kept, because a loss that became nan ends a run.

    A row without a step is of a call of log() by the user's own code: it is left out, unless it has the rate or the
    loss, whose step then is wrong.
    """
    steps = table.numbers(step)
    for name, (column, values) in series.items():
        needed = _is_needed(name, named)
        for row in (row for row, cell in enumerate(table.cells[column]) if cell not in EMPTY):
            if needed or table.cells[step][row] not in EMPTY:
                yield name, float(steps[row]), float(values[row]), table.spot(row)
