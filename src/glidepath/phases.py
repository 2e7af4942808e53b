"""The phases of a plan: which named part serves which steps.

A picture shades them and `glidepath show` lists them. They come from the description alone, no value is computed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count as counting
from itertools import pairwise

from .core.schedule import Cut, Product, Scaled, Schedule, Sequence, Shifted, Sum
from .core.transforms import Clipped, Repeated

MOST_CYCLES = 16  # more are one phase called "repeat"


@dataclass(frozen=True)
class Phase:
    """Steps start..stop-1, served by the part called `name`; "hold" is what follows the end of a plan."""

    name: str
    start: int
    stop: int


def phases(plan: Schedule, steps: int) -> tuple[Phase, ...]:
    """The phases of the first `steps` steps of a schedule, in order and without gaps.

    Examples:
        >>> from glidepath import cosine, warmup
        >>> for phase in phases(warmup(50) >> 0.5 * cosine(900), 1000):
        ...     print(phase)
        Phase(name='warmup', start=0, stop=50)
        Phase(name='cosine', start=50, stop=950)
        Phase(name='hold', start=950, stop=1000)
    """
    match plan:
        case Sequence():
            return tuple(_row(zip(plan.parts, pairwise([*plan.starts, steps]), strict=True), steps))
        case Scaled() | Shifted() | Clipped():
            return phases(plan.plan, steps)
        case Cut():
            return _window(plan, steps)
        case Repeated() if (cycles := list(_cycles(plan, steps))) and len(cycles) <= MOST_CYCLES:
            return _held(tuple(_row(cycles, steps)), steps)
        case Product() | Sum():
            return _of_one_side(plan, steps) or _single(plan, steps)
    return _single(plan, steps)


def _of_one_side(plan: Product | Sum, steps: int) -> tuple[Phase, ...]:
    """The phases of the one side that has several, if only one has; past its end the other side gives the shape."""
    known = {side: phases(side, steps) for side in (plan.first, plan.second)}
    several = [side for side in known if sum(phase.name != "hold" for phase in known[side]) > 1]
    if len(several) != 1:
        return ()
    other = plan.second if several[0] is plan.first else plan.first
    return tuple(replace(p, name=other._call().name) if p.name == "hold" else p for p in known[several[0]])


def _single(plan: Schedule, steps: int) -> tuple[Phase, ...]:
    end = steps if plan.duration is None else min(steps, plan.duration)
    return _held((Phase(plan._call().name, 0, end),) if end else (), steps)


def _held(known: tuple[Phase, ...], steps: int) -> tuple[Phase, ...]:
    end = known[-1].stop if known else 0
    return known if end >= steps else (*known, Phase("hold", end, steps))


def _row(parts: Iterable[tuple[Schedule, tuple[int, int]]], steps: int) -> Iterator[Phase]:
    """The phases of parts in a row, each given with its first step and the first step after it."""
    for part, (start, end) in parts:
        for phase in phases(part, min(end, steps) - start) if start < min(end, steps) else ():
            yield replace(phase, start=phase.start + start, stop=phase.stop + start)


def _window(plan: Cut, steps: int) -> tuple[Phase, ...]:
    length = steps if plan.stop is None else min(steps, plan.stop - plan.start)
    seen = (p for p in phases(plan.plan, plan.start + length) if p.stop > plan.start)
    moved = (Phase(p.name, max(0, p.start - plan.start), p.stop - plan.start) for p in seen)
    return _held(tuple(moved), steps)


def _cycles(plan: Repeated, steps: int) -> Iterator[tuple[Schedule, tuple[int, int]]]:
    """Each cycle with its bounds, as far as `steps` reaches; one more than MOST_CYCLES at most."""
    start = 0
    for i in counting() if plan.times is None else range(plan.times):
        if start >= steps or i > MOST_CYCLES:
            return
        length = plan._cycle(i)
        yield (plan.plan if plan.growth == 1.0 else plan.plan._stretch(length)), (start, start + length)
        start += length
