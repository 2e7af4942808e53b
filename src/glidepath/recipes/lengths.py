"""Lengths of recipes: from what a caller gave to whole steps."""

from typing import cast

from glidepath.core.schedule import Steps
from glidepath.errors import ScheduleError


def as_length(steps: Steps) -> int:
    """Return a length as a leaf takes it: by now `draftable` has turned every text into a count."""
    return cast(int, steps)


def rest_of(steps: int, **used: int) -> int:
    """Return the steps that the named phases leave of `steps`.

    Raises:
        ScheduleError: if they do not fit.
    """
    left = steps - sum(used.values())
    if left < 0:
        phases = " + ".join(f"{name} {n}" for name, n in used.items())
        raise ScheduleError(f"{phases} = {steps - left} steps do not fit in {steps}: shorten one of them")
    return left
