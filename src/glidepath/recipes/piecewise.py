"""Schedules through given points: constant, linear or cosine from one to the next."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from glidepath.core.arguments import check_arguments
from glidepath.core.checks import as_tuple, count, real
from glidepath.core.curves import Cosine, Linear
from glidepath.core.endless import Constant
from glidepath.core.schedule import Schedule, Steps, draftable, sequence
from glidepath.errors import ScheduleError


@draftable
def piecewise_constant(boundaries: Iterable[Steps], *, values: Iterable[float]) -> Schedule:
    """Hold values[i] up to boundary i, and the last value from the last boundary on.

    Examples:
        >>> piecewise_constant([30, 80], values=[1, 0.1, 0.01])
        constant(30) >> 0.1 * constant(50) >> 0.01 * constant()
    """
    ends = [count(b, "a boundary") for b in as_tuple(boundaries, "boundaries")]
    levels = [real(v, "a value") for v in as_tuple(values, "values")]
    if len(levels) != len(ends) + 1:
        raise ScheduleError(f"{len(ends)} boundaries need {len(ends) + 1} values, not {len(levels)}")
    lengths: list[int | None] = [_length_between(a, b) for a, b in pairwise([0, *ends])]
    parts = [Constant(n) if v == 1.0 else v * Constant(n) for n, v in zip([*lengths, None], levels, strict=True)]
    return sequence(*parts)


@check_arguments
def piecewise_linear(points: Iterable[tuple[int, float]]) -> Schedule:
    """Follow straight lines through (step, value) points; the last value holds.

    Examples:
        >>> piecewise_linear([(0, 0.1), (10, 1.0), (30, 0.0)])
        linear(10, to=1.0, start=0.1) >> linear(20)
    """
    return _join_points(points, Linear)


@check_arguments
def piecewise_cosine(points: Iterable[tuple[int, float]]) -> Schedule:
    """Follow half cosine waves through (step, value) points; the last value holds."""
    return _join_points(points, Cosine)


def _length_between(before: int, after: int) -> int:
    if after < before:
        raise ScheduleError(f"boundaries must ascend, but {after} follows {before}")
    return after - before


def _join_points(points: Iterable[tuple[int, float]], curve: Any) -> Schedule:
    pairs = [as_tuple(point, "a point") for point in as_tuple(points, "points")]
    if len(pairs) < 2 or any(len(pair) != 2 for pair in pairs) or pairs[0][0] != 0:
        raise ScheduleError("points are at least two (step, value) pairs, the first at step 0")
    corners = [(count(k, "the step of a point"), real(v, "the value of a point")) for k, v in pairs]
    return sequence(*(curve(_length_between(a, b), v, u) for (a, u), (b, v) in pairwise(corners)))
