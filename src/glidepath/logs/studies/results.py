"""The curves in the folder of a study's results: `curves.csv`, or what `glidepath export` made of it."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from glidepath.errors import Cure, RunError
from glidepath.runs.deviation import Rates
from glidepath.runs.run import FloatArray, IntArray, Run

from ..entries import Entry
from ..formats.table import Table, read_table
from ..names import ENOUGH, TRAINING_LOSS
from ..source import Source
from .study import Only, StudySettings, choose_by_number, names_of, rates_of_run, run_of_losses, run_of_metric

SETTINGS = ("run", "schedule", "horizon", "seed", "peak")
COLUMNS = (*SETTINGS, "step", "rate", "loss")
CUT_OFF = Cure("delete the rows from there on")


class LossChoice(NamedTuple):
    """The loss that is read of a study where none was named.

    Args:
        metric: the column; `TRAINING_LOSS` for the training loss.
        reason: why it is not the metric by which the study ranks; "" if it is, or if there is none.
    """

    metric: str
    reason: str = ""


def is_results(header: Sequence[str]) -> bool:
    """Return whether these are the columns that `glidepath compare` writes."""
    return set(COLUMNS) <= set(header)


def metrics_of(source: Source) -> tuple[str, ...]:
    """Return the columns beside those that every study has: the metrics in their order, of which the first ranks."""
    return tuple(name for name in source.header if name not in COLUMNS)


def choose_loss(source: Source, only: Only | None = None) -> LossChoice:
    """Choose the loss by which `glidepath compare` ranks, the first metric, if a law can be fitted to it.

    Args:
        source: CSV or Parquet.
        only: the runs that are read, by number or by name; all of them if not given.

    Raises:
        RunError: if the column is damaged, or there is no run of a number.
    """
    first = next(iter(metrics_of(source)), None)
    if first is None:
        return LossChoice(TRAINING_LOSS)
    if "loss" not in first.lower():
        return LossChoice(TRAINING_LOSS, f"the study ranks by {first}, which is not called a loss")
    table = read_table(source, [*SETTINGS, first])
    values = table.numbers(first)
    chosen = [run.rows for run in _choose_runs(source, table, only) if run.is_in(only)]
    measured = [values[rows][~np.isnan(values[rows])] for rows in chosen]
    if any(len(each) < ENOUGH for each in measured):
        reason = f"the study ranks by {first}, which was measured less than {ENOUGH} times in a run"
        return LossChoice(TRAINING_LOSS, reason)
    if not all(((each > 0) & (each < np.inf)).all() for each in measured):
        return LossChoice(TRAINING_LOSS, f"the study ranks by {first}, which is not always a number above 0")
    return LossChoice(first)


def entries_of_results(source: Source, metric: str | None = None, only: Only | None = None) -> list[Entry]:
    """Return the runs of a study.

    Args:
        source: CSV or Parquet.
        metric: the column of the loss; the loss that `choose_loss` chooses if not given.
        only: the runs, by number; all of them if not given.

    Raises:
        RunError: if the file is damaged, or there is no such metric or run.
    """
    metric = metric or choose_loss(source, only).metric
    measured = metrics_of(source)
    if metric not in (TRAINING_LOSS, *measured):
        raise RunError(f"there is no metric {metric!r}", place=source.place, choices=[*measured, TRAINING_LOSS])
    table = read_table(source, [*COLUMNS, *([] if metric == TRAINING_LOSS else [metric])])
    columns = (*(_column_without_gaps(table, name) for name in ("step", "rate")), table.numbers(metric))
    build = partial(_build_run, table, columns, metric)
    return [
        Entry(run.name, run.schedule, partial(build, run.name, run.rows)) for run in _choose_runs(source, table, only)
    ]


def rates_of_results(source: Source) -> list[Rates]:
    """Return the rates of every run of a study, whatever its losses are.

    Raises:
        RunError: if the file is damaged.
    """
    table = read_table(source, [*SETTINGS, "step", "rate"])
    steps, rates = (_column_without_gaps(table, name) for name in ("step", "rate"))
    return [
        rates_of_run(run.name, table.place(int(run.rows[0])), steps[run.rows], rates[run.rows])
        for run in _choose_runs(source, table, None)
    ]


class _ChosenRun(NamedTuple):
    """A run of the table: its name, its schedule, and its rows."""

    name: str
    schedule: str
    rows: IntArray

    def is_in(self, only: Only | None) -> bool:
        """Return whether the names among `only`, if there are any, choose this run."""
        names = {name for name in only or () if isinstance(name, str)}
        return not names or bool({self.name, self.schedule} & names)


def _choose_runs(source: Source, table: Table, only: Only | None) -> list[_ChosenRun]:
    """Return the runs with these numbers."""
    number = _column_without_gaps(table, "run")
    rows = _rows_of_runs(number)
    settings = choose_by_number([_settings(table, group) for group in rows], only, source.place)
    by_number = {int(number[group[0]]): group for group in rows}
    return [
        _ChosenRun(name, each.schedule, by_number[each.number])
        for name, each in zip(names_of(settings), settings, strict=True)
    ]


def _build_run(table: Table, columns: Sequence[FloatArray], metric: str, name: str, rows: IntArray) -> Run:
    steps, rates, values = (column[rows] for column in columns)
    place = table.place(int(rows[0]))
    if metric == TRAINING_LOSS:
        return run_of_losses(name, place, steps, rates, values, CUT_OFF)
    return run_of_metric(name, place, steps, rates, values, metric)


def _column_without_gaps(table: Table, column: str) -> FloatArray:
    """Return a column with a number in every row."""
    numbers = table.numbers(column)
    for row in np.flatnonzero(~np.isfinite(numbers))[:1]:
        raise RunError(f"there is no {column}: the file is damaged", place=table.place(int(row)))
    return numbers


def _rows_of_runs(number: FloatArray) -> list[IntArray]:
    """Return the rows of each run, in the order of their numbers."""
    order = np.argsort(number, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(number[order])) + 1) if len(number) else []


def _settings(table: Table, rows: IntArray) -> StudySettings:
    first = int(rows[0])
    cells = {name: table.cell(name, first) for name in SETTINGS}
    try:
        number, horizon, seed = (int(cells[name]) for name in ("run", "horizon", "seed"))
        return StudySettings(number, str(cells["schedule"]), float(cells["peak"]), horizon, seed)
    except (TypeError, ValueError) as error:
        problem = f"this is not what glidepath compare writes: {error}"
        raise RunError(problem, place=table.place(first)) from error
