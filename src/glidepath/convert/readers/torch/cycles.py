"""PyTorch's schedulers with bounds of their own, CyclicLR and OneCycleLR: they move the momentum too.

The optimizer's own rate means nothing to them, so their peak, max_lr, is what their schedules are a ratio of.
"""

import math
from collections.abc import Callable
from typing import Any

from glidepath.convert.readers.rates import level
from glidepath.convert.readers.ratios import ratio
from glidepath.core.schedule import Schedule, cut, sequence, shift
from glidepath.core.transforms import repeat
from glidepath.recipes import cosine, exponential, formula, linear

from .functions import NO_TEXT
from .group_plans import GroupPlans, InitialState, floats

Bounds = tuple[float, float]  # in the order in which they are reached


def peaks(scheduler: Any) -> tuple[float, ...]:
    """Return the rates that these two have in place of base rates."""
    tops = getattr(scheduler, "max_lrs", None) or (group["max_lr"] for group in scheduler.optimizer.param_groups)
    return tuple(top or 1.0 for top in floats(tops))


def _momentum(scheduler: Any) -> str:
    return "betas[0]" if scheduler.use_beta1 else "momentum"


# --- CyclicLR ---


def read_cyclic(scheduler: Any, initial: InitialState) -> GroupPlans:
    """Read CyclicLR: triangles, for ever, each as high as its scale says."""
    height, quirks = _height(scheduler)
    bounds = zip(floats(scheduler.base_lrs), floats(scheduler.max_lrs), initial.bases, strict=True)
    plans = tuple(_between(ratio(low, base), ratio(high, base), height) for low, high, base in bounds)
    if not scheduler.cycle_momentum:
        return GroupPlans(plans, quirks)
    moves = zip(floats(scheduler.max_momentums), floats(scheduler.base_momentums), strict=True)
    momenta = tuple(_between(first, last, height) for first, last in moves)
    return GroupPlans(plans, quirks, {_momentum(scheduler): momenta})


def _between(first: float, last: float, height: Schedule) -> Schedule:
    plan = level(last - first, height)
    return plan if first == 0.0 else shift(first, plan)


def _height(scheduler: Any) -> tuple[Schedule, tuple[str, ...]]:
    """Return a plan from 0 to 1 and back, times the scale."""
    whole = scheduler.total_size
    up = round(whole * scheduler.step_ratio, 9)
    halves = scheduler.mode == "triangular2" and scheduler._scale_fn_custom is None
    triangles = _triangles(up, whole, 0.5 if halves else 1.0)
    if scheduler._scale_fn_custom is not None:
        return triangles * formula(_by_step(scheduler._scale_fn_custom, whole, scheduler.scale_mode)), (NO_TEXT,)
    gamma = float(scheduler.gamma)
    if scheduler.mode != "exp_range" or gamma == 1.0:
        return triangles, ()
    return triangles * (exponential(every=1, factor=gamma) if gamma > 0.0 else formula(f"({gamma!r}) ** step")), ()


def _triangles(up: float, whole: float, shrink: float) -> Schedule:
    if float(up).is_integer() and float(whole).is_integer():
        return repeat(linear(int(up), to=1.0, start=0.0) >> linear(int(whole - up)), shrink=shrink)
    fall = f"({whole!r} - step % {whole!r}) / {whole - up!r}" if whole > up else "1"
    triangle = f"min(step % {whole!r} / {up!r}, {fall})"
    return formula(triangle if shrink == 1.0 else f"{triangle} * {shrink!r} ** (step // {whole!r})")


def _by_step(scale: Callable[[float], float], whole: float, mode: str) -> Callable[[int], float]:
    return scale if mode == "iterations" else lambda step: scale(1 + int(step // whole))


# --- OneCycleLR ---


def read_one_cycle(scheduler: Any, initial: InitialState) -> GroupPlans:
    """Read OneCycleLR: up and down in two or three phases, whose ends need not be whole updates."""
    groups = scheduler.optimizer.param_groups
    rates = [_bounds(scheduler, group, "lr") for group in groups]
    shares = [[(ratio(a, base), ratio(b, base)) for a, b in r] for r, base in zip(rates, initial.bases, strict=True)]
    plans = tuple(_join_phases(scheduler, bounds) for bounds in shares)
    quirks = (
        f"torch has one update more, with a rate that rises again, and raises at update {scheduler.total_steps + 1}: "
        "here the last rate is held",
    )
    if not scheduler.cycle_momentum:
        return GroupPlans(plans, quirks)
    momenta = tuple(_join_phases(scheduler, _bounds(scheduler, group, "momentum")) for group in groups)
    return GroupPlans(plans, quirks, {_momentum(scheduler): momenta})


def _bounds(scheduler: Any, group: dict[str, Any], quantity: str) -> list[Bounds]:
    phases = scheduler._schedule_phases
    return [(float(group[phase[f"start_{quantity}"]]), float(group[phase[f"end_{quantity}"]])) for phase in phases]


def _join_phases(scheduler: Any, bounds: list[Bounds]) -> Schedule:
    """Join the phases one after the other; the last value is held."""
    parts: list[Schedule] = []
    begin, served, cos = 0.0, 0, scheduler._anneal_func_type == "cos"
    *_, before, last = scheduler._schedule_phases
    for phase, (start, to) in zip(scheduler._schedule_phases, bounds, strict=True):
        end = _snap(phase["end_step"])
        stop = scheduler.total_steps if phase is last else min(math.floor(end) + 1, scheduler.total_steps)
        if stop > served and end > begin:
            if begin == served and end == stop - 1:
                parts.append((cosine if cos else linear)(int(end - begin), to=to, start=start))
                served = int(end)
            else:
                parts.append(cut(_phase_from(cos, start, to, served - begin, end - begin), 0, stop - served))
                served = stop
        elif phase is last and before["end_step"] < end:  # by its rounding alone, and so it has the last update
            parts = [part for part in (_first(parts, int(end)), level(to)) if part is not None]
        begin = end
    return sequence(*parts)


def _first(parts: list[Schedule], updates: int) -> Schedule | None:
    return sequence(*parts)[:updates] if updates else None


def _snap(step: float) -> float:
    """Return a step that is whole but for its rounding, as 0.1 * 30 is, as a whole one."""
    return float(round(step)) if math.isclose(step, round(step), rel_tol=1e-12, abs_tol=1e-12) else step


def _phase_from(cos: bool, start: float, to: float, ahead: float, whole: float) -> Schedule:
    """Build a phase that does not begin at an update: it is `ahead` steps old at its first."""
    passed = f"(step + {ahead!r}) / {whole!r}"
    left = f"(1 + cos(pi * ({passed}))) / 2" if cos else f"(1 - {passed})"
    return formula(f"{to!r} + ({start - to!r}) * {left}")
