"""The curves of a figure: the exact values of a plan, the outline that shows their jumps, and its thinning."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glidepath.core.horizon import Horizon, as_horizon
from glidepath.core.schedule import Draft, Schedule
from glidepath.errors import HorizonError
from glidepath.phases import Phase, phases

DEFAULT_STEPS = 1000  # shown of a plan that has no end
EXACT_STEPS = 4_000_000  # a longer run is evaluated on an even grid, and around every boundary
BUCKETS = 2000  # each thinner than a printed line, also over two columns
JUMP = 4.0  # a change so many times larger than those beside it is a jump


@dataclass(frozen=True, eq=False)
class Series:
    """One curve: its name, ascending steps, a value for each, and its phases."""

    name: str
    steps: Any
    values: Any
    phases: tuple[Phase, ...] = ()


def evaluate(plan: Schedule, steps: int, name: str = "") -> Series:
    """Return the first `steps` updates of a schedule."""
    parts = phases(plan, steps)
    places = np.arange(steps) if steps <= EXACT_STEPS else _grid(parts, steps)
    with np.errstate(all="ignore"):
        values = np.asarray(plan(places), dtype=float)
    return Series(name, places, values, parts)


def series_of(values: Sequence[float], name: str = "") -> Series:
    """Return a series of recorded values, one for each step from 0."""
    return Series(name, np.arange(len(values)), np.asarray(values, dtype=float))


def resolve_plans(
    plans: Mapping[str, Schedule], horizon: Horizon | int | str | None
) -> tuple[dict[str, Schedule], int, bool]:
    """Return the plans over one number of steps, that number, and whether it had to be assumed."""
    if horizon is not None:
        run = as_horizon(horizon)
        return {name: plan.over(run) for name, plan in plans.items()}, run.steps, False
    lengths = [plan.duration for plan in plans.values() if not isinstance(plan, Draft) and plan.duration]
    steps = max(lengths) if lengths else _default_length(plans.values())
    return {name: plan.over(steps) for name, plan in plans.items()}, steps, not lengths


def _default_length(plans: Iterable[Schedule]) -> int:
    """Return a length that every draft fits in, and that shows the last phase of every endless plan."""
    last = [_length_of_draft(plan) if isinstance(plan, Draft) else 2 * phases(plan, 2**53)[-1].start for plan in plans]
    return max([DEFAULT_STEPS, *last])


def _length_of_draft(draft: Draft) -> int:
    """Return the first round number of steps that a draft fits in."""
    for steps in (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000):
        try:
            draft.over(steps)
        except HorizonError:
            continue
        return steps
    return DEFAULT_STEPS  # it needs epochs or tokens, and `over` will say so


def _grid(parts: Iterable[Phase], steps: int) -> Any:
    """Return an even grid over a very long run, with the steps on either side of every boundary."""
    even = np.linspace(0, steps - 1, EXACT_STEPS // 4).astype("int64")
    beside = {k for phase in parts for k in (phase.start, phase.start + 1, phase.stop - 2, phase.stop - 1)}
    inside = [k for k in beside if 0 <= k < steps]
    return np.unique(np.concatenate([even, np.asarray(inside, dtype="int64")]))


def find_jumps(steps: Any, values: Any) -> Any:
    """Return the indices i where values[i] and values[i + 1], of neighboring steps, differ far more than others do."""
    with np.errstate(invalid="ignore"):
        change = np.abs(np.diff(values))
        beside = np.fmax(np.append(0.0, change)[:-1], np.append(change, 0.0)[1:])
        return np.flatnonzero((change > JUMP * beside) & (np.diff(steps) == 1))


def outline(steps: Any, values: Any) -> tuple[Any, Any]:
    """Return the corners of a curve: its points, and at each jump one more, where the old value ends.

    The last value lasts to the end of its update too, where it is a level and not a point of a slope.
    """
    places = find_jumps(steps, values)
    level = len(steps) == 1 or values[-1] == values[-2] or len(steps) - 2 in places
    places = np.append(places, len(steps) - 1) if level else places
    return np.insert(steps, places + 1, steps[places] + 1), np.insert(values, places + 1, values[places])


def thin_out(x: Any, y: Any, buckets: int = BUCKETS) -> tuple[Any, Any]:
    """Return the first, lowest, highest and last point of each of `buckets` equal parts.

    Every vertical line and every gap stays too, where they are few.
    """
    if len(x) <= 4 * buckets:
        return x, y
    starts = np.linspace(0, len(x), buckets, endpoint=False).astype("int64")
    indices = [starts, np.append(starts[1:], len(x)) - 1]
    for hidden, extreme in ((math.inf, np.argmin), (-math.inf, np.argmax)):
        parts = np.split(np.where(np.isfinite(y), y, hidden), starts[1:])
        indices.append(starts + [extreme(part) for part in parts])
    vertical, gaps = np.flatnonzero(np.diff(x) == 0), np.flatnonzero(~np.isfinite(y))
    indices += [vertical, vertical + 1] if len(vertical) <= buckets else []
    indices += [gaps] if len(gaps) <= buckets else []
    index = np.unique(np.concatenate(indices))
    return x[index], y[index]
