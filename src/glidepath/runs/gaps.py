"""The rates that a log leaves out: before its first row, between two rows, and after the last.

Before the first row the rates go on backwards as they begin: where the first rows fall or are level, the run did not
begin with a warmup. Between two rows the rate has held since the first, or lies on the straight line between them; a
lone change between two level stretches is a jump, in the middle. After the last row the rate is level.
"""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from glidepath.errors import Argument, RunError

from .run import GIVE_PLAN, FloatArray, IntArray

Between = Literal["held", "line"]

ON_THE_LINE = "between two logged rates the rate lies on a straight line"
BEGINNING = 0.2  # the share of a run that may lie before the first logged rate
LONE = 1000.0  # a change so many times steeper than those beside it is a jump
DUST = 1e-6  # of the peak: a smaller change is how numbers were rounded


@final
@dataclass(frozen=True, eq=False)
class LoggedRates:
    """The rates in a log.

    Args:
        steps: indices of the updates that used them, ascending; shape (n,), n >= 1.
        rates: of these updates.
        updates: how many were made.
    """

    steps: IntArray
    rates: FloatArray
    updates: int


def fill_gaps(name: str, logged: LoggedRates, warmup: int | None, between: Between | None) -> tuple[FloatArray, str]:
    """Return the rate of every update, and what was assumed about those that were not logged.

    Args:
        name: of the run.
        logged: its rates.
        warmup: the updates of a linear warmup from 0, if the user says it.
        between: whether the rate "held" or lies on the "line" between two rows; on the line if not given.

    Raises:
        RunError: if too much is missing.
    """
    if len(logged.steps) == logged.updates and not warmup:
        return logged.rates, ""  # nothing is missing
    values, note = _hold(logged) if between == "held" else _on_the_line(logged)
    if between != "held" and not note and _moves(logged):
        note = ON_THE_LINE + ("" if between == "line" else _note_on_hold(logged, values))
    notes = [_fill_beginning(name, values, logged, warmup, between), note, _check_end(name, logged, between)]
    return values, "; ".join(filter(None, notes))


# --- between two rows ---


def _hold(logged: LoggedRates) -> tuple[FloatArray, str]:
    rows = np.searchsorted(logged.steps, np.arange(logged.updates), side="right") - 1
    return logged.rates[np.maximum(rows, 0)], "a rate holds until the next one that was logged" * _moves(logged)


def _moves(logged: LoggedRates) -> bool:
    """Return whether a rate changes between two rows that are not of neighbouring updates."""
    return bool(np.any((np.abs(np.diff(logged.rates)) > DUST * logged.rates.max()) & (np.diff(logged.steps) > 1)))


def _on_the_line(logged: LoggedRates) -> tuple[FloatArray, str]:
    """Return the rates on the line; lone changes are jumps, each in the middle of two logged steps."""
    steps, rates = logged.steps, logged.rates
    values = np.interp(np.arange(logged.updates), steps, rates)
    places = []
    for i in _lone_changes(steps, rates):
        middle = int(steps[i] + steps[i + 1]) // 2
        values[steps[i] : middle], values[middle : steps[i + 1]] = rates[i], rates[i + 1]
        places.append(middle)
    if len(places) == 1:
        return values, f"a jump of the rate at step {places[0]:,}, the middle of two logged steps"
    return values, f"{len(places)} jumps of the rate, each in the middle of two logged steps" if places else ""


def _lone_changes(steps: IntArray, rates: FloatArray) -> IntArray:
    """Return every i where the rate changes between logged rows i and i + 1, and is level before and after."""
    change, gap = np.abs(np.diff(rates)), np.diff(steps)
    slope = change / gap
    lone = slope[1:-1] > LONE * np.maximum(slope[:-2], slope[2:])
    return np.flatnonzero(lone & (change[1:-1] > DUST * rates.max()) & (gap[1:-1] > 1)) + 1


def _note_on_hold(logged: LoggedRates, values: FloatArray) -> str:
    """Return what the other reading, that each rate held until the next row, would change."""
    first = int(logged.steps[0])
    apart = np.abs(_hold(logged)[0] - values)[first:]
    return f"; if it held until the next, it differs by up to {apart.max():.3g}, at step {first + apart.argmax():,}"


# --- before the first row ---


def _fill_beginning(
    name: str, values: FloatArray, logged: LoggedRates, warmup: int | None, between: Between | None
) -> str:
    """Fill in the rates before the first logged one, and return what was assumed."""
    first = int(logged.steps[0])
    if warmup is not None:
        _fill_warmup(name, values, first, warmup)
        return ""
    if first > max(1, BEGINNING * len(values)) and not _is_proven(logged):
        problem = (
            f"the first rate was logged at step {first:,} of {len(values):,}, and the history before it is missing"
        )
        raise RunError(problem, place=name, cures=[GIVE_PLAN])
    before, how = (np.full(first, logged.rates[0]), "a level rate") if between == "held" else _go_backwards(logged)
    values[:first] = before
    return f"{how} over the first {first:,} updates, which were not logged" if first > 1 else ""


def _go_backwards(logged: LoggedRates) -> tuple[FloatArray, str]:
    """Return the rates before the first row, as the first rows go on, and what they are called."""
    first, steps, rates = int(logged.steps[0]), logged.steps[:3], logged.rates[:3]
    change = np.diff(rates)[:1].sum()
    if abs(change) <= DUST * logged.rates.max():
        return np.full(first, rates[0]), "a level rate (no warmup was given)"
    if change > 0 and not _is_line(steps, rates):
        return np.linspace(0.0, rates[0], first, endpoint=False), "a linear warmup"
    bends = len(rates) == 3 and change < 0 and rates[2] < rates[1]
    curve = np.polynomial.Polynomial.fit(steps[: 2 + bends], rates[: 2 + bends], 1 + bends)
    before = np.maximum(curve(np.arange(first)), 0.0)
    if change < 0:  # a curve that bends does not turn
        before = np.maximum.accumulate(np.append(before, rates[0])[::-1])[::-1][:-1]
    return before, "a linear warmup" if change > 0 else "a fall like that of the first rows (no warmup was given)"


def _is_line(steps: IntArray, rates: FloatArray) -> bool:
    """Return whether the first three rows lie on one line."""
    slopes = np.diff(rates) / np.diff(steps)
    return len(slopes) == 2 and bool(abs(slopes[1] - slopes[0]) <= 0.01 * abs(slopes[0]))


def _is_proven(logged: LoggedRates) -> bool:
    """Return whether all rates are level, or fall in one straight line that does not meet 0 within the run."""
    rates, dust = logged.rates, 1e-3 * logged.rates.max()
    if np.ptp(rates) <= DUST * rates.max():
        return len(rates) > 1
    slope = (rates[-1] - rates[0]) / (logged.steps[-1] - logged.steps[0])
    line = rates[0] + slope * (logged.steps - logged.steps[0])
    zero = rates[0] + slope * (logged.updates - logged.steps[0])
    return len(rates) > 2 and slope < 0 and float(np.abs(rates - line).max()) < dust and float(zero) > -dust


def _fill_warmup(name: str, values: FloatArray, first: int, warmup: int) -> None:
    if warmup > first:
        start = f"a rate was logged at step {first:,}, within the warmup of {warmup:,}: leave "
        raise RunError((start, Argument("warmup"), " out"), place=name)
    values[:first] = values[first]
    values[:warmup] = np.linspace(0.0, values[first], warmup)


# --- after the last row ---


def _check_end(name: str, logged: LoggedRates, between: Between | None) -> str:
    """Check that the rates after the last logged one may be taken to be level, and return what was assumed."""
    last, missing = int(logged.steps[-1]), logged.updates - 1 - int(logged.steps[-1])
    if missing > np.diff(logged.steps, prepend=0).max(initial=1):
        problem = f"the last rate was logged at step {last:,} of {logged.updates:,}, and those after it are missing"
        raise RunError(problem, place=name, cures=[GIVE_PLAN])
    is_new = missing > 1 and between != "held"
    return f"a level rate over the last {missing:,} updates, which were not logged" if is_new else ""
