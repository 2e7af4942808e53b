"""Whether a run followed its plan: the first step where its rates part from the plan's, and the likely cause.

A cause is a way to walk through the plan that is not its own: too fast, too late, from the start again. It is named
only if it explains every rate that was logged, within the digits to which the log was rounded. Reading logs is left to
`glidepath.logs`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from .core.checks import real
from .core.errors import RunError
from .core.schedule import Schedule
from .review import Finding
from .run import FloatArray, IntArray, impossible_rate, refused_rate

DUST = 2e-6  # relative: what is left of a rate in 32 bits, with room for the functions of NumPy
MOST_DIGITS = 6  # a log whose rates all have no more was rounded
MANY = 4  # different rates, before their digits say anything about rounding
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
            raise RunError(f"{self.name}: {len(steps)} steps and {len(rates)} rates; each rate has a step of its own")
        if steps[0] < 0 or not (np.diff(steps) > 0).all():
            raise RunError(f"{self.name}: the steps of rates ascend from 0, each of them once")
        for i in np.flatnonzero(impossible_rate(rates))[:1]:
            raise RunError(f"{self.name}: {refused_rate(int(steps[i]), rates[i])}")


def parting(plan: Schedule, logged: Rates, peak: float | None = None) -> Finding | None:
    """The first logged rate that is not the plan's, and the likely cause; None if all of them are.

    Args:
        plan: with values; a draft is resolved before.
        logged: the rates that were really used.
        peak: the rate where the plan is 1. If it is not given, the largest logged rate is taken for the plan's largest
            at the logged steps, so that a wrong peak cannot be seen.

    Raises:
        ScheduleError: if the peak is not above 0.

    Examples:
        >>> from glidepath import linear
        >>> plan, used = linear(100), [0.1 * linear(100)(k // 10) for k in range(100)]
        >>> print(parting(plan, Rates("run", range(100), used), peak=0.1))
        step 1: the rate is 0.1, and 0.099 by the plan: stepped once every 10 updates: per epoch? [followed]
    """
    walked = _Walked.of(plan, logged, None if peak is None else real(peak, "peak", above=0))
    expected = walked.expected
    parted = np.flatnonzero(~walked.agree(expected))
    if not len(parted):
        return None
    first = int(parted[0])
    step, cause = int(walked.steps[first]), _cause(walked, first)
    message = f"the rate is {walked.seen[first]:.4g}, and {expected[first]:.4g} by the plan: {cause}"
    return Finding("followed", step, message)


@final
@dataclass(frozen=True, eq=False)
class _Walked:
    """A plan, and the rates of a run that may have walked through it otherwise."""

    plan: Schedule
    peaks: tuple[float, ...]  # that the plan may have had: the first one at its own pace
    steps: IntArray
    seen: FloatArray
    slack: FloatArray  # how far a rate may lie from the plan's

    @classmethod
    def of(cls, plan: Schedule, logged: Rates, peak: float | None) -> "_Walked":
        steps, seen = np.asarray(logged.steps, dtype=np.int64), np.asarray(logged.rates, dtype=np.float64)
        peaks = _fitting(plan, steps, float(seen.max())) if peak is None else (peak,)
        return cls(plan, peaks, steps, seen, np.maximum(DUST * seen.max(), _rounding(seen)))

    def values(self, positions: IntArray) -> FloatArray:
        """The plan's values; before its beginning it is 0."""
        values = np.asarray(self.plan(np.maximum(positions, 0)), dtype=np.float64)
        return np.where(positions < 0, 0.0, values)

    @property
    def expected(self) -> FloatArray:
        """The rates of a run that follows the plan."""
        return self.peaks[0] * self.values(self.steps)

    def agree(self, expected: FloatArray, rows: IntArray | slice = slice(None)) -> NDArray[np.bool_]:
        """Which of the rates are the expected ones."""
        return np.asarray(np.abs(self.seen[rows] - expected) <= self.slack[rows], dtype=np.bool_)

    def tail(self, first: int) -> "_Walked":
        """What was logged from a row on."""
        return _Walked(self.plan, self.peaks, self.steps[first:], self.seen[first:], self.slack[first:])


def _fitting(plan: Schedule, steps: IntArray, highest: float) -> tuple[float, ...]:
    """Peaks that make the largest rate the plan's largest: at the logged steps, or anywhere in the run."""
    everywhere = np.unique(np.linspace(0, steps[-1], min(int(steps[-1]) + 1, MOST_SHIFTS)).astype(np.int64))
    tops = [float(np.max(np.asarray(plan(where)))) for where in (steps, everywhere)]
    return tuple(dict.fromkeys(highest / top for top in tops if top > 0)) or (1.0,)


def _rounding(seen: FloatArray) -> FloatArray:
    """Half a unit in the last digit of each rate, if the log was rounded to a few digits; zero if it was not.

    >>> _rounding(np.array([0.1234, 0.5678, 0.9876, 0.11])).round(9).tolist()
    [5.1e-05, 5.1e-05, 5.1e-05, 5.1e-05]
    >>> _rounding(np.array([0.1, 0.1, 1 / 3])).tolist()
    [0.0, 0.0, 0.0]
    """
    shown = [f"{rate:.17g}" if float(f"{rate:.{MOST_DIGITS}g}") != rate else f"{rate:.{MOST_DIGITS}g}" for rate in seen]
    digits = [len(text.partition("e")[0].replace(".", "").strip("0")) for text in shown]
    if max(digits) > MOST_DIGITS or len(set(shown)) < MANY:
        return np.zeros(len(seen))
    exponents = [math.floor(math.log10(rate)) if rate > 0 else -math.inf for rate in seen.tolist()]
    places = max(most - 1 - power for most, power in zip(digits, exponents, strict=True) if power > -math.inf)
    units = [max(10.0 ** (power - max(digits) + 1), 10.0**-places) for power in exponents]
    return 0.51 * np.array(units)


# --- causes ---


def _cause(walked: _Walked, first: int) -> str:
    """The first cause that explains everything; row `first` is the first that parts."""
    causes = (_still, _another_peak, _first_at_zero, _too_fast, _too_slow, _again, _ahead, _behind)
    found = (cause(walked, first) for cause in causes)
    return next((text for text in found if text is not None), "the cause is unknown")


def _still(walked: _Walked, first: int) -> str | None:
    """The rate no longer moves."""
    since = max(first - 1, 0)
    rest = walked.seen[since:]
    if len(rest) < ENOUGH or np.ptp(rest) > walked.slack[since:].max():
        return None
    if np.ptp(walked.seen) <= walked.slack.max():
        return "it never changed: was the scheduler never stepped?"
    return f"it has not changed since step {walked.steps[since]}: is the scheduler no longer stepped?"


def _another_peak(walked: _Walked, first: int) -> str | None:
    """A constant factor from some row on."""
    tail = walked.tail(first)
    expected = tail.expected
    highest = int(np.argmax(expected))
    if expected[highest] <= 0 or len(np.unique(expected)) < 2 or len(expected) < ENOUGH:
        return None
    factor = float(tail.seen[highest] / expected[highest])
    if not tail.agree(factor * expected).all():
        return None
    where = "another peak" if first == 0 else f"changed by hand, or another peak was loaded, {_since(walked, first)}"
    return f"{factor:.4g} times the plan: {where}?"


def _first_at_zero(walked: _Walked, first: int) -> str | None:
    """A warmup that gives update k the share k / n of the peak, and not (k + 1) / n."""
    rising = walked.values(walked.steps) > walked.values(walked.steps - 1)
    shifted = np.where(rising, walked.steps - 1, walked.steps)
    if np.count_nonzero(rising) < ENOUGH - 1 or not any(
        walked.agree(p * walked.values(shifted)).all() for p in walked.peaks
    ):
        return None
    return "one step behind in the warmup: does its first update run at 0, k / n in place of (k + 1) / n?"


def _too_fast(walked: _Walked, first: int) -> str | None:
    times = _sieved(walked, np.arange(2, MOST_TIMES + 1), lambda step, n: step * n)
    if times is None:
        return None
    return (
        f"{times} times too fast: is the scheduler stepped by each of {times} processes, or for every batch of "
        f"{times} that are accumulated?"
    )


def _too_slow(walked: _Walked, first: int) -> str | None:
    most = min(int(walked.steps[-1]), MOST_SHIFTS)
    # a log with a row for each epoch leaves several: the highest is the epoch
    every = _sieved(walked, np.arange(most, 1, -1), lambda step, n: step // n)
    return None if every is None else f"stepped once every {every} updates: per epoch?"


def _again(walked: _Walked, first: int) -> str | None:
    """From the start of the plan once more."""
    if first == 0:
        return None
    gap = np.arange(max(walked.steps[first - 1] + 1, 2), walked.steps[first] + 1)  # from 1 on: one step behind
    begun = _sieved(walked.tail(first), gap, lambda step, start: step - start)
    return None if begun is None else f"it began again at step {begun}: resumed without the state of the scheduler?"


def _ahead(walked: _Walked, first: int) -> str | None:
    most = min(max(int(walked.steps[-1]) + 1, walked.plan.duration or 0), MOST_SHIFTS)
    by = _sieved(walked.tail(first), np.arange(1, most + 1), lambda step, n: step + n)
    if by is None:
        return None
    if first == 0:
        skipped = "is the scheduler stepped before the first update?" if by == 1 else "was the warmup skipped?"
        return f"{_steps(by)} ahead of the plan from the start: {skipped}"
    twice = walked.steps[first - 1] < by <= walked.steps[first]
    why = "resumed twice, or its steps counted twice?" if twice else "resumed twice, or stepped by hand?"
    return f"{_steps(by)} ahead of the plan {_since(walked, first)}: {why}"


def _behind(walked: _Walked, first: int) -> str | None:
    tail = walked.tail(first)
    by = _sieved(tail, np.arange(1, min(int(tail.steps[0]), MOST_SHIFTS) + 1), lambda step, n: step - n)
    if by is None:
        return None
    why = "was the first step of the scheduler missed?" if by == 1 else "resumed from an older state of the scheduler?"
    return f"{_steps(by)} behind the plan {_since(walked, first)}: {why}"


def _steps(count: int) -> str:
    return "one step" if count == 1 else f"{count} steps"


def _since(walked: _Walked, first: int) -> str:
    step = int(walked.steps[first])
    before = int(walked.steps[first - 1]) + 1 if first else step
    return f"since step {step}" if before == step else f"since a step from {before} to {step}"


def _sieved(walked: _Walked, candidates: IntArray, position: Callable[[IntArray, IntArray], IntArray]) -> int | None:
    """The first candidate whose positions in the plan explain every rate, if there are enough of them.

    Args:
        walked: the rates to explain.
        candidates: numbers, the likely ones first.
        position: where in the plan a step is, by each candidate.
    """
    if len(walked.steps) < ENOUGH or np.ptp(walked.seen) <= walked.slack.max():
        return None
    rows = np.unique(np.linspace(0, len(walked.steps) - 1, SAMPLE).astype(np.int64))
    for peak in walked.peaks:
        left = candidates
        for row in rows:
            expected = peak * walked.values(position(walked.steps[row], left))
            left = left[np.abs(walked.seen[row] - expected) <= walked.slack[row]]
        for one in left[:SURVIVORS]:
            if walked.agree(peak * walked.values(position(walked.steps, one))).all():
                return int(one)
    return None
