"""Plans of rates, where plans of ratios were meant: told by the height of their peak."""

from glidepath.core.schedule import Schedule

LOOKS_LIKE_A_RATE = 0.05  # a peak, or a factor, below it
LOOK = 10_000  # updates in which a peak is looked for
LOOK_AT_ENDLESS = 1_000


def peak_of(plan: Schedule) -> float:
    """The highest value among the first updates of a plan."""
    return max(plan.block(0, min(plan.duration or LOOK_AT_ENDLESS, LOOK)), default=1.0)


def absolute(plan: Schedule) -> bool:
    """Whether a plan's own peak looks like a rate, so that it is not scaled by another.

    Examples:
        >>> from glidepath import linear
        >>> absolute(3e-4 * linear(100)), absolute(linear(100))
        (True, False)
    """
    return 0 < peak_of(plan) < LOOKS_LIKE_A_RATE
