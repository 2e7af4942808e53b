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
from .multipliers import apply_multipliers
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
    once = OnceWarnings()
    inner = [unwrap_optimizer(optimizer) for optimizer in optimizers]
    bases = _split_bases(base, inner)
    optional = frozenset(str(target.hyperparameter) for target in targets) if len(inner) > 1 else frozenset[str]()
    clocks = []
    for optimizer, its_bases in zip(inner, bases, strict=True):
        schedules = [BoundSchedule(target, once, late) for target in targets]
        check_unscheduled(optimizer, schedules)
        clock = Clock(schedules, position, once)
        clock.bases, clock.optional = its_bases, optional
        clock.bind_groups(optimizer)
        if its_bases is None:
            _apply_multipliers(optimizer, schedules)
        clocks.append(clock)
    groups = [group for optimizer in inner for group in optimizer.param_groups]
    steps = None if horizon is None else as_horizon(horizon).steps
    for target in targets:
        together = _join(target, [schedule for clock in clocks for schedule in clock.schedules])
        check_schedules([together])
        check_values([together], position, steps, groups)
        for clock in clocks:
            clock.schedules[targets.index(target)].note_check(position)
    check_shared_rates([_join(target, [s for clock in clocks for s in clock.schedules]) for target in targets], groups)
    check_claims([clock.schedules for clock in clocks])
    return clocks


def _apply_multipliers(optimizer: Any, schedules: Sequence[BoundSchedule]) -> None:
    """Put multipliers that the groups carry by name into the bases of the rate."""
    slots = [slot for schedule in schedules if schedule.is_rate and not schedule.target.sets for slot in schedule.slots]
    bases = apply_multipliers([slot.group for slot in slots], [slot.base for slot in slots], type(optimizer))
    for slot, base in zip(slots, bases, strict=True):
        slot.base = base


def _split_bases(base: Any, optimizers: Sequence[Any]) -> list[list[float] | None]:
    """Return the bases of each optimizer's groups, from the argument for all of them."""
    if base is None:
        return [None] * len(optimizers)
    bases = iter(read_bases(base, [float(group["lr"]) for optimizer in optimizers for group in optimizer.param_groups]))
    return [[next(bases) for _ in optimizer.param_groups] for optimizer in optimizers]


def _join(target: Target, schedules: Sequence[BoundSchedule]) -> BoundSchedule:
    """Return one schedule with the slots of a target in all optimizers, to check them together."""
    members = [schedule for schedule in schedules if schedule.target is target]
    joined = BoundSchedule(target, members[0].once)
    joined.slots = [slot for schedule in members for slot in schedule.slots]
    return joined
