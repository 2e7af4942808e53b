"""Composer's schedulers, from their attributes.

A scheduler of Composer is a factor of the optimizer's own rate, as a plan is. Its times are text that only the
trainer can turn into batches: "1dur" is a share of the run, which a draft writes as "100%"; epochs and tokens have
the same names there. So what is read is a draft, and `.over(Horizon(...))` says what the trainer knows.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from glidepath.convert.conversion import Conversion
from glidepath.core.schedule import Draft, Schedule, cut
from glidepath.errors import ConvertError
from glidepath.recipes import constant, cosine, exponential, linear, multistep, polynomial, repeat, step

from .rates import ADVICE, PlanAndQuirks, convert_plan, level, number

UNITS = {"ba": "", "ep": "ep", "tok": "tok", "dur": "%"}  # of Composer: of a plan

_TIME = re.compile(r"(.+?)(iter|ep|ba|sp|tok|dur|sec)", re.IGNORECASE)


class Time(NamedTuple):
    """An amount of one of Composer's units."""

    amount: Decimal
    unit: str

    @property
    def text(self) -> str:
        """Return it as a plan writes it."""
        amount = self.amount * 100 if self.unit == "dur" else self.amount
        return f"{amount.normalize():f}{UNITS[self.unit]}"


def read(source: Any) -> Conversion:
    """Read a scheduler of Composer as a factor of the optimizer's rate.

    Raises:
        ConvertError: if it is not one of Composer's own, or counts in a unit that a plan does not have.
    """
    name = type(source).__name__
    reader = CLASSES.get(name)
    if reader is None or not type(source).__module__.startswith("composer."):
        raise ConvertError(f"{name} is not one of Composer's own schedulers ({', '.join(CLASSES)}): {ADVICE}")

    def build() -> PlanAndQuirks:
        plan, quirks = reader(source)
        return plan, (*quirks, *_quirk_of_rounding(plan))

    return replace(convert_plan(f"composer {name}", build), shares=True)


def _quirk_of_rounding(plan: Schedule) -> tuple[str, ...]:
    if isinstance(plan, Draft):
        return ("Composer rounds a length in batches down, a plan to the nearest",)
    return ()


def _time(source: Any, name: str) -> Time:
    return _read_time(getattr(source, name), name)


def _read_time(value: Any, name: str) -> Time:
    text = value if isinstance(value, str) else f"{value.value}{value.unit.value}"
    match = _TIME.fullmatch(text.strip())
    try:
        time = Time(Decimal(match[1]), match[2].lower()) if match else None
    except InvalidOperation:
        time = None
    if time is None:
        raise ConvertError(f"{name} is {text!r}, not a time of Composer such as 100ba, 3ep, 2000tok or 0.5dur")
    if time.unit not in UNITS:
        raise ConvertError(
            f"{name} is {text!r}, and a plan has no unit {time.unit}: give it in batches (ba), epochs (ep), tokens "
            "(tok) or as a share of the run (dur)"
        )
    return time


def _after(warmup: Time, end: Time) -> str:
    """Return the length from the end of the warmup to t_max."""
    if warmup.unit != end.unit:
        raise ConvertError(
            f"t_warmup={warmup.text!r} and t_max={end.text!r} are in two units, so the length between them depends on "
            "the trainer: give both in batches, or both as shares of the run"
        )
    return Time(end.amount - warmup.amount, end.unit).text


def _step(source: Any) -> PlanAndQuirks:
    return step(every=_time(source, "step_size").text, factor=number(source.gamma, "gamma")), ()


def _multistep(source: Any) -> PlanAndQuirks:
    times = [_read_time(milestone, "a milestone") for milestone in source.milestones]
    if len({time.unit for time in times}) == 1:
        times.sort()
    return multistep([time.text for time in times], factor=number(source.gamma, "gamma")), ()


def _constant(source: Any) -> PlanAndQuirks:
    alpha = number(source.alpha, "alpha")
    if alpha == 1.0:
        return constant(), ()
    return level(alpha, constant(_time(source, "t_max").text)) >> constant(), ("from t_max on the factor is 1",)


def _linear(source: Any) -> PlanAndQuirks:
    to, start = number(source.alpha_f, "alpha_f"), number(source.alpha_i, "alpha_i")
    return linear(_time(source, "t_max").text, to=to, start=start), ()


def _exponential(source: Any) -> PlanAndQuirks:
    return exponential(every=_time(source, "decay_period").text, factor=number(source.gamma, "gamma")), ()


def _cosine(source: Any) -> PlanAndQuirks:
    return cosine(_time(source, "t_max").text, to=number(source.alpha_f, "alpha_f")), ()


def _restarts(source: Any) -> PlanAndQuirks:
    growth, first = number(source.t_mult, "t_mult"), _time(source, "t_0").text
    if not growth.is_integer():
        raise ConvertError(
            f"t_mult={growth!r} makes cycles that Composer rounds down one after the other: write them down, as in "
            "cosine(100) >> cosine(150) >> cosine(225)"
        )
    return repeat(cosine(first, to=number(source.alpha_f, "alpha_f")), growth=growth), ()


def _polynomial(source: Any) -> PlanAndQuirks:
    to, power = number(source.alpha_f, "alpha_f"), number(source.power, "power")
    return polynomial(_time(source, "t_max").text, to=to, power=power), ()


def _rise(source: Any, to: float = 1.0) -> Schedule:
    return linear(_time(source, "t_warmup").text, to=to, start=0.0)


def _multistep_with_warmup(source: Any) -> PlanAndQuirks:
    warmup, (steps, _) = _time(source, "t_warmup").text, _multistep(source)
    return _rise(source) >> cut(steps, warmup, None), (
        "milestones count from update 0, not from the end of the warmup",
    )


def _constant_with_warmup(source: Any) -> PlanAndQuirks:
    alpha = number(source.alpha, "alpha")
    return _rise(source, alpha) >> level(alpha), ()


def _with_warmup(source: Any, fall: Callable[[str], Schedule], peak: float = 1.0) -> PlanAndQuirks:
    warmup, end = _time(source, "t_warmup"), _time(source, "t_max")
    if warmup.unit == end.unit and end.amount <= warmup.amount:
        return _rise(source, peak) >> level(peak), ("t_max is not after the warmup, so nothing decays",)
    return _rise(source, peak) >> fall(_after(warmup, end)), ("t_max counts from update 0, the warmup within it",)


def _linear_with_warmup(source: Any) -> PlanAndQuirks:
    to, start = number(source.alpha_f, "alpha_f"), number(source.alpha_i, "alpha_i")
    return _with_warmup(source, lambda steps: linear(steps, to=to, start=start), start)


def _cosine_with_warmup(source: Any) -> PlanAndQuirks:
    to = number(source.alpha_f, "alpha_f")
    return _with_warmup(source, lambda steps: cosine(steps, to=to))


def _polynomial_with_warmup(source: Any) -> PlanAndQuirks:
    to, power = number(source.alpha_f, "alpha_f"), number(source.power, "power")
    return _with_warmup(source, lambda steps: polynomial(steps, to=to, power=power))


CLASSES: dict[str, Callable[[Any], PlanAndQuirks]] = {
    "StepScheduler": _step,
    "MultiStepScheduler": _multistep,
    "ConstantScheduler": _constant,
    "LinearScheduler": _linear,
    "ExponentialScheduler": _exponential,
    "CosineAnnealingScheduler": _cosine,
    "CosineAnnealingWarmRestartsScheduler": _restarts,
    "PolynomialScheduler": _polynomial,
    "MultiStepWithWarmupScheduler": _multistep_with_warmup,
    "ConstantWithWarmupScheduler": _constant_with_warmup,
    "LinearWithWarmupScheduler": _linear_with_warmup,
    "CosineAnnealingWithWarmupScheduler": _cosine_with_warmup,
    "PolynomialWithWarmupScheduler": _polynomial_with_warmup,
}
