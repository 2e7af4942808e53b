"""The runs in the rows of one file: the rows with a step, counted through the epochs, and where another run begins.

A program that appends to its log leaves several runs in it: where the step falls back to where the file began, the next
run begins; where it falls back to somewhere later, a run was resumed from there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from glidepath.errors import Place, RunError
from glidepath.runs.run import FloatArray, IntArray

from ..dialects import Dialect
from ..names import is_epoch, shorten
from ..series import Scalars, scalars_of_series
from .calls import check_calls
from .objects import BoolArray, Rows, is_trained
from .steps import choose_step
from .twice import check_twice

FEW = 3  # falls of the step in one file are runs that were resumed
SHARE = 8  # more falls than one in so many rows are those of several processes


def scalars_of_rows(
    place: Place, name: str, rows: Rows, columns: Mapping[str, str], dialect: Dialect, per_epoch: int | None = None
) -> list[Scalars]:
    """Return the runs in the rows of one file.

    Args:
        place: of the file.
        name: of its run.
        rows: in the order in which they were logged.
        columns: may name the step.
        dialect: of the trainer that wrote them.
        per_epoch: the updates of an epoch, if the user says it.

    Raises:
        RunError: if no number is the step, or the rows of several processes are mixed.
    """
    named = columns.get("step")
    if named is not None and named not in rows.cells:
        raise RunError(f"no number is called {named!r}", place=place, choices=shorten(rows.names))
    step, dialect = choose_step(rows.names, dialect, named, place, "number")
    steps, needed = _steps(rows, step, dialect)
    steps, dialect, epochs = _through_epochs(rows, steps, step, dialect, per_epoch)
    chosen = ~np.isnan(steps)
    parts = list(_runs(rows, steps, chosen, dialect))
    names = [name] if len(parts) == 1 else [f"{name}, run {i}" for i in range(1, len(parts) + 1)]
    counts = (step, dialect.evaluated)
    others = replace(rows, cells={key: cell for key, cell in rows.cells.items() if key not in counts})
    check_calls(step, others.series(steps, chosen))
    every = [_scalars(place, *each, others, steps, dialect, epochs) for each in zip(names, parts, strict=True)]
    return [each.assume(_note_on_rows(rows, chosen, needed)) for each in every]


def _steps(rows: Rows, step: str, dialect: Dialect) -> tuple[FloatArray, str]:
    """Return the step of every row, NaN where it has none or is no row of training, and what a row needs."""
    steps = rows.column(step)
    if dialect.evaluated in rows.cells:
        steps = np.where(np.isnan(steps), rows.column(dialect.evaluated), steps)
    if dialect.mark not in rows.cells:
        return steps, step
    return np.where(np.isnan(rows.column(dialect.mark)), np.nan, steps), f"{step} and {dialect.mark}"


def _note_on_rows(rows: Rows, chosen: BoolArray, needed: str) -> str:
    left_out = rows.length - int(np.count_nonzero(chosen))
    return f"{left_out} row{'s' * (left_out > 1)} without {needed} left out" if left_out else ""


def _scalars(
    place: Place, name: str, chosen: BoolArray, rows: Rows, steps: FloatArray, dialect: Dialect, per_epoch: int | None
) -> Scalars:
    series = rows.series(steps, chosen)
    check_twice(series)
    horizon = None
    if dialect.total in series and series[dialect.total].values[-1] >= 1:
        horizon = int(series[dialect.total].values[-1])
    return replace(scalars_of_series(place, name, series, horizon, dialect), per_epoch=per_epoch)


# --- steps that begin again in every epoch ---


def _through_epochs(
    rows: Rows, steps: FloatArray, step: str, dialect: Dialect, per_epoch: int | None
) -> tuple[FloatArray, Dialect, int | None]:
    """Return steps that go on through the epochs, if they begin again in each, and the updates of an epoch."""
    name = next((each for each in rows.names if is_epoch(each) and each != step), None)
    if name is None or dialect.unit != "updates":
        return steps, dialect, None
    epochs = rows.column(name)
    logged = np.flatnonzero(_rows_of_training(rows, ~np.isnan(steps)) & ~np.isnan(epochs))
    falls = np.diff(steps[logged]) < 0
    if not falls.any() or not np.all(np.diff(epochs[logged])[falls] > 0):
        return steps, dialect, None
    per_epoch = per_epoch or _length_of_epochs(steps[logged], epochs[logged])
    if per_epoch is None:
        return steps, replace(dialect, unit="iterations of an epoch"), None
    return steps + (epochs - (epochs[logged].min() >= 1)) * per_epoch, dialect, per_epoch


def _length_of_epochs(steps: FloatArray, epochs: FloatArray) -> int | None:
    """Return the updates of an epoch, if all but the last epoch have the very same rows, one for each update."""
    starts = np.flatnonzero(np.diff(epochs, prepend=np.nan) != 0)
    lengths = np.diff(starts)
    whole = len(np.unique(lengths)) == 1 and len(steps) - starts[-1] <= lengths[0]
    alike = len(np.unique(steps[starts])) == 1 and steps[0] <= 1
    every = bool(np.all(np.diff(steps)[np.diff(epochs) == 0] == 1))
    return int(lengths[0]) if whole and alike and every else None


# --- several runs ---


def _runs(rows: Rows, steps: FloatArray, chosen: BoolArray, dialect: Dialect) -> Iterator[BoolArray]:
    """Yield the rows of every run, as an array that is True where a row is one of them."""
    logged = np.flatnonzero(_rows_of_training(rows, chosen))
    totals = rows.column(dialect.total)[logged] if dialect.total in rows.cells else np.empty(0)
    several = np.unique(totals[~np.isnan(totals)])
    if np.count_nonzero(np.diff(totals) != 0) >= len(several) > 1:  # it changes back: two processes wrote in turns
        for total in several:
            yield from _runs(rows, steps, chosen & (rows.column(dialect.total) == total), replace(dialect, total=""))
        return
    starts, resumed = _starts(steps[logged])
    if dialect.unit == "updates" and len(resumed) > max(FEW, len(logged) / SHARE):
        where = replace(rows.locate(int(logged[resumed[0]])), step=int(steps[logged[resumed[0]]]))
        problem = f"the step falls back in {len(resumed)} rows, as where several processes write one file"
        raise RunError(f"{problem}; keep the rows of one of them", place=where)
    yield from _in_turn(steps, chosen, logged, starts)


def _rows_of_training(rows: Rows, chosen: BoolArray) -> BoolArray:
    """Return the chosen rows that have a rate or a training loss, or all of them if none has."""
    needed = np.zeros(rows.length, dtype=bool)
    for name, (places, _) in rows.cells.items():
        if is_trained(name):
            needed[places] = True
    needed &= chosen
    return needed if needed.any() else chosen


def _starts(steps: FloatArray) -> tuple[list[int], list[int]]:
    """Return where runs begin, and where the step falls back within a run."""
    starts: list[int] = [0]
    resumed: list[int] = []
    for i in (np.flatnonzero(np.diff(steps) < 0) + 1).tolist():
        (starts if steps[i] <= steps[starts[-1]] else resumed).append(i)
    return starts, resumed


def _in_turn(steps: FloatArray, chosen: BoolArray, logged: IntArray, starts: list[int]) -> Iterator[BoolArray]:
    """Yield the rows of runs that follow each other; an evaluation before the first update belongs to the later run."""
    bounds = [0]
    for start in starts[1:]:
        last = logged[start - 1]
        between = np.arange(last + 1, logged[start] + 1)
        bounds.append(int(between[np.flatnonzero(steps[between] < steps[last])[0]]))
    for first, end in zip(bounds, [*bounds[1:], len(steps)], strict=True):
        part = np.zeros(len(steps), dtype=bool)
        part[first:end] = chosen[first:end]
        yield part
