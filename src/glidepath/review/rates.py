"""Plans of absolute rates, recognized by the height of their peak: most plans are ratios that peak at 1."""

from glidepath.core.schedule import Schedule

LOOKS_LIKE_A_RATE = 0.05  # a peak, or a factor, below it
PEAK_WITHIN = 10_000  # updates in which a peak is looked for
PEAK_OF_ENDLESS_WITHIN = 1_000


def peak_of(plan: Schedule) -> float:
    """Return the highest value among the first updates of a plan."""
    return max(plan.block(0, min(plan.duration or PEAK_OF_ENDLESS_WITHIN, PEAK_WITHIN)), default=1.0)


def is_absolute(plan: Schedule) -> bool:
    """Return whether a plan's own peak looks like a rate, so that it must not be scaled by another.

    Examples:
        >>> from glidepath import linear
        >>> is_absolute(3e-4 * linear(100)), is_absolute(linear(100))
        (True, False)
    """
    return 0 < peak_of(plan) < LOOKS_LIKE_A_RATE
