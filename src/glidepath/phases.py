"""The phases of a plan: which named part serves which steps.

A figure shades them and `glidepath show` lists them. They come from the description alone, no value is computed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count as counting
from itertools import pairwise

from .core.curves import Leaf
from .core.formula import Function
from .core.schedule import Cut, Draft, Product, Quotient, Scaled, Schedule, Sequence, Shifted, Sum
from .core.transforms import Clipped, Maximum, Repeated, Reversed, Staircase

MOST_CYCLES = 16  # more are one phase called "repeat"


@dataclass(frozen=True)
class Phase:
    """Steps start..stop-1, served by the part called `name`; "hold" is what follows the end of a plan."""

    name: str
    start: int
    stop: int


def phases(plan: Schedule, steps: int) -> tuple[Phase, ...]:
    """Return the phases of the first `steps` steps of a schedule, in order and without gaps.

    A combinator that is not named here is refused, so that a new one cannot be taken for a single phase.

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
        case Scaled() | Shifted() | Quotient() | Clipped():
            return phases(plan.plan, steps)
        case Cut():
            return _window(plan, steps)
        case Reversed():
            return _backwards(plan, steps)
        case Staircase():
            return _stairs(plan, steps)
        case Repeated():
            cycles = list(_cycles(plan, steps))
            return _hold(_row(cycles, steps), steps) if len(cycles) <= MOST_CYCLES else _single(plan, steps)
        case Product() | Sum():
            return _of_one_side(plan, steps) or _single(plan, steps)
        case Maximum() | Leaf() | Function() | Draft():  # which side is the larger, only the values say
            return _single(plan, steps)
    raise NotImplementedError(f"phases does not know the piece {type(plan).__name__}: name it in phases.py")


def _of_one_side(plan: Product | Sum, steps: int) -> tuple[Phase, ...]:
    """Return the phases of the one side that has several, if only one has; past its end the other gives the shape."""
    sides = {side: phases(side, steps) for side in (plan.first, plan.second)}
    several = [side for side in sides if sum(phase.name != "hold" for phase in sides[side]) > 1]
    if len(several) != 1:
        return ()
    other = plan.second if several[0] is plan.first else plan.first
    return tuple(replace(p, name=other._call().name) if p.name == "hold" else p for p in sides[several[0]])


def _single(plan: Schedule, steps: int) -> tuple[Phase, ...]:
    end = steps if plan.duration is None else min(steps, plan.duration)
    return _hold((Phase(plan._call().name, 0, end),) if end else (), steps)


def _hold(parts: Iterable[Phase], steps: int) -> tuple[Phase, ...]:
    """Return phases with what follows the last one."""
    phases = tuple(parts)
    end = phases[-1].stop if phases else 0
    return phases if end >= steps else (*phases, Phase("hold", end, steps))


def _row(parts: Iterable[tuple[Schedule, tuple[int, int]]], steps: int) -> Iterator[Phase]:
    """Yield the phases of parts in a row, each with its first step and the first step after it."""
    for part, (start, end) in parts:
        for phase in phases(part, min(end, steps) - start) if start < min(end, steps) else ():
            yield replace(phase, start=phase.start + start, stop=phase.stop + start)


def _window(plan: Cut, steps: int) -> tuple[Phase, ...]:
    length = steps if plan.stop is None else min(steps, plan.stop - plan.start)
    overlapping = (p for p in phases(plan.plan, plan.start + length) if p.stop > plan.start)
    return _hold((Phase(p.name, max(0, p.start - plan.start), p.stop - plan.start) for p in overlapping), steps)


def _backwards(plan: Reversed, steps: int) -> tuple[Phase, ...]:
    mirrored = (Phase(p.name, plan.steps - p.stop, plan.steps - p.start) for p in phases(plan.plan, plan.steps)[::-1])
    return _hold((replace(p, stop=min(p.stop, steps)) for p in mirrored if p.start < steps), steps)


def _stairs(plan: Staircase, steps: int) -> tuple[Phase, ...]:
    """Return the phases of what is inside, each beginning with the first stair that it decides."""
    every = plan.every
    bounds = ((p.name, -(-p.start // every) * every, -(-p.stop // every) * every) for p in phases(plan.plan, steps))
    return tuple(Phase(name, start, min(stop, steps)) for name, start, stop in bounds if start < min(stop, steps))


def _cycles(plan: Repeated, steps: int) -> Iterator[tuple[Schedule, tuple[int, int]]]:
    """Yield each cycle with its bounds, as far as `steps` reaches; one more than MOST_CYCLES at most."""
    start = 0
    for i in counting() if plan.times is None else range(plan.times):
        if start >= steps or i > MOST_CYCLES:
            return
        length = plan._cycle(i)
        yield (plan.plan if plan.growth == 1.0 else plan.plan._stretch(length)), (start, start + length)
        start += length
