"""The schedules of transformers: LambdaLRs, whose function is told by its name, and its keywords taken.

They are factors of the group's own rate, so every group has the same schedule; a floor that is given as a rate
becomes a ratio of the optimizer's default rate, whatever the group's own is. Letters: W num_warmup_steps, N
num_training_steps.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from glidepath.core.schedule import Schedule, clip, repeat, shift
from glidepath.errors import ConvertError
from glidepath.recipes import (
    constant,
    cosine,
    cosine_waves,
    formula,
    inverse_power,
    linear,
    one_minus_sqrt,
    polynomial,
    warmup,
)

from .rates import HOW_TO_GO_ON, Read, at_zero, level, number
from .ratios import in_row

Keywords = dict[str, Any]

NO_ROOM = "the warmup leaves no room for the decay: the rate jumps to its end at update {}"
RISES = "it rises again after update {}: kept"


def read(source: Any) -> NoReturn:
    """No class of transformers is a function of the step: its schedules are LambdaLRs of torch.

    Raises:
        ConvertError: always.
    """
    kind = type(source).__name__
    if kind == "GreedyLR":
        raise ConvertError(
            "GreedyLR (greedy) follows a metric, so it is no function of the step: glidepath.torch.Plateau("
            f"optimizer, mode={source.mode!r}, factor={source.factor!r}, patience={source.patience!r}) lowers the rate "
            "by the same metric, and never raises it"
        )
    raise ConvertError(f"{kind} of transformers is no schedule that can be read: give what get_scheduler returns")


def name(function: Any) -> str | None:
    """What transformers calls a schedule, by its function; None if the function is not its own."""
    inner = function.func if isinstance(function, partial) else function
    if not (getattr(inner, "__module__", None) or "").startswith("transformers."):
        return None
    return READERS[inner.__name__][0] if inner.__name__ in READERS else inner.__name__


def knows(function: Any) -> bool:
    """Whether a function is one of transformers' own."""
    return name(function) is not None


def plan(function: Any) -> Read:
    """The schedule that a function of transformers computes.

    Raises:
        ConvertError: if it is unknown, or would fail within transformers too.
    """
    inner, given = (function.func, dict(function.keywords)) if isinstance(function, partial) else (function, {})
    if inner.__name__ not in READERS:
        raise ConvertError(f"{inner.__name__} of this version of transformers is unknown here: {HOW_TO_GO_ON}")
    try:
        curve, quirks = READERS[inner.__name__][1](given)
    except KeyError as error:
        raise ConvertError(
            f"{inner.__name__} of this version of transformers has no {error}: {HOW_TO_GO_ON}"
        ) from error
    return curve, (*at_zero(curve), *quirks)


def _rise(given: Keywords) -> Schedule:
    return linear(given["num_warmup_steps"], to=1.0, start=0.0)


def _room(given: Keywords) -> int:
    return int(given["num_training_steps"] - given["num_warmup_steps"])


def _constant(given: Keywords) -> Read:
    return constant(), ()


def _constant_with_warmup(given: Keywords) -> Read:
    return in_row(_rise(given), constant()), ()


def _linear(given: Keywords) -> Read:
    room = _room(given)
    if room <= 0:
        return in_row(_rise(given), level(0.0)), (NO_ROOM.format(given["num_warmup_steps"]),)
    return in_row(_rise(given), linear(room)), ()


def _cosine(given: Keywords) -> Read:
    low, waves = number(given.get("min_lr_rate", 0.0), "min_lr_rate"), number(given["num_cycles"], "num_cycles")
    steps = max(1, _room(given))
    return in_row(_rise(given), _waves(steps, waves, low)), _risen(given, waves)


def _risen(given: Keywords, waves: float) -> tuple[str, ...]:
    top = given["num_warmup_steps"] + max(1, _room(given)) * 0.5 / abs(waves) if waves else math.inf
    crowded = (NO_ROOM.format(given["num_warmup_steps"]),) if _room(given) <= 0 else ()
    return (*((RISES.format(f"{top:g}"),) if waves else ()), *crowded)


def _waves(steps: int, waves: float, low: float) -> Schedule:
    """low + (1 - low) (1 + cos(2 pi waves k / steps)) / 2, for ever, and nothing below 0."""
    if waves == 0.0:
        return constant()
    if abs(waves) == 0.5:
        wave = repeat(cosine(steps, to=low) >> cosine(steps, to=1.0, start=low))
    elif (2 * waves).is_integer():
        wave = _raised(low, repeat(cosine_waves(2 * steps, waves=2 * abs(waves))))
    else:
        wave = _raised(low, formula(f"(1 + cos(2 * pi * {abs(waves)!r} * (step / {steps}))) / 2"))
    return clip(wave, low=0.0) if low < 0.0 else wave


def _raised(low: float, wave: Schedule) -> Schedule:
    return wave if low == 0.0 else shift(low, level(1.0 - low, wave))


def _cosine_late(given: Keywords) -> Read:
    low, waves = number(given.get("min_lr_rate", 0.0), "min_lr_rate"), number(given["num_cycles"], "num_cycles")
    steps = max(1, _room(given))
    fall = _waves(steps, waves, low)
    plan = in_row(_late_rise(given), fall if waves == 0.0 else fall[1:])
    quirks = ("the decay is a step ahead, so it is at its end one update early", *_risen(given, waves))
    return plan, quirks if waves else ()


def _late_rise(given: Keywords) -> Schedule:
    steps, first = given["num_warmup_steps"], given.get("warmup_lr_rate")
    if first is None:
        return warmup(steps)
    if steps == 1:
        return level(number(first, "warmup_lr_rate"), constant(1))
    if steps == 0:
        return constant(0)
    return linear(steps - 1, to=1.0, start=number(first, "warmup_lr_rate")) >> constant(1)


def _restarts(given: Keywords) -> Read:
    steps, cycles = max(1, _room(given)), number(given["num_cycles"], "num_cycles")
    if cycles.is_integer() and cycles > 0 and steps % cycles == 0 and not _lost(steps, int(cycles)):
        return in_row(_rise(given), _cycles(steps, int(cycles))), ()
    share = f"({cycles!r} * (step / {steps})) % 1.0"
    wave = formula(f"(1 + cos(pi * ({share}))) / 2")[:steps]
    lost = ("some restarts are lost to the rounding of num_cycles * progress: kept",)
    return in_row(_rise(given), wave, level(0.0)), lost if cycles.is_integer() and _lost(steps, int(cycles)) else ()


def _cycles(steps: int, cycles: int) -> Schedule:
    return cosine(steps) if cycles == 1 else repeat(cosine(steps // cycles), times=cycles)


def _lost(steps: int, cycles: int) -> bool:
    """Whether a restart that falls on an update is missed by transformers' arithmetic."""
    whole = (i * steps // cycles for i in range(1, cycles) if i * steps % cycles == 0)
    return any((float(cycles) * (k / steps)) % 1.0 != 0.0 for k in whole)


def _polynomial(given: Keywords) -> Read:
    room, power = _room(given), number(given["power"], "power")
    to = number(given["lr_end"], "lr_end") / number(given["lr_init"], "lr_init")
    if room == 0 or (power < 0.0 and room > 0):
        raise ConvertError(
            f"transformers divides by zero at update {given['num_training_steps']} of this polynomial schedule "
            f"(num_warmup_steps={given['num_warmup_steps']}, power={power!r}): give it room and a power above 0"
        )
    if room < 0:
        return in_row(_rise(given), level(to)), (NO_ROOM.format(given["num_warmup_steps"]),)
    if power == 0.0:
        return in_row(_rise(given), constant(room + 1), level(to)), ("a power of 0 never falls: it jumps at the end",)
    return in_row(_rise(given), linear(room, to=to) if power == 1.0 else polynomial(room, to=to, power=power)), _ratio(
        to
    )


def _ratio(to: float) -> tuple[str, ...]:
    return (f"lr_end is taken as a share ({to!r}) of the optimizer's default rate, in every group",) if to else ()


def _inverse_sqrt(given: Keywords) -> Read:
    timescale = number(given["timescale"], "timescale")
    if timescale <= 0.0:
        raise ConvertError(f"transformers divides by zero with timescale={timescale!r}: it must be above 0")
    if timescale.is_integer():
        return in_row(_rise(given), inverse_power(int(timescale))), ()
    return in_row(_rise(given), formula(f"1 / sqrt((step + {timescale!r}) / {timescale!r})")), ()


def _wsd(given: Keywords) -> Read:
    low, stable = number(given["min_lr_ratio"], "min_lr_ratio"), given["num_stable_steps"]
    if low < 0.0:
        raise ConvertError(f"min_lr_ratio={low!r} is below 0: a rate never is")
    fall = _cooldown(given, low)
    if stable >= 0:
        return in_row(_wsd_rise(given, low), constant(stable), fall if given["num_decay_steps"] else level(low)), ()
    late = fall[-stable:] if -stable < given["num_decay_steps"] else level(low)
    return in_row(_wsd_rise(given, low), late), (
        f"warmup and decay do not fit: the rate jumps into the decay at update {given['num_warmup_steps']}",
    )


def _wsd_rise(given: Keywords, low: float) -> Schedule:
    steps, shape = given["num_warmup_steps"], given["warmup_type"]
    if shape == "1-sqrt":
        return polynomial(steps, to=1.0, start=low, power=0.5)
    return {"linear": linear, "cosine": cosine}[shape](steps, to=1.0, start=low)


def _cooldown(given: Keywords, low: float) -> Schedule:
    steps, shape, waves = given["num_decay_steps"], given["decay_type"], number(given["num_cycles"], "num_cycles")
    if shape == "cosine" and waves != 0.5:
        return in_row(_waves(max(1, steps), waves, low)[:steps], level(low))
    return {"linear": linear, "cosine": cosine, "1-sqrt": one_minus_sqrt}[shape](steps, to=low)


READERS: dict[str, tuple[str, Callable[[Keywords], Read]]] = {  # by the function: its name in get_scheduler
    "_get_constant_lambda": ("constant", _constant),
    "_get_constant_schedule_with_warmup_lr_lambda": ("constant_with_warmup", _constant_with_warmup),
    "_get_linear_schedule_with_warmup_lr_lambda": ("linear", _linear),
    "_get_cosine_schedule_with_warmup_lr_lambda": ("cosine", _cosine),
    "_get_cosine_with_hard_restarts_schedule_with_warmup_lr_lambda": ("cosine_with_restarts", _restarts),
    "_get_polynomial_decay_schedule_with_warmup_lr_lambda": ("polynomial", _polynomial),
    "_get_inverse_sqrt_schedule_lr_lambda": ("inverse_sqrt", _inverse_sqrt),
    "_get_cosine_with_min_lr_schedule_with_warmup_lr_rate_lambda": ("cosine_warmup_with_min_lr", _cosine_late),
    "_get_wsd_scheduler_lambda": ("warmup_stable_decay", _wsd),
}
