"""Megatron-LM's arguments: a mapping or a namespace with its names, from which it builds one scheduler.

Megatron-LM counts samples: update k is at k * global_batch_size. All of its curves are ratios of such counts, so the
batch size cancels where everything is given in iterations. Symbols: W the warmup, N the decay's end, D the cooldown of
WSD, all in updates; W may be a fraction of an update, when it is given as a share of N.
"""

import math
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from glidepath.convert.conversion import Conversion
from glidepath.core.schedule import Schedule
from glidepath.core.transforms import clip
from glidepath.errors import ConvertError
from glidepath.recipes import constant, cosine, formula, inverse_power, linear, normalized_exponential, one_minus_sqrt

from .rates import level, number, zero_rate_quirk
from .ratios import join

Arguments = Mapping[str, Any]

STYLES = ("constant", "linear", "cosine", "inverse-square-root", "WSD")
NUMBERS = (
    *("lr", "min_lr", "lr_warmup_init", "lr_warmup_fraction", "global_batch_size"),
    *("train_iters", "lr_decay_iters", "lr_warmup_iters", "lr_wsd_decay_iters"),
    *("train_samples", "lr_decay_samples", "lr_warmup_samples", "lr_wsd_decay_samples"),
)
JUMPS = "the update after lr_decay_iters is at min_lr at once"


class Lengths(NamedTuple):
    """The warmup W, the end of the decay N and the cooldown D, in updates."""

    warmup: float
    decay: int
    cooldown: int | None


class Levels(NamedTuple):
    """The first and the last rate as shares of the peak."""

    first: float
    last: float


def read(source: Any) -> Conversion:
    """Read the schedule that Megatron-LM's arguments describe, as a ratio of `lr`.

    Raises:
        ConvertError: if an argument is missing, is one that Megatron-LM refuses, or is not a number of updates.
    """
    arguments = _numbers(vars(source) if isinstance(source, Namespace) else source)
    if arguments.get("lr") is None:
        lack = "lr is null here" if "lr" in arguments else "this mapping has no lr"
        raise ConvertError(f"Megatron-LM's arguments need lr, and train_iters or lr_decay_iters: {lack}")
    peak, style = arguments["lr"], arguments.get("lr_decay_style", "linear")
    lengths, levels = _lengths(arguments), _levels(arguments, peak)
    if style not in STYLES:
        raise ConvertError(f"lr_decay_style is one of {', '.join(STYLES)}, not {style!r}")
    plan, quirks = _plan(arguments, style, lengths, levels)
    return Conversion(f"Megatron-LM {style}", (plan,), (peak,), (*zero_rate_quirk(plan), *quirks))


def _numbers(arguments: Arguments) -> Arguments:
    """Return the arguments with every number as a float; None stays."""
    numbers = {name: number(arguments[name], name) for name in NUMBERS if arguments.get(name) is not None}
    return {**arguments, **numbers}


def _plan(arguments: Arguments, style: str, lengths: Lengths, levels: Levels) -> tuple[Schedule, tuple[str, ...]]:
    if style == "constant":
        return join(_rise(lengths, levels), constant()), ()
    if style == "inverse-square-root":
        return _inverse_sqrt(arguments, lengths, levels), (JUMPS,)
    if style == "WSD":
        return _wsd(arguments, lengths, levels)
    return join(_rise(lengths, levels), _decay(style, lengths, levels)), ()


# --- lengths and levels ---


def _lengths(arguments: Arguments) -> Lengths:
    if arguments.get("rampup_batch_size") is not None:
        raise ConvertError(
            "rampup_batch_size makes updates of several lengths in samples, so the rate is not a function of the step"
        )
    lengths = (
        _in_iterations(arguments)
        if arguments.get("train_iters") or arguments.get("lr_decay_iters")
        else _in_samples(arguments)
    )
    if lengths.decay <= 0 or lengths.warmup >= lengths.decay or lengths.warmup < 0:
        raise ConvertError(
            f"Megatron-LM refuses a warmup of {lengths.warmup:g} updates in a decay of {lengths.decay}: "
            "make the warmup shorter"
        )
    return lengths


def _in_iterations(arguments: Arguments) -> Lengths:
    decay = _whole(arguments.get("lr_decay_iters") or arguments["train_iters"], "lr_decay_iters")
    cooldown = arguments.get("lr_wsd_decay_iters")
    warmup = _share(arguments, decay, arguments.get("lr_warmup_iters") or 0.0)
    return Lengths(warmup, decay, None if cooldown is None else _whole(cooldown, "lr_wsd_decay_iters"))


def _in_samples(arguments: Arguments) -> Lengths:
    samples, batch = (
        arguments.get("lr_decay_samples") or arguments.get("train_samples"),
        arguments.get("global_batch_size") or 0,
    )
    if samples is None:
        raise ConvertError("give train_iters or lr_decay_iters, or train_samples and global_batch_size")
    if batch <= 0:
        raise ConvertError("a length in samples is a number of updates only with global_batch_size: give it too")
    decay, cooldown = (
        _whole(samples / batch, "lr_decay_samples / global_batch_size"),
        arguments.get("lr_wsd_decay_samples"),
    )
    warmup = _share(arguments, decay, (arguments.get("lr_warmup_samples") or 0.0) / batch)
    whole = None if cooldown is None else _whole(cooldown / batch, "lr_wsd_decay_samples / global_batch_size")
    return Lengths(warmup, decay, whole)


def _share(arguments: Arguments, decay: int, warmup: float) -> float:
    """Return W: by lr_warmup_fraction if there is one; whole but for its rounding, as 0.07 * 100 is."""
    fraction = arguments.get("lr_warmup_fraction")
    steps = warmup if fraction is None else fraction * decay
    return float(round(steps)) if math.isclose(steps, round(steps), rel_tol=1e-12) else steps


def _whole(value: float, name: str) -> int:
    if value.is_integer():
        return int(value)
    raise ConvertError(f"{name} is {value!r}: only whole updates can be read")


def _levels(arguments: Arguments, peak: float) -> Levels:
    last = arguments.get("min_lr") or 0.0
    first = arguments.get("lr_warmup_init") or 0.0
    if not peak > 0.0 or not 0.0 <= last <= peak or first > peak:
        raise ConvertError(
            f"Megatron-LM needs 0 <= min_lr <= lr and lr_warmup_init <= lr, and a lr above 0: not lr={peak!r}, "
            f"min_lr={last!r}, lr_warmup_init={first!r}"
        )
    return Levels(first / peak, last / peak)


# --- curves ---


def _rise(lengths: Lengths, levels: Levels) -> Schedule:
    """Build first + (1 - first) k / W, as long as k <= W."""
    whole = math.floor(lengths.warmup)
    if whole == lengths.warmup:
        return linear(whole, to=1.0, start=levels.first)
    reached = levels.first + (1.0 - levels.first) * whole / lengths.warmup
    return linear(whole, to=reached, start=levels.first)[: whole + 1]


def _first_after_warmup(lengths: Lengths) -> int:
    """Return the first update after the warmup; it ends at the peak, so a whole W may go either way."""
    return math.ceil(lengths.warmup)


def _decay(style: str, lengths: Lengths, levels: Levels) -> Schedule:
    begin, span = _first_after_warmup(lengths), lengths.decay - lengths.warmup
    steps, remaining = lengths.decay - begin, (lengths.decay - begin) / span
    if style == "linear":
        return linear(
            steps, to=levels.last, start=1.0 if remaining == 1.0 else levels.last + (1.0 - levels.last) * remaining
        )
    if remaining == 1.0:
        return cosine(steps, to=levels.last)
    share = f"(1 + cos(pi * ((step + {begin - lengths.warmup!r}) / {span!r}))) / 2"
    return formula(f"{levels.last!r} + {1.0 - levels.last!r} * ({share})")[:steps] >> level(levels.last)


def _inverse_sqrt(arguments: Arguments, lengths: Lengths, levels: Levels) -> Schedule:
    """Build sqrt(W / k), not below min_lr, up to N."""
    begin = max(1, _first_after_warmup(lengths))
    steps = lengths.warmup if lengths.warmup >= 1 else max(lengths.warmup, 1 / _batch(arguments))
    fall = level(math.sqrt(steps / begin), inverse_power(begin))
    first = _rise(lengths, levels) if lengths.warmup else constant(1)
    decay = clip(fall, minimum=levels.last) if levels.last else fall
    return join(first, decay[: lengths.decay + 1 - begin], level(levels.last))


def _batch(arguments: Arguments) -> float:
    batch: float | None = arguments.get("global_batch_size")
    if not batch:
        raise ConvertError(
            "without a warmup of an update Megatron-LM's inverse square root counts samples, at least 1 of them: "
            "give global_batch_size too"
        )
    return batch


def _wsd(arguments: Arguments, lengths: Lengths, levels: Levels) -> tuple[Schedule, tuple[str, ...]]:
    steps, begin = lengths.cooldown, _first_after_warmup(lengths)
    if steps is None:
        raise ConvertError("lr_decay_style WSD needs the cooldown's length: lr_wsd_decay_iters or lr_wsd_decay_samples")
    hold = lengths.decay - steps - begin
    if steps == 0:
        return join(_rise(lengths, levels), constant(hold + 1), level(levels.last)), (JUMPS,)
    fall = _cooldown(arguments.get("lr_wsd_decay_style", "exponential"), steps, levels.last)
    if hold >= 0:
        return join(_rise(lengths, levels), constant(hold), fall), ()
    jump = (f"warmup and cooldown overlap: the rate jumps into the cooldown after update {begin}",)
    at_peak = constant(1 if lengths.warmup == begin and begin else 0)
    return join(_rise(lengths, levels), at_peak, fall[(at_peak.duration or 0) - hold :]), jump


def _cooldown(style: str, steps: int, to: float) -> Schedule:
    if style not in tuple(COOLDOWNS):
        raise ConvertError(f"lr_wsd_decay_style is one of {', '.join(COOLDOWNS)}, not {style!r}")
    return COOLDOWNS[style](steps, to)


COOLDOWNS: dict[str, Callable[[int, float], Schedule]] = {
    "linear": lambda steps, to: linear(steps, to=to),
    "cosine": lambda steps, to: cosine(steps, to=to),
    "exponential": lambda steps, to: normalized_exponential(steps, to=to, ratio=0.5),
    "minus_sqrt": lambda steps, to: one_minus_sqrt(steps, to=to),
}
