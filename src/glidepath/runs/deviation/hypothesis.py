"""A hypothesis: another plan, or another way to step through it, that would explain a log."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self, final

import numpy as np

from glidepath.core.curves import Cosine, Curve, Linear, Warmup
from glidepath.core.schedule import Product, Scaled, Schedule, Sequence
from glidepath.core.transforms import Repeated

from ..run import FloatArray, IntArray

Walk = Callable[[IntArray], IntArray]  # from the updates that the scheduler saw to the plan's step


def in_step(updates: IntArray) -> IntArray:
    """Return the plan's step of a scheduler that is stepped once after every update."""
    return updates


@final
@dataclass(frozen=True)
class Hypothesis:
    """A plan, and the way in which the scheduler steps through it."""

    plan: Schedule
    walk: Walk = in_step

    def values(self, updates: IntArray) -> FloatArray:
        """Return the plan's values after so many updates; before its beginning it is as at its beginning."""
        steps = np.maximum(self.walk(np.maximum(updates, 0)), 0)
        return np.asarray(self.plan(steps), dtype=np.float64)

    def with_other_warmup(self) -> Self | None:
        """Return the same with k / n for (k + 1) / n in the warmup, or the reverse; None without a warmup."""
        plan = other_warmup(self.plan)
        return None if plan is None else replace(self, plan=plan)


def is_rising(part: Schedule) -> bool:
    """Return whether a part is a warmup."""
    return isinstance(part, Curve) and part.steps > 0 and part.start < part.to


def other_warmup(plan: Schedule) -> Schedule | None:
    """Return a plan whose warmup has the other convention; None if it does not begin with a linear warmup.

    >>> from glidepath import cosine, warmup
    >>> other_warmup(0.1 * (warmup(10) >> cosine(90)))
    0.1 * (linear(10, to=1.0, start=0.0) >> cosine(90))
    """
    match plan:
        case Warmup() if is_rising(plan):
            return Linear(plan.steps, plan.to, plan.start)
        case Linear() if is_rising(plan):
            return Warmup(plan.steps, plan.to, plan.start)
        case Sequence():
            first = other_warmup(plan.parts[0])
            return None if first is None else Sequence((first, *plan.parts[1:]))
        case Scaled():
            inner = other_warmup(plan.plan)
            return None if inner is None else Scaled(plan.factor, inner)
        case Product():
            first = other_warmup(plan.first)
            return None if first is None else Product(first, plan.second)
    return None


def with_waves(plan: Schedule) -> Schedule | None:
    """Return a plan whose cosine rises again past its end, as most libraries' do; None if it ends otherwise.

    >>> from glidepath import cosine, warmup
    >>> with_waves(warmup(10) >> cosine(90))
    warmup(10) >> cosine(90) >> repeat(cosine(90, to=1.0, start=0.0) >> cosine(90))
    """
    match plan:
        case Cosine() if plan.steps:
            back = replace(plan, to=plan.start, start=plan.to)
            return Sequence((plan, Repeated(Sequence((back, plan)))))
        case Sequence():
            last = with_waves(plan.parts[-1])
            return Sequence((*plan.parts[:-1], *last.parts)) if isinstance(last, Sequence) else None
        case Scaled():
            inner = with_waves(plan.plan)
            return None if inner is None else Scaled(plan.factor, inner)
    return None


def begins_at_zero(plan: Schedule) -> bool:
    """Return whether the first update runs at k / n = 0."""
    return float(plan(0)) == 0.0
