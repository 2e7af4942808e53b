"""Keras's own schedules where one of them has the same values; elsewhere a class of its own kind.

A boundary of its PiecewiseConstantDecay still belongs to what is before it, so it is written one step earlier. Its
stairs and restarts are not used, nor a power that is a fraction: compiled by JAX, a division by a count is a product
with its rounded inverse, so that a stair or a restart comes an update late (every=41 at update 41) and a root is nan
at its end.
"""

from collections.abc import Callable
from typing import Any

from glidepath.core.curves import Cosine, Linear, Polynomial
from glidepath.core.endless import Exponential, InverseTime
from glidepath.core.schedule import Schedule
from glidepath.errors import NoFormulaError

from .branches import write_branches
from .call import Call, call
from .dialect import KERAS
from .expression import Expression, tidy
from .function import write_function
from .layout import INDENT, indent
from .local_step import LocalStep
from .prelude import Prelude
from .program import program
from .scaled_leaves import ScaledLeaf, split_plan

NO_CLASS = "Keras has no class for this plan with the same values, so it is one of its own."
HOME = "keras.optimizers.schedules"


def write(plan: Schedule, peak: float | None) -> str:
    """Write `schedule`, which any optimizer of Keras takes for its learning_rate."""
    height = 1.0 if peak is None else peak
    schedule = _own(split_plan(plan, height)) or _levels(plan, height)
    if schedule is not None:
        return program(plan, [], [f"from {HOME} import {schedule.name}"], f"schedule = {schedule.text}")
    return _class(plan, height)


def _class(plan: Schedule, height: float) -> str:
    whole = write_function(plan, "step", KERAS, Expression("self.peak"))
    lines = [
        "@keras.saving.register_keras_serializable()",
        f"class Plan({HOME}.LearningRateSchedule):",
        f"{INDENT}def __init__(self, peak={height!r}):",
        f"{INDENT * 2}self.peak = peak",
        "",
        f"{INDENT}def __call__(self, step):",
        f'{INDENT * 2}step = ops.cast(step, "float32")',
        *indent("\n".join(whole.lines), 1),
        "",
        f"{INDENT}def get_config(self):",
        f'{INDENT * 2}return {{"peak": self.peak}}',
    ]
    imports = [*(["import math\n"] if whole.uses("math") else []), "import keras", "from keras import ops"]
    notes = [whole.note(NO_CLASS)]
    return program(plan, notes, imports, *whole.before, "\n".join(lines), "schedule = Plan()")


def _own(leaves: list[ScaledLeaf]) -> Call | None:
    """Write the call of the one class of Keras that is these leaves."""
    if len(leaves) == 2:
        return _after_warmup(*leaves)
    writer = CLASSES.get(type(leaves[0].leaf))
    return writer(leaves[0].leaf, leaves[0].height) if writer is not None and len(leaves) == 1 else None


def _levels(plan: Schedule, height: float) -> Call | None:
    """Write levels, one after the other."""
    try:
        branches = write_branches(plan, LocalStep(Expression("step")), Prelude(KERAS))
    except NoFormulaError:
        return None
    values = [branch.expression.value for branch in branches]
    if len(branches) < 2 or None in values or (branches[-2].end or 0) >= KERAS.longest:
        return None
    ends = [(branch.end or 0) - 1 for branch in branches[:-1]]
    rates = [tidy(height * value) for value in values if value is not None]
    return call("PiecewiseConstantDecay", boundaries=repr(ends), values=repr(rates))


def _after_warmup(rise: ScaledLeaf, fall: ScaledLeaf) -> Call | None:
    up, down = rise.leaf, fall.leaf
    if not isinstance(up, Linear) or up.steps != rise.steps or not isinstance(down, Cosine) or not _plain(down):
        return None
    target = tidy(down.start * fall.height)
    if tidy(up.to * rise.height) != target:
        return None
    return _cosine_decay(down, tidy(rise.height * up.start), warmup_target=target, warmup_steps=up.steps)


def _plain(leaf: Cosine) -> bool:
    return (leaf.power, leaf.k) == (1.0, 1.0) and leaf.start != 0.0 and leaf.steps > 0


def _cosine(leaf: Cosine, height: float) -> Call | None:
    return _cosine_decay(leaf, tidy(height * leaf.start)) if _plain(leaf) else None


def _cosine_decay(leaf: Cosine, first: float, **warmup: float) -> Call:
    alpha = tidy(leaf.to / leaf.start) or None
    return call("CosineDecay", initial_learning_rate=first, decay_steps=leaf.steps, alpha=alpha, **warmup)


def _polynomial(leaf: Linear | Polynomial, height: float) -> Call | None:
    power = leaf.power if isinstance(leaf, Polynomial) else 1.0
    if not leaf.steps or not power.is_integer() or (isinstance(leaf, Polynomial) and leaf.k != 1.0):
        return None
    return call(
        "PolynomialDecay",
        initial_learning_rate=tidy(height * leaf.start),
        decay_steps=leaf.steps,
        end_learning_rate=tidy(height * leaf.to),
        power=None if power == 1.0 else power,
    )


def _exponential(leaf: Exponential, height: float) -> Call:
    return call("ExponentialDecay", initial_learning_rate=height, decay_steps=leaf.every, decay_rate=leaf.factor)


def _inverse_time(leaf: InverseTime, height: float) -> Call:
    return call("InverseTimeDecay", initial_learning_rate=height, decay_steps=leaf.every, decay_rate=leaf.rate)


CLASSES: dict[type[Schedule], Callable[[Any, float], Call | None]] = {
    Cosine: _cosine,
    Linear: _polynomial,
    Polynomial: _polynomial,
    Exponential: _exponential,
    InverseTime: _inverse_time,
}
