"""Schedulers of torch.optim, of the drop-in `glidepath.torch.lr_scheduler`, and `Scheduler`, from their attributes.

Nothing is stepped: what is read is what a scheduler does that was built on the optimizer's base rates and is stepped
after every update. If the optimizer holds something else now, a quirk says so.
"""

import math
from typing import Any

from glidepath.convert.conversion import Conversion
from glidepath.convert.readers import transformers
from glidepath.convert.readers.ratios import ratio
from glidepath.core.schedule import Schedule
from glidepath.errors import ConvertError
from glidepath.torch.update_counts import counts_updates, updates_in

from .composites import read_composite
from .cycles import peaks
from .drop_in import is_drop_in, read_drop_in
from .group_plans import GroupPlans, InitialState, floats
from .scheduler import read_scheduler
from .single import class_name, read_single
from .unsupported import plateau_error

RESUMED = "the optimizer held other rates than the base ones when this began: it continues from those"
COMPOSED = ("SequentialLR", "ChainedScheduler")


def read(source: Any) -> Conversion:
    """Read what a scheduler of PyTorch or of Glidepath does to every group.

    Raises:
        ConvertError: if it follows a metric, or computes something that is unknown.
    """
    name = class_name(source)
    if name == "Scheduler":
        return read_scheduler(source)
    if name == "Plateau":
        raise ConvertError("Plateau follows a metric, so it is not a function of the step: use it as it is")
    if name == "ReduceLROnPlateau":
        raise plateau_error(source, name)
    _check_groups(source)
    bases = _bases(source, name)
    effect = _read_groups(source, name, bases)
    position, updates = _position(source), updates_in(source.optimizer)
    changes = _change_quirk(source, effect.plans, bases, position)
    return Conversion(
        _source(source, name),
        effect.plans,
        bases,
        (*effect.quirks, *changes, *_unit_quirk(position, updates)),
        effect.others,
        position,
        updates=updates,
    )


def _source(scheduler: Any, name: str) -> str:
    names = [transformers.schedule_name(function) for function in getattr(scheduler, "lr_lambdas", [])]
    if names and names[0] is not None and name == "LambdaLR":
        return f"transformers {names[0]}"
    return f"glidepath.torch {name}" if is_drop_in(scheduler) else f"torch {name}"


def _check_groups(scheduler: Any) -> None:
    built, now = _groups(scheduler), len(scheduler.optimizer.param_groups)
    if built != now:
        raise ConvertError(
            f"{type(scheduler).__name__} was built for {built} parameter groups and its optimizer has {now} now: "
            "build the scheduler again, after the last add_param_group"
        )


def _groups(scheduler: Any) -> int:
    """Return the number of parameter groups when a scheduler was built."""
    members = getattr(scheduler, "_schedulers", None)
    return _groups(members[0]) if members else len(scheduler.base_lrs)


def _bases(scheduler: Any, name: str) -> tuple[float, ...]:
    if name in COMPOSED:
        return floats(group["initial_lr"] for group in scheduler.optimizer.param_groups)
    return peaks(scheduler) if name in ("CyclicLR", "OneCycleLR") else floats(scheduler.base_lrs)


def _position(scheduler: Any) -> int:
    if class_name(scheduler) == "ChainedScheduler":
        return _position(scheduler._schedulers[0])
    return int(scheduler.last_epoch)


def _read_groups(scheduler: Any, name: str, bases: tuple[float, ...]) -> GroupPlans:
    alone = InitialState(bases, tuple(1.0 for _ in bases))
    if is_drop_in(scheduler):
        return read_drop_in(scheduler, alone)
    return read_composite(scheduler) if name in COMPOSED else _read_alone(scheduler, alone)


def _read_alone(scheduler: Any, alone: InitialState) -> GroupPlans:
    """Read a scheduler by itself, from the rates with which it must have begun to have come to those of now.

    Its ratio at an update is a * (ratio when it began) + b; reading it from 1 and from 0 gives a and b.
    """
    from_base = read_single(scheduler, alone)
    from_zero = read_single(scheduler, InitialState(alone.bases, tuple(0.0 for _ in alone.bases)))
    ratios = _ratios_at_start(scheduler, from_base, from_zero, alone.bases)
    if ratios == alone.ratios:
        return from_base
    resumed = read_single(scheduler, InitialState(alone.bases, ratios))
    return GroupPlans(resumed.plans, (*resumed.quirks, RESUMED), resumed.others)


def _ratios_at_start(
    scheduler: Any, from_base: GroupPlans, from_zero: GroupPlans, bases: tuple[float, ...]
) -> tuple[float, ...]:
    position, rates = _position(scheduler), _rates_now(scheduler)
    ratios = []
    for rate, base, full, zero in zip(rates, bases, from_base.plans, from_zero.plans, strict=True):
        b = zero(position) if zero != full else full(position)
        a = full(position) - b
        start = (ratio(rate, base) - b) / a if abs(a) > 1e-6 else 1.0
        ratios.append(1.0 if math.isclose(start, 1.0, rel_tol=1e-9) else start)
    return tuple(ratios)


def _rates_now(scheduler: Any) -> tuple[float, ...]:
    return floats(group["lr"] for group in scheduler.optimizer.param_groups)


def _unit_quirk(position: int, updates: int | None) -> tuple[str, ...]:
    """Return a sentence about what a step is, where nothing shows that it is an update."""
    if position and updates is not None and not counts_updates(position, updates):
        return (f"it was stepped {position:,} times in {updates:,} updates: a step of the schedule is not an update",)
    if updates is None and position:
        return ("a step is a call of its step(): the optimizer keeps no count that would show whether it is an update",)
    return ()


def _change_quirk(
    scheduler: Any, plans: tuple[Schedule, ...], bases: tuple[float, ...], position: int
) -> tuple[str, ...]:
    """Return a sentence if a group holds another rate than the schedule has now."""
    for rate, base, plan in zip(_rates_now(scheduler), bases, plans, strict=True):
        due = base * float(plan(position))
        if not math.isclose(rate, due, rel_tol=1e-6, abs_tol=1e-9 * abs(base)):
            return (f"a group holds the rate {rate!r} now, and the schedule has {due!r}: what changed it is not read",)
    return ()
