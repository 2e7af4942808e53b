"""What one scheduler of PyTorch makes of the parameter groups, from the update on at which it begins.

Its values are ratios of the groups' base rates, so that groups which differ in their rates alone get equal schedules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

from glidepath.convert.readers.ratios import ratio
from glidepath.core.schedule import Schedule


@final
@dataclass(frozen=True)
class Entry:
    """How a scheduler begins.

    Args:
        bases: the base rates that everything is a ratio of, one for each group.
        found: the rates that it finds in the groups, as ratios.
        at_milestone: whether SequentialLR begins it in the middle, which asks for closed forms where there are any.
    """

    bases: tuple[float, ...]
    found: tuple[float, ...]
    at_milestone: bool = False


@final
@dataclass(frozen=True)
class Part:
    """The ratio of each group by update, and whatever else the scheduler drives, as it is."""

    plans: tuple[Schedule, ...]
    quirks: tuple[str, ...] = ()
    others: Mapping[str, tuple[Schedule, ...]] = field(default_factory=dict)


def floats(values: Any) -> tuple[float, ...]:
    """Numbers or tensors as floats."""
    return tuple(float(value) for value in values)


def starts(scheduler: Any, entry: Entry) -> tuple[float, ...]:
    """What a factor is of: the rates that are found, or the scheduler's own bases where a closed form sets them."""
    if not entry.at_milestone:
        return entry.found
    own = floats(scheduler.base_lrs)
    return tuple(ratio(lr, base) for lr, base in zip(own, entry.bases, strict=True))
