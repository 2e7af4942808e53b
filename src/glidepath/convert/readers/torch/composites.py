"""PyTorch's schedulers made of schedulers, where what they do has a closed form; `replay` reads the rest.

SequentialLR puts a member at its base rates when its turn comes (MultiplicativeLR and SWALR continue from the rate
before it). ChainedScheduler steps all of them on the one rate: those that multiply make a product, one that sets the
rate wipes out what stands before it.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from glidepath.convert.readers.rates import level
from glidepath.convert.readers.ratios import first_steps
from glidepath.core.schedule import Schedule, product, sequence
from glidepath.errors import ConvertError
from glidepath.recipes import constant

from .group_plans import GroupPlans, InitialState, floats
from .replay import replay
from .single import class_name, read_single

Reader = Callable[[Any, InitialState], GroupPlans]

MULTIPLY = {"StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR", "MultiplicativeLR"}
SET = {"LambdaLR", "CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"}


def read_composite(scheduler: Any) -> GroupPlans:
    """Read what a SequentialLR or a ChainedScheduler does to the groups."""
    if class_name(scheduler) == "SequentialLR":
        _check_milestones(scheduler)
    if any(hasattr(member, "_schedulers") for member in scheduler._schedulers):
        return replay(scheduler)
    bases = floats(group["initial_lr"] for group in scheduler.optimizer.param_groups)
    return (
        read_in_turn(scheduler, bases, read_single)
        if class_name(scheduler) == "SequentialLR"
        else _read_chain(scheduler, bases)
    )


def _check_milestones(scheduler: Any) -> None:
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


def read_in_turn(scheduler: Any, bases: tuple[float, ...], read: Reader) -> GroupPlans:
    """Read the members one after the other by `read`, each cut at its milestone."""
    quirks: list[str] = []
    rows: list[tuple[Schedule, ...]] = []
    ratios = tuple(1.0 for _ in bases)
    turns = _turns(list(scheduler._milestones))
    momenta = _first_momenta(scheduler, InitialState(bases, ratios), read)
    columns: dict[str, list[tuple[Schedule, ...]]] = {name: [] for name in momenta}
    for (begin, index), end in zip(turns, [*(begin for begin, _ in turns[1:]), None], strict=True):
        effect = read(scheduler._schedulers[index], InitialState(bases, ratios, at_milestone=begin > 0))
        quirks += effect.quirks
        rows.append(_cut_plans(effect.plans, begin, end))
        for name, values in momenta.items():
            plans = effect.others.get(name) or tuple(level(value) for value in values)
            columns[name].append(_cut_plans(plans, begin, end))
        if end is not None:
            ratios = tuple(plan(end - begin - 1) for plan in rows[-1])
            momenta = {name: tuple(plan(end - begin - 1) for plan in row[-1]) for name, row in columns.items()}
    others = {name: _join_plans(row) for name, row in columns.items()}
    return GroupPlans(_join_plans(rows), tuple(dict.fromkeys(quirks)), others)


def _turns(milestones: list[int]) -> list[tuple[int, int]]:
    """Return (first update, member) of every member that gets a turn."""
    begins = sorted({0, *(m for m in milestones if m > 0)})
    return [(begin, bisect_right(milestones, begin)) for begin in begins]


def _cut_plans(plans: tuple[Schedule, ...], begin: int, end: int | None) -> tuple[Schedule, ...]:
    return plans if end is None else tuple(first_steps(plan, end - begin) for plan in plans)


def _join_plans(rows: list[tuple[Schedule, ...]]) -> tuple[Schedule, ...]:
    return tuple(sequence(*parts) for parts in zip(*rows, strict=True))


def _first_momenta(scheduler: Any, alone: InitialState, read: Reader) -> Mapping[str, tuple[float, ...]]:
    """Return the momenta at first: a member that moves them sets them when it is built, the last one wins."""
    momenta: dict[str, tuple[float, ...]] = {}
    for member in scheduler._schedulers:
        others = read(member, alone).others
        momenta |= {name: tuple(plan(0) for plan in plans) for name, plans in others.items()}
    return momenta


# --- all at once ---


def _read_chain(scheduler: Any, bases: tuple[float, ...]) -> GroupPlans:
    members = scheduler._schedulers
    kinds = [class_name(member) for member in members]
    alone = InitialState(bases, tuple(1.0 for _ in bases))
    if kinds[-1] in SET:
        effect = read_single(members[-1], alone)
        wiped_out = (f"{kinds[-1]} sets the rate, so what stands before it in the chain has no effect",)
        return GroupPlans(effect.plans, (*effect.quirks, *(wiped_out if len(members) > 1 else ())), effect.others)
    if set(kinds) <= MULTIPLY or len(kinds) == 1:
        effects = [read_single(member, alone) for member in members]
        return GroupPlans(multiply(effects), tuple(quirk for effect in effects for quirk in effect.quirks))
    waves = [member for member, name in zip(members, kinds, strict=True) if name == "CosineAnnealingLR"]
    if len(waves) == 1 and waves[0].eta_min == 0 and set(kinds) <= {"CosineAnnealingLR", *MULTIPLY}:
        return _with_waves(scheduler, waves[0], alone) or replay(scheduler)
    return replay(scheduler)


def _with_waves(scheduler: Any, waves: Any, alone: InitialState) -> GroupPlans | None:
    """Read factors that end by the bottom of the wave, where the rate is 0: what rises from it is the cosine alone."""
    cosine = read_single(waves, alone)
    factors = [read_single(member, alone) for member in scheduler._schedulers if member is not waves]
    falls, bottom = multiply(factors), waves.T_max
    if not all(plan.duration is not None and plan.duration <= bottom for plan in map(_without_end, falls)):
        return None
    if all(plan(bottom) == 1.0 for plan in falls):
        return GroupPlans(multiply([cosine, *factors]), cosine.quirks)
    first = tuple(first_steps(plan, bottom) for plan in multiply([cosine, *factors]))
    later = tuple(plan[bottom:] for plan in cosine.plans)
    lost = "at the bottom of the cosine the other factors are lost: it rises to the base rate"
    return GroupPlans(_join_plans([first, later]), (*cosine.quirks, lost))


def _without_end(plan: Schedule) -> Schedule:
    """Return a plan without the constant that it ends in, which never changes it."""
    parts = getattr(plan, "parts", (plan,))
    return sequence(*parts[:-1]) if len(parts) > 1 and parts[-1] == constant() else plan


def multiply(effects: list[GroupPlans]) -> tuple[Schedule, ...]:
    """Multiply the plans of several schedulers, group by group."""
    return tuple(reduce(_product, plans) for plans in zip(*(effect.plans for effect in effects), strict=True))


def _product(first: Schedule, second: Schedule) -> Schedule:
    if first == constant():
        return second
    return first if second == constant() else product(first, second)
