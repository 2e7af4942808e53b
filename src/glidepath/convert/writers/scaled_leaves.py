"""A plan as the classes of other libraries see it: leaves in a row, each with its height and how long it serves."""

from dataclasses import replace
from typing import NamedTuple

from glidepath.core.curves import Cosine
from glidepath.core.schedule import Cut, Scaled, Schedule, Sequence
from glidepath.core.transforms import Repeated

from .expression import tidy


class ScaledLeaf(NamedTuple):
    """`height` times `leaf`, for `steps` updates; without an end if it is the last."""

    leaf: Schedule
    height: float
    steps: int | None


def split_plan(plan: Schedule, height: float = 1.0) -> list[ScaledLeaf]:
    """Split a sequence into its parts, or return the plan as the only one; those that serve no update are left out."""
    whole, height = _unscale(plan, height)
    inner = whole.parts if isinstance(whole, Sequence) else (whole,)
    lengths = [*(part.duration for part in inner[:-1]), None]
    return [_leaf_of(part, height, steps) for part, steps in zip(inner, lengths, strict=True) if steps != 0]


def _leaf_of(plan: Schedule, height: float, steps: int | None) -> ScaledLeaf:
    leaf, height = _unscale(plan, height)
    if isinstance(leaf, Cut) and leaf.start == 0 and leaf.stop is not None and leaf.stop == steps:
        leaf, height = _unscale(leaf.plan, height)  # the next part cuts it
    return ScaledLeaf(leaf, height, steps)


def _unscale(plan: Schedule, height: float) -> tuple[Schedule, float]:
    inner = plan
    while isinstance(inner, Scaled):
        height = tidy(height * inner.factor)
        inner = inner.plan
    return inner, height


def wave(leaf: Schedule) -> Cosine | None:
    """Return the fall of a cosine that rises again as it fell, over and over; None for any other plan."""
    if not isinstance(leaf, Repeated) or (leaf.times, leaf.growth, leaf.shrink) != (None, 1.0, 1.0):
        return None
    halves = leaf.plan.parts if isinstance(leaf.plan, Sequence) else ()
    fall = halves[0] if halves else None
    if not isinstance(fall, Cosine) or (fall.start, fall.power, fall.k) != (1.0, 1.0, 1.0):
        return None
    return fall if halves[1:] == (replace(fall, to=1.0, start=fall.to),) else None


def boundaries(leaves: list[ScaledLeaf]) -> list[int]:
    """Return the steps at which one leaf follows the other."""
    ends, step = [], 0
    for leaf in leaves[:-1]:
        step += leaf.steps or 0
        ends.append(step)
    return ends
