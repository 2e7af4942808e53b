"""The curves in the folder of a study's results: `curves.csv`, or what `glidepath export` made of it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glidepath.errors import RunError
from glidepath.runs.run import FloatArray, IntArray, Run

from .study import Setting, chosen, names, run_of_losses, run_of_metric
from .table import Table, header_of, read_table

COLUMNS = ("run", "schedule", "horizon", "seed", "peak", "step", "rate", "loss")


def is_results(header: Sequence[str]) -> bool:
    """Whether these are the columns that `glidepath compare` writes."""
    return set(COLUMNS) <= set(header)


def metrics_of(file: Path) -> tuple[str, ...]:
    """The columns beside those that every study has: what was measured on the way."""
    return tuple(name for name in header_of(file) if name not in COLUMNS)


def runs_of_results(file: Path, metric: str | None = None, numbers: Sequence[int] | None = None) -> list[Run]:
    """The runs of a study.

    Args:
        file: CSV or Parquet.
        metric: the column to read in place of the training loss.
        numbers: of the runs; all of them if not given.

    Raises:
        RunError: if the file is damaged, a chosen run diverged, or there is no such metric or run.
    """
    measured = metrics_of(file)
    if metric is not None and metric not in measured:
        raise RunError(f"{file}: there is no metric {metric!r}; {', '.join(measured) or 'none'} was measured")
    table = read_table(file, [*COLUMNS, *([] if metric is None else [metric])])
    number, steps, rates = (_every(table, name) for name in ("run", "step", "rate"))
    losses = table.numbers("loss" if metric is None else metric)
    rows = _rows_of_runs(number)
    settings = chosen([_setting(table, group) for group in rows], numbers, str(file))
    by_number = {int(number[group[0]]): group for group in rows}
    build = run_of_losses if metric is None else run_of_metric
    runs = []
    for name, setting in zip(names(settings), settings, strict=True):
        group = by_number[setting.number]
        runs.append(build(name, table.place(int(group[0])), steps[group], rates[group], losses[group]))
    return runs


def _every(table: Table, column: str) -> FloatArray:
    """A column with a number in every row."""
    numbers = table.numbers(column)
    for row in np.flatnonzero(~np.isfinite(numbers))[:1]:
        raise RunError(f"{table.place(int(row))}: there is no {column}: the file is damaged")
    return numbers


def _rows_of_runs(number: FloatArray) -> list[IntArray]:
    """The rows of each run, in the order of their numbers."""
    order = np.argsort(number, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(number[order])) + 1) if len(number) else []


def _setting(table: Table, rows: IntArray) -> Setting:
    first = int(rows[0])
    cells = {name: table.cells[name][first] for name in COLUMNS}
    try:
        whole = {name: int(cells[name]) for name in ("run", "horizon", "seed")}
        return Setting(whole["run"], str(cells["schedule"]), float(cells["peak"]), whole["horizon"], whole["seed"])
    except (TypeError, ValueError) as error:
        raise RunError(f"{table.place(first)}: this is not what glidepath compare writes: {error}") from error
