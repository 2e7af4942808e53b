"""Whether a plan that is followed by updates was meant by epochs, judged by its values so far.

A plan in updates goes on for as long as the run does. One in epochs, followed by updates, is over in the first of
them: it has fallen to nothing, it holds a low value, or it has gone through many cycles. Only what no plan in updates
does is taken as proof, so that a correct one is never accused; a few that are ambiguous (a warmup of 5, then constant)
are let through.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from glidepath.core.endless import Noise
from glidepath.core.schedule import Schedule

LOW = 0.5  # of the peak: what a plan that was over within one call holds at most
LITTLE = 0.15  # of the peak: what an endless plan that settled in the first sixteenth of the run holds at most
NOTHING = 0.02  # of the peak: what a plan that was over halfway, or settled in the first eighth, holds at most
VANISHED = 1e-5  # of the peak: what an endless decay is below for three quarters of the run
VANISHING_CALLS = 16  # before it is, at most
CYCLES = 4  # in the updates of one call, at least
CYCLE_WINDOW = 2_048  # updates of a call that are searched for them
SHORT_WARMUP = 10  # updates before an endless decay
EARLY_FALL = 0.2  # of the peak: what such a decay is below at the first call
FIRST_STEPS = 24  # that are all in the grid
POINTS = 48  # of the grid, from the first update to the last


def seems_in_epochs(plan: Schedule, gap: int, position: int) -> bool:
    """Return whether a plan that counts updates seems to have been written in epochs, from its values so far.

    Args:
        plan: the plan; only steps below `position` are evaluated.
        gap: updates between two calls of `step()`, at least 2.
        position: updates made so far.
    """
    end = plan.duration
    steps = _grid(gap, position)
    values = [plan(step) for step in steps]
    peak = max(values)
    if peak <= 0 or (end is not None and end > position):
        return False
    relative = [value / peak for value in values]
    settled = min(position if end is None else end, _find_settled_step(steps, values))
    if end is not None:
        return _is_over(settled, relative[-1], gap, position)
    return (
        _has_settled(settled, relative[-1], gap, position)
        or max(relative[bisect_left(steps, min(position // 4, VANISHING_CALLS * gap)) :]) <= VANISHED
        or _falls_after_short_warmup(steps, relative, gap)
        or _has_short_cycles(plan, gap, peak)
    )


def is_constant(plan: Schedule, position: int) -> bool:
    """Return whether a plan had one value so far, which says nothing about its unit."""
    return len({plan(step) for step in _grid(1, position)}) == 1


def _grid(gap: int, position: int) -> list[int]:
    """Return the first steps, geometrically spaced ones, the first call and the last step."""
    last = position - 1
    spaced = (round(last ** (i / (POINTS - 1))) for i in range(POINTS))
    return sorted({step for step in (*range(FIRST_STEPS), *spaced, gap, last) if 0 <= step <= last})


def _find_settled_step(steps: Sequence[int], values: Sequence[float]) -> int:
    """Return the first step of the grid from which on all values are equal to the last."""
    return next((steps[i + 1] for i in reversed(range(len(steps) - 1)) if values[i] != values[-1]), 0)


def _is_over(end: int, level: float, gap: int, position: int) -> bool:
    """Return whether a plan that ends at a step and holds a share `level` of its peak ended too early for the run."""
    last = 2 / max(end, 1)  # about what a decay to zero holds after its last step
    return (
        (end <= gap and level <= LOW)
        or (end <= position / 2 and level <= min(LOW, max(NOTHING, last)))
        or (end <= position / 8 and level <= LOW)
    )


def _has_settled(step: int, level: float, gap: int, position: int) -> bool:
    """Return whether an endless plan that changes no more from a step on settled too early for the run."""
    return (
        (step <= gap / 8 and level <= LOW)
        or (step <= position / 8 and level <= NOTHING)
        or (step <= position / 16 and level <= LITTLE)
    )


def _falls_after_short_warmup(steps: Sequence[int], relative: Sequence[float], gap: int) -> bool:
    """Return whether an endless plan rises for a few updates only, and is far down at the first call."""
    top, call = relative.index(1.0), steps.index(gap)
    return (
        0 < steps[top] < SHORT_WARMUP
        and top < call
        and relative[call] <= EARLY_FALL
        and all(earlier > later for earlier, later in pairwise(relative[call:]))
    )


def _has_short_cycles(plan: Schedule, gap: int, peak: float) -> bool:
    """Return whether a plan begins again and again, regularly, within the updates of one call."""
    if _contains_noise(plan):
        return False
    values = plan.block(0, min(gap, CYCLE_WINDOW))
    tops, is_low = [], True
    for step, value in enumerate(values):
        if is_low and value > 0.75 * peak:
            tops.append(step)
            is_low = False
        is_low = is_low or value < LOW * peak
    lengths = [later - earlier for earlier, later in pairwise(tops)]
    return len(lengths) >= CYCLES - 1 and all(later >= earlier - 1 for earlier, later in pairwise(lengths))


def _contains_noise(value: object) -> bool:
    if isinstance(value, (tuple, list)):
        return any(map(_contains_noise, value))
    return isinstance(value, Noise) or (isinstance(value, Schedule) and any(map(_contains_noise, vars(value).values())))
