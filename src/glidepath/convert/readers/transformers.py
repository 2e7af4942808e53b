"""The schedules of transformers: LambdaLRs, whose function is known by its name and read from its keywords.

They are factors of the group's own rate, so every group has the same schedule; a floor that is given as a rate
becomes a ratio of the optimizer's default rate, whatever the group's own is. Symbols: W num_warmup_steps, N
num_training_steps.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from glidepath.core.schedule import Schedule, shift
from glidepath.core.transforms import clip, repeat
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

from .rates import ADVICE, Attributes, PlanAndQuirks, level, number, zero_rate_quirk
from .ratios import join

Keywords = dict[str, Any]

NO_ROOM = "the warmup leaves no room for the decay: the rate jumps to its end at update {}"
RISES = "it rises again after update {}: kept"


def read(source: Any) -> NoReturn:
    """Raise: no class of transformers is a function of the step; its schedules are LambdaLRs of torch.

    Raises:
        ConvertError: always.
    """
    kind = type(source).__name__
    if kind == "GreedyLR":
        raise ConvertError(
            "GreedyLR (greedy) follows a metric, so it is not a function of the step: glidepath.torch.Plateau("
            f"optimizer, mode={source.mode!r}, factor={source.factor!r}, patience={source.patience!r}) lowers the rate "
            "by the same metric, and never raises it"
        )
    raise ConvertError(f"{kind} of transformers is not a schedule that can be read: give what get_scheduler returns")


def schedule_name(function: Any) -> str | None:
    """Return what transformers calls a schedule, by its function; None if the function is not its own."""
    inner = function.func if isinstance(function, partial) else function
    if not (getattr(inner, "__module__", None) or "").startswith("transformers."):
        return None
    return READERS[inner.__name__][0] if inner.__name__ in READERS else inner.__name__


def is_schedule_function(function: Any) -> bool:
    """Return whether a function is one of transformers' own."""
    return schedule_name(function) is not None


def read_function(function: Any) -> PlanAndQuirks:
    """Read the schedule that a function of transformers computes.

    Raises:
        ConvertError: if it is unknown, or would fail within transformers too.
    """
    inner, keywords = (function.func, function.keywords) if isinstance(function, partial) else (function, {})
    if inner.__name__ not in READERS:
        raise ConvertError(f"{inner.__name__} of this version of transformers is unknown here: {ADVICE}")
    curve, quirks = READERS[inner.__name__][1](Attributes(inner.__name__, keywords))
    return curve, (*zero_rate_quirk(curve), *quirks)


def _rise(keywords: Keywords) -> Schedule:
    return linear(keywords["num_warmup_steps"], to=1.0, start=0.0)


def _room(keywords: Keywords) -> int:
    return int(keywords["num_training_steps"] - keywords["num_warmup_steps"])


def _constant(keywords: Keywords) -> PlanAndQuirks:
    return constant(), ()


def _constant_with_warmup(keywords: Keywords) -> PlanAndQuirks:
    return join(_rise(keywords), constant()), ()


def _linear(keywords: Keywords) -> PlanAndQuirks:
    room = _room(keywords)
    if room <= 0:
        return join(_rise(keywords), level(0.0)), (NO_ROOM.format(keywords["num_warmup_steps"]),)
    return join(_rise(keywords), linear(room)), ()


def _cosine(keywords: Keywords) -> PlanAndQuirks:
    low, waves = number(keywords.get("min_lr_rate", 0.0), "min_lr_rate"), number(keywords["num_cycles"], "num_cycles")
    steps = max(1, _room(keywords))
    return join(_rise(keywords), _waves(steps, waves, low)), _rise_quirks(keywords, waves)


def _rise_quirks(keywords: Keywords, waves: float) -> tuple[str, ...]:
    top = keywords["num_warmup_steps"] + max(1, _room(keywords)) * 0.5 / abs(waves) if waves else math.inf
    crowded = (NO_ROOM.format(keywords["num_warmup_steps"]),) if _room(keywords) <= 0 else ()
    return (*((RISES.format(f"{top:g}"),) if waves else ()), *crowded)


def _waves(steps: int, waves: float, low: float) -> Schedule:
    """Build low + (1 - low) (1 + cos(2 pi waves k / steps)) / 2, for ever, and nothing below 0."""
    if waves == 0.0:
        return constant()
    if abs(waves) == 0.5:
        wave = repeat(cosine(steps, to=low) >> cosine(steps, to=1.0, start=low))
    elif (2 * waves).is_integer():
        wave = _lift(low, repeat(cosine_waves(2 * steps, waves=2 * abs(waves))))
    else:
        wave = _lift(low, formula(f"(1 + cos(2 * pi * {abs(waves)!r} * (step / {steps}))) / 2"))
    return clip(wave, minimum=0.0) if low < 0.0 else wave


def _lift(low: float, wave: Schedule) -> Schedule:
    return wave if low == 0.0 else shift(low, level(1.0 - low, wave))


def _cosine_late(keywords: Keywords) -> PlanAndQuirks:
    low, waves = number(keywords.get("min_lr_rate", 0.0), "min_lr_rate"), number(keywords["num_cycles"], "num_cycles")
    steps = max(1, _room(keywords))
    fall = _waves(steps, waves, low)
    plan = join(_late_rise(keywords), fall if waves == 0.0 else fall[1:])
    quirks = ("the decay is a step ahead, so it is at its end one update early", *_rise_quirks(keywords, waves))
    return plan, quirks if waves else ()


def _late_rise(keywords: Keywords) -> Schedule:
    steps, first = keywords["num_warmup_steps"], keywords.get("warmup_lr_rate")
    if first is None:
        return warmup(steps)
    if steps == 1:
        return level(number(first, "warmup_lr_rate"), constant(1))
    if steps == 0:
        return constant(0)
    return linear(steps - 1, to=1.0, start=number(first, "warmup_lr_rate")) >> constant(1)


def _restarts(keywords: Keywords) -> PlanAndQuirks:
    steps, cycles = max(1, _room(keywords)), number(keywords["num_cycles"], "num_cycles")
    if cycles.is_integer() and cycles > 0 and steps % cycles == 0 and not _loses_restarts(steps, int(cycles)):
        return join(_rise(keywords), _cycles(steps, int(cycles))), ()
    share = f"({cycles!r} * (step / {steps})) % 1.0"
    wave = formula(f"(1 + cos(pi * ({share}))) / 2")[:steps]
    rounding = ("some restarts are lost to the rounding of num_cycles * progress: kept",)
    return join(_rise(keywords), wave, level(0.0)), rounding if cycles.is_integer() and _loses_restarts(
        steps, int(cycles)
    ) else ()


def _cycles(steps: int, cycles: int) -> Schedule:
    return cosine(steps) if cycles == 1 else repeat(cosine(steps // cycles), times=cycles)


def _loses_restarts(steps: int, cycles: int) -> bool:
    """Return whether a restart that falls on an update is missed by transformers' arithmetic."""
    whole = (i * steps // cycles for i in range(1, cycles) if i * steps % cycles == 0)
    return any((float(cycles) * (k / steps)) % 1.0 != 0.0 for k in whole)


def _polynomial(keywords: Keywords) -> PlanAndQuirks:
    room, power = _room(keywords), number(keywords["power"], "power")
    to = number(keywords["lr_end"], "lr_end") / number(keywords["lr_init"], "lr_init")
    if room == 0 or (power < 0.0 and room > 0):
        raise ConvertError(
            f"transformers divides by zero at update {keywords['num_training_steps']} of this polynomial schedule "
            f"(num_warmup_steps={keywords['num_warmup_steps']}, power={power!r}): give it room and a power above 0"
        )
    if room < 0:
        return join(_rise(keywords), level(to)), (NO_ROOM.format(keywords["num_warmup_steps"]),)
    if power == 0.0:
        return join(_rise(keywords), constant(room + 1), level(to)), ("a power of 0 never falls: it jumps at the end",)
    return join(_rise(keywords), linear(room, to=to) if power == 1.0 else polynomial(room, to=to, power=power)), _ratio(
        to
    )


def _ratio(to: float) -> tuple[str, ...]:
    return (f"lr_end is taken as a share ({to!r}) of the optimizer's default rate, in every group",) if to else ()


def _inverse_sqrt(keywords: Keywords) -> PlanAndQuirks:
    timescale = number(keywords["timescale"], "timescale")
    if timescale <= 0.0:
        raise ConvertError(f"transformers divides by zero with timescale={timescale!r}: it must be above 0")
    if timescale.is_integer():
        return join(_rise(keywords), inverse_power(int(timescale))), ()
    return join(_rise(keywords), formula(f"1 / sqrt((step + {timescale!r}) / {timescale!r})")), ()


def _wsd(keywords: Keywords) -> PlanAndQuirks:
    low, stable = number(keywords["min_lr_ratio"], "min_lr_ratio"), keywords["num_stable_steps"]
    if low < 0.0:
        raise ConvertError(f"min_lr_ratio={low!r} is below 0: a rate never is")
    fall = _cooldown(keywords, low)
    if stable >= 0:
        return join(_wsd_rise(keywords, low), constant(stable), fall if keywords["num_decay_steps"] else level(low)), ()
    late = fall[-stable:] if -stable < keywords["num_decay_steps"] else level(low)
    return join(_wsd_rise(keywords, low), late), (
        f"warmup and decay do not fit: the rate jumps into the decay at update {keywords['num_warmup_steps']}",
    )


def _wsd_rise(keywords: Keywords, low: float) -> Schedule:
    steps, shape = keywords["num_warmup_steps"], keywords["warmup_type"]
    if shape == "1-sqrt":
        return polynomial(steps, to=1.0, start=low, power=0.5)
    return {"linear": linear, "cosine": cosine}[shape](steps, to=1.0, start=low)


def _cooldown(keywords: Keywords, low: float) -> Schedule:
    steps, shape, waves = (
        keywords["num_decay_steps"],
        keywords["decay_type"],
        number(keywords["num_cycles"], "num_cycles"),
    )
    if shape == "cosine" and waves != 0.5:
        return join(_waves(max(1, steps), waves, low)[:steps], level(low))
    return {"linear": linear, "cosine": cosine, "1-sqrt": one_minus_sqrt}[shape](steps, to=low)


READERS: dict[str, tuple[str, Callable[[Keywords], PlanAndQuirks]]] = {  # by the function: its name in get_scheduler
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
