"""Which reader reads which scheduler of PyTorch."""

from collections.abc import Callable
from typing import Any

from glidepath.errors import ConvertError

from . import annealing, cycles, functions
from .factors import FACTORS, part
from .part import Entry, Part

HOMES = ("torch.optim", "glidepath.torch")
METHODS = ("get_lr", "_get_closed_form_lr", "step", "_update_lr", "lr_at", "schedule", "scale_fn")

LEAVES: dict[str, Callable[[Any, Entry], Part]] = {
    "LambdaLR": functions.absolute,
    "MultiplicativeLR": functions.multiplied,
    "CosineAnnealingLR": annealing.falling,
    "CosineAnnealingWarmRestarts": annealing.restarting,
    "SWALR": annealing.averaging,
    "CyclicLR": cycles.cyclic,
    "OneCycleLR": cycles.one_cycle,
}

OTHERS = ("SequentialLR", "ChainedScheduler", "ReduceLROnPlateau", "Plateau", "Scheduler")
KNOWN = (*FACTORS, *LEAVES, *OTHERS)


def kind(scheduler: Any) -> str:
    """The name of the class of PyTorch, or of our drop-in, that a scheduler is of.

    Raises:
        ConvertError: if it is none that is known, or of a subclass that computes something else.
    """
    known = next(
        (k for k in type(scheduler).__mro__ if f"{k.__module__}.".startswith(tuple(f"{h}." for h in HOMES))), None
    )
    if known is None or any(getattr(type(scheduler), name, None) is not getattr(known, name, None) for name in METHODS):
        raise ConvertError(
            f"{type(scheduler).__name__} is a scheduler of your own, so what it computes is unknown: write it as a "
            "plan, or give its values, glidepath.table([...])"
        )
    if known.__name__ not in KNOWN:
        raise ConvertError(f"{known.__name__} is no scheduler that can be read: {', '.join(KNOWN)} can")
    return known.__name__


def leaf(scheduler: Any, entry: Entry) -> Part:
    """What one scheduler, that is made of no others, makes of the groups."""
    name = kind(scheduler)
    if name in FACTORS:
        return part(scheduler, entry, name)
    return LEAVES[name](scheduler, entry)
