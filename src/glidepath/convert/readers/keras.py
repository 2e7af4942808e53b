"""Keras's LearningRateSchedules, from their configurations. Values are rates as they are, which Keras computes in
float32: they agree to its precision.
"""

from collections.abc import Callable, Mapping
from typing import Any

from glidepath.convert.conversion import Conversion
from glidepath.core.schedule import Schedule, shift
from glidepath.core.transforms import staircase
from glidepath.errors import ConvertError
from glidepath.recipes import (
    cosine,
    cosine_restarts,
    exponential,
    formula,
    inverse_time,
    linear,
    piecewise_constant,
    polynomial,
    step,
)

from .rates import ADVICE, Attributes, PlanAndQuirks, convert_plan, finite, level, number

Config = Mapping[str, Any]

# compiled, a division by a count is a product with its rounded inverse
LATE = "compiled by JAX, its stairs may come an update late: here they do not"
RESTART = "compiled by JAX, a restart may come an update late: here none does"
ROOT = "compiled by JAX, it may be nan at its end, the root of a rounding error below 0: here it is its end"


def read(source: Any) -> Conversion:
    """Read the schedule that a LearningRateSchedule computes.

    Raises:
        ConvertError: if its class is not one of Keras's own.
    """
    name = type(source).__name__
    reader = CLASSES.get(name)
    if reader is None or not type(source).__module__.startswith("keras."):
        raise ConvertError(f"{name} is not one of Keras's own schedules ({', '.join(CLASSES)}): {ADVICE}")
    return convert_plan(f"keras {name}", lambda: reader(Attributes(f"keras {name}", source.get_config())))


def _first(config: Config) -> float:
    return number(config["initial_learning_rate"], "initial_learning_rate")


def _exponential(config: Config) -> PlanAndQuirks:
    every, factor = config["decay_steps"], number(config["decay_rate"], "decay_rate")
    return level(_first(config), (step if config["staircase"] else exponential)(every=every, factor=factor)), _late(
        config
    )


def _late(config: Config) -> tuple[str, ...]:
    return (LATE,) if config["staircase"] else ()


def _inverse_time(config: Config) -> PlanAndQuirks:
    decay = inverse_time(every=config["decay_steps"], rate=number(config["decay_rate"], "decay_rate"))
    return level(
        _first(config), staircase(decay, every=config["decay_steps"]) if config["staircase"] else decay
    ), _late(config)


def _piecewise_constant(config: Config) -> PlanAndQuirks:
    values = [number(value, "a value") for value in config["values"]]
    starts = [max(0, int(finite(boundary, "a boundary")) + 1) for boundary in config["boundaries"]]
    return piecewise_constant(starts, values=values), ("a boundary b still belongs to what is before it",)


def _polynomial(config: Config) -> PlanAndQuirks:
    start, power, steps = _first(config), number(config["power"], "power"), config["decay_steps"]
    to = number(config["end_learning_rate"], "end_learning_rate")
    if power == 0.0:
        return level(start), ("a power of 0 is 1 everywhere: the first value stays",)
    if config["cycle"]:
        return _cyclic(start, to, power, steps)
    if power == 1.0:
        return linear(steps, to=to, start=start), ()
    return polynomial(steps, to=to, start=start, power=power), () if power.is_integer() else (ROOT,)


def _cyclic(start: float, to: float, power: float, steps: Any) -> PlanAndQuirks:
    fall = f"(1 - step / ({steps} * max(1, ceil(step / {steps}))))"
    plan = formula(f"{to!r} + ({start!r} - {to!r}) * {fall} ** {power!r}")
    return plan, (f"with cycle it is at its end at every multiple of {steps}, and rises at the update after it",)


def _cosine(config: Config) -> PlanAndQuirks:
    first, target, rise = _first(config), config["warmup_target"], config["warmup_steps"]
    fall = cosine(config["decay_steps"], to=number(config["alpha"], "alpha"))
    if target is None:
        return level(first, fall), (("warmup_steps without a warmup_target does nothing",) if rise else ())
    peak = number(target, "warmup_target")
    return linear(rise, to=peak, start=first) >> level(peak, fall), ("decay_steps begin after the warmup",)


def _restarts(config: Config) -> PlanAndQuirks:
    steps, floor = config["first_decay_steps"], number(config["alpha"], "alpha")
    growth, shrink = number(config["t_mul"], "t_mul"), number(config["m_mul"], "m_mul")
    if growth < 1.0:
        raise ConvertError(f"t_mul is {growth!r}: below 1 its cycles come to an end, and its rate is NaN after it")
    if growth.is_integer():
        plan = cosine_restarts(steps, growth=growth, shrink=shrink, to=floor)
    else:
        plan = _uneven(steps, growth, shrink, floor)
    late = ("in float32 Keras may miss a restart of long cycles by an update or more; here none is missed",)
    return level(_first(config), plan), (RESTART,) if growth == 1.0 else late


def _uneven(steps: Any, growth: float, shrink: float, floor: float) -> Schedule:
    """Build cycles whose boundaries are not whole steps, so that each begins within its curve."""
    cycle = f"floor(log(1 + step / {steps} * {growth - 1.0!r}) / log({growth!r}) + 1e-12)"
    length = f"{growth!r} ** {cycle}"
    progress = f"(step / {steps} - ({length} - 1) / {growth - 1.0!r}) / {length}"
    wave = formula(f"{1.0 - floor!r} * {shrink!r} ** {cycle} * (1 + cos(pi * {progress})) / 2")
    return wave if floor == 0.0 else shift(floor, wave)


CLASSES: dict[str, Callable[[Config], PlanAndQuirks]] = {
    "ExponentialDecay": _exponential,
    "PiecewiseConstantDecay": _piecewise_constant,
    "PolynomialDecay": _polynomial,
    "InverseTimeDecay": _inverse_time,
    "CosineDecay": _cosine,
    "CosineDecayRestarts": _restarts,
}
