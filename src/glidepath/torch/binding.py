"""Binds plans to optimizers: from the arguments of `Scheduler` to clocks whose bases and values are checked.

Nothing is written here, so that an optimizer is scheduled whole or left as it was.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from glidepath.core.horizon import Horizon, as_horizon
from glidepath.errors import SchedulerError

from .bases import Late, read_bases
from .bound_schedule import BoundSchedule
from .clock import Clock, unwrap_optimizer
from .hyperparameter import current_rates
from .multipliers import read_multipliers, scale_rates, warn_if_not_read
from .once import OnceWarnings
from .shared_rates import check_claims, check_shared_rates
from .targets import Target, read_targets
from .validation import check_arguments, check_schedules, check_unscheduled
from .value_checks import check_values
from .wrapper_chain import members_of


def list_optimizers(optimizer: Any, plan: Any) -> list[Any]:
    """Return the optimizers that the first argument of `Scheduler` means.

    Raises:
        SchedulerError: if one of them is not an optimizer, or one is there twice.
    """
    several = isinstance(optimizer, (Sequence, Mapping)) and not isinstance(optimizer, str)
    optimizers = list(optimizer.values() if isinstance(optimizer, Mapping) else optimizer) if several else [optimizer]
    if not optimizers:
        raise SchedulerError("there is no optimizer: give one, or a list of them")
    for each in optimizers:
        check_arguments(each, plan)
    if len({id(unwrap_optimizer(each)) for each in optimizers}) < len(optimizers):
        raise SchedulerError("an optimizer is there twice: give each once")
    return [members_of(each)[0] for each in optimizers]


def build_clocks(
    optimizers: Sequence[Any],
    arguments: Mapping[str, Any],
    minimum: Any,
    horizon: Horizon | int | None,
    *,
    position: int,
    base: Any,
    late: Late | None,
) -> list[Clock]:
    """Build a clock for each optimizer, with the schedules that are bound to its groups.

    Raises:
        SchedulerError: if a plan, a base or a value cannot be used.
    """
    targets = read_targets(arguments, minimum, horizon)
    inner = [unwrap_optimizer(optimizer) for optimizer in optimizers]
    clocks = _bind_groups(inner, targets, position, _split_bases(base, inner), late)
    _check(clocks, targets, position, None if horizon is None else as_horizon(horizon).steps)
    return clocks


def _bind_groups(
    optimizers: Sequence[Any],
    targets: Sequence[Target],
    position: int,
    bases: Sequence[list[float] | None],
    late: Late | None,
) -> list[Clock]:
    """Build the clocks, and bind the schedules to the groups of each optimizer."""
    once = OnceWarnings()
    clocks = []
    for optimizer, its_bases in zip(optimizers, bases, strict=True):
        schedules = [BoundSchedule(target, once, late) for target in targets]
        check_unscheduled(optimizer, schedules)
        clock = Clock(schedules, position, once)
        clock.bases = its_bases
        if len(optimizers) > 1:
            clock.optional = frozenset(str(target.hyperparameter) for target in targets)
        clock.bind_groups(optimizer)
        _scale_bases(type(optimizer), schedules, begins=position == 0, is_scaled=its_bases is not None)
        clocks.append(clock)
    return clocks


def _check(clocks: Sequence[Clock], targets: Sequence[Target], position: int, steps: int | None) -> None:
    """Check bases, values and rates that are shared, over the groups of all optimizers."""
    groups = [group for clock in clocks for group in clock.groups]
    joined = [_join(target, [schedule for clock in clocks for schedule in clock.schedules]) for target in targets]
    for number, together in enumerate(joined):
        check_schedules([together])
        check_values([together], position, steps, groups)
        for clock in clocks:
            clock.schedules[number].note_check(position)
    check_shared_rates(joined, groups)
    check_claims([clock.schedules for clock in clocks])


def _scale_bases(kind: type, schedules: Sequence[BoundSchedule], *, begins: bool, is_scaled: bool) -> None:
    """Put multipliers that the groups carry by name into the bases of the rate, where they are not in them yet."""
    rates = [schedule for schedule in schedules if schedule.is_rate]
    slots = [slot for schedule in rates if not schedule.target.sets for slot in schedule.slots]
    groups, bases = [slot.group for slot in slots], [slot.base for slot in slots]
    if not is_scaled:
        bases = scale_rates(groups, bases, kind, begins=begins)
    scales: list[float] | list[None] = read_multipliers(groups, kind) or [None] * len(slots)
    for slot, base, scale in zip(slots, bases, scales, strict=True):
        slot.base, slot.scale = base, scale
    absolute = [slot.group for schedule in rates if schedule.target.sets for slot in schedule.slots]
    warn_if_not_read(absolute, None, kind, "Set(plan) gives the rate itself")


def _split_bases(base: Any, optimizers: Sequence[Any]) -> list[list[float] | None]:
    """Return the bases of each optimizer's groups, from the argument for all of them."""
    if base is None:
        return [None] * len(optimizers)
    groups = [optimizer.param_groups for optimizer in optimizers]
    rates = [current_rates(optimizer) for optimizer in optimizers]
    kinds = [type(optimizer) for optimizer in optimizers]
    each = isinstance(base, (list, tuple))
    if not each:
        rates = [scale_rates(*its, begins=True) for its in zip(groups, rates, kinds, strict=True)]
    bases = iter(read_bases(base, [rate for its_rates in rates for rate in its_rates]))
    split = [[next(bases) for _ in its_groups] for its_groups in groups]
    if each:
        for its_groups, its_bases, kind in zip(groups, split, kinds, strict=True):
            warn_if_not_read(its_groups, its_bases, kind, "base=[...] gives the base of each")
    return list(split)


def _join(target: Target, schedules: Sequence[BoundSchedule]) -> BoundSchedule:
    """Return one schedule with the slots of a target in all optimizers, to check them together."""
    members = [schedule for schedule in schedules if schedule.target is target]
    joined = BoundSchedule(target, members[0].once)
    joined.slots = [slot for schedule in members for slot in schedule.slots]
    return joined
