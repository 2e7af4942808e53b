"""The parts of a plan that could have had another length: its warmup, and what follows it."""

from collections.abc import Sequence as Row
from dataclasses import dataclass, replace
from typing import final

from glidepath.core.curves import Curve, Warmup
from glidepath.core.endless import InversePower
from glidepath.core.schedule import Scaled, Schedule, Sequence
from glidepath.core.transforms import Repeated
from glidepath.errors import ScheduleError

from .hypothesis import is_rising

DEFAULT_TIMESCALE = 10_000  # of an inverse square root without a warmup, in Transformers


@final
@dataclass(frozen=True)
class Parts:
    """A plan taken apart: factor * (warmup >> rest).

    Args:
        factor: of the whole plan.
        warmup: None without one.
        rest: what follows, in order; may be empty.
    """

    factor: float
    warmup: Curve | None
    rest: tuple[Schedule, ...]

    @property
    def warmup_steps(self) -> int:
        """Return the length of the warmup."""
        return self.warmup.steps if self.warmup else 0

    @property
    def rest_steps(self) -> int | None:
        """Return the length of what follows; None without an end."""
        lengths = [part.duration for part in self.rest]
        return None if None in lengths else sum(length or 0 for length in lengths)

    @property
    def cycles(self) -> int:
        """Return the number of which the length of the rest is a multiple."""
        last = self.rest[-1] if len(self.rest) == 1 else None
        return last.times or 1 if isinstance(last, Repeated) else 1


def take_apart(plan: Schedule) -> Parts:
    """Return the warmup of a plan and what follows it.

    >>> from glidepath import cosine, warmup
    >>> take_apart(0.1 * (warmup(10) >> cosine(90)))
    Parts(factor=0.1, warmup=warmup(10), rest=(cosine(90),))
    """
    if isinstance(plan, Scaled):
        inner = take_apart(plan.plan)
        return replace(inner, factor=plan.factor * inner.factor)
    parts = plan.parts if isinstance(plan, Sequence) else (plan,)
    first = parts[0]
    if isinstance(first, Curve) and is_rising(first):
        return Parts(1.0, first, parts[1:])
    return Parts(1.0, None, parts)


def with_warmup(parts: Parts, steps: int) -> Parts:
    """Return the parts with a warmup of another length; an inverse power that was measured in it follows."""
    warmup = replace(parts.warmup, steps=steps) if parts.warmup else Warmup(steps)
    rest = tuple(_rescale(part, parts.warmup_steps, steps) for part in parts.rest)
    return replace(parts, warmup=warmup if steps else None, rest=rest)


def _rescale(part: Schedule, old: int, new: int) -> Schedule:
    if isinstance(part, InversePower) and part.timescale == (old or DEFAULT_TIMESCALE):
        return replace(part, timescale=new or DEFAULT_TIMESCALE)
    return part


def with_rest(parts: Parts, steps: int) -> Parts | None:
    """Return the parts with what follows the warmup stretched; None if it cannot be, or has no end."""
    if parts.rest_steps is None or steps < 1 or not parts.rest:
        return None
    try:
        return replace(parts, rest=(_stretch(parts.rest, steps),))
    except ScheduleError:
        return None


def _stretch(rest: Row[Schedule], steps: int) -> Schedule:
    if len(rest) > 1:
        return Sequence(tuple(rest))._stretch(steps)
    (part,) = rest
    if isinstance(part, Repeated) and part.times:
        return replace(part, plan=part.plan._stretch(steps // part.times))
    return part._stretch(steps)


def join(parts: Parts) -> Schedule:
    """Return the plan that the parts make."""
    flat = [part for whole in (parts.warmup, *parts.rest) if whole is not None for part in _flatten(whole)]
    plan = flat[0] if len(flat) == 1 else Sequence(tuple(flat))
    return plan if parts.factor == 1.0 else Scaled(parts.factor, plan)


def _flatten(part: Schedule) -> tuple[Schedule, ...]:
    return part.parts if isinstance(part, Sequence) else (part,)
