"""A run compared with its plan: the reading that explains every row, or where they part and why."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from glidepath.core.checks import real
from glidepath.core.schedule import Schedule
from glidepath.errors import Argument, Cure, RunError
from glidepath.review import Finding
from glidepath.review.rates import is_absolute

from .cause import UNKNOWN, Cause, tell_apart
from .hypothesis import Hypothesis, with_waves
from .peaks import find_later_peak, find_peak
from .plans import find_plan
from .rates import Rates
from .readings import Match, Reading, matches
from .rows import Rows
from .walks import ENOUGH, find_pace, find_shift, find_still

AMBIGUOUS = frozenset({"still", "peak", "fast", "slow"})  # causes in whose place another plan may explain every row
MOST_BASES = 6  # readings from which another mistake may go on


@final
@dataclass(frozen=True)
class Parting:
    """A row whose rate is not the plan's.

    Args:
        step: of the row.
        rate: that was logged.
        planned: the plan's.
    """

    step: int
    rate: float
    planned: float

    def __str__(self) -> str:
        rate, planned = tell_apart(self.rate, self.planned)
        return f"the rate is {rate}, and {planned} by the plan"


@final
@dataclass(frozen=True)
class Comparison:
    """What became clear about a run and its plan.

    Args:
        reading: what the rows mean; of a run that deviates, as far as it explains them from the first one on.
        rows: that the reading explains, from the first on.
        first: where run and plan part; None if the run followed its plan.
        most: where they part most.
        causes: that explain every row, the likely one first; empty if there is none.
    """

    reading: Reading
    rows: int
    first: Parting | None = None
    most: Parting | None = None
    causes: tuple[Cause, ...] = ()

    @property
    def note(self) -> str:
        """Return how the rows are read, if not as one rate for each update; "" otherwise."""
        return str(self.reading)

    @property
    def finding(self) -> Finding | None:
        """Return the deviation as a finding; None if the run followed its plan."""
        if self.first is None or self.most is None:
            return None
        read = f" ({self.note})" if self.note else ""
        cause = "; or ".join(map(str, self.causes)) or f"{self._apart_most()}{UNKNOWN}"
        return Finding("deviation", self.first.step, f"{self.first}{read}: {cause}")

    def _apart_most(self) -> str:
        if self.most is None or self.most == self.first:
            return ""
        return f"they part most at step {self.most.step}, where {self.most}: "


def first_mismatch(plan: Schedule, logged: Rates, peak: float | None = None) -> Finding | None:
    """Return the first logged rate that is not the plan's, with the likely cause; None if a reading explains all.

    The arguments and errors are those of `compare_with_plan`.

    Examples:
        >>> from glidepath import linear
        >>> plan, used = linear(100), [0.1 * linear(100)(k // 10) for k in range(100)]
        >>> print(first_mismatch(plan, Rates("run", range(100), used), peak=0.1))
        step 1: the rate is 0.1, and 0.099 by the plan: stepped once every 10 updates: per epoch? [GP810 deviation]
    """
    return compare_with_plan(plan, logged, peak).finding


def compare_with_plan(plan: Schedule, logged: Rates, peak: float | None = None) -> Comparison:
    """Compare the rates that a run logged with a plan.

    One reading of the whole file that explains every row is no deviation, whatever it says about the steps.

    Args:
        plan: with values; a draft is resolved before.
        logged: the rates that were really used.
        peak: the rate where the plan is 1. If it is not given, it is 1 for a plan of absolute rates, and otherwise any
            peak that explains the rates will do, so that a wrong peak cannot be seen.

    Raises:
        ScheduleError: if the peak is not above 0.
        RunError: if there is no peak and the rates do not determine one: a single rate, or only zeros.

    Examples:
        >>> from glidepath import linear
        >>> plan, steps = linear(100), range(1, 101)
        >>> made = compare_with_plan(plan, Rates("run", steps, [0.1 * plan(step - 1) for step in steps]), peak=0.1)
        >>> made.finding is None, made.reading.offset
        (True, -1)
    """
    if peak is None and is_absolute(plan):
        peak = 1.0
    if peak is None:
        _refuse_without_peak(logged)
    rows = Rows.of(plan, logged, None if peak is None else real(peak, "peak", above=0))
    tried: list[Match] = []
    for match in matches(rows, Hypothesis(plan)):
        if match.rows == len(rows):
            return Comparison(match.reading, match.rows)
        tried.append(match)
    return _deviation(rows, plan, logged.horizon, tried)


def _refuse_without_peak(logged: Rates) -> None:
    give_peak = Cure("give the peak", Argument("peak"))
    if not any(logged.rates):
        raise RunError("every logged rate is 0, which fits no peak", place=logged.name, cures=[give_peak])
    if len(logged.rates) == 1:
        raise RunError("a single rate fits any peak", place=logged.name, cures=[give_peak])


def _deviation(rows: Rows, plan: Schedule, horizon: int | None, tried: list[Match]) -> Comparison:
    """Return where a run parts from its plan, as far as a reading goes, and what explains every row."""
    base = _longest([match for match in tried if not match.reading.lags])
    peak = find_peak(rows, plan)
    still = None if peak else find_still(rows, max(match.rows for match in tried))
    if still:
        causes = [still]
    else:
        walk, base = (find_pace(rows, Hypothesis(plan)), base) if peak else _find_walk(rows, plan, tried, base)
        causes = [cause for cause in (peak, walk) if cause is not None]
    causes += _find_plans(rows, plan, horizon, causes)
    first, most = _partings(rows, base)
    return Comparison(base.reading, base.rows, first, most, tuple(causes))


def _longest(tried: list[Match]) -> Match:
    """Return the first match, or one that explains clearly more rows."""
    longest = max(tried, key=lambda match: match.rows)
    return longest if longest.rows >= tried[0].rows + ENOUGH else tried[0]


def _find_walk(rows: Rows, plan: Schedule, tried: list[Match], base: Match) -> tuple[Cause | None, Match]:
    """Return the cause in the stepping that explains every row, and the reading from which it goes on."""
    waves = with_waves(plan)
    for whole in (plan,) if waves is None else (plan, waves):
        start = Match(Hypothesis(whole), Reading(), 0)
        if cause := find_pace(rows, start.hypothesis) or find_shift(rows, start):
            return cause, base
    for match in _bases(tried):
        again = with_waves(match.hypothesis.plan)
        for each in (match,) if again is None else (match, replace(match, hypothesis=Hypothesis(again))):
            if cause := find_later_peak(rows, each) or find_shift(rows, each):
                return cause, match
    return None, base


def _find_plans(rows: Rows, plan: Schedule, horizon: int | None, causes: list[Cause]) -> list[Cause]:
    """Return the cause in the plan that explains every row, beside others if it may be meant in their place."""
    if len(rows) < ENOUGH or not {cause.name for cause in causes} <= AMBIGUOUS:
        return []
    cause = find_plan(rows, plan, horizon)
    return [] if cause is None else [cause]


def _bases(tried: list[Match]) -> list[Match]:
    """Return the readings that explain the most rows, or nearly: from one of them another mistake may go on."""
    most = max(match.rows for match in tried)
    near = [match for match in tried if 0 < match.rows >= most - ENOUGH]
    return sorted(near, key=lambda match: -match.rows)[:MOST_BASES]


def _partings(rows: Rows, match: Match) -> tuple[Parting, Parting]:
    """Return where the rates part from the plan's, and where they part most."""
    head = rows[: match.rows]
    lowest, highest = head.narrow(match.values(head.steps)) if match.rows else (rows.lowest, rows.highest)
    peak = float(rows.rates.max()) if highest == np.inf else (lowest + highest) / 2
    planned = peak * match.values(rows.steps)
    worst = match.rows + int(np.argmax(np.abs(rows.rates - planned)[match.rows :]))
    first, most = (Parting(int(rows.steps[k]), float(rows.rates[k]), float(planned[k])) for k in (match.rows, worst))
    return first, most
