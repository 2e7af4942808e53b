"""Deviations of a run from its plan: the first step where its rates are not the plan's, and the likely cause.

A cause is another way to step through the plan: too fast, too late, from the start again. It is named only if it
explains every rate that was logged, within the digits to which the log was rounded. Reading logs is left to
`glidepath.logs`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from glidepath.core.checks import real
from glidepath.core.schedule import Schedule
from glidepath.errors import Argument, Cure, Place, RunError
from glidepath.review import Finding
from glidepath.review.rates import is_absolute

from .rounding import half_unit
from .run import FloatArray, IntArray, check_each_rate

DUST = 2e-6  # relative: what is left of a rate in 32 bits, with room for the functions of NumPy
MANY = 4  # different values of the plan, before the digits of the rates say anything about rounding
ENOUGH = 3  # rates that a cause has to explain, two of them different
SAMPLE = 8  # rates that are tried before all of them
MOST_TIMES = 256  # how many times too fast
MOST_SHIFTS = 200_000  # steps that are tried
SURVIVORS = 200  # numbers that explain the sample and are tried on everything


@final
@dataclass(frozen=True)
class Rates:
    """The rates that a run logged.

    Args:
        name: of the run.
        steps: the indices of the updates that used them, ascending, from 0.
        rates: absolute, from 0 to 100, as many.

    Raises:
        RunError: if any of this does not hold.
    """

    name: str
    steps: Sequence[int]
    rates: Sequence[float]

    def __post_init__(self) -> None:
        steps, rates = np.asarray(self.steps), np.asarray(self.rates, dtype=np.float64)
        if not len(steps) or len(steps) != len(rates):
            problem = f"{len(steps)} steps and {len(rates)} rates; each rate has a step of its own"
            raise RunError(problem, place=self.name)
        if steps[0] < 0 or not (np.diff(steps) > 0).all():
            raise RunError("the steps of rates ascend from 0, each of them once", place=self.name)
        check_each_rate(rates, steps, lambda _: Place(self.name))


def first_mismatch(plan: Schedule, logged: Rates, peak: float | None = None) -> Finding | None:
    """Return the first logged rate that is not the plan's, with the likely cause; None if all of them are.

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
        >>> plan, used = linear(100), [0.1 * linear(100)(k // 10) for k in range(100)]
        >>> print(first_mismatch(plan, Rates("run", range(100), used), peak=0.1))
        step 1: the rate is 0.1, and 0.099 by the plan: stepped once every 10 updates: per epoch? [GP810 deviation]
    """
    if peak is None and is_absolute(plan):
        peak = 1.0
    if peak is None:
        _refuse_without_peak(logged)
    comparison = _Comparison.of(plan, logged, None if peak is None else real(peak, "peak", above=0))
    if comparison.first == len(comparison.steps):
        return None
    step, rate = int(comparison.steps[comparison.first]), comparison.rates[comparison.first]
    message = f"the rate is {rate:.4g}, and {comparison.expected:.4g} by the plan: {_name_cause(comparison)}"
    return Finding("deviation", step, message)


def _refuse_without_peak(logged: Rates) -> None:
    give_peak = Cure("give the peak", Argument("peak"))
    if not any(logged.rates):
        raise RunError("every logged rate is 0, which fits no peak", place=logged.name, cures=[give_peak])
    if len(logged.rates) == 1:
        raise RunError("a single rate fits any peak", place=logged.name, cures=[give_peak])


@final
@dataclass(frozen=True, eq=False)
class _Comparison:
    """A plan, and the rates of a run that may have stepped through it in another way.

    A peak that was not given is an interval: each rate, within its rounding, leaves the peaks that would explain it.
    """

    plan: Schedule
    lowest: float  # of the peaks that the plan may have
    highest: float
    steps: IntArray
    rates: FloatArray
    slack: FloatArray  # how far a rate may lie from the plan's
    first: int = 0  # row that deviates from the plan

    @classmethod
    def of(cls, plan: Schedule, logged: Rates, peak: float | None) -> "_Comparison":
        steps, rates = np.asarray(logged.steps, dtype=np.int64), np.asarray(logged.rates, dtype=np.float64)
        moves = len(np.unique(np.asarray(plan(steps)))) >= MANY
        slack = np.maximum(DUST * rates.max(), half_unit(rates) if moves else np.zeros(len(rates)))
        lowest, highest = (0.0, math.inf) if peak is None else (peak, peak)
        comparison = cls(plan, lowest, highest, steps, rates, slack)
        low, high = comparison.peaks(comparison.values(steps))
        apart = np.maximum.accumulate(low) > np.minimum.accumulate(high)
        return replace(comparison, first=int(np.argmax(apart)) if apart.any() else len(steps))

    def values(self, positions: IntArray) -> FloatArray:
        """Return the plan's values; before its beginning it is 0."""
        values = np.asarray(self.plan(np.maximum(positions, 0)), dtype=np.float64)
        return np.where(positions < 0, 0.0, values)

    def peaks(self, values: FloatArray, rows: int | slice = slice(None)) -> tuple[FloatArray, FloatArray]:
        """Return the lowest and highest peak at which each value is the logged rate; none if low > high."""
        low, high = self.rates[rows] - self.slack[rows], self.rates[rows] + self.slack[rows]
        some = values > 0
        divisor = np.where(some, values, 1.0)
        lowest = np.where(some, low / divisor, np.where(low > 0, math.inf, 0.0))
        highest = np.where(some, high / divisor, math.inf)
        return np.maximum(lowest, self.lowest), np.minimum(highest, self.highest)

    def explains(self, values: FloatArray) -> bool:
        """Return whether one peak makes all rates the values."""
        low, high = self.peaks(values)
        return bool(low.max() <= high.min() < math.inf)

    @property
    def expected(self) -> float:
        """Return the plan's rate at the row that deviates."""
        value = float(self.values(self.steps[self.first]))
        tail = self.tail
        return 0.0 if value == 0 else value * (tail.lowest + tail.highest) / 2

    @property
    def tail(self) -> "_Comparison":
        """Return the rows from the one that deviates, with the peaks that the rows before it leave."""
        low, high = self.peaks(self.values(self.steps))
        lowest, highest = low[: self.first].max(initial=self.lowest), high[: self.first].min(initial=self.highest)
        rest = slice(self.first, None)
        if highest == math.inf:  # the rows before are 0 by the plan
            highest = lowest = float(self.rates.max())
        return _Comparison(
            self.plan, float(lowest), float(highest), self.steps[rest], self.rates[rest], self.slack[rest]
        )


# --- causes ---


def _name_cause(comparison: _Comparison) -> str:
    """Return the first cause that explains every rate, as a text."""
    for cause in (_still, _another_peak, _first_at_zero, _too_fast, _too_slow, _again, _ahead, _behind):
        text = cause(comparison)
        if text is not None:
            return text
    return "the cause is unknown"


def _still(comparison: _Comparison) -> str | None:
    """Check for a rate that no longer changes."""
    since = max(comparison.first - 1, 0)
    rest = comparison.rates[since:]
    if len(rest) < ENOUGH or np.ptp(rest) > comparison.slack[since:].max():
        return None
    if np.ptp(comparison.rates) <= comparison.slack.max():
        return "it never changed: was the scheduler never stepped?"
    return f"it has not changed since step {comparison.steps[since]}: is the scheduler no longer stepped?"


def _another_peak(comparison: _Comparison) -> str | None:
    """Check for a constant factor from some row on."""
    tail = comparison.tail
    values = tail.values(tail.steps)
    free = replace(tail, lowest=0.0, highest=math.inf)
    if len(values) < ENOUGH or len(np.unique(values)) < 2 or not free.explains(values):
        return None
    low, high = free.peaks(values)
    factor = (low.max() + high.min()) / (tail.lowest + tail.highest)
    where = (
        "another peak"
        if comparison.first == 0
        else f"changed by hand, or another peak was loaded, {_since(comparison)}"
    )
    return f"{factor:.4g} times the plan: {where}?"


def _first_at_zero(comparison: _Comparison) -> str | None:
    """Check for a warmup that gives update k the share k / n of the peak, and not (k + 1) / n."""
    rising = comparison.values(comparison.steps) > comparison.values(comparison.steps - 1)
    shifted = np.where(rising, comparison.steps - 1, comparison.steps)
    if np.count_nonzero(rising) < ENOUGH - 1 or not comparison.explains(comparison.values(shifted)):
        return None
    return "one step behind in the warmup: does its first update run at 0, k / n in place of (k + 1) / n?"


def _too_fast(comparison: _Comparison) -> str | None:
    fitting = _candidates_that_fit(comparison, np.arange(2, MOST_TIMES + 1), lambda step, n: step * n)
    if not fitting:
        return None
    times = fitting[0]
    return (
        f"{times} times too fast: is the scheduler stepped by each of {times} processes, or for every batch of "
        f"{times} that are accumulated?"
    )


def _too_slow(comparison: _Comparison) -> str | None:
    most = min(int(comparison.steps[-1]), MOST_SHIFTS)
    every = _candidates_that_fit(comparison, np.arange(most, 1, -1), lambda step, n: step // n)
    if not every:
        return None
    several = f"{every[-1]} to {every[0]}" if len(every) > 1 else f"{every[0]}"  # a thinned log leaves several
    return f"stepped once every {several} updates: per epoch?"


def _again(comparison: _Comparison) -> str | None:
    """Check for a plan that began again from its start."""
    if comparison.first == 0:
        return None
    gap = np.arange(
        max(comparison.steps[comparison.first - 1] + 1, 2), comparison.steps[comparison.first] + 1
    )  # from 1: one behind
    starts = _candidates_that_fit(comparison.tail, gap, lambda step, start: step - start)
    return f"it began again at step {starts[0]}: resumed without the state of the scheduler?" if starts else None


def _ahead(comparison: _Comparison) -> str | None:
    most = min(max(int(comparison.steps[-1]) + 1, comparison.plan.duration or 0), MOST_SHIFTS)
    shifts = np.arange(1, most + 1)
    if always := _candidates_that_fit(comparison, shifts, lambda step, n: step + n):
        return f"{_steps(always[0])} ahead of the plan from the start: {_why_ahead(always[0])}"
    later = _candidates_that_fit(comparison.tail, shifts, lambda step, n: step + n)
    if not later or comparison.first == 0:
        return None
    by = later[0]
    twice = comparison.steps[comparison.first - 1] < by <= comparison.steps[comparison.first]
    why = "resumed twice, or its steps counted twice?" if twice else "resumed twice, or stepped by hand?"
    return f"{_steps(by)} ahead of the plan {_since(comparison)}: {why}"


def _why_ahead(by: int) -> str:
    if by > 1:
        return "was the warmup skipped?"
    return "does an older Transformers log the next update's rate, or is the scheduler stepped before the first update?"


def _behind(comparison: _Comparison) -> str | None:
    for rows in (comparison.tail, comparison):
        shifts = np.arange(1, min(int(rows.steps[0]), MOST_SHIFTS) + 1)
        if by := _candidates_that_fit(rows, shifts, lambda step, n: step - n):
            once = "was the first step of the scheduler missed?"
            why = once if by[0] == 1 else "resumed from an older state of the scheduler?"
            since = _since(comparison) if rows is not comparison else "from the start"
            return f"{_steps(by[0])} behind the plan {since}: {why}"
    return None


def _steps(count: int) -> str:
    return "one step" if count == 1 else f"{count} steps"


def _since(comparison: _Comparison) -> str:
    step = int(comparison.steps[comparison.first])
    before = int(comparison.steps[comparison.first - 1]) + 1 if comparison.first else step
    return f"since step {step}" if before == step else f"since a step from {before} to {step}"


def _candidates_that_fit(
    comparison: _Comparison, candidates: IntArray, position: Callable[[IntArray, IntArray], IntArray]
) -> list[int]:
    """Return the candidates whose positions in the plan explain every rate, if there are enough rates.

    Args:
        comparison: the rates to explain.
        candidates: numbers, the likely ones first.
        position: where in the plan a step is, by each candidate.
    """
    free = comparison.lowest < comparison.highest  # an unknown peak costs a rate
    if len(comparison.steps) < ENOUGH + free or np.ptp(comparison.rates) <= comparison.slack.max():
        return []
    left, low, high = candidates, np.zeros(len(candidates)), np.full(len(candidates), math.inf)
    for row in np.unique(np.linspace(0, len(comparison.steps) - 1, SAMPLE).astype(np.int64)):
        lower, upper = comparison.peaks(comparison.values(position(comparison.steps[row], left)), int(row))
        low, high = np.maximum(low, lower), np.minimum(high, upper)
        fits = low <= high
        left, low, high = left[fits], low[fits], high[fits]
    return [int(n) for n in left[:SURVIVORS] if comparison.explains(comparison.values(position(comparison.steps, n)))]
