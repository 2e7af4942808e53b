"""A run that was trained and logged: the rate that every update used, and the losses that were measured on the way.

A run that cannot exist is refused here. Building one from the rows of a log is left to `glidepath.runs.from_rows`,
and grouping and averaging several to `glidepath.runs.aggregate`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glidepath.errors import Argument, Cure, Place, RunError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
RowPlace = Callable[[int], Place]  # where row i of a log is

MOST_STEPS = 10_000_000
HIGHEST_RATE = 100.0
GIVE_PLAN = Cure("give the schedule of the run", Argument("plan"), Argument("peak"))


@final
@dataclass(frozen=True, eq=False)
class Run:
    """The rates of a run, and its losses.

    Args:
        name: shown in messages and figures.
        rates: the absolute rate of every update 0..T-1; shape (T,), T at most 10 million, each from 0 to 100.
        updates: how many updates had been made when each loss was measured: ascending, from 1 to T; shape (m,), m >= 2.
        losses: above zero, because laws are fitted to the logarithm of the loss; shape (m,).
        assumed: which rates were not logged, and how they were filled in.
        loss: the name of the loss, such as "validation_loss"; "loss" is the training loss.

    Raises:
        RunError: if any of this does not hold.

    Examples:
        >>> run = Run("short", [0.1, 0.2, 0.1], [1, 3], [2.5, 2.0])
        >>> run.steps, run.peak, run.final
        (3, 0.2, 2.0)
    """

    name: str
    rates: FloatArray
    updates: IntArray
    losses: FloatArray
    assumed: str = ""
    loss: str = "loss"

    def __post_init__(self) -> None:
        rates, losses, updates = (_copy(self, field) for field in ("rates", "losses", "updates"))
        _check_rates(self.name, rates)
        _check_updates(self.name, updates, len(rates), len(losses))
        check_losses(losses, updates, lambda _: Place(self.name))
        for field, values in (("rates", rates), ("losses", losses), ("updates", updates.astype(np.int64))):
            values.setflags(write=False)
            object.__setattr__(self, field, values)

    @property
    def steps(self) -> int:
        """Return T, the number of updates."""
        return len(self.rates)

    @property
    def peak(self) -> float:
        """Return the highest rate."""
        return float(self.rates.max())

    @property
    def final(self) -> float:
        """Return the last loss that was measured."""
        return float(self.losses[-1])


# --- checks ---


def _copy(run: Run, field: str) -> FloatArray:
    """Return a field as an array of its own, which no caller can change."""
    return row_of(run.name, field, getattr(run, field)).copy()


def row_of(name: str, field: str, values: ArrayLike) -> FloatArray:
    """Return values as one row of floats; shape (n,).

    Raises:
        RunError: if they are not numbers, or not in one row.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise RunError(f"{field} are numbers in a row, not {values!r:.60}", place=name) from error
    if array.ndim != 1:
        raise RunError(f"{field} are numbers in one row, not an array of shape {array.shape}", place=name)
    return array


def _check_rates(name: str, rates: FloatArray) -> None:
    check_length(Place(name), len(rates))
    check_each_rate(rates, np.arange(len(rates)), lambda _: Place(name))
    if not rates.any():
        raise RunError("every rate is zero, so nothing was trained", place=name)


def check_length(place: Place, steps: float) -> None:
    """Refuse more steps than a run of updates has, which are probably tokens.

    Raises:
        RunError: if there are more than 10 million.
    """
    if steps > MOST_STEPS:
        problem = f"{steps:,.0f} steps are more than {MOST_STEPS:,}: are these tokens? give updates"
        raise RunError(problem, place=place)


def check_each_rate(rates: FloatArray, steps: FloatArray | IntArray, place: RowPlace) -> None:
    """Refuse a rate that no optimizer could have used.

    Args:
        rates: shape (n,).
        steps: of these rates; shape (n,).
        place: where rate i is.

    Raises:
        RunError: with the place and the step of the first one.
    """
    for i in np.flatnonzero(~((rates >= 0) & (rates <= HIGHEST_RATE)))[:1]:
        rate = float(rates[i])
        too_high = rate > HIGHEST_RATE and np.isfinite(rate)
        why = f": above {HIGHEST_RATE:g} the units cannot be right" if too_high else "; a rate is finite, not negative"
        raise RunError(f"the rate is {rate!r}{why}", place=at_step(place(int(i)), steps[i]))


def at_step(place: Place, step: float) -> Place:
    """Return a place in a log with the step that it is about."""
    return replace(place, step=int(step))


def _check_updates(name: str, updates: FloatArray, steps: int, losses: int) -> None:
    problem = _wrong_updates(updates, steps, losses)
    if problem:
        raise RunError(problem, place=name)


def _wrong_updates(updates: FloatArray, steps: int, losses: int) -> str:
    """Return what is wrong with the numbers of updates after which the losses were measured; "" if nothing is."""
    if len(updates) != losses:
        return f"{losses} losses and {len(updates)} numbers of updates: each loss has its own"
    if losses < 2:
        return f"{'one loss' if losses else 'no loss'} after an update; a curve has at least two"
    if not np.array_equal(updates, np.floor(updates)) or not (updates[1:] > updates[:-1]).all():
        return "updates are whole numbers, each higher than the one before it"
    if not 1 <= updates[0] <= updates[-1] <= steps:
        return f"updates lie between 1 and the {steps} that have a rate, not {updates[[0, -1]]}"
    return ""


def check_losses(losses: FloatArray, steps: FloatArray, place: RowPlace) -> None:
    """Refuse a loss that is not finite and positive.

    Args:
        losses: shape (n,).
        steps: of these losses; shape (n,).
        place: where loss i is.

    Raises:
        RunError: with the place and the step of the first one.
    """
    for i in np.flatnonzero(~((losses > 0) & (losses < np.inf)))[:1]:
        if not np.isfinite(losses[i]):
            raise divergence_error(place(int(i)), steps[i], str(float(losses[i])))
        raise RunError(
            f"the loss is {float(losses[i])!r}: laws are fitted to the logarithm of the loss, so every loss must be "
            "above zero",
            place=at_step(place(int(i)), steps[i]),
        )


def divergence_error(place: Place, step: float, loss: str, *cures: Cure) -> RunError:
    """Return the error about a loss that is not a number.

    >>> print(divergence_error(Place("log.csv", line=9), 120, "nan"))
    log.csv:9, step 120: the loss is nan: the run diverged; delete the rows from there on [GP401]
    """
    problem = f"the loss is {loss}: the run diverged; delete the rows from there on"
    return RunError(problem, place=at_step(place, step), cures=cures)
