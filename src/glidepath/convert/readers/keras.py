"""Keras's LearningRateSchedules, from their configurations. Values are rates as they are, which Keras computes in
float32: they agree to its precision.
"""

from collections.abc import Callable, Mapping
from typing import Any

from glidepath.convert.conversion import Conversion
from glidepath.core.schedule import Schedule, shift, staircase
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

from .rates import HOW_TO_GO_ON, Read, conversion, level, number

Config = Mapping[str, Any]

# compiled, a division by a count is a product with its rounded inverse
LATE = "compiled by JAX, its stairs may come an update late: here they do not"
RESTART = "compiled by JAX, a restart may come an update late: here none does"
ROOT = "compiled by JAX, it may be nan at its end, the root of a rounding error below 0: here it is its end"


def read(source: Any) -> Conversion:
    """The schedule that a LearningRateSchedule is.

    Raises:
        ConvertError: if its class is not one of Keras's own.
    """
    name = type(source).__name__
    reader = CLASSES.get(name)
    if reader is None or not type(source).__module__.startswith("keras."):
        raise ConvertError(f"{name} is not one of Keras's own schedules ({', '.join(CLASSES)}): {HOW_TO_GO_ON}")
    return conversion(f"keras {name}", lambda: reader(source.get_config()))


def _first(config: Config) -> float:
    return number(config["initial_learning_rate"], "initial_learning_rate")


def _exponential(config: Config) -> Read:
    every, factor = config["decay_steps"], number(config["decay_rate"], "decay_rate")
    return level(_first(config), (step if config["staircase"] else exponential)(every=every, factor=factor)), _late(
        config
    )


def _late(config: Config) -> tuple[str, ...]:
    return (LATE,) if config["staircase"] else ()


def _inverse_time(config: Config) -> Read:
    falling = inverse_time(every=config["decay_steps"], rate=number(config["decay_rate"], "decay_rate"))
    return level(
        _first(config), staircase(falling, every=config["decay_steps"]) if config["staircase"] else falling
    ), _late(config)


def _piecewise_constant(config: Config) -> Read:
    values = [number(value, "a value") for value in config["values"]]
    starts = [max(0, int(boundary) + 1) for boundary in config["boundaries"]]
    return piecewise_constant(starts, values=values), ("a boundary b still belongs to what is before it",)


def _polynomial(config: Config) -> Read:
    start, power, steps = _first(config), number(config["power"], "power"), config["decay_steps"]
    to = number(config["end_learning_rate"], "end_learning_rate")
    if power == 0.0:
        return level(start), ("a power of 0 is 1 everywhere: the first value stays",)
    if config["cycle"]:
        return _cycling(start, to, power, steps)
    if power == 1.0:
        return linear(steps, to=to, start=start), ()
    return polynomial(steps, to=to, start=start, power=power), () if power.is_integer() else (ROOT,)


def _cycling(start: float, to: float, power: float, steps: Any) -> Read:
    fall = f"(1 - step / ({steps} * max(1, ceil(step / {steps}))))"
    plan = formula(f"{to!r} + ({start!r} - {to!r}) * {fall} ** {power!r}")
    return plan, (f"with cycle it is at its end at every multiple of {steps}, and rises at the update after it",)


def _cosine(config: Config) -> Read:
    first, target, rise = _first(config), config["warmup_target"], config["warmup_steps"]
    fall = cosine(config["decay_steps"], to=number(config["alpha"], "alpha"))
    if target is None:
        return level(first, fall), (("warmup_steps without a warmup_target does nothing",) if rise else ())
    peak = number(target, "warmup_target")
    return linear(rise, to=peak, start=first) >> level(peak, fall), ("decay_steps begin after the warmup",)


def _restarts(config: Config) -> Read:
    steps, floor = config["first_decay_steps"], number(config["alpha"], "alpha")
    growth, shrink = number(config["t_mul"], "t_mul"), number(config["m_mul"], "m_mul")
    if growth < 1.0:
        raise ConvertError(
            f"t_mul is {growth!r}: below 1 its cycles come to an end, and its rate is no number after it"
        )
    if growth.is_integer():
        plan = cosine_restarts(steps, growth=growth, shrink=shrink, to=floor)
    else:
        plan = _uneven(steps, growth, shrink, floor)
    missed = ("in float32 Keras may miss a restart of long cycles by an update or more; here none is missed",)
    return level(_first(config), plan), (RESTART,) if growth == 1.0 else missed


def _uneven(steps: Any, growth: float, shrink: float, floor: float) -> Schedule:
    """Cycles whose boundaries are no whole steps, so that each begins within its curve."""
    cycle = f"floor(log(1 + step / {steps} * {growth - 1.0!r}) / log({growth!r}) + 1e-12)"
    length = f"{growth!r} ** {cycle}"
    passed = f"(step / {steps} - ({length} - 1) / {growth - 1.0!r}) / {length}"
    wave = formula(f"{1.0 - floor!r} * {shrink!r} ** {cycle} * (1 + cos(pi * {passed})) / 2")
    return wave if floor == 0.0 else shift(floor, wave)


CLASSES: dict[str, Callable[[Config], Read]] = {
    "ExponentialDecay": _exponential,
    "PiecewiseConstantDecay": _piecewise_constant,
    "PolynomialDecay": _polynomial,
    "InverseTimeDecay": _inverse_time,
    "CosineDecay": _cosine,
    "CosineDecayRestarts": _restarts,
}
