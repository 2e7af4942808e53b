"""Ratios of a group's base rate: what the readers of libraries that schedule a group's own rate share."""

from glidepath.core.schedule import Schedule, cut, sequence
from glidepath.errors import ConvertError


def ratio(rate: float, base: float) -> float:
    """Return `rate` as a share of a base rate; the base itself is 1 of it, even where it is 0.

    Raises:
        ConvertError: if the base is 0 and the rate is not.
    """
    if rate == base:
        return 1.0
    if rate == 0.0:
        return 0.0
    if base == 0.0:
        raise ConvertError(
            f"a group has a base rate of 0, of which a rate of {rate!r} is not a multiple: build the optimizer with "
            "the rate that the group is to have"
        )
    return float(f"{rate / base:.15g}")  # the last digit is rounding: 0.01 of 0.1 is 0.1


def join(*parts: Schedule) -> Schedule:
    """Join parts one after the other, without those that last no update; the last one stays, for its last value."""
    return sequence(*(part for part in parts[:-1] if part.duration != 0), parts[-1])


def first_steps(plan: Schedule, steps: int) -> Schedule:
    """Return the first `steps` updates of a plan."""
    filled = plan._fill(steps) or plan
    return filled if filled.duration == steps else cut(filled, 0, steps)
