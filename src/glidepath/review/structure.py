"""The pieces of a plan: which of them run on its clock, which rise, which jump or are low by design."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, cast

from glidepath.core.curves import Chebyshev, Curve, Leaf
from glidepath.core.endless import InversePower, InverseTime, Multistep, Noise, Step
from glidepath.core.formula import Function
from glidepath.core.schedule import Cut, Draft, Product, Quotient, Scaled, Schedule, Sequence, Shifted, Sum
from glidepath.core.transforms import Clipped, Maximum, Repeated, Reversed
from glidepath.core.transforms import Staircase as Stairs

MAPPED = (Scaled, Shifted, Clipped)
PAIRED = (Product, Sum, Maximum)
# a piece by itself, with a clock inside, or with the rises and falls of what is inside turned round
WHOLE = (Leaf, Function, Sequence, Cut, Reversed, Stairs, Repeated, Quotient, Draft)


def unwrap(plan: Schedule) -> Schedule:
    """Return the plan inside a scale, a shift or a clip: their clock is its own."""
    return unwrap(plan.plan) if isinstance(plan, MAPPED) else plan


def stepwise(plan: Schedule) -> Iterator[Schedule]:
    """Yield the pieces of a plan that run on its own clock."""
    if isinstance(plan, MAPPED):
        yield from stepwise(plan.plan)
    elif isinstance(plan, PAIRED):
        yield from stepwise(plan.first)
        yield from stepwise(plan.second)
    elif isinstance(plan, Cut) and plan.start == 0:
        yield from stepwise(plan.plan)
    elif isinstance(plan, WHOLE):
        yield plan
    else:
        raise NotImplementedError(f"the review does not know the piece {type(plan).__name__}: name it in structure.py")


def rise(leaf: Schedule) -> int:
    """Return the number of steps for which a curve rises."""
    return leaf.steps if isinstance(leaf, Curve) and leaf.to > leaf.start else 0


def is_level(plan: Schedule, step: int) -> bool:
    """Return whether `step` and the one after it use the same value."""
    return step < 0 or plan(step) == plan(step + 1)


def drops_by_design(leaf: Schedule, k: int) -> bool:
    """Return whether a piece is meant to drop at its step `k`.

    A step decay does at its milestones, a warmup at its start, Chebyshev steps and noise anywhere.
    """
    match leaf:
        case Step() | Stairs():
            return k % leaf.every == 0
        case Multistep():
            return k in leaf.milestones
        case Chebyshev() | Noise():
            return True
    return k == 0 and rise(leaf) > 0


def is_low_by_design(plan: Any) -> bool:
    """Return whether 1/k, 1/sqrt(k) or Chebyshev steps are anywhere in a plan."""
    if isinstance(plan, tuple):
        return any(is_low_by_design(item) for item in plan)
    if not isinstance(plan, Schedule) or isinstance(plan, (InverseTime, InversePower, Chebyshev)):
        return isinstance(plan, Schedule)
    return any(is_low_by_design(getattr(plan, inner.name)) for inner in fields(cast(Any, plan)))
