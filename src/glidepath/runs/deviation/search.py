"""The whole numbers with which a family of plans may explain the rows, found by dividing intervals.

A row at step s holds the value of a step in a window around s, because its reading is not known yet. Between two
numbers of the grid the values are taken to lie between those at both ends, which holds for lengths.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import final

import numpy as np

from glidepath.core.schedule import Schedule

from ..run import FloatArray, IntArray
from .lag import MOST_AT_FIRST, SHARE
from .rows import Rows

Build = Callable[[int], Schedule | None]
Bounds = tuple[FloatArray, FloatArray]

GRID = 160  # numbers that are tried first
WINDOW = (-2, -1, 0, 1, 2)  # of steps, for the readings without skipped updates
LAGS = 9  # that are looked at, of those that skipped updates may leave
SAMPLE = 6  # rows that are looked at
MOST_CELLS = 300  # intervals that are divided at once; more mean that the rows say little


@final
@dataclass(frozen=True, eq=False)
class Search:
    """A family of plans, and the rows that one of them is to explain.

    Args:
        rows: of the log.
        build: the plan of a number, or None if there is none.
        skipped: whether a row may be behind its own step, because updates were skipped.
    """

    rows: Rows
    build: Build
    skipped: bool
    _cache: dict[int, Bounds | None] = field(default_factory=dict)

    @cached_property
    def _places(self) -> IntArray:
        """Return the rows to look at; the last of them is the one that stands for an unknown peak."""
        highest = int(np.argmax(self.rows.rates))
        last = len(self.rows) - 1
        places = np.concatenate([np.linspace(0, last, SAMPLE), np.geomspace(1, max(last, 1), SAMPLE)])
        spread = np.unique(np.minimum(places.astype(np.int64), last))  # many at the beginning, for short warmups
        return np.append(spread, highest)

    @cached_property
    def _steps(self) -> IntArray:
        steps = self.rows.steps[self._places][:, None]
        if not self.skipped:
            return np.asarray(steps + np.array(WINDOW), dtype=np.int64)
        reach = (MOST_AT_FIRST + SHARE * steps) * np.linspace(0, 1, LAGS)
        return np.asarray(np.concatenate([steps - reach, steps + np.array(WINDOW)], axis=1), dtype=np.int64)

    def _bounds(self, number: int) -> Bounds | None:
        """Return the least and greatest value of each row, as a share of the peak or of the reference row."""
        if number not in self._cache:
            plan = self.build(number)
            self._cache[number] = None if plan is None else self._window(plan)
        return self._cache[number]

    def _window(self, plan: Schedule) -> Bounds:
        steps = np.maximum(self._steps.ravel(), 0)
        values = np.asarray(plan(steps), dtype=np.float64).reshape(self._steps.shape)
        if plan(0) < plan(1):  # its warmup may begin at 0
            values = np.where(self._steps < 0, 0.0, values)
        low, high = values.min(axis=1), values.max(axis=1)
        if not self.rows.is_free:
            return low[:-1], high[:-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num(low[:-1] / high[-1]), np.nan_to_num(high[:-1] / low[-1], nan=np.inf)

    @cached_property
    def _targets(self) -> Bounds:
        unit = float(self.rows.rates[self._places[-1]]) if self.rows.is_free else self.rows.highest
        rates, slack = self.rows.rates[self._places[:-1]], self.rows.slack[self._places[:-1]]
        widest = slack * (1 + self.rows.is_free)
        return (rates - widest) / unit, (rates + widest) / unit

    def _possible(self, *numbers: int) -> bool:
        ends = [bounds for bounds in map(self._bounds, numbers) if bounds is not None]
        if len(ends) < len(numbers):
            return False
        low, high = self._targets
        least, most = np.min([end[0] for end in ends], axis=0), np.max([end[1] for end in ends], axis=0)
        return bool(((low <= most) & (high >= least)).all())

    def numbers(self, lowest: int, highest: int) -> list[int]:
        """Return the numbers in an interval whose plans may explain the rows."""
        grid = np.unique(np.geomspace(max(lowest, 1), max(highest, 1), GRID).astype(np.int64)).tolist()
        cells: Iterable[tuple[int, int]] = pairwise(sorted({lowest, highest, *grid}))
        singles: set[int] = set()
        while cells := [cell for cell in cells if self._possible(*cell)]:
            if len(cells) > MOST_CELLS:
                return []
            singles.update(number for a, b in cells if b - a <= 1 for number in (a, b))
            cells = [half for a, b in cells if b - a > 1 for half in ((a, (a + b) // 2), ((a + b) // 2, b))]
        return sorted(number for number in singles if self._possible(number))
