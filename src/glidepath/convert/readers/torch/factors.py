"""PyTorch's schedulers that multiply the rate, whatever it is: one schedule for all groups.

By `step()` each multiplies what is in the group, so it continues from that; at a milestone of SequentialLR it
begins at its base rate by a closed form, which differs at the edges.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from glidepath.convert.readers.rates import level
from glidepath.core.schedule import Schedule
from glidepath.errors import ConvertError
from glidepath.recipes import constant, exponential, formula, linear, multistep, polynomial, step

from .group_plans import GroupPlans, InitialState, start_ratios

Factor = tuple[Schedule, tuple[str, ...]]


def read_factor(scheduler: Any, initial: InitialState, class_name: str) -> GroupPlans:
    """Multiply the factor by the ratio at which it begins, for each group."""
    plan, quirks = FACTORS[class_name](scheduler, initial.at_milestone)
    return GroupPlans(tuple(level(start, plan) for start in start_ratios(scheduler, initial)), quirks)


def _step(scheduler: Any) -> Factor:
    every, gamma = scheduler.step_size, float(scheduler.gamma)
    if float(every).is_integer():
        return step(every=int(every), factor=gamma), ()
    whole = Fraction(every).numerator
    return step(every=whole, factor=gamma), (f"step_size={every} falls at its whole multiples alone, each {whole}",)


def _multistep(scheduler: Any, at_milestone: bool) -> Factor:
    elements = sorted(scheduler.milestones.elements())
    milestones = [m for m in elements if m >= 0 and float(m).is_integer()]
    before = sum(m < 0 for m in elements) if at_milestone else 0
    plan = multistep(milestones, factor=scheduler.gamma) if milestones else constant()
    return level(float(scheduler.gamma**before), plan), ()


def _constant(scheduler: Any, at_milestone: bool) -> Factor:
    factor, steps = float(scheduler.factor), scheduler.total_iters
    if factor == 1.0 or (at_milestone and steps <= 0):
        return constant(), ()
    if steps <= 0 or not float(steps).is_integer():
        return level(factor), (f"total_iters={steps} is never reached, so the factor stays",)
    plan = level(factor, constant(steps)) >> constant()
    raises = (f"with factor=0 torch divides by zero at update {steps}: here the base rate comes back",)
    return plan, raises if factor == 0.0 else ()


def _linear(scheduler: Any, at_milestone: bool) -> Factor:
    first, last, steps = float(scheduler.start_factor), float(scheduler.end_factor), scheduler.total_iters
    if steps <= 0:
        if at_milestone:
            raise ConvertError(f"LinearLR with total_iters={steps} divides by zero when SequentialLR reaches it")
        return level(first), (f"with total_iters={steps} torch stays at start_factor",)
    whole = math.floor(steps)
    if whole == steps:
        return linear(whole, to=last, start=first), ()
    reached = first + (last - first) * whole / steps
    return linear(whole, to=reached, start=first), (
        f"total_iters={steps} is not a whole number: end_factor is not reached",
    )


def _exponential(scheduler: Any) -> Factor:
    gamma = float(scheduler.gamma)
    if gamma == 1.0:
        return constant(), ()
    if gamma < 0.0:
        return formula(f"({gamma!r}) ** step"), ("a negative gamma gives every other update a negative rate",)
    return (exponential(every=1, factor=gamma) if gamma else step(every=1, factor=0.0)), ()


def _polynomial(scheduler: Any) -> Factor:
    steps, power = scheduler.total_iters, float(scheduler.power)
    if power == 0.0 or steps <= 0:
        return constant(), ()
    if power < 0.0:
        raise ConvertError(
            f"PolynomialLR with power={power!r} divides by zero at update {steps}: give it a power above 0"
        )
    whole = math.floor(steps)
    if whole != steps:
        left = formula(f"(({steps!r} - min(step, {whole})) / {steps!r}) ** {power!r}")
        return left, (f"total_iters={steps} is not a whole number: zero is not reached",)
    return (linear(whole) if power == 1.0 else polynomial(whole, power=power)), ()


def _anywhere(read: Callable[[Any], Factor]) -> Callable[[Any, bool], Factor]:
    """Return a reader of what is the same at a milestone as alone."""
    return lambda scheduler, at_milestone: read(scheduler)


FACTORS: dict[str, Callable[[Any, bool], Factor]] = {
    "StepLR": _anywhere(_step),
    "MultiStepLR": _multistep,
    "ConstantLR": _constant,
    "LinearLR": _linear,
    "ExponentialLR": _anywhere(_exponential),
    "PolynomialLR": _anywhere(_polynomial),
}
