"""A run from the rows of its log: step k, the rate that update k used, and the loss that it saw.

Loss laws need the whole history of the rate, and a log seldom has all of it: `logged` rebuilds the rest, and says what
it had to assume. Reading files is left to `glidepath.logs`.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from glidepath.core.checks import count, real
from glidepath.core.schedule import Schedule, needs_schedule
from glidepath.errors import HorizonError, RunError

from .run import (
    MOST_STEPS,
    PLAN,
    FloatArray,
    IntArray,
    Place,
    Run,
    check_length,
    check_losses,
    impossible_rate,
    refused_rate,
    row_of,
)

BEGINNING = 0.2  # the share of a run that may be an unseen warmup
LONE = 1000.0  # a change so many times steeper than those beside it is a jump
DUST = 1e-6  # of the peak: a smaller change is how numbers were rounded
AGREEMENT = 0.01  # of the peak: how far a logged rate may lie from the plan's


def logged(
    name: str,
    steps: ArrayLike,
    rates: ArrayLike,
    losses: ArrayLike,
    *,
    plan: Schedule | None = None,
    peak: float | None = None,
    horizon: int | None = None,
    warmup: int | None = None,
    place: Place | None = None,
    updates: int | None = None,
) -> Run:
    """A run from the rows of its log: step k, the rate that update k used, and the loss that it saw.

    A rate stands where it was logged, and lies on the straight line between its neighbours elsewhere; but a lone
    change between two level stretches is a jump, in the middle. Before the first logged rate, within the first fifth
    of the run, the rate is assumed to have risen in a straight line from 0. With a plan, nothing is assumed.

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
        place: where a row is, for messages; the name of the run if not given.
        updates: how many were made, at least the last logged step; one more than that if not given.

    Raises:
        RunError: if the rows cannot be those of one run, or say too little about its rates.
        ScheduleError: if plan, peak or warmup is none.

    Examples:
        >>> nan = float("nan")
        >>> run = logged("short", [0, 2, 4, 6], [0.0, 0.2, nan, 0.1], [nan, 3.0, nan, 2.5])
        >>> run.rates.round(3).tolist(), run.updates.tolist()
        ([0.0, 0.1, 0.2, 0.175, 0.15, 0.125, 0.1], [2, 6])
    """
    rows = _rows(name, steps, rates, losses, place or (lambda _: name), updates)
    _check_rows(rows)
    if plan is None:
        if peak is not None or horizon is not None:
            raise RunError(f"{name}: peak= and horizon= belong to a plan: give plan= too")
        values, assumed = _rebuilt(rows, warmup)
    else:
        if warmup is not None:
            raise RunError(f"{name}: a plan has its own warmup: leave warmup= out")
        values, assumed = _planned(rows, needs_schedule(plan, "plan"), peak, horizon), ""
    seen = ~np.isnan(rows.losses) & (rows.steps > 0)
    return Run(name, values, rows.steps[seen].astype(np.int64), rows.losses[seen], assumed)


# --- rows ---


@final
@dataclass(frozen=True, eq=False)
class _Rows:
    """The columns of a log: a step in every row, a rate in some, a loss in some."""

    name: str
    steps: FloatArray
    rates: FloatArray
    losses: FloatArray
    place: Place
    updates: int | None

    @property
    def rated(self) -> IntArray:
        """The rows with a rate."""
        return np.flatnonzero(~np.isnan(self.rates))

    @property
    def count(self) -> int:
        """The updates that the log tells of."""
        return int(self.steps[-1]) + 1 if self.updates is None else self.updates


def _rows(name: str, steps: ArrayLike, rates: ArrayLike, losses: ArrayLike, place: Place, updates: int | None) -> _Rows:
    """Three columns of one table, which has rows."""
    given = {"steps": steps, "rates": rates, "losses": losses}
    columns = {what: row_of(name, what, values) for what, values in given.items()}
    rows = _Rows(name, **columns, place=place, updates=updates)
    lengths = [len(rows.steps), len(rows.rates), len(rows.losses)]
    if len(set(lengths)) > 1:
        raise RunError(f"{name}: steps, rates and losses have {', '.join(map(str, lengths))} rows; they are one table")
    if not lengths[0]:
        raise RunError(f"{name}: the log has no rows")
    return rows


def _check_rows(rows: _Rows) -> None:
    _check_steps(rows)
    _check_count(rows)
    with_loss = np.flatnonzero(~np.isnan(rows.losses))
    check_losses(rows.losses[with_loss], rows.steps[with_loss], lambda i: rows.place(int(with_loss[i])))
    for i in np.flatnonzero(np.diff(rows.steps[with_loss]) == 0)[:1]:
        row = int(with_loss[i + 1])
        raise RunError(f"{rows.place(row)}: step {rows.steps[row]:.0f} has two losses; keep one of them")
    rated = rows.rated
    for row in rated[impossible_rate(rows.rates[rated])][:1]:
        raise RunError(f"{rows.place(int(row))}: {refused_rate(int(rows.steps[row]), rows.rates[row])}")
    for i in np.flatnonzero((np.diff(rows.steps[rated]) == 0) & (np.diff(rows.rates[rated]) != 0))[:1]:
        row = int(rated[i + 1])
        raise RunError(
            f"{rows.place(row)}: step {rows.steps[row]:.0f} has two rates, {rows.rates[rated[i]]:g} and "
            f"{rows.rates[row]:g}: of two groups of parameters? keep one of them"
        )


def _check_count(rows: _Rows) -> None:
    """A rate was used by an update that was made, and a loss seen after no more than were made."""
    least = max(rows.steps[-1], rows.steps[rows.rated].max(initial=-1) + 1)
    if count(rows.count, "updates") < least:
        raise RunError(f"{rows.name}: the log tells of {least:,.0f} updates, and updates={rows.count:,}: give no fewer")


def _check_steps(rows: _Rows) -> None:
    """Whole numbers that ascend; two rows may share a step."""
    steps = rows.steps
    for row in np.flatnonzero(~((steps >= 0) & (steps == np.floor(steps)) & (steps < np.inf)))[:1]:
        given = "missing" if np.isnan(steps[row]) else f"{float(steps[row])!r}"
        raise RunError(f"{rows.place(int(row))}: the step is {given}; steps are whole numbers from 0")
    for row in np.flatnonzero(steps > MOST_STEPS)[:1]:
        check_length(rows.place(int(row)), steps[row])
    check_ascending(steps, rows.place)


def check_ascending(steps: FloatArray, place: Place) -> None:
    """No step is lower than the one before it."""
    for row in np.flatnonzero(np.diff(steps) < 0)[:1] + 1:
        raise RunError(
            f"{place(int(row))}: step {steps[row]:.0f} comes after step {steps[row - 1]:.0f}: two runs in one file, or "
            "a resumed one; keep one of them"
        )


# --- the rate of every update ---


def _planned(rows: _Rows, plan: Schedule, peak: float | None, horizon: int | None) -> FloatArray:
    """The rates of a plan, if the logged ones agree."""
    if peak is None:
        raise RunError(f"{rows.name}: a plan is a ratio of the peak: give peak= too, or peak=1 if its values are rates")
    try:
        resolved = plan.over(rows.count if horizon is None else horizon)
    except HorizonError as error:
        raise RunError(f"{rows.name}: {error}") from error
    values = real(peak, "peak", above=0) * np.asarray(resolved(np.arange(rows.count)), dtype=np.float64)
    rated = rows.rated
    planned = values[rows.steps[rated].astype(np.int64)]
    for i in np.flatnonzero(np.abs(rows.rates[rated] - planned) > AGREEMENT * values.max())[:1]:
        row = int(rated[i])
        raise RunError(
            f"{rows.place(row)}: the rate at step {rows.steps[row]:.0f} is {rows.rates[row]:g} in the log and "
            f"{planned[i]:g} by the plan: give the plan that the run followed, or none"
        )
    return values


def _rebuilt(rows: _Rows, warmup: int | None) -> tuple[FloatArray, str]:
    """The rates that the logged ones tell of, and what was assumed."""
    rated = rows.rated
    if not len(rated):
        raise RunError(f"{rows.name}: no rate was logged; {PLAN}")
    steps, first = np.unique(rows.steps[rated].astype(np.int64), return_index=True)
    rates = rows.rates[rated][first]
    values = np.interp(np.arange(rows.count), steps, rates)
    notes = [_begin(rows.name, values, int(steps[0]), warmup), _place_jumps(values, steps, rates)]
    notes.append(_end(rows.name, steps, rows.count))
    return values, "; ".join(note for note in notes if note)


def _begin(name: str, values: FloatArray, first: int, warmup: int | None) -> str:
    """Fill in the rates before the first logged one; what was assumed."""
    if warmup is None and first > max(1, BEGINNING * len(values)):
        raise RunError(
            f"{name}: the first rate was logged at step {first:,} of {len(values):,}, and the history before it is "
            f"missing; {PLAN}"
        )
    rising = (first if first > 1 else 0) if warmup is None else count(warmup, "warmup")
    if rising > first:
        raise RunError(
            f"{name}: a rate was logged at step {first:,}, within the warmup of {rising:,}: leave warmup out"
        )
    values[:rising] = np.linspace(0.0, values[first], rising)
    return _warmup_note(rising) if warmup is None and rising else ""


def _warmup_note(steps: int) -> str:
    return f"a linear warmup over the first {steps:,} updates, which were not logged"


def _place_jumps(values: FloatArray, steps: IntArray, rates: FloatArray) -> str:
    """Make lone changes jumps, each in the middle of two logged steps; what was assumed."""
    places = []
    for i in _lone_changes(steps, rates):
        middle = int(steps[i] + steps[i + 1]) // 2
        values[steps[i] : middle], values[middle : steps[i + 1]] = rates[i], rates[i + 1]
        places.append(middle)
    if len(places) == 1:
        return f"a jump of the rate at step {places[0]:,}, the middle of two logged steps"
    return f"{len(places)} jumps of the rate, each in the middle of two logged steps" if places else ""


def _lone_changes(steps: IntArray, rates: FloatArray) -> IntArray:
    """Every i where the rate changes between logged rows i and i + 1, and is level before and after."""
    change, gap = np.abs(np.diff(rates)), np.diff(steps)
    slope = change / gap
    lone = slope[1:-1] > LONE * np.maximum(slope[:-2], slope[2:])
    return np.flatnonzero(lone & (change[1:-1] > DUST * rates.max()) & (gap[1:-1] > 1)) + 1


def _end(name: str, steps: IntArray, updates: int) -> str:
    """Whether the rates after the last logged one may be taken to be level; what was assumed."""
    missing = updates - 1 - int(steps[-1])
    if missing > np.diff(steps, prepend=0).max(initial=1):
        raise RunError(
            f"{name}: the last rate was logged at step {steps[-1]:,} of {updates:,}, and those after it are missing; "
            f"{PLAN}"
        )
    return f"a level rate over the last {missing:,} updates, which were not logged" if missing > 1 else ""
