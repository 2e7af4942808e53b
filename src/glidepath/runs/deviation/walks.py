"""Causes in the stepping: the scheduler was stepped too often, too seldom, no longer, or from another step on."""

from collections.abc import Callable
from typing import Final

import numpy as np

from ..run import IntArray
from .cause import Cause, say_steps
from .hypothesis import Hypothesis, Walk
from .lag import ValuesAfter, follow, may_follow
from .readings import OFFSETS, Match, explain
from .rows import Rows

ENOUGH = 3  # rows that a cause has to explain, two rates of them different
SAMPLE = 8  # rows that are tried before all of them
MOST_TIMES = 256  # how many times too fast
MOST_SHIFTS = 200_000  # steps that are tried
SURVIVORS = 200  # numbers that explain the sample and are tried on everything
FIRST_ROWS = 3  # of a tail in which updates may have been skipped
TIMES_SLOWER: Final = (2, 3, 4, 8, 10, 16, 32)
TIMES_LATER: Final = (2, 3, 4, 8)  # how many times too fast, from some step on

Position = Callable[[IntArray, IntArray], IntArray]  # where in the plan an update is, by a number


def is_enough(rows: Rows) -> bool:
    """Return whether the rows can tell causes apart; an unknown peak costs a row."""
    return len(rows) >= ENOUGH + rows.is_free and not rows.is_level


# --- no longer stepped ---


def find_still(rows: Rows, explained: int) -> Cause | None:
    """Check for a rate that no longer changes, after rows that a reading explains."""
    if rows.is_level:
        return Cause("still", "it never changed: was the scheduler never stepped?") if len(rows) >= ENOUGH else None
    moving = np.flatnonzero(np.abs(rows.rates - rows.rates[-1]) > rows.slack)
    since = int(moving[-1]) + 1
    if len(rows) - since < ENOUGH or explained < since:
        return None
    step = int(rows.steps[since])
    return Cause("still", f"it has not changed since step {step}: is the scheduler no longer stepped?", step)


# --- stepped too often or too seldom, from the start ---


def find_pace(rows: Rows, plan: Hypothesis) -> Cause | None:
    """Check for a scheduler that is stepped n times after every update, or once after every n."""
    return _too_fast(rows, plan) or _too_slow(rows, plan)


def _too_fast(rows: Rows, plan: Hypothesis) -> Cause | None:
    if not is_enough(rows):
        return None
    fitting = _numbers(rows, plan, np.arange(2, MOST_TIMES + 1), lambda updates, n: updates * n)
    likely = [*fitting, *(n for n in TIMES_LATER if n not in fitting)]  # these with skipped updates
    times = next((n for n in likely if explain(rows, Hypothesis(plan.plan, _faster(n)))), None)
    return None if times is None else Cause("fast", f"{times} times too fast: {_why_fast(times)}", times)


def _faster(times: int) -> Walk:
    return lambda updates: updates * times


def _slower(times: int) -> Walk:
    return lambda updates: updates // times


def _why_fast(times: int) -> str:
    return f"is the scheduler stepped by each of {times} processes, or for every batch of {times} that are accumulated?"


def _too_slow(rows: Rows, plan: Hypothesis) -> Cause | None:
    if not is_enough(rows):
        return None
    most = min(int(rows.steps[-1]) + 1, MOST_SHIFTS)
    every = _numbers(rows, plan, np.arange(most, 1, -1), lambda updates, n: updates // n)
    if not every and not rows.is_free:  # some of them with skipped updates
        every = [n for n in TIMES_SLOWER if explain(rows, Hypothesis(plan.plan, _slower(n)))][:1]
    if not every:
        return None
    several = f"{every[-1]} to {every[0]}" if len(every) > 1 else f"{every[0]}"  # a thinned log leaves several
    return Cause("slow", f"stepped once every {several} updates: per epoch?", every[-1])


def _numbers(rows: Rows, plan: Hypothesis, candidates: IntArray, position: Position) -> list[int]:
    """Return the candidates with which a reading explains every row, in their order."""
    cases = [case for case in (plan, plan.with_other_warmup()) if case is not None]
    fitting = {n for case in cases for offset in OFFSETS for n in _that_fit(rows, case, candidates, position, offset)}
    return [int(n) for n in candidates if int(n) in fitting]


def _that_fit(rows: Rows, plan: Hypothesis, candidates: IntArray, position: Position, offset: int) -> list[int]:
    """Return the candidates whose positions in the plan explain every row.

    Args:
        rows: to explain.
        plan: that is stepped through in another way.
        candidates: numbers, the likely ones first.
        position: where in the plan an update is, by each candidate.
        offset: from the step of a row to its update.
    """
    left = _that_fit_at(rows, plan, candidates, position, offset, _sample(len(rows)))
    updates = np.maximum(rows.steps + offset, 0)
    return [n for n in left[:SURVIVORS] if _explains(rows, plan, position(updates, np.full(1, n)))]


def _sample(rows: int) -> IntArray:
    """Return some rows, the last ones first: they tell more."""
    return np.unique(np.linspace(0, rows - 1, SAMPLE).astype(np.int64))[::-1]


def _explains(rows: Rows, plan: Hypothesis, positions: IntArray) -> bool:
    return rows.prefix(lambda chunk: plan.values(positions[chunk])) == len(rows)


def _that_fit_at(
    rows: Rows, plan: Hypothesis, candidates: IntArray, position: Position, offset: int, places: IntArray
) -> list[int]:
    left, low, high = candidates, np.zeros(len(candidates)), np.full(len(candidates), np.inf)
    for row in places.tolist():
        update = np.full(len(left), max(int(rows.steps[row]) + offset, 0))
        lower, upper = rows.peaks(plan.values(position(update, left)), np.full(len(left), row))
        low, high = np.maximum(low, lower), np.minimum(high, upper)
        fits = low <= high
        left, low, high = left[fits], low[fits], high[fits]
    return [int(number) for number in left]


# --- at another step of the plan, from some row on ---


def find_shift(rows: Rows, match: Match) -> Cause | None:
    """Check for a scheduler that goes on from another step of the plan, or faster, after the rows of a match."""
    tail = rows[match.rows :]
    if match.rows:
        head = rows[: match.rows]
        tail = tail.with_peaks(*head.narrow(match.values(head.steps)))
    if not is_enough(tail):
        return None
    before = int(rows.steps[match.rows - 1]) + 1 if match.rows else int(tail.steps[0])
    return (
        _again(tail, match, before)
        or _ahead(tail, match, before)
        or _behind(tail, match, before)
        or _later_fast(tail, match, before)
    )


def _shifts(tail: Rows, match: Match, shifts: IntArray, times: int = 1) -> list[int]:
    """Return the shifts, back in the plan, that explain the rows of a tail; some updates may be skipped in it."""
    plan, offset = match.hypothesis, match.reading.offset
    position: Position = lambda updates, shift: times * updates - shift
    rigid = _that_fit(tail, plan, shifts, position, offset)
    if rigid or tail.highest == np.inf:
        return rigid
    strict = tail.strict()
    left = _that_fit_at(strict, plan, shifts, position, offset, np.arange(min(FIRST_ROWS, len(tail))))
    return [shift for shift in left[:SURVIVORS] if _skips(strict, plan, shift, times, offset)]


def _skips(tail: Rows, plan: Hypothesis, shift: int, times: int, offset: int) -> bool:
    values: ValuesAfter = lambda updates: plan.values(times * updates - shift)
    return may_follow(tail, values, offset) and follow(tail, values, offset).rows == len(tail)


def _again(tail: Rows, match: Match, before: int) -> Cause | None:
    """Check for a plan that began again from its start."""
    if not match.rows:
        return None
    starts = np.arange(max(before, 2), int(tail.steps[0]) + 1) + match.reading.offset
    if not (fitting := _shifts(tail, match, starts)):
        return None
    start = fitting[0] - match.reading.offset
    return Cause("again", f"it began again at step {start}: resumed without the state of the scheduler?", start)


def _ahead(tail: Rows, match: Match, before: int) -> Cause | None:
    lag = _lag(match)
    most = min(max(int(tail.steps[-1]) + 1, match.hypothesis.plan.duration or 0), MOST_SHIFTS)
    fitting = _shifts(tail, match, lag - np.arange(1, most + 1))
    if not fitting:
        return None
    by = lag - fitting[0]
    if not match.rows:
        return Cause("ahead", f"{say_steps(by)} ahead of the plan from the start: was the warmup skipped?", by)
    twice = before <= by <= int(tail.steps[0])
    why = "resumed twice, or its steps counted twice?" if twice else "resumed twice, or stepped by hand?"
    return Cause("ahead", f"{say_steps(by)} ahead of the plan {_since(tail, before)}: {why}", by)


def _behind(tail: Rows, match: Match, before: int) -> Cause | None:
    lag = _lag(match)
    most = min(int(tail.steps[-1] if not match.rows else tail.steps[0]), MOST_SHIFTS)
    fitting = _shifts(tail, match, lag + np.arange(1, most + 1))
    if not fitting:
        return None
    by = fitting[0] - lag
    since = _since(tail, before) if match.rows else "from the start"
    return Cause(
        "behind", f"{say_steps(by)} behind the plan {since}: resumed from an older state of the scheduler?", by
    )


def _later_fast(tail: Rows, match: Match, before: int) -> Cause | None:
    """Check for a scheduler that is stepped n times after every update, from some step on."""
    for times in TIMES_LATER if match.rows else ():
        begins = np.arange(before - 1, int(tail.steps[0]) + 1) + match.reading.offset
        if _shifts(tail, match, (times - 1) * begins + _lag(match), times):
            return Cause("fast", f"{times} times too fast {_since(tail, before)}: {_why_fast(times)}", times)
    return None


def _lag(match: Match) -> int:
    return match.reading.lags[-1].lag if match.reading.lags else 0


def _since(tail: Rows, before: int) -> str:
    step = int(tail.steps[0])
    return f"since step {step}" if before == step else f"since a step from {before} to {step}"
