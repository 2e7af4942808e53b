"""The drop-in classes of `glidepath.torch.lr_scheduler`: PyTorch's names, each a closed form, so they compose freely.

Where they differ from PyTorch's they are read as they are: at a milestone every member begins at its own base rates,
and in a chain all factors multiply.
"""

from dataclasses import replace
from typing import Any

from glidepath.convert.readers.rates import level
from glidepath.convert.readers.ratios import ratio

from . import annealing, cycles, functions
from .composed import in_turn, products
from .part import Entry, Part, floats
from .single import kind, leaf


def is_own(scheduler: Any) -> bool:
    """Whether a scheduler is of a class of ours, or of a subclass."""
    return any(k.__module__.startswith("glidepath.torch.") for k in type(scheduler).__mro__)


def own(scheduler: Any, entry: Entry) -> Part:
    """What a drop-in scheduler makes of the groups, members and members of members included."""
    name = kind(scheduler)
    if not is_own(scheduler):
        return leaf(scheduler, entry)
    if name == "SequentialLR":
        return in_turn(scheduler, entry.bases, own)
    if name == "ChainedScheduler":
        return _chained(scheduler, entry)
    return _alone(scheduler, name, entry)


def _starts(scheduler: Any, bases: tuple[float, ...], at_milestone: bool) -> tuple[float, ...]:
    rates = floats(scheduler.base_lrs if at_milestone else scheduler._starts())
    return tuple(ratio(rate, base) for rate, base in zip(rates, bases, strict=True))


def _alone(scheduler: Any, name: str, entry: Entry) -> Part:
    starts = _starts(scheduler, entry.bases, entry.at_milestone)
    if name == "CosineAnnealingLR":
        return _waves(scheduler, entry, starts)
    if name == "MultiplicativeLR":
        return functions.multiplied(scheduler, Entry(entry.bases, starts))
    if name == "OneCycleLR":
        return replace(cycles.one_cycle(scheduler, entry), quirks=())
    if name in ("LambdaLR", "CosineAnnealingWarmRestarts", "CyclicLR"):
        return leaf(scheduler, entry)
    return Part(tuple(level(start, scheduler.schedule) for start in starts))


def _waves(scheduler: Any, entry: Entry, starts: tuple[float, ...]) -> Part:
    lows = [ratio(float(scheduler.eta_min), base) for base in entry.bases]
    plans = tuple(annealing.waves(scheduler.T_max, low, s, s) for low, s in zip(lows, starts, strict=True))
    return Part(plans, (annealing.RISES.format(scheduler.T_max),))


def _chained(scheduler: Any, entry: Entry) -> Part:
    """The first member's start, times every member's rate over its own start."""
    parts = [own(member, entry) for member in scheduler._schedulers]
    others = [_starts(member, entry.bases, False) for member in scheduler._schedulers[1:]]
    factors = [parts[0], *(_over(part, starts) for part, starts in zip(parts[1:], others, strict=True))]
    momenta = {name: plans for part in parts for name, plans in part.others.items()}
    return Part(products(factors), tuple(quirk for part in parts for quirk in part.quirks), momenta)


def _over(part: Part, starts: tuple[float, ...]) -> Part:
    plans = tuple(level(1.0 / start, plan) if start else plan for start, plan in zip(starts, part.plans, strict=True))
    return Part(plans)
