"""PyTorch's schedulers that anneal towards an absolute rate, which is another ratio in each group."""

from typing import Any

from glidepath.convert.readers.rates import level
from glidepath.convert.readers.ratios import ratio
from glidepath.core.schedule import Schedule, shift
from glidepath.core.transforms import repeat
from glidepath.errors import ConvertError
from glidepath.recipes import cosine, cosine_restarts, formula, linear

from .group_plans import GroupPlans, InitialState, floats, start_ratios

RISES = "torch's cosine rises again after update {}: kept"


def read_cosine(scheduler: Any, initial: InitialState) -> GroupPlans:
    """Read CosineAnnealingLR: from the rate in the group down to eta_min, up to its base rate again, for ever."""
    steps, low = scheduler.T_max, float(scheduler.eta_min)
    base_rates = floats(scheduler.base_lrs)
    plans = tuple(
        waves(steps, ratio(low, base), start, ratio(top, base))
        for start, top, base in zip(start_ratios(scheduler, initial), base_rates, initial.bases, strict=True)
    )
    above = ("eta_min is above a base rate: the cosine goes up first",) if any(lr < low for lr in base_rates) else ()
    return GroupPlans(plans, (RISES.format(steps), *above))


def waves(steps: Any, low: float, start: float, top: float) -> Schedule:
    """Build a wave from `start` down to `low` and up to `top`, for ever, `steps` each way."""
    if not float(steps).is_integer():
        return _fractional_waves(float(steps), low, start)
    if start == top:
        return repeat(cosine(steps, to=low, start=top) >> cosine(steps, to=top, start=low))
    later = repeat(cosine(steps, to=top, start=low) >> cosine(steps, to=low, start=top))
    return cosine(steps, to=low, start=start) >> later


def _fractional_waves(steps: float, low: float, start: float) -> Schedule:
    wave = level(start - low, formula(f"(1 + cos(pi * step / {steps!r})) / 2"))
    return wave if low == 0.0 else shift(low, wave)


def read_restarts(scheduler: Any, initial: InitialState) -> GroupPlans:
    """Read CosineAnnealingWarmRestarts: cycle i lasts T_0 T_mult^i updates."""
    _refuse_another_clock(scheduler)
    low = float(scheduler.eta_min)
    plans = tuple(
        level(
            ratio(lr, base),
            cosine_restarts(scheduler.T_0, growth=scheduler.T_mult, to=ratio(low, lr)),
        )
        for lr, base in zip(floats(scheduler.base_lrs), initial.bases, strict=True)
    )
    return GroupPlans(plans)


def _refuse_another_clock(scheduler: Any) -> None:
    """Refuse T_cur and T_i, torch's own clock, at another time: last_epoch at the start and step(epoch) can set it."""
    passed, length = scheduler.last_epoch, scheduler.T_0
    while scheduler.T_mult > 1 and passed >= length:
        passed, length = passed - length, length * scheduler.T_mult
    passed %= length
    if scheduler.last_epoch >= 0 and (scheduler.T_cur, scheduler.T_i) != (passed, length):
        raise ConvertError(
            f"CosineAnnealingWarmRestarts is at T_cur={scheduler.T_cur!r} of T_i={scheduler.T_i!r}, and update "
            f"{scheduler.last_epoch} is at {passed!r} of {length!r}: build it without last_epoch, and call step() "
            "without an epoch"
        )


def read_swa(scheduler: Any, initial: InitialState) -> GroupPlans:
    """Read SWALR: from the rate in the group to swa_lr."""
    curve = cosine if scheduler._anneal_strategy == "cos" else linear
    rates = floats(group["swa_lr"] for group in scheduler.optimizer.param_groups)
    ends = (ratio(rate, base) for rate, base in zip(rates, initial.bases, strict=True))
    steps = scheduler.anneal_epochs
    plans = tuple(
        curve(steps, to=end, start=start) if steps else level(end)
        for start, end in zip(initial.ratios, ends, strict=True)
    )
    return GroupPlans(plans, ("SWALR anneals from the rate in the group, not from the base rate",))
