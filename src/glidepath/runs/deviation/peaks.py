"""Causes in the peak: every rate is the plan's times a factor, from the first row on or from a later one."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from glidepath.core.curves import Curve
from glidepath.core.schedule import Schedule

from .cause import Cause
from .hypothesis import Hypothesis
from .lag import MOST_AT_FIRST, SHARE
from .parts import join, take_apart
from .readings import Match, explain
from .rows import Rows
from .walks import ENOUGH

REACHES = 9  # steps of the plan at which the last row may be
ROUNDS = 6  # of the search for a peak whose floor is an absolute rate


def find_peak(rows: Rows, plan: Schedule) -> Cause | None:
    """Check for another peak in the whole run, with the same floor as a share of the peak or as a rate."""
    if rows.is_free or len(rows) < ENOUGH:
        return None
    free = rows.with_peaks(0.0, np.inf)
    match = explain(free, Hypothesis(plan))
    if match is not None:
        low, high = free.narrow(match.values(rows.steps))
        return _cause((low + high) / (rows.lowest + rows.highest))
    highest = int(np.argmax(rows.rates))
    doubt = float(rows.slack[highest] / rows.rates[highest])
    for factor, other in _with_absolute_floor(rows, plan):
        narrow = rows.with_peaks(rows.lowest * factor * (1 - doubt), rows.highest * factor * (1 + doubt))
        if _may_end(narrow, other) and explain(narrow, Hypothesis(other)):
            return _cause(factor)
    return None


def _may_end(rows: Rows, plan: Schedule) -> bool:
    """Return whether the last rate lies in reach of its step, before every row is tried."""
    last = int(rows.steps[-1])
    reach = np.linspace(last - MOST_AT_FIRST - SHARE * last, last + 1, REACHES).astype(np.int64)
    values = np.asarray(plan(np.maximum(reach, 0)), dtype=np.float64)
    low, high = rows.lowest * values.min(), rows.highest * values.max()
    return bool(low - rows.slack[-1] <= rows.rates[-1] <= high + rows.slack[-1])


def _cause(factor: float) -> Cause:
    return Cause("peak", f"{_times(factor)} times the plan: another peak?", factor)


def _with_absolute_floor(rows: Rows, plan: Schedule) -> Iterator[tuple[float, Schedule]]:
    """Yield the factors of a peak, and plans in which what they fall to is the same rate at that peak.

    Each is solved from one row, at each step of the plan that a reading may give it.
    """
    parts = take_apart(plan)
    last = parts.rest[-1] if parts.rest else None
    if not isinstance(last, Curve) or not 0 < last.to < last.start:
        return
    row = int(np.argmax(rows.rates))
    for back in range(-1, MOST_AT_FIRST + 1):
        factor, other = 1.0, plan
        for _ in range(ROUNDS):
            value = float(other(max(0, int(rows.steps[row]) - back)))
            factor = float(rows.rates[row]) / (rows.highest * value or 1.0) or 1.0
            floor = replace(last, to=min(last.to / factor, last.start))
            other = join(replace(parts, rest=(*parts.rest[:-1], floor)))
        yield factor, other


def find_later_peak(rows: Rows, match: Match) -> Cause | None:
    """Check for a constant factor after the rows of a match."""
    if not match.rows:
        return None
    head, tail = rows[: match.rows], rows[match.rows :]
    lowest, highest = head.narrow(match.values(head.steps))
    values, free = match.values(tail.steps), tail.with_peaks(0.0, np.inf)
    if len(tail) < ENOUGH or len(np.unique(values)) < 2 or free.prefix(lambda chunk: values[chunk]) < len(tail):
        return None
    low, high = free.narrow(values)
    factor = (low + high) / (lowest + highest)
    before, step = int(head.steps[-1]) + 1, int(tail.steps[0])
    since = f"since step {step}" if before == step else f"since a step from {before} to {step}"
    text = f"{_times(factor)} times the plan: changed by hand, or another peak was loaded, {since}?"
    return Cause("peak", text, factor)


def _times(factor: float) -> str:
    """Return a factor with as many digits as show that it is not 1.

    >>> _times(0.5), _times(1.00001)
    ('0.5', '1.00001')
    """
    return next((text for digits in range(4, 18) if (text := f"{factor:.{digits}g}") != "1"), repr(factor))
