"""Tables, CSV or Parquet: a row for every logged step, or a row for every call of a logger with most cells empty.

The data of a chart that W&B exports has a column for each run; any other table is one run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from glidepath.errors import Place, RunError
from glidepath.runs.from_rows import check_ascending
from glidepath.runs.run import FloatArray

from ..dialects import Dialect, dialect_of
from ..names import STEPS, is_evaluation, loss_names, normalize, rate_names
from ..series import Scalars, Series, scalars_of_series
from ..source import Source
from .steps import by_step, choose_step
from .table import Table, check_column, read_table
from .twice import check_twice

BETWEEN = " - "  # in a chart of W&B: the name of a run and that of what was logged
COMMON = {"metrics", "progress", "results", "summary"}  # names of Lightning, Stable-Baselines3, Ultralytics and timm
BOUNDS = ("__MIN", "__MAX")


def scalars_of_table(source: Source, columns: Mapping[str, str]) -> list[Scalars]:
    """Return the runs in a table; `columns` may name the step.

    Raises:
        RunError: if it has no step, or a cell of the step, or of a possible rate or loss, is not a number.
    """
    header = source.header
    step, dialect = _choose_step(source, columns.get("step"))
    table = read_table(source, list(dict.fromkeys(header)))
    if not table.length:
        raise RunError(f"{source.path} has a header and no rows")
    others = [name for name in header if name != step]
    runs = _columns_by_run(others) if is_chart(header) else {_name_of(source): {name: name for name in others}}
    named = set(columns.values())
    return [_scalars(source, table, name, step, dialect, each, named) for name, each in runs.items()]


def is_chart(header: Sequence[str]) -> bool:
    """Return whether these are the columns of a chart that W&B exports.

    >>> is_chart(["Step", "run 1 - loss", "run 1 - loss__MIN"]), is_chart(["step", "loss"])
    (True, False)
    """
    return len(header) > 1 and normalize(header[0]) in STEPS and all(BETWEEN in name for name in header[1:])


def _columns_by_run(header: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the columns of each run in a chart, by what they log; its bands are left out."""
    runs: dict[str, dict[str, str]] = {}
    for column in header:
        run, _, quantity = column.rpartition(BETWEEN)
        if not quantity.endswith(BOUNDS):
            runs.setdefault(run, {})[quantity] = column
    return runs


def _name_of(source: Source) -> str:
    """Return the name of the file, or of its folder if its program calls all its files alike."""
    return source.path.resolve().parent.name if source.path.stem in COMMON else source.path.stem


# --- the step ---


def _choose_step(source: Source, name: str | None) -> tuple[str, Dialect]:
    """Return the column of the step, and what it means."""
    named = None if name is None else check_column(source, name)
    return choose_step(source.header, dialect_of(source.header), named, source.place)


# --- the numbers ---


def _scalars(
    source: Source, table: Table, name: str, step: str, dialect: Dialect, columns: Mapping[str, str], named: set[str]
) -> Scalars:
    if is_chart(source.header):
        dialect = by_step(dialect_of(columns), step)
    place = source.place if name == _name_of(source) else Place(str(source.path), part=f"run {name}")
    steps = table.numbers(step)
    series = _series(table, steps, columns, named)
    if not dialect.trainer and not is_chart(source.header) and step != "_step":
        _check_order(steps, series, table)
    if not np.isnan(steps).any():
        return scalars_of_series(place, name, series, dialect=dialect)
    missing = {name: np.isnan(each.steps) for name, each in series.items()}
    kept = {name: each.at(np.flatnonzero(~missing[name])) for name, each in series.items()}
    return scalars_of_series(place, name, kept, dialect=dialect).assume(_note_on_missing(missing, named))


def _note_on_missing(missing: Mapping[str, FloatArray], named: set[str]) -> str:
    rows = max((int(np.count_nonzero(each)) for name, each in missing.items() if _is_needed(name, named)), default=0)
    return f"{rows} row{'s' * (rows > 1)} without a step left out" if rows else ""


def _series(table: Table, steps: FloatArray, columns: Mapping[str, str], named: set[str]) -> dict[str, Series]:
    """Return the columns of numbers; one of texts or pictures is left out, unless it would be read."""
    series, every = {}, Series(steps, steps, np.arange(table.length), table.place)
    for name, column in columns.items():
        try:
            values, rows = table.numbers(column), table.rows_with(column)
        except RunError:
            if (_is_needed(name, named) or is_evaluation(name)) and not table.is_blank(column):
                raise
            continue
        column_in_all = replace(every, values=values)
        series[name] = column_in_all if rows is None else column_in_all.at(rows)
    return series


def _is_needed(name: str, named: set[str]) -> bool:
    """Return whether a column may be the rate or the loss."""
    return name in named or bool(loss_names([name]) or rate_names([name]))


def _check_order(steps: FloatArray, series: Mapping[str, Series], table: Table) -> None:
    """Check that the steps of a plain table ascend, and that none has two rates or losses: which holds is unknown."""
    rows = np.flatnonzero(~np.isnan(steps))
    check_ascending(steps if len(rows) == len(steps) else steps[rows], lambda i: table.place(int(rows[i])))
    check_twice(series)
