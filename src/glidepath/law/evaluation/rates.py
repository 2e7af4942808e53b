"""From a schedule, or the rates of every update, to ratios of a law's peak."""

import numpy as np
from numpy.typing import ArrayLike

from glidepath.core.horizon import Horizon, as_horizon
from glidepath.core.schedule import Draft, Schedule
from glidepath.errors import Argument, Cure, LawError
from glidepath.runs.run import MOST_STEPS

from .fast_sum import FloatArray, IntArray

Length = Horizon | int | str | None  # of a run; None: what the schedule or the rates say

LOOKS_LIKE_A_RATE = 0.05  # ratios peak near 1


def ratios_of(plan: Schedule | ArrayLike, peak: float, steps: Length = None) -> FloatArray:
    """Return the rate of every update over the peak, (T,).

    Args:
        plan: a schedule, whose values are such ratios already, or absolute rates (T,).
        peak: absolute.
        steps: updates; None: as many as the schedule lasts, or as there are rates.

    Raises:
        LawError: if the length is unknown, or the schedule seems to be absolute.
    """
    if isinstance(plan, Schedule):
        return _from_schedule(plan, peak, steps)
    rates = check_rates(
        as_numbers(plan, "a plan is a schedule, as in parse('cosine(100)'), or the rate of every update")
    )
    if steps is not None and as_horizon(steps).steps != len(rates):
        raise LawError(f"there are {len(rates)} rates for {as_horizon(steps).steps} updates: give one for each")
    return rates / peak


def _from_schedule(plan: Schedule, peak: float, length: Length) -> FloatArray:
    if length is None and (isinstance(plan, Draft) or not plan.duration):
        raise LawError(f"{plan!r} has no length of its own", cures=[Cure("give one", Argument("steps", 10_000))])
    horizon = horizon_of(plan.duration if length is None else length)
    values = check_rates(values_of(plan.over(horizon), horizon.steps))
    most = float(values.max())
    if most < LOOKS_LIKE_A_RATE and peak / 4 <= most <= 4 * peak:
        raise LawError(
            f"the values of this schedule rise to {most:g}, which looks like a rate; here a schedule is a ratio of the "
            f"peak, {peak:g}",
            cures=[Cure("leave the factor out"), Cure("divide the schedule by the peak")],
        )
    return values


def values_of(plan: Schedule, steps: int) -> FloatArray:
    """Return the value of a schedule for each of its first updates, (steps,)."""
    return np.asarray(plan(np.arange(steps)), dtype=np.float64)


def horizon_of(steps: Horizon | int | str | None) -> Horizon:
    """Return a length as a horizon.

    Raises:
        LawError: if it is more than 10 million updates.
    """
    horizon = as_horizon(steps)  # type: ignore[arg-type]  # None is refused there
    if horizon.steps > MOST_STEPS:
        raise LawError(f"a run has at most {MOST_STEPS:,} updates here, not {horizon.steps:,}: are these tokens?")
    return horizon


def as_numbers(values: object, expected: str) -> FloatArray:
    """Return values as an array of floats.

    Raises:
        LawError: saying what was expected, if they are not numbers.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise LawError(f"{expected}, not {values!r:.60}") from None


def as_counts(updates: ArrayLike) -> IntArray:
    """Return after how many updates losses are wanted, (m,).

    Raises:
        LawError: if they are not whole numbers in a row.
    """
    expected = "updates are whole numbers in a row, as in [100, 200]"
    numbers = as_numbers(updates, expected)
    if numbers.ndim != 1 or (numbers != np.floor(numbers)).any():
        raise LawError(f"{expected}, not {updates!r:.60}")
    return numbers.astype(np.int64)


def check_rates(rates: FloatArray) -> FloatArray:
    """Return the rates, if they are numbers that an optimizer can use.

    Raises:
        LawError: if there are none, if one is negative or not finite, or if all are zero.
    """
    if rates.ndim != 1 or not len(rates):
        raise LawError(f"rates are one number for each update, not an array of shape {rates.shape}")
    invalid = np.flatnonzero(~(np.isfinite(rates) & (rates >= 0)))
    if len(invalid):
        raise LawError(f"update {invalid[0]} has the rate {rates[invalid[0]]:g}: a rate is finite and at least 0")
    if not rates.any():
        raise LawError("all rates are 0: such a run goes nowhere")
    return rates
