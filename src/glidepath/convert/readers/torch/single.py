"""A single scheduler of PyTorch, made of no others: its class by name, and the reader of each class."""

from collections.abc import Callable
from typing import Any

from glidepath.errors import ConvertError

from . import annealing, cycles, functions
from .factors import FACTORS, read_factor
from .group_plans import GroupPlans, InitialState

HOMES = ("torch.optim", "glidepath.torch")
METHODS = ("get_lr", "_get_closed_form_lr", "step", "_update_lr", "lr_at", "schedule", "scale_fn")

READERS: dict[str, Callable[[Any, InitialState], GroupPlans]] = {
    "LambdaLR": functions.read_lambda,
    "MultiplicativeLR": functions.read_multiplicative,
    "CosineAnnealingLR": annealing.read_cosine,
    "CosineAnnealingWarmRestarts": annealing.read_restarts,
    "SWALR": annealing.read_swa,
    "CyclicLR": cycles.read_cyclic,
    "OneCycleLR": cycles.read_one_cycle,
}

OTHERS = ("SequentialLR", "ChainedScheduler", "ReduceLROnPlateau", "Plateau", "Scheduler")
READABLE = (*FACTORS, *READERS, *OTHERS)


def class_name(scheduler: Any) -> str:
    """Return the name of the class of PyTorch, or of our drop-in, that a scheduler is of.

    Raises:
        ConvertError: if it is not one of these, or of a subclass that computes something else.
    """
    homes = tuple(f"{home}." for home in HOMES)
    own = next((cls for cls in type(scheduler).__mro__ if f"{cls.__module__}.".startswith(homes)), None)
    if own is None or any(getattr(type(scheduler), name, None) is not getattr(own, name, None) for name in METHODS):
        raise ConvertError(
            f"{type(scheduler).__name__} is a scheduler of your own, so what it computes is unknown: write it as a "
            "plan, or give its values, glidepath.table([...])"
        )
    if own.__name__ not in READABLE:
        raise ConvertError(f"{own.__name__} is not a scheduler that can be read; these are: {', '.join(READABLE)}")
    return own.__name__


def read_single(scheduler: Any, initial: InitialState) -> GroupPlans:
    """Read what one scheduler, made of no others, does to the groups."""
    name = class_name(scheduler)
    if name in FACTORS:
        return read_factor(scheduler, initial, name)
    return READERS[name](scheduler, initial)
