"""A lag that only grows: updates that a gradient scaler skipped, after which the scheduler was not stepped.

With mixed precision in 16 bits an update whose gradients overflow is skipped: a burst of them at the beginning, until
the scale fits, and then one at times. Each lets the schedule fall one step behind, never ahead. What falls behind
faster than that is another mistake: a scheduler that is stepped once every n updates, or a run that was resumed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np

from ..run import FloatArray, IntArray
from .rows import FIRST_CHUNK, Rows

MOST_AT_FIRST = 32  # updates skipped in a row: the scale begins at 2^16, in older libraries at 2^32, and is halved
BURST = 3  # updates skipped between two rows, and twice as many later, whatever their distance
SHARE = 0.03  # of all updates that are skipped later
DOUBT = (1, 4, 16)  # updates by which the digits of a log may leave the lag open


class LagPoint(NamedTuple):
    """From this step on the schedule is so many updates behind."""

    step: int
    lag: int


@final
@dataclass(frozen=True)
class Trail:
    """How far a growing lag explains the rows.

    Args:
        rows: explained, from the first on.
        points: where the lag grew.
    """

    rows: int
    points: tuple[LagPoint, ...]

    def lags(self, steps: IntArray) -> IntArray:
        """Return the lag at each of the steps."""
        grown = np.array([0, *(point.lag for point in self.points)], dtype=np.int64)
        return grown[np.searchsorted([point.step for point in self.points], steps, side="right")]


ValuesAfter = Callable[[IntArray], FloatArray]  # the plan's value after so many updates


@dataclass
class _Follower:
    """Goes through the rows, and takes the least lag that explains each."""

    rows: Rows
    values: ValuesAfter
    updates: IntArray
    lag: int = 0
    origin: tuple[int, int] | None = None  # a step, and the greatest lag there: of the first row that tells it
    last: tuple[int, int] | None = None  # the same of the latest such row
    stood: int = 0  # updates over which the schedule stood still
    grown: int = -1  # the row where the lag grew

    def run(self, start: int) -> int:
        """Return the first row that the lag does not explain, and note how great it can be."""
        size = FIRST_CHUNK
        while start < len(self.rows):
            chunk = slice(start, min(start + size, len(self.rows)))
            ahead = self.updates[chunk] - self.lag
            wrong = ~self.rows.agree(self.values(ahead), chunk)
            end = int(np.argmax(wrong)) if wrong.any() else len(wrong)
            self._note(slice(start, start + end), ahead[:end])
            start, size = start + end, 2 * size
            if end < len(wrong):
                break
        return start

    def _note(self, rows: slice, updates: IntArray) -> None:
        """Note how great the lag can be at most at the first and the last of some rows that tell it."""
        for more in DOUBT:
            places = np.flatnonzero(~self.rows.agree(self.values(updates - more), rows))
            if len(places):
                first, last = (int(self.rows.steps[rows.start + place]) for place in (places[0], places[-1]))
                self.origin = self.origin or (first, self.lag + more - 1)
                self.last = (last, self.lag + more - 1)
                return

    def grow(self, row: int) -> bool:
        """Take the least greater lag that explains a row; return whether there is one."""
        lags = np.arange(self.lag + 1, self._most(int(self.rows.steps[row])) + 1)
        lags = lags[lags <= self.updates[row]]
        if not len(lags):
            return False
        fits = self.rows.agree(self.values(self.updates[row] - lags), np.full(len(lags), row))
        if not fits.any():
            return False
        lag = int(lags[np.argmax(fits)])
        self.stood = self._stand_still(row, lag)
        self.lag = lag
        return self.origin is None or self.stood <= 2 * BURST

    def _stand_still(self, row: int, lag: int) -> int:
        """Return over how many updates the schedule stood still, up to a row."""
        between = int(self.rows.steps[row] - self.rows.steps[row - 1]) if row else 0
        if lag - self.lag < between:
            return 0
        return between + (self.stood if row - 1 == self.grown else 0)

    def _most(self, step: int) -> int:
        """Return the greatest lag that skipped updates make likely at a step."""
        if self.origin is None or self.last is None:
            return MOST_AT_FIRST
        since_first = self.origin[1] + 2 * BURST + SHARE * (step - self.origin[0])
        since_last = self.last[1] + BURST + SHARE * (step - self.last[0])
        return int(min(since_first, since_last, self.last[1] + step - self.last[0]))


def may_follow(rows: Rows, values: ValuesAfter, offset: int) -> bool:
    """Return whether the rows in the middle and at the end can be explained by a lag, before all of them are tried."""
    for row in (len(rows) // 2, len(rows) - 1):
        step = int(rows.steps[row])
        lags = np.arange(MOST_AT_FIRST + 2 * BURST + max(DOUBT) + int(SHARE * step) + 1)
        if not rows.agree(values(step + offset - lags), np.full(len(lags), row)).any():
            return False
    return True


def follow(rows: Rows, values: ValuesAfter, offset: int) -> Trail:
    """Return how far a lag that only grows explains the rows.

    Args:
        rows: with a narrow interval of peaks.
        values: the plan's value after so many updates.
        offset: of the updates that were made, to the step of a row.
    """
    follower = _Follower(rows, values, rows.steps + offset)
    points: list[LagPoint] = []
    row = follower.run(0)
    while row < len(rows) and follower.grow(row):
        points.append(LagPoint(int(rows.steps[row]), follower.lag))
        follower.grown = row
        row = follower.run(row)
    return Trail(row, tuple(points))
