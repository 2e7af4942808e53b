"""PyTorch's schedulers made of schedulers, where what they do has a closed form; `replayed` takes the rest.

SequentialLR puts a member at its base rates when its turn comes (MultiplicativeLR and SWALR go on from the rate before
it). ChainedScheduler steps all of them on the one rate: those that multiply make a product, one that sets the rate
wipes out what stands before it.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from glidepath.convert.readers.rates import level
from glidepath.convert.readers.ratios import lasting
from glidepath.core.schedule import Schedule, product, sequence
from glidepath.errors import ConvertError
from glidepath.recipes import constant

from .part import Entry, Part, floats
from .replay import replayed
from .single import kind, leaf

Reader = Callable[[Any, Entry], Part]

MULTIPLY = {"StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR", "MultiplicativeLR"}
SET = {"LambdaLR", "CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"}


def composed(scheduler: Any) -> Part:
    """What a SequentialLR or a ChainedScheduler makes of the groups."""
    if kind(scheduler) == "SequentialLR":
        _refuse_what_torch_refuses(scheduler)
    if any(hasattr(member, "_schedulers") for member in scheduler._schedulers):
        return replayed(scheduler)
    known = floats(group["initial_lr"] for group in scheduler.optimizer.param_groups)
    return in_turn(scheduler, known, leaf) if kind(scheduler) == "SequentialLR" else _at_once(scheduler, known)


def _refuse_what_torch_refuses(scheduler: Any) -> None:
    milestones = list(scheduler._milestones)
    if milestones != sorted(milestones):
        raise ConvertError(f"the milestones of this SequentialLR do not ascend ({milestones}): put them in order")
    for member, milestone in zip(scheduler._schedulers[1:], milestones, strict=True):
        if hasattr(member, "_schedulers"):
            raise ConvertError(
                f"torch cannot begin a {type(member).__name__} at a milestone (NotImplementedError at {milestone}): "
                "put its members into the outer SequentialLR"
            )


# --- one after the other ---


def in_turn(scheduler: Any, known: tuple[float, ...], read: Reader) -> Part:
    """The plan of each group, cut at the milestones; every member is read by `read`."""
    quirks: list[str] = []
    rows: list[tuple[Schedule, ...]] = []
    found = tuple(1.0 for _ in known)
    turns = _turns(list(scheduler._milestones))
    momenta = _first_momenta(scheduler, Entry(known, found), read)
    moved: dict[str, list[tuple[Schedule, ...]]] = {name: [] for name in momenta}
    for (begin, index), end in zip(turns, [*(begin for begin, _ in turns[1:]), None], strict=True):
        part = read(scheduler._schedulers[index], Entry(known, found, at_milestone=begin > 0))
        quirks += part.quirks
        rows.append(_served(part.plans, begin, end))
        for name, values in momenta.items():
            now = part.others.get(name) or tuple(level(value) for value in values)
            moved[name].append(_served(now, begin, end))
        if end is not None:
            found = tuple(plan(end - begin - 1) for plan in rows[-1])
            momenta = {name: tuple(plan(end - begin - 1) for plan in row[-1]) for name, row in moved.items()}
    others = {name: _joined(row) for name, row in moved.items()}
    return Part(_joined(rows), tuple(dict.fromkeys(quirks)), others)


def _turns(milestones: list[int]) -> list[tuple[int, int]]:
    """(first update, member) of every member that gets a turn."""
    begins = sorted({0, *(m for m in milestones if m > 0)})
    return [(begin, bisect_right(milestones, begin)) for begin in begins]


def _served(plans: tuple[Schedule, ...], begin: int, end: int | None) -> tuple[Schedule, ...]:
    return plans if end is None else tuple(lasting(plan, end - begin) for plan in plans)


def _joined(rows: list[tuple[Schedule, ...]]) -> tuple[Schedule, ...]:
    return tuple(sequence(*parts) for parts in zip(*rows, strict=True))


def _first_momenta(scheduler: Any, alone: Entry, read: Reader) -> Mapping[str, tuple[float, ...]]:
    """What is in the groups at first: a member that moves the momentum sets it when it is built, the last one wins."""
    found: dict[str, tuple[float, ...]] = {}
    for member in scheduler._schedulers:
        others = read(member, alone).others
        found |= {name: tuple(plan(0) for plan in plans) for name, plans in others.items()}
    return found


# --- all at once ---


def _at_once(scheduler: Any, known: tuple[float, ...]) -> Part:
    members = scheduler._schedulers
    kinds = [kind(member) for member in members]
    alone = Entry(known, tuple(1.0 for _ in known))
    if kinds[-1] in SET:
        part = leaf(members[-1], alone)
        wiped = (f"{kinds[-1]} sets the rate, so what stands before it in the chain has no effect",)
        return Part(part.plans, (*part.quirks, *(wiped if len(members) > 1 else ())), part.others)
    if set(kinds) <= MULTIPLY or len(kinds) == 1:
        parts = [leaf(member, alone) for member in members]
        return Part(products(parts), tuple(quirk for part in parts for quirk in part.quirks))
    waves = [member for member, name in zip(members, kinds, strict=True) if name == "CosineAnnealingLR"]
    if len(waves) == 1 and waves[0].eta_min == 0 and set(kinds) <= {"CosineAnnealingLR", *MULTIPLY}:
        return _with_waves(scheduler, waves[0], alone) or replayed(scheduler)
    return replayed(scheduler)


def _with_waves(scheduler: Any, waves: Any, alone: Entry) -> Part | None:
    """Factors that end by the bottom of the wave: the rate is 0 there, and what rises from it is the cosine alone."""
    cosine = leaf(waves, alone)
    factors = [leaf(member, alone) for member in scheduler._schedulers if member is not waves]
    falls, bottom = products(factors), waves.T_max
    if not all(plan.duration is not None and plan.duration <= bottom for plan in map(_ending, falls)):
        return None
    if all(plan(bottom) == 1.0 for plan in falls):
        return Part(products([cosine, *factors]), cosine.quirks)
    first = tuple(lasting(plan, bottom) for plan in products([cosine, *factors]))
    later = tuple(plan[bottom:] for plan in cosine.plans)
    lost = "at the bottom of the cosine the other factors are lost: it rises to the base rate"
    return Part(_joined([first, later]), (*cosine.quirks, lost))


def _ending(plan: Schedule) -> Schedule:
    """A plan without the constant that it ends in, which never changes it."""
    parts = getattr(plan, "parts", (plan,))
    return sequence(*parts[:-1]) if len(parts) > 1 and parts[-1] == constant() else plan


def products(parts: list[Part]) -> tuple[Schedule, ...]:
    """The product of several parts, group by group."""
    return tuple(reduce(_product, plans) for plans in zip(*(part.plans for part in parts), strict=True))


def _product(first: Schedule, second: Schedule) -> Schedule:
    if first == constant():
        return second
    return first if second == constant() else product(first, second)
