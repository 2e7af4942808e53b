"""A run from the rows of its log: step k, the rate that update k used, and the loss that it measured.

Loss laws need the whole history of the rate, and a log seldom has all of it: `run_from_rows` rebuilds the rest, and
says what it had to assume. Reading files is left to `glidepath.logs`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from glidepath.core.checks import count, real
from glidepath.core.schedule import Schedule
from glidepath.core.step_function import needs_schedule
from glidepath.errors import Argument, HorizonError, Place, RunError

from .gaps import Between, LoggedRates, fill_gaps
from .run import (
    GIVE_PLAN,
    MOST_STEPS,
    FloatArray,
    IntArray,
    RowPlace,
    Run,
    at_step,
    check_each_rate,
    check_length,
    check_losses,
    row_of,
)

AGREEMENT = 0.01  # of the peak: how far a logged rate may lie from the plan's


def run_from_rows(
    name: str,
    steps: ArrayLike,
    rates: ArrayLike,
    losses: ArrayLike,
    *,
    plan: Schedule | None = None,
    peak: float | None = None,
    horizon: int | None = None,
    warmup: int | None = None,
    between: Between | None = None,
    place: RowPlace | None = None,
    updates: int | None = None,
    loss: str = "loss",
) -> Run:
    """Build a run from the rows of its log: step k, the rate that update k used, and the loss that it measured.

    A rate stands where it was logged, and `glidepath.runs.gaps` fills in the others. With a plan, nothing is assumed.

    Args:
        name: of the run.
        steps: ascending whole numbers from 0; shape (n,). Step 0 has no update before it: its loss is left out.
        rates: absolute; NaN where none was logged; shape (n,).
        losses: NaN where none was logged; shape (n,).
        plan: the schedule that the run followed, a ratio of the peak. Logged rates must agree with it within 1% of
            the peak.
        peak: the rate where the plan is 1; 1 for a plan of absolute rates.
        horizon: the steps over which a draft is resolved; the last logged step and one more if not given.
        warmup: the updates of a linear warmup that was not logged; between it and the first logged rate the rate is
            level.
        between: the rate between two rows, "held" until the next or on the straight "line"; if not given, on the line,
            and what holding would change is said.
        place: where row i is, for messages; the name of the run if not given.
        updates: how many were made, at least the last logged step; one more than that if not given.
        loss: the name of the loss.

    Raises:
        RunError: if the rows cannot be those of one run, or do not determine its rates.
        ScheduleError: if plan, peak or warmup is not one.

    Examples:
        >>> nan = float("nan")
        >>> run = run_from_rows("short", [0, 2, 4, 6], [0.0, 0.2, nan, 0.1], [nan, 3.0, nan, 2.5])
        >>> run.rates.round(3).tolist(), run.updates.tolist()
        ([0.0, 0.1, 0.2, 0.175, 0.15, 0.125, 0.1], [2, 6])
    """
    rows = _rows(name, steps, rates, losses, place or (lambda _: Place(name)), updates)
    _check_rows(rows)
    if plan is None:
        _refuse_options_of_plan(rows, peak, horizon)
        values, assumed = _rebuild_rates(rows, warmup, between)
    else:
        if warmup is not None:
            raise RunError(("a plan has its own warmup: leave ", Argument("warmup"), " out"), place=name)
        values, assumed = _rates_of_plan(rows, needs_schedule(plan, "plan"), peak, horizon), ""
    measured = ~np.isnan(rows.losses) & (rows.steps > 0)
    return Run(name, values, rows.steps[measured].astype(np.int64), rows.losses[measured], assumed, loss)


def _refuse_options_of_plan(rows: "_Rows", peak: float | None, horizon: int | None) -> None:
    if peak is not None or horizon is not None:
        problem = (Argument("peak"), " and ", Argument("horizon"), " belong to a plan: give ", Argument("plan"), " too")
        raise RunError(problem, place=rows.name)


# --- rows ---


@final
@dataclass(frozen=True, eq=False)
class _Rows:
    """The columns of a log: a step in every row, a rate in some, a loss in some."""

    name: str
    steps: FloatArray
    rates: FloatArray
    losses: FloatArray
    place: RowPlace
    updates: int | None

    @cached_property
    def rated(self) -> IntArray:
        """Return the rows with a rate."""
        return np.flatnonzero(~np.isnan(self.rates))

    @property
    def count(self) -> int:
        """Return the number of updates in the log."""
        return int(self.steps[-1]) + 1 if self.updates is None else self.updates

    def place_with_step(self, row: int) -> Place:
        """Return where a row is, with its step."""
        return at_step(self.place(row), self.steps[row])


def _rows(
    name: str, steps: ArrayLike, rates: ArrayLike, losses: ArrayLike, place: RowPlace, updates: int | None
) -> _Rows:
    """Return three columns of one table, which has rows."""
    fields = {"steps": steps, "rates": rates, "losses": losses}
    columns = {field: row_of(name, field, values) for field, values in fields.items()}
    rows = _Rows(name, **columns, place=place, updates=updates)
    lengths = [len(rows.steps), len(rows.rates), len(rows.losses)]
    if len(set(lengths)) > 1:
        numbers = ", ".join(map(str, lengths))
        raise RunError(f"steps, rates and losses have {numbers} rows; they are one table", place=name)
    if not lengths[0]:
        raise RunError("the log has no rows", place=name)
    return rows


def _check_rows(rows: _Rows) -> None:
    _check_steps(rows)
    _check_count(rows)
    _check_losses(rows)
    _check_rates(rows)


def _check_losses(rows: _Rows) -> None:
    """Check that losses are positive, and that no step has two."""
    with_loss = np.flatnonzero(~np.isnan(rows.losses))
    steps = _at(rows.steps, with_loss)
    check_losses(_at(rows.losses, with_loss), steps, lambda i: rows.place(int(with_loss[i])))
    for i in np.flatnonzero(steps[1:] == steps[:-1])[:1]:
        row = int(with_loss[i + 1])
        raise RunError("there are two losses; keep one of them", place=rows.place_with_step(row))


def _at(values: FloatArray, rows: IntArray) -> FloatArray:
    """Return the values of some rows, in their order; without a copy if these are all."""
    return values if len(rows) == len(values) else values[rows]


def _check_rates(rows: _Rows) -> None:
    """Check that rates are possible, and that no step has two of them, as of two groups of parameters."""
    rated = rows.rated
    steps, rates = _at(rows.steps, rated), _at(rows.rates, rated)
    check_each_rate(rates, steps, lambda i: rows.place(int(rated[i])))
    for i in np.flatnonzero((steps[1:] == steps[:-1]) & (rates[1:] != rates[:-1]))[:1]:
        row, first = int(rated[i + 1]), int(rated[i])
        raise RunError(
            f"there are two rates, {rows.rates[first]:g} and {rows.rates[row]:g}: of two groups of parameters? keep "
            "one of them",
            place=rows.place_with_step(row),
        )


def _check_count(rows: _Rows) -> None:
    """Check that no rate was used by an update after the last one, and no loss measured after more than were made."""
    least = max(rows.steps[-1], rows.steps[rows.rated[-1]] + 1 if len(rows.rated) else 0)
    if count(rows.count, "updates") < least:
        problem = (f"the log has {least:,.0f} updates: ", Argument("updates", rows.count), " is less")
        raise RunError(problem, place=rows.name)


def _check_steps(rows: _Rows) -> None:
    """Check that steps are whole numbers that ascend; two rows may share a step."""
    steps = rows.steps
    for row in np.flatnonzero(~((steps >= 0) & (steps == np.floor(steps)) & (steps < np.inf)))[:1]:
        step = "missing" if np.isnan(steps[row]) else f"{float(steps[row])!r}"
        raise RunError(f"the step is {step}; steps are whole numbers from 0", place=rows.place(int(row)))
    for row in np.flatnonzero(steps > MOST_STEPS)[:1]:
        check_length(rows.place(int(row)), steps[row])
    check_ascending(steps, rows.place)


def check_ascending(steps: FloatArray, place: RowPlace) -> None:
    """Check that no step is lower than the one before it.

    Raises:
        RunError: with the place of the first that is.
    """
    for row in np.flatnonzero(steps[1:] < steps[:-1])[:1] + 1:
        raise RunError(
            f"step {steps[row]:.0f} comes after step {steps[row - 1]:.0f}: two runs in one file, or a resumed one; "
            "keep one of them",
            place=place(int(row)),
        )


# --- the rate of every update ---


def _rates_of_plan(rows: _Rows, plan: Schedule, peak: float | None, horizon: int | None) -> FloatArray:
    """Return the rates of a plan, if the logged ones agree."""
    if peak is None:
        give = ("a plan is a ratio of the peak: give ", Argument("peak"), " too, or ", Argument("peak", 1))
        raise RunError((*give, " if its values are rates"), place=rows.name)
    try:
        resolved = plan.over(rows.count if horizon is None else horizon)
    except HorizonError as error:
        raise RunError(error.worded(), place=rows.name) from error
    values = real(peak, "peak", above=0) * np.asarray(resolved(np.arange(rows.count)), dtype=np.float64)
    _check_agreement(rows, values)
    return values


def _check_agreement(rows: _Rows, values: FloatArray) -> None:
    """Check that every logged rate is that of the plan."""
    rated = rows.rated
    planned = values[rows.steps[rated].astype(np.int64)]
    for i in np.flatnonzero(np.abs(rows.rates[rated] - planned) > AGREEMENT * values.max())[:1]:
        row = int(rated[i])
        raise RunError(
            f"the rate is {rows.rates[row]:g} in the log and {planned[i]:g} by the plan: give the plan that the run "
            "followed, or none",
            place=rows.place_with_step(row),
        )


def _rebuild_rates(rows: _Rows, warmup: int | None, between: Between | None) -> tuple[FloatArray, str]:
    """Return the rate of every update from the logged ones, and what was assumed."""
    rated = rows.rated
    if not rows.rates[rated].any():
        problem = "every rate is zero, so nothing was trained" if len(rated) else "no rate was logged"
        raise RunError(problem, place=rows.name, cures=[GIVE_PLAN])
    steps = _at(rows.steps, rated)
    first = np.flatnonzero(np.append(True, steps[1:] > steps[:-1]))  # two rows may share a step
    logged = LoggedRates(_at(steps, first).astype(np.int64), _at(_at(rows.rates, rated), first), rows.count)
    return fill_gaps(rows.name, logged, None if warmup is None else count(warmup, "warmup"), between)
