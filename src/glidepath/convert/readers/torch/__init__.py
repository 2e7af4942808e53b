"""Schedulers of torch.optim, of the drop-in `glidepath.torch.lr_scheduler`, and the driver, from their attributes.

Nothing is stepped: what is read is what a scheduler does that was built on the optimizer's base rates and is stepped
after every update. If the optimizer holds something else now, a quirk says so.
"""

import math
from typing import Any

from glidepath.convert.conversion import Conversion
from glidepath.convert.readers import transformers
from glidepath.convert.readers.ratios import ratio
from glidepath.errors import ConvertError

from .composed import composed
from .cycles import peaks
from .drop_in import is_own, own
from .part import Entry, Part, floats
from .scheduler import driven
from .single import kind, leaf
from .unsupported import refuse_plateau

GOES_ON = "the optimizer held other rates than the base ones when this began: it goes on from those"
COMPOSED = ("SequentialLR", "ChainedScheduler")


def read(source: Any) -> Conversion:
    """What a scheduler of PyTorch, or of ours, makes of every group.

    Raises:
        ConvertError: if it follows a metric, or computes something that is unknown.
    """
    name = kind(source)
    if name == "Scheduler":
        return driven(source)
    if name == "Plateau":
        raise ConvertError("Plateau follows a metric, so it is no function of the step: it stays as it is")
    if name == "ReduceLROnPlateau":
        raise refuse_plateau(source, name)
    _refuse_other_groups(source)
    bases = _bases(source, name)
    part = _part(source, name, bases)
    position = _position(source)
    return Conversion(
        _source(source, name),
        part.plans,
        bases,
        (*part.quirks, *_changed(source, part, bases, position)),
        part.others,
        position,
    )


def _source(scheduler: Any, name: str) -> str:
    names = [transformers.name(function) for function in getattr(scheduler, "lr_lambdas", [])]
    if names and names[0] is not None and name == "LambdaLR":
        return f"transformers {names[0]}"
    return f"glidepath.torch {name}" if is_own(scheduler) else f"torch {name}"


def _refuse_other_groups(scheduler: Any) -> None:
    built, now = _groups(scheduler), len(scheduler.optimizer.param_groups)
    if built != now:
        raise ConvertError(
            f"{type(scheduler).__name__} was built for {built} parameter groups and its optimizer has {now} now: "
            "build the scheduler again, after the last add_param_group"
        )


def _groups(scheduler: Any) -> int:
    """How many parameter groups there were when a scheduler was built."""
    members = getattr(scheduler, "_schedulers", None)
    return _groups(members[0]) if members else len(scheduler.base_lrs)


def _bases(scheduler: Any, name: str) -> tuple[float, ...]:
    if name in COMPOSED:
        return floats(group["initial_lr"] for group in scheduler.optimizer.param_groups)
    return peaks(scheduler) if name in ("CyclicLR", "OneCycleLR") else floats(scheduler.base_lrs)


def _position(scheduler: Any) -> int:
    if kind(scheduler) == "ChainedScheduler":
        return _position(scheduler._schedulers[0])
    return int(scheduler.last_epoch)


def _part(scheduler: Any, name: str, bases: tuple[float, ...]) -> Part:
    alone = Entry(bases, tuple(1.0 for _ in bases))
    if is_own(scheduler):
        return own(scheduler, alone)
    return composed(scheduler) if name in COMPOSED else _begun(scheduler, alone)


def _begun(scheduler: Any, alone: Entry) -> Part:
    """A scheduler by itself, from the rates that it must have found to have come to those that are there now.

    What it makes of a rate that it finds is a * found + b; two questions tell a and b.
    """
    part = leaf(scheduler, alone)
    found = _found(scheduler, part, leaf(scheduler, Entry(alone.bases, tuple(0.0 for _ in alone.bases))), alone.bases)
    if found == alone.found:
        return part
    begun = leaf(scheduler, Entry(alone.bases, found))
    return Part(begun.plans, (*begun.quirks, GOES_ON), begun.others)


def _found(scheduler: Any, one: Part, zero: Part, bases: tuple[float, ...]) -> tuple[float, ...]:
    position, now = _position(scheduler), _held(scheduler)
    found = []
    for rate, base, full, none in zip(now, bases, one.plans, zero.plans, strict=True):
        b = none(position) if none != full else full(position)
        a = full(position) - b
        start = (ratio(rate, base) - b) / a if abs(a) > 1e-6 else 1.0
        found.append(1.0 if math.isclose(start, 1.0, rel_tol=1e-9) else start)
    return tuple(found)


def _held(scheduler: Any) -> tuple[float, ...]:
    return floats(group["lr"] for group in scheduler.optimizer.param_groups)


def _changed(scheduler: Any, part: Part, bases: tuple[float, ...], position: int) -> tuple[str, ...]:
    """A sentence if a group holds another rate than the schedule has now."""
    for held, base, plan in zip(_held(scheduler), bases, part.plans, strict=True):
        due = base * float(plan(position))
        if not math.isclose(held, due, rel_tol=1e-6, abs_tol=1e-9 * abs(base)):
            return (f"a group holds the rate {held!r} now, and the schedule has {due!r}: what changed it is not read",)
    return ()
