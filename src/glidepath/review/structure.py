"""What a rule asks about the pieces of a plan: which of them run on its clock, which rise, which jump by design."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, cast

from glidepath.core.curves import Chebyshev, Curve
from glidepath.core.endless import InversePower, InverseTime, Multistep, Noise, Step
from glidepath.core.schedule import Clipped, Cut, Larger, Product, Scaled, Schedule, Shifted, Total
from glidepath.core.schedule import Staircase as Stairs

MAPPED = (Scaled, Shifted, Clipped)
PAIRED = (Product, Total, Larger)


def unwrapped(plan: Schedule) -> Schedule:
    """The plan inside a scale, a shift or a clip: their clock is its own."""
    return unwrapped(plan.plan) if isinstance(plan, MAPPED) else plan


def stepwise(plan: Schedule) -> Iterator[Schedule]:
    """The pieces of a plan that run on its own clock."""
    if isinstance(plan, MAPPED):
        yield from stepwise(plan.plan)
    elif isinstance(plan, PAIRED):
        yield from stepwise(plan.first)
        yield from stepwise(plan.second)
    elif isinstance(plan, Cut) and plan.start == 0:
        yield from stepwise(plan.plan)
    else:
        yield plan


def rise(leaf: Schedule) -> int:
    """How many steps a curve rises."""
    return leaf.steps if isinstance(leaf, Curve) and leaf.to > leaf.start else 0


def level(plan: Schedule, step: int) -> bool:
    """Whether `step` and the one after it use the same value."""
    return step < 0 or plan(step) == plan(step + 1)


def falls_by_design(leaf: Schedule, k: int) -> bool:
    """A step decay at its milestone, a warmup at its start, and anywhere what jumps by nature."""
    match leaf:
        case Step() | Stairs():
            return k % leaf.every == 0
        case Multistep():
            return k in leaf.milestones
        case Chebyshev() | Noise():
            return True
    return k == 0 and rise(leaf) > 0


def low_by_nature(plan: Any) -> bool:
    """Whether 1/k, 1/sqrt(k) or Chebyshev steps are anywhere in a plan."""
    if isinstance(plan, tuple):
        return any(low_by_nature(item) for item in plan)
    if not isinstance(plan, Schedule) or isinstance(plan, (InverseTime, InversePower, Chebyshev)):
        return isinstance(plan, Schedule)
    return any(low_by_nature(getattr(plan, inner.name)) for inner in fields(cast(Any, plan)))
