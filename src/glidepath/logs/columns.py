"""Which columns of a table are the step, the rate and the loss, and the run in its rows."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from glidepath.errors import Cure, RunError
from glidepath.runs.deviation import Rates
from glidepath.runs.from_rows import check_ascending
from glidepath.runs.run import GIVE_PLAN, FloatArray, IntArray, Run, at_step, check_each_rate, divergence_error

from .names import (
    COMMON,
    GIVE_UPDATES,
    LOG_THE_RATE,
    ambiguous,
    is_epoch,
    name_it,
    normalize,
    refuse_epochs,
    shorten,
)
from .scalars import gather_scalars
from .source import Source
from .table import Table, check_column, read_table


def run_of_table(
    source: Source, columns: Mapping[str, str], build: Callable[..., Run], needed: Sequence[str] = tuple(COMMON)
) -> Run:
    """Build the run in a table.

    Args:
        source: CSV or Parquet.
        columns: names of columns by "step", "rate" and "loss", where they are not common ones.
        build: takes a name, steps, rates, losses, `place=` and `loss=`, as
            `glidepath.runs.from_rows.run_from_rows` does.
        needed: what must have a column; a run with a plan needs no rates.

    Raises:
        RunError: if it is not the log of a run.
    """
    names = _choose_columns(source, columns, needed, [GIVE_PLAN])
    table = read_table(source, list(names.values()))
    steps, losses = table.numbers(names["step"]), table.numbers(names["loss"])
    rates = table.numbers(names["rate"]) if "rate" in names else np.full(len(steps), np.nan)
    _refuse_nan(table, names, {"step": steps, "rate": rates, "loss": losses})
    if not len(steps):
        raise RunError(f"{source.path} has a header and no rows")
    return build(source.path.stem, steps, rates, losses, place=table.place, loss=names["loss"])


def rates_of_table(source: Source, columns: Mapping[str, str]) -> Rates:
    """Return the rates in a table, which needs no losses.

    Raises:
        RunError: if there is none, a cell is damaged, the steps do not ascend, or one has two rates.
    """
    names = _choose_columns(source, columns, ("step", "rate"), [LOG_THE_RATE])
    table = read_table(source, [names["step"], names["rate"]])
    steps, values = table.numbers(names["step"]), table.numbers(names["rate"])
    _refuse_nan(table, {role: names[role] for role in ("step", "rate")}, {"step": steps, "rate": values})
    rated = np.flatnonzero(~np.isnan(values))
    numbers = (("rate", float(steps[row]), float(values[row]), table.spot(int(row))) for row in rated.tolist())
    series = gather_scalars(source.place, source.path.stem, numbers).series["rate"]
    _check_rows(table, steps, values, rated)
    check_each_rate(series.values, series.steps, series.place)
    return Rates(source.path.stem, [int(step) for step in series.steps], series.values.tolist())


def _check_rows(table: Table, steps: FloatArray, rates: FloatArray, rated: IntArray) -> None:
    """Check that the steps ascend, and that each has one rate at most: which of two rows holds is unknown."""
    check_ascending(steps, table.place)
    for i in np.flatnonzero((np.diff(steps[rated]) == 0) & (np.diff(rates[rated]) != 0))[:1]:
        row = int(rated[i + 1])
        raise RunError("there are two rates; keep one of them", place=at_step(table.place(row), steps[row]))


def _choose_columns(
    source: Source, columns: Mapping[str, str], needed: Sequence[str], cures: Sequence[Cure] = ()
) -> dict[str, str]:
    """Return the names of the columns by their roles.

    Args:
        source: the table.
        columns: the names that were given.
        needed: the roles that must have a column.
        cures: what else to do if the rate has none.
    """
    more = {"step": [GIVE_UPDATES] if any(map(is_epoch, source.header)) else [], "rate": cures, "loss": []}
    names = {role: _choose_column(source, role, columns.get(role), more[role]) for role in COMMON}
    left = [name for name in source.header if name not in names.values() and not is_epoch(name)]
    for role, name in names.items():
        if name is None and role in needed:
            absent = "the log holds no rate" if role == "rate" and not left else f"no column for the {role}"
            problem = f"{absent} ({', '.join(COMMON[role])})"
            alternatives = [*([name_it(role)] if left else []), *more[role]] or [Cure(f"log the {role} too")]
            raise RunError(problem, place=source.place, choices=shorten(source.header), cures=alternatives)
    return {role: name for role, name in names.items() if name is not None}


def _choose_column(source: Source, role: str, name: str | None, cures: Sequence[Cure]) -> str | None:
    """Return the column that was named, or the only one with a common name, or the one with the very name."""
    if name is not None:
        if role == "step":
            refuse_epochs(source.place, name)
        return check_column(source, name, cures)
    candidates = [column for column in source.header if normalize(column) in COMMON[role]]
    exact = [column for column in candidates if normalize(column) == role]
    if len(exact or candidates) > 1:
        raise ambiguous(source.place, exact or candidates, role)
    return next(iter(exact or candidates), None)


def _refuse_nan(table: Table, names: Mapping[str, str], numbers: Mapping[str, FloatArray]) -> None:
    """Refuse a cell that says nan, which is not an empty one: a loss that became nan is the end of a run."""
    for role, name in names.items():
        row = table.first_nan(name, numbers[role])
        if row is not None and role == "loss" and np.isfinite(numbers["step"][row]):
            raise divergence_error(table.place(row), numbers["step"][row], "nan")
        if row is not None:
            problem = f"the {role} is nan; a cell is left empty where nothing was logged"
            raise RunError(problem, place=table.place(row))
