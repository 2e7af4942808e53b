"""`Set`: a plan whose values are assigned to a hyperparameter, instead of scaling it."""

from dataclasses import dataclass
from typing import final

from .schedule import Schedule


@final
@dataclass(frozen=True)
class Set:
    """A plan whose values are written as they are, instead of scaling the group's own value.

    Args:
        plan: a schedule, or its text.

    Examples:
        >>> Set(linear(100, start=0.85, to=0.95))
        Set(plan=linear(100, to=0.95, start=0.85))
    """

    plan: Schedule | str
