"""Optax's own schedules, one for each leaf of the plan, joined; elsewhere a function that jax can trace.

Two of optax's own are not used, because jax.jit compiles a division by a count into a product with its rounded
inverse: the stairs of exponential_decay come an update late (every=41 at update 41), and polynomial_schedule with a
fraction for its power is nan from its end on (the root of -1e-7).
"""

from collections.abc import Callable
from typing import Any

from glidepath.core.curves import Cosine, Geometric, Linear, Polynomial, Warmup
from glidepath.core.endless import Constant, Exponential, Multistep
from glidepath.core.schedule import Schedule

from .call import Call, call, write_list
from .dialect import JAX
from .expression import Expression, tidy, to_expression
from .function import write_function
from .program import program
from .scaled_leaves import ScaledLeaf, boundaries, split_plan

NO_SCHEDULE = "optax has no schedules for this plan with the same values, so it is a function that jax can trace."


def write(plan: Schedule, peak: float | None) -> str:
    """Write `schedule`, which any optimizer of optax takes for its learning_rate."""
    leaves = split_plan(plan, 1.0 if peak is None else peak)
    calls = [_schedule(leaf) for leaf in leaves]
    schedules = [schedule.text for schedule in calls if schedule is not None]
    if len(schedules) < len(calls) or not all(map(_is_countable, leaves)):
        return _function(plan, peak)
    joined = call("optax.join_schedules", schedules=write_list(schedules), boundaries=repr(boundaries(leaves)))
    return program(plan, [], ["import optax"], f"schedule = {schedules[0] if len(schedules) == 1 else joined.text}")


def _is_countable(scaled: ScaledLeaf) -> bool:
    """Return whether optax, which counts in 32 bits, can count its steps."""
    leaf = scaled.leaf
    counts = (scaled.steps or 0, leaf.duration or 0, getattr(leaf, "every", 0), *getattr(leaf, "milestones", ()))
    return all(count < JAX.longest for count in counts)


def _function(plan: Schedule, peak: float | None) -> str:
    whole = write_function(plan, "count", JAX, to_expression(1.0) if peak is None else Expression("peak"))
    settings = "" if peak is None else f"peak = {peak!r}"
    notes = [whole.note(NO_SCHEDULE)]
    return program(
        plan, notes, ["import jax.numpy as jnp"], settings, *whole.before, whole.definition("schedule(count)")
    )


def _schedule(scaled: ScaledLeaf) -> Call | None:
    """Write the call that builds the schedule of a leaf; None if optax has none with the same values."""
    writer = SCHEDULES.get(type(scaled.leaf))
    return None if writer is None else writer(scaled.leaf, scaled.height)


def _constant(leaf: Constant, height: float) -> Call:
    return call("optax.constant_schedule", repr(height))


def _linear(leaf: Linear, height: float) -> Call | None:
    return _line(tidy(height * leaf.start), tidy(height * leaf.to), leaf.steps)


def _warmup(leaf: Warmup, height: float) -> Call | None:
    if leaf.steps < 2:
        return None
    first = leaf.start + (leaf.to - leaf.start) / leaf.steps
    return _line(tidy(height * first), tidy(height * leaf.to), leaf.steps - 1)


def _line(start: float, to: float, steps: int) -> Call | None:
    if not steps:
        return None
    return call("optax.linear_schedule", init_value=start, end_value=to, transition_steps=steps)


def _cosine(leaf: Cosine, height: float) -> Call | None:
    if leaf.k != 1.0 or leaf.power < 1.0 or leaf.start == 0.0 or not leaf.steps:
        return None
    return call(
        "optax.cosine_decay_schedule",
        init_value=tidy(height * leaf.start),
        decay_steps=leaf.steps,
        alpha=tidy(leaf.to / leaf.start) or None,
        exponent=None if leaf.power == 1.0 else leaf.power,
    )


def _polynomial(leaf: Polynomial, height: float) -> Call | None:
    if leaf.k != 1.0 or not leaf.steps or not leaf.power.is_integer():
        return None
    return call(
        "optax.polynomial_schedule",
        init_value=tidy(height * leaf.start),
        end_value=tidy(height * leaf.to),
        power=leaf.power,
        transition_steps=leaf.steps,
    )


def _geometric(leaf: Geometric, height: float) -> Call | None:
    if height <= 0.0 or not leaf.steps:
        return None
    return call(
        "optax.exponential_decay",
        init_value=tidy(height * leaf.start),
        transition_steps=leaf.steps,
        decay_rate=tidy(leaf.to / leaf.start),
        end_value=tidy(height * leaf.to),
    )


def _exponential(leaf: Exponential, height: float) -> Call:
    return call("optax.exponential_decay", init_value=height, transition_steps=leaf.every, decay_rate=leaf.factor)


def _multistep(leaf: Multistep, height: float) -> Call:
    factors = [leaf.factor] * len(leaf.milestones) if isinstance(leaf.factor, float) else leaf.factor
    scales: dict[int, float] = {}
    for milestone, factor in zip(leaf.milestones, factors, strict=True):
        scales[milestone] = scales.get(milestone, 1.0) * factor
    return call("optax.piecewise_constant_schedule", init_value=height, boundaries_and_scales=repr(scales))


SCHEDULES: dict[type[Schedule], Callable[[Any, float], Call | None]] = {
    Constant: _constant,
    Linear: _linear,
    Warmup: _warmup,
    Cosine: _cosine,
    Polynomial: _polynomial,
    Geometric: _geometric,
    Exponential: _exponential,
    Multistep: _multistep,
}
