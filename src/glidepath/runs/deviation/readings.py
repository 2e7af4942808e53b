"""Readings of a log: what its steps mean. One reading of the whole file that explains every row is no deviation."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, final

import numpy as np

from ..run import FloatArray, IntArray
from .hypothesis import Hypothesis, begins_at_zero
from .lag import MOST_AT_FIRST, LagPoint, Trail, follow, may_follow
from .rows import Rows, ValuesAt

OFFSETS: Final = {
    0: "",
    -1: "a row at step s holds the rate of update s - 1: its steps count the updates made",
    1: "a row at step s holds the rate of update s + 1, the next one, as older Transformers log it",
}
FROM_ZERO = "its warmup is k / n, the first update at 0, where the plan has (k + 1) / n"
FROM_ONE = "its warmup is (k + 1) / n, where the plan has k / n, the first update at 0"
FEWEST_HOLDS = 4  # different rates, before repeated ones mean that a rate is logged again until the next
HIGH = 0.5  # of the highest rate: high enough to tell the peak
LONGEST_HOLD = 3  # times the median: a longer one is a scheduler that was no longer stepped


@final
@dataclass(frozen=True)
class Reading:
    """What the rows of a log mean.

    Args:
        offset: a row at step s holds the rate of update s + offset.
        warmup: how its warmup differs from the plan's by one update; "" if it does not.
        lags: where skipped updates let the schedule fall behind: the step, and the whole lag from there on.
        hold: the most updates over which one rate was logged again; 0 if none was.
    """

    offset: int = 0
    warmup: str = ""
    lags: tuple[LagPoint, ...] = ()
    hold: int = 0

    def __str__(self) -> str:
        notes = [OFFSETS[self.offset], self.warmup, self._lag(), self._hold()]
        return "; ".join(note for note in notes if note)

    def _lag(self) -> str:
        if not self.lags:
            return ""
        shown = self.lags if len(self.lags) <= 4 else (*self.lags[:2], self.lags[-1])
        points = ", ".join(f"{point.lag} at step {point.step}" for point in shown)
        return f"behind by a lag that only grows ({points}): updates skipped by mixed precision"

    def _hold(self) -> str:
        return f"a rate is logged again until the next one, for up to {self.hold} updates" if self.hold else ""


@final
@dataclass(frozen=True)
class Match:
    """How far a reading of a hypothesis explains the rows, from the first on.

    Args:
        hypothesis: with the warmup of the reading.
        reading: of the rows.
        rows: that it explains.
    """

    hypothesis: Hypothesis
    reading: Reading
    rows: int

    def updates(self, steps: IntArray) -> IntArray:
        """Return how many updates the scheduler had seen at each of the steps."""
        return steps + self.reading.offset - Trail(self.rows, self.reading.lags).lags(steps)

    def values(self, steps: IntArray) -> FloatArray:
        """Return the values of the plan at each of the steps, as the reading has it."""
        return self.hypothesis.values(self.updates(steps))


def explain(rows: Rows, hypothesis: Hypothesis, *, skipped: bool = True) -> Match | None:
    """Return a reading of a hypothesis that explains every row, with skipped updates or without; None if none does."""
    rigid = list(rigid_matches(rows, hypothesis))
    foremost = [match for match in rigid if skipped and match.reading.offset == max(OFFSETS)]  # a lag gives the others
    lagging = (_match_lags(rows, match, whole=True) for match in foremost)
    return next((match for match in chain(rigid, lagging) if match.rows == len(rows)), None)


def matches(rows: Rows, hypothesis: Hypothesis) -> Iterator[Match]:
    """Yield how far each reading of a hypothesis explains the rows, the simple readings first."""
    rigid = list(rigid_matches(rows, hypothesis))
    yield from rigid
    yield from filter(None, (_match_holds(rows, match) for match in rigid))
    for match in rigid:
        yield _match_lags(rows, match, whole=False)


def rigid_matches(rows: Rows, hypothesis: Hypothesis) -> Iterator[Match]:
    """Yield the matches of the readings in which no update was skipped and no rate is an old one."""
    rigid = [
        Match(case, Reading(offset, warmup), _prefix(rows, case, offset))
        for offset in OFFSETS
        for case, warmup in _cases(hypothesis)
    ]
    yield from sorted(rigid, key=lambda match: bool(match.reading.offset) + bool(match.reading.warmup))


def _cases(hypothesis: Hypothesis) -> list[tuple[Hypothesis, str]]:
    """Return a hypothesis with the warmup as it is, and with the other convention."""
    other = hypothesis.with_other_warmup()
    if other is None:
        return [(hypothesis, "")]
    return [(hypothesis, ""), (other, FROM_ZERO if begins_at_zero(other.plan) else FROM_ONE)]


def _values_at(rows: Rows, hypothesis: Hypothesis, offset: int) -> ValuesAt:
    return lambda chunk: hypothesis.values(rows.steps[chunk] + offset)


def _prefix(rows: Rows, hypothesis: Hypothesis, offset: int) -> int:
    return rows.prefix(_values_at(rows, hypothesis, offset))


# --- a rate that is logged again until the next ---


def _match_holds(rows: Rows, match: Match) -> Match | None:
    """Return the reading in which repeated rates are old ones; None if they do not look like that."""
    changes = np.flatnonzero(np.diff(rows.rates, prepend=-1.0))
    if not FEWEST_HOLDS <= len(changes) < len(rows):
        return None
    holds = np.diff(rows.steps[changes], append=rows.steps[-1])
    if holds.max() > LONGEST_HOLD * np.median(holds):
        return None
    first = rows[changes]
    reading = Reading(match.reading.offset, match.reading.warmup, hold=int(holds.max()))
    full = _prefix(first, match.hypothesis, match.reading.offset) == len(first)
    return Match(match.hypothesis, reading, len(rows)) if full else None


# --- a lag that only grows ---


def _match_lags(rows: Rows, match: Match, *, whole: bool) -> Match:
    """Return the reading in which skipped updates let the schedule fall behind; without rows if only the whole counts.

    Args:
        rows: to explain.
        match: of the same reading without skipped updates.
        whole: whether a reading that does not explain every row is of no use.
    """
    best = Trail(0, ())
    strict = rows.strict()
    values, offset = match.hypothesis.values, match.reading.offset
    for case in _with_narrow_peaks(strict, match):
        if whole and not may_follow(case, values, offset):
            continue
        trail = follow(case, values, offset)
        if trail.rows > best.rows:
            best = trail
        if best.rows == len(rows):
            break
    reading = Reading(match.reading.offset, match.reading.warmup, best.points)
    return Match(match.hypothesis, reading, best.rows)


def _with_narrow_peaks(rows: Rows, match: Match) -> Iterator[Rows]:
    """Yield the rows with each peak that a lag at an early high rate would leave."""
    if not rows.is_free:
        yield rows
        return
    row = int(np.argmax(rows.rates >= HIGH * rows.rates.max()))
    updates = int(rows.steps[row]) + match.reading.offset - np.arange(MOST_AT_FIRST + 1)
    values = match.hypothesis.values(updates)
    low, high = rows.peaks(values, np.full(len(values), row))
    _, first = np.unique(values, return_index=True)
    for place in np.sort(first):
        if low[place] <= high[place] < np.inf:
            yield rows.with_peaks(float(low[place]), float(high[place]))
