"""Which columns of a table are the step, the rate and the loss, and the run that they tell of."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from glidepath.errors import RunError
from glidepath.runs.deviation import Rates
from glidepath.runs.from_rows import check_ascending
from glidepath.runs.run import PLAN, FloatArray, IntArray, Run, diverged

from .names import COMMON, listed, plain, several
from .scalars import check_rates, gathered
from .table import Table, called, header_of, read_table


def run_of_table(
    file: Path, columns: Mapping[str, str], build: Callable[..., Run], needed: Sequence[str] = tuple(COMMON)
) -> Run:
    """The run in a table.

    Args:
        file: CSV or Parquet.
        columns: names of columns by "step", "rate" and "loss", where they are not common ones.
        build: makes a run of a name, steps, rates, losses and `place=`, as `glidepath.runs.from_rows.logged` does.
        needed: what must have a column; a run with a plan needs no rates.

    Raises:
        RunError: if it is not the log of a run.
    """
    chosen = _chosen(file, header_of(file), columns, needed)
    table = read_table(file, list(chosen.values()))
    steps, losses = table.numbers(chosen["step"]), table.numbers(chosen["loss"])
    rates = table.numbers(chosen["rate"]) if "rate" in chosen else np.full(len(steps), np.nan)
    _refuse_nan(table, chosen, {"step": steps, "rate": rates, "loss": losses})
    if not len(steps):
        raise RunError(f"{file} has a header and no rows")
    return build(file.stem, steps, rates, losses, place=table.place)


def rates_of_table(file: Path, columns: Mapping[str, str]) -> Rates:
    """The rates in a table, which needs no losses.

    Raises:
        RunError: if there is none, a cell is damaged, the steps do not ascend, or one has two rates.
    """
    chosen = _chosen(file, header_of(file), columns, ("step", "rate"))
    table = read_table(file, [chosen["step"], chosen["rate"]])
    steps, values = table.numbers(chosen["step"]), table.numbers(chosen["rate"])
    _refuse_nan(table, {what: chosen[what] for what in ("step", "rate")}, {"step": steps, "rate": values})
    rated = np.flatnonzero(~np.isnan(values))
    found = (("rate", float(steps[row]), float(values[row]), table.place(int(row))) for row in rated.tolist())
    series = gathered(str(file), file.stem, found).series["rate"]
    _check_rows(table, steps, values, rated)
    check_rates(series)
    return Rates(file.stem, [int(step) for step in series.steps], series.values.tolist())


def _check_rows(table: Table, steps: FloatArray, rates: FloatArray, rated: IntArray) -> None:
    """The steps ascend, and each has one rate at most: nobody says which of two rows holds."""
    check_ascending(steps, table.place)
    for i in np.flatnonzero((np.diff(steps[rated]) == 0) & (np.diff(rates[rated]) != 0))[:1]:
        row = int(rated[i + 1])
        raise RunError(f"{table.place(row)}: step {steps[row]:.0f} has two rates; keep one of them")


def _chosen(file: Path, header: Sequence[str], columns: Mapping[str, str], needed: Sequence[str]) -> dict[str, str]:
    found = {what: _column(file, header, what, columns.get(what)) for what in COMMON}
    for what, name in found.items():
        if name is None and what in needed:
            hint = f", or {PLAN}" if what == "rate" else ""
            raise RunError(
                f"{file}: no column for the {what} ({', '.join(COMMON[what])}) among {listed(header)}: name it, "
                f'columns={{"{what}": ...}}{hint}'
            )
    return {what: name for what, name in found.items() if name is not None}


def _column(file: Path, header: Sequence[str], what: str, given: str | None) -> str | None:
    """The column that was named, or the only one with a common name, or the one with the very name."""
    if given is not None:
        return called(file, header, given)
    candidates = [name for name in header if plain(name) in COMMON[what]]
    exact = [name for name in candidates if plain(name) == what]
    if len(exact or candidates) > 1:
        raise RunError(f"{file}: {several(exact or candidates, what)}")
    return next(iter(exact or candidates), None)


def _refuse_nan(table: Table, chosen: Mapping[str, str], numbers: Mapping[str, FloatArray]) -> None:
    """A cell that says nan is no empty one: a loss that became nan is the end of a run."""
    for what, name in chosen.items():
        row = table.written_nan(name, numbers[what])
        if row is not None and what == "loss" and np.isfinite(numbers["step"][row]):
            raise RunError(f"{table.place(row)}: {diverged(int(numbers['step'][row]), 'nan')}")
        if row is not None:
            raise RunError(f"{table.place(row)}: the {what} is nan; a cell is left empty where nothing was logged")
