"""The plan that one scheduler of PyTorch gives each parameter group, from the update on at which it begins.

Its values are ratios of the groups' base rates, so that groups which differ in their rates alone get equal schedules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

from glidepath.convert.readers.ratios import ratio
from glidepath.core.schedule import Schedule


@final
@dataclass(frozen=True)
class InitialState:
    """The state of the groups when a scheduler begins.

    Args:
        bases: the base rates that everything is a ratio of, one for each group.
        ratios: the rates that are in the groups when it begins, as ratios of the bases.
        at_milestone: whether SequentialLR begins it in the middle, which asks for closed forms where there are any.
    """

    bases: tuple[float, ...]
    ratios: tuple[float, ...]
    at_milestone: bool = False


@final
@dataclass(frozen=True)
class GroupPlans:
    """What a scheduler does to every group.

    Args:
        plans: the ratio of each group by update.
        quirks: what it does that people do not expect; each a sentence.
        others: schedules of other hyperparameters by name, values as they are.
    """

    plans: tuple[Schedule, ...]
    quirks: tuple[str, ...] = ()
    others: Mapping[str, tuple[Schedule, ...]] = field(default_factory=dict)


def floats(values: Any) -> tuple[float, ...]:
    """Return numbers or tensors as floats."""
    return tuple(float(value) for value in values)


def start_ratios(scheduler: Any, initial: InitialState) -> tuple[float, ...]:
    """Return what a factor is of: the ratios in the groups, or the scheduler's own bases where a closed form sets
    them.
    """
    if not initial.at_milestone:
        return initial.ratios
    base_rates = floats(scheduler.base_lrs)
    return tuple(ratio(lr, base) for lr, base in zip(base_rates, initial.bases, strict=True))
