"""The drop-in classes of `glidepath.torch.lr_scheduler`: PyTorch's names, each a closed form, so they compose freely.

Where they differ from PyTorch's they are read as they are: at a milestone every member begins at its own base rates,
and in a chain all factors multiply.
"""

from dataclasses import replace
from typing import Any

from glidepath.convert.readers.rates import level
from glidepath.convert.readers.ratios import ratio

from . import annealing, cycles, functions
from .composites import multiply, read_in_turn
from .group_plans import GroupPlans, InitialState, floats
from .single import class_name, read_single


def is_drop_in(scheduler: Any) -> bool:
    """Return whether a scheduler is of a drop-in class of Glidepath, or of a subclass."""
    return any(k.__module__.startswith("glidepath.torch.") for k in type(scheduler).__mro__)


def read_drop_in(scheduler: Any, initial: InitialState) -> GroupPlans:
    """Read what a drop-in scheduler does to the groups, members and members of members included."""
    name = class_name(scheduler)
    if not is_drop_in(scheduler):
        return read_single(scheduler, initial)
    if name == "SequentialLR":
        return read_in_turn(scheduler, initial.bases, read_drop_in)
    if name == "ChainedScheduler":
        return _read_chain(scheduler, initial)
    return _read_one(scheduler, name, initial)


def _starts(scheduler: Any, bases: tuple[float, ...], at_milestone: bool) -> tuple[float, ...]:
    rates = floats(scheduler.base_lrs if at_milestone else scheduler._starts())
    return tuple(ratio(rate, base) for rate, base in zip(rates, bases, strict=True))


def _read_one(scheduler: Any, name: str, initial: InitialState) -> GroupPlans:
    starts = _starts(scheduler, initial.bases, initial.at_milestone)
    if name == "CosineAnnealingLR":
        return _waves(scheduler, initial, starts)
    if name == "MultiplicativeLR":
        return functions.read_multiplicative(scheduler, InitialState(initial.bases, starts))
    if name == "OneCycleLR":
        return replace(cycles.read_one_cycle(scheduler, initial), quirks=())
    if name in ("LambdaLR", "CosineAnnealingWarmRestarts", "CyclicLR"):
        return read_single(scheduler, initial)
    return GroupPlans(tuple(level(start, scheduler.schedule) for start in starts))


def _waves(scheduler: Any, initial: InitialState, starts: tuple[float, ...]) -> GroupPlans:
    lows = [ratio(float(scheduler.eta_min), base) for base in initial.bases]
    plans = tuple(annealing.waves(scheduler.T_max, low, s, s) for low, s in zip(lows, starts, strict=True))
    return GroupPlans(plans, (annealing.RISES.format(scheduler.T_max),))


def _read_chain(scheduler: Any, initial: InitialState) -> GroupPlans:
    """Multiply the first member's start by every member's rate over its own start."""
    members = [read_drop_in(member, initial) for member in scheduler._schedulers]
    others = [_starts(member, initial.bases, False) for member in scheduler._schedulers[1:]]
    factors = [members[0], *(_over(member, starts) for member, starts in zip(members[1:], others, strict=True))]
    momenta = {name: plans for member in members for name, plans in member.others.items()}
    return GroupPlans(multiply(factors), tuple(quirk for member in members for quirk in member.quirks), momenta)


def _over(member: GroupPlans, starts: tuple[float, ...]) -> GroupPlans:
    plans = tuple(level(1.0 / start, plan) if start else plan for start, plan in zip(starts, member.plans, strict=True))
    return GroupPlans(plans)
