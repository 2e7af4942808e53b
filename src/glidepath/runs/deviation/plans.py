"""Causes in the plan: the run followed one with another warmup, length, shape or floor."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Final

import numpy as np

from glidepath.core.curves import Cosine, Curve, Linear, OneMinusSqrt, Polynomial
from glidepath.core.endless import Constant, InversePower
from glidepath.core.schedule import Schedule
from glidepath.core.transforms import Repeated

from .cause import Cause
from .hypothesis import Hypothesis, with_waves
from .parts import DEFAULT_TIMESCALE, Parts, join, take_apart, with_rest, with_warmup
from .readings import OFFSETS, explain
from .rows import Rows
from .search import Build, Search

LONGEST = 8  # times the plan or the log: the longest run that it could have been made for
MOST_NUMBERS = 40  # that are tried on every row
MOST_WITH_SKIPS = 600  # of them if updates may have been skipped: most are refused by two rows
MOST_CYCLES = 8
LOWEST = 1e-7  # the rate to which the polynomial decay of Transformers falls if nothing is said
MOST_ROWS_APART = 500  # steps between two rows, one of which a restart is at

Shape = Callable[[int, float], Schedule]

SHAPES: Final[dict[str, Shape]] = {
    "linear": lambda steps, to: Linear(steps, to),
    "cosine": lambda steps, to: Cosine(steps, to),
    "polynomial": lambda steps, to: Polynomial(steps, to),
    "square root": lambda steps, to: Polynomial(steps, to, power=0.5),
    "one minus square root": lambda steps, to: OneMinusSqrt(steps, to),
}


def find_plan(rows: Rows, plan: Schedule, horizon: int | None) -> Cause | None:
    """Return the first cause in the plan that explains every row; None if there is none.

    Args:
        rows: of the log.
        plan: that the run should have followed.
        horizon: the updates that the run was made for, if that is known.
    """
    parts = take_apart(plan)
    whole = horizon if parts.rest_steps is None else parts.warmup_steps + parts.rest_steps
    steps = 0 if whole is None else max(whole - parts.warmup_steps, 0)
    return (
        _another_warmup(rows, parts)
        or _another_shape(rows, parts, steps)
        or _another_length(rows, parts)
        or _another_floor(rows, parts, steps)
        or _shape_of_any_length(rows, parts, steps)
    )


def _fits(rows: Rows, plan: Schedule) -> bool:
    return explain(rows, Hypothesis(plan)) is not None


def _first_number(rows: Rows, build: Build, lowest: int, highest: int) -> tuple[int, Schedule] | None:
    """Return the least number whose plan explains every row, without skipped updates if that is possible.

    Where the peak is not known either, skipped updates would leave too much open.
    """
    for skipped, variant in product((False,) if rows.is_free else (False, True), (build, _in_waves(build))):
        numbers = Search(rows, variant, skipped).numbers(lowest, highest)
        for number in numbers[: MOST_WITH_SKIPS if skipped else MOST_NUMBERS]:
            plan, walked = build(number), variant(number)
            if plan and walked and explain(rows, Hypothesis(walked), skipped=skipped):
                return number, plan
    return None


def _in_waves(build: Build) -> Build:
    """Return the same plans, if they end in a cosine that rises again past its end."""

    def waves(number: int) -> Schedule | None:
        plan = build(number)
        return None if plan is None else with_waves(plan)

    return waves


# --- a warmup of another length ---


def _another_warmup(rows: Rows, parts: Parts) -> Cause | None:
    whole = None if parts.rest_steps is None else parts.warmup_steps + parts.rest_steps
    most = min(int(rows.steps[-1]) + 2, whole or LONGEST * int(rows.steps[-1] + 1))
    for build in (_warmup_within(parts, whole), lambda steps: join(with_warmup(parts, steps)) if parts.rest else None):
        fit = _first_number(rows, build, 0, most)
        if fit is not None and fit[0] != parts.warmup_steps:
            text = f"a warmup of {fit[0]} updates, not {parts.warmup_steps}: the rates are those of {fit[1]!r}"
            return Cause("warmup", text, fit[0])
    return None


def _warmup_within(parts: Parts, whole: int | None) -> Build:
    """Return how a warmup of another length is built where the run ends as planned."""

    def build(steps: int) -> Schedule | None:
        if whole is None:
            return None
        rest = with_rest(parts, (whole - steps) // parts.cycles * parts.cycles)
        return None if rest is None else join(with_warmup(rest, steps))

    return build


# --- another length ---


def _another_length(rows: Rows, parts: Parts) -> Cause | None:
    if parts.rest_steps is None:
        return None
    whole = parts.warmup_steps + parts.rest_steps
    most = LONGEST * max(whole, int(rows.steps[-1]) + 1)
    for build, unit in ((_longer_rest(parts), parts.cycles), (_longer_whole(parts), 1)):
        fit = _first_number(rows, build, 1, most // unit)
        if fit is not None:
            length = fit[1].duration or 0
            text = f"made for {length} updates, not {whole}: the rates are those of {fit[1]!r}"
            return Cause("length", text, length)
    return None


def _longer_rest(parts: Parts) -> Build:
    def build(number: int) -> Schedule | None:
        longer = with_rest(parts, number * parts.cycles)
        return None if longer is None else join(longer)

    return build


def _longer_whole(parts: Parts) -> Build:
    """Return how a plan of another length is built where the warmup is a share of it."""
    before, whole = parts.warmup_steps, parts.warmup_steps + (parts.rest_steps or 0)

    def build(number: int) -> Schedule | None:
        steps = (2 * before * number + whole) // (2 * whole)
        longer = with_rest(parts, (number - steps) // parts.cycles * parts.cycles)
        return None if longer is None or not before else join(with_warmup(longer, steps))

    return build


# --- another shape ---


def _another_shape(rows: Rows, parts: Parts, steps: int) -> Cause | None:
    """Check for another decay to 0 after the same warmup, over as many steps."""
    shapes = [*_shapes(parts, steps)]
    if steps and not rows.is_free:
        to = LOWEST / (rows.highest * parts.factor)
        shapes.append((f"polynomial to {LOWEST:g}", Linear(steps, to=min(to, 1.0))))
    for name, decay in shapes:
        plan = join(replace(parts, rest=(decay,)))
        if (decay,) != parts.rest and _fits(rows, plan):
            return _shape(name, plan)
    return None


def _shape(name: str, plan: Schedule) -> Cause:
    return Cause("shape", f"another shape, {name}: the rates are those of {plan!r}")


def _shapes(parts: Parts, steps: int) -> Iterator[tuple[str, Schedule]]:
    """Yield the shapes that a decay may have, and what they are called; of no steps, those without an end."""
    yield "constant", Constant()
    yield "inverse square root", InversePower(parts.warmup_steps or DEFAULT_TIMESCALE)
    for name, shape in SHAPES.items() if steps else ():
        yield name, shape(steps, 0.0)
    for cycles, name in product(range(2, MOST_CYCLES + 1), ("cosine", "linear")):
        if steps and steps % cycles == 0:
            yield f"{name} with {cycles} cycles", Repeated(SHAPES[name](steps // cycles, 0.0), cycles)


def _shape_of_any_length(rows: Rows, parts: Parts, steps: int) -> Cause | None:
    """Check for another decay to 0 after the same warmup, whatever its length."""
    most = LONGEST * max(parts.warmup_steps + steps, int(rows.steps[-1]) + 1)
    for name, shape in SHAPES.items():
        fit = _first_number(rows, _of_length(parts, shape), 1, most)
        if fit is not None:
            return _shape(name, fit[1])
    return _shape_that_restarts(rows, parts)


def _of_length(parts: Parts, shape: Shape) -> Build:
    return lambda steps: join(replace(parts, rest=(shape(steps, 0.0),)))


def _shape_that_restarts(rows: Rows, parts: Parts) -> Cause | None:
    """Check for a decay that restarts where the log first rises after the warmup."""
    after = rows[np.flatnonzero(rows.steps > parts.warmup_steps + 1)]
    rises = np.flatnonzero(np.diff(after.rates) > after.slack[1:])
    if not len(rises):
        return None
    first, last = (int(after.steps[rises[0] + k]) - parts.warmup_steps for k in (0, 1))
    for steps, name in product(range(max(1, first - 1), min(last, first + MOST_ROWS_APART) + 2), ("cosine", "linear")):
        plan = join(replace(parts, rest=(Repeated(SHAPES[name](steps, 0.0)),)))
        if explain(rows, Hypothesis(plan), skipped=not rows.is_free):
            return _shape(f"{name} with restarts", plan)
    return None


# --- another floor ---


def _another_floor(rows: Rows, parts: Parts, steps: int) -> Cause | None:
    """Check for a decay of this or of another shape that ends above 0, or elsewhere than planned."""
    own = parts.rest[0] if len(parts.rest) == 1 else None
    if not steps:
        return None
    if isinstance(own, Curve) and (match := _floor(rows, parts, lambda _, to: replace(own, to=to), steps)):
        text = f"it falls to {match[0]:.4g} of its peak, not to {own.to:.4g}: the rates are those of {match[1]!r}"
        return Cause("floor", text, match[0])
    for name, shape in SHAPES.items():
        if match := _floor(rows, parts, shape, steps):
            return _shape(name, match[1])
    return None


def _floor(rows: Rows, parts: Parts, shape: Shape, steps: int) -> tuple[float, Schedule] | None:
    """Return the floor with which a shape explains every row, and the plan: a value is weight + to * (1 - weight)."""
    for offset in OFFSETS:
        to = _solve_floor(rows, parts, shape, steps, offset)
        plan = None if to is None else join(replace(parts, rest=(shape(steps, to),)))
        if to is not None and plan is not None and _fits(rows, plan):
            return to, plan
    return None


def _solve_floor(rows: Rows, parts: Parts, shape: Shape, steps: int, offset: int) -> float | None:
    """Return the floor that a late low rate and the peak, or the highest rate, leave; None without a decay."""
    after = np.flatnonzero(rows.steps + offset > parts.warmup_steps)
    if not len(after):
        return None
    plan = join(replace(parts, rest=(shape(steps, 0.0),), factor=1.0))
    weights = np.asarray(plan(np.maximum(rows.steps + offset, 0)), dtype=np.float64)
    low, high = int(after[np.argmin(weights[after])]), int(np.argmax(rows.rates))
    least, most = float(weights[low]), float(weights[high]) if rows.is_free else 1.0
    ratio = float(rows.rates[low]) / (float(rows.rates[high]) if rows.is_free else rows.highest * parts.factor)
    divisor = (1 - least) - ratio * (1 - most)
    return None if divisor <= 0 else float(np.clip((ratio * most - least) / divisor, 0.0, 1.0))
