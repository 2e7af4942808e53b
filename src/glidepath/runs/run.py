"""A run that was trained and logged: the rate that every update used, and the losses that were seen on the way.

What a run cannot be is refused here. Building one from the rows of a log is left to `glidepath.runs.from_rows`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

from glidepath.errors import RunError, needs_extra

with needs_extra("law", "logged runs"):
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Place = Callable[[int], str]  # where row i of a log is: the beginning of every message about it

MOST_STEPS = 10_000_000
HIGHEST_RATE = 100.0
PLAN = "give the schedule of the run, plan= and peak="


@final
@dataclass(frozen=True, eq=False)
class Run:
    """The rates of a run, and its losses.

    Args:
        name: what messages and pictures call it.
        rates: the absolute rate of every update 0..T-1; shape (T,), T at most 10 million, each from 0 to 100.
        updates: how many updates had been made when each loss was seen: ascending, from 1 to T; shape (m,), m >= 2.
        losses: above zero, because laws are fitted to the logarithm of the loss; shape (m,).
        assumed: what of the rates was not logged, and how it was filled in.

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

    def __post_init__(self) -> None:
        rates, losses, updates = (_copied(self, what) for what in ("rates", "losses", "updates"))
        _check_rates(self.name, rates)
        _check_updates(self.name, updates, len(rates), len(losses))
        check_losses(losses, updates, lambda _: self.name)
        for what, values in (("rates", rates), ("losses", losses), ("updates", updates.astype(np.int64))):
            values.setflags(write=False)
            object.__setattr__(self, what, values)

    @property
    def steps(self) -> int:
        """T, the number of updates."""
        return len(self.rates)

    @property
    def peak(self) -> float:
        """The highest rate."""
        return float(self.rates.max())

    @property
    def final(self) -> float:
        """The last loss that was seen."""
        return float(self.losses[-1])


def averaged(runs: Sequence[Run], name: str | None = None) -> Run:
    """The mean of runs that differ by their seeds alone.

    Args:
        runs: with the very same rates and updates; at least one.
        name: of the mean; the first run's name and the number of runs if not given.

    Raises:
        RunError: if there is none, or their rates or updates differ.

    Examples:
        >>> seeds = [Run(f"seed {i}", [0.1, 0.1], [1, 2], [3.0, 2.0 + i]) for i in range(2)]
        >>> averaged(seeds).name, averaged(seeds).losses.tolist()
        ('seed 0, mean of 2', [3.0, 2.5])
    """
    if not runs:
        raise RunError("a mean needs at least one run")
    first = runs[0]
    for run in runs[1:]:
        for what in ("rates", "updates"):
            if not np.array_equal(getattr(first, what), getattr(run, what)):
                raise RunError(f"{first.name} and {run.name} have other {what}: only runs that differ by seed are one")
    assumed = "; ".join(dict.fromkeys(run.assumed for run in runs if run.assumed))
    losses = np.mean([run.losses for run in runs], axis=0)
    return Run(name or f"{first.name}, mean of {len(runs)}", first.rates, first.updates, losses, assumed)


def of_one_schedule(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs in groups that differ by their seeds alone: with the very same rates and updates, as `averaged` needs.

    Args:
        runs: any; their order is kept.

    Examples:
        >>> one, two = (Run(name, [0.1, 0.1], [1, 2], [3.0, 2.0]) for name in ("a", "b"))
        >>> other = Run("c", [0.1, 0.2], [1, 2], [3.0, 2.0])
        >>> [[run.name for run in group] for group in of_one_schedule([one, other, two])]
        [['a', 'b'], ['c']]
    """
    groups: dict[tuple[bytes, bytes], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.rates.tobytes(), run.updates.tobytes()), []).append(run)
    return list(groups.values())


# --- what cannot be true ---


def _copied(run: Run, what: str) -> FloatArray:
    """A field as an array of its own, so that nobody can change it."""
    return row_of(run.name, what, getattr(run, what)).copy()


def row_of(name: str, what: str, values: ArrayLike) -> FloatArray:
    """Values as one row of floats."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise RunError(f"{name}: {what} are numbers in a row, not {values!r:.60}") from error
    if array.ndim != 1:
        raise RunError(f"{name}: {what} are numbers in one row, not an array of shape {array.shape}")
    return array


def _check_rates(name: str, rates: FloatArray) -> None:
    check_length(name, len(rates))
    for k in np.flatnonzero(impossible_rate(rates))[:1]:
        raise RunError(f"{name}: {refused_rate(int(k), rates[k])}")
    if not rates.any():
        raise RunError(f"{name}: every rate is zero, so nothing was trained; {PLAN}")


def check_length(where: str, steps: float) -> None:
    """So many updates are no tokens."""
    if steps > MOST_STEPS:
        raise RunError(f"{where}: {steps:,.0f} steps are more than {MOST_STEPS:,}: are these tokens? give updates")


def impossible_rate(rates: FloatArray) -> NDArray[np.bool_]:
    """Where a rate is none that an optimizer could have used."""
    return ~((rates >= 0) & (rates <= HIGHEST_RATE))


def refused_rate(step: int, rate: float) -> str:
    """What is said of an impossible rate."""
    units = f": above {HIGHEST_RATE:g} the units cannot be right" if rate > HIGHEST_RATE and np.isfinite(rate) else ""
    return f"the rate at step {step} is {float(rate)!r}{units or '; a rate is finite, and not negative'}"


def _check_updates(name: str, updates: FloatArray, steps: int, losses: int) -> None:
    if len(updates) != losses:
        raise RunError(f"{name}: {losses} losses and {len(updates)} numbers of updates: each loss has its own")
    if losses < 2:
        raise RunError(f"{name}: {'one loss' if losses else 'no loss'} after an update; a curve has at least two")
    if not np.array_equal(updates, np.floor(updates)) or not (np.diff(updates) > 0).all():
        raise RunError(f"{name}: updates are whole numbers, each higher than the one before it")
    if not 1 <= updates[0] <= updates[-1] <= steps:
        raise RunError(f"{name}: updates lie between 1 and the {steps} that have a rate, not {updates[[0, -1]]}")


def check_losses(losses: FloatArray, steps: FloatArray, place: Place) -> None:
    """`losses` is finite and positive."""
    for i in np.flatnonzero(~((losses > 0) & (losses < np.inf)))[:1]:
        loss, step = float(losses[i]), int(steps[i])
        if np.isfinite(loss):
            raise RunError(
                f"{place(i)}: the loss at step {step} is {loss!r}: laws are fitted to the logarithm of the loss, so "
                "every loss must be above zero"
            )
        raise RunError(f"{place(i)}: {diverged(step, str(loss))}")


def diverged(step: int, loss: str) -> str:
    """What is said of a loss that is no number.

    >>> diverged(120, "nan")
    'the loss at step 120 is nan: the run diverged; delete the rows from there on'
    """
    return f"the loss at step {step} is {loss}: the run diverged; delete the rows from there on"
