"""The numbers that a logger kept of a run: by name, each at a step, and what that step means.

Reading them is left to a file per format, and choosing the rate and the loss among them to `quantities.py`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from glidepath.errors import Place, RunError
from glidepath.runs.run import MOST_STEPS, FloatArray, IntArray, check_length

from .dialects import UNKNOWN, Dialect, dialect_of

Spot = tuple[str, int | None, str]  # the fields of a `Place`, which is built only for a message
Number = tuple[str, float, float, Spot]  # the name, the step, the value, and where it was logged
Locate = Callable[[int], Place]  # where a row of a log is


@final
@dataclass(frozen=True, eq=False)
class Series:
    """One of the numbers: shape (n,) each, in the order of the steps.

    Args:
        steps: at which it was logged.
        values: NaN only where the logger wrote that.
        rows: of the log.
        locate: where a row is.
    """

    steps: FloatArray
    values: FloatArray
    rows: IntArray
    locate: Locate

    def __len__(self) -> int:
        return len(self.steps)

    def place(self, i: int) -> Place:
        """Return where number i was logged."""
        return self.locate(int(self.rows[i]))

    def at(self, chosen: IntArray) -> "Series":
        """Return some of the numbers, in their order."""
        if len(chosen) == len(self):
            return self
        return replace(self, steps=self.steps[chosen], values=self.values[chosen], rows=self.rows[chosen])


NOTHING = Series(np.empty(0), np.empty(0), np.empty(0, np.int64), lambda _: Place(""))


@final
@dataclass(frozen=True, eq=False)
class Scalars:
    """The numbers of one run.

    Args:
        place: the file or folder, for messages.
        name: of the run.
        series: by the names under which they were logged.
        dialect: what their steps mean.
        horizon: the updates that the run was made for, if they were logged.
        per_epoch: the updates of an epoch, if they were logged.
        assumed: about numbers that were logged twice or cut off, for people to read; "" if there are none.
        has_fixed_steps: whether the format keeps a step with each number, so that no column can be named for it.
    """

    place: Place
    name: str
    series: Mapping[str, Series]
    dialect: Dialect = UNKNOWN
    horizon: int | None = None
    per_epoch: int | None = None
    assumed: str = ""
    has_fixed_steps: bool = False

    def assume(self, *notes: str) -> "Scalars":
        """Return the same numbers with more that was assumed about them."""
        return replace(self, assumed="; ".join(dict.fromkeys(filter(None, [self.assumed, *notes]))))


def gather_scalars(
    place: Place, name: str, numbers: Iterable[Number], horizon: int | None = None, dialect: Dialect | None = None
) -> Scalars:
    """Gather the numbers of a run by name, from the order in which they were logged.

    Raises:
        RunError: if there is none, or a step is not a whole number from 0.
    """
    names: dict[str, list[int]] = {}
    steps: list[float] = []
    values: list[float] = []
    spots: list[Spot] = []
    for row, (key, step, value, spot) in enumerate(numbers):
        names.setdefault(key, []).append(row)
        steps.append(step)
        values.append(value)
        spots.append(spot)
    every = Series(
        np.array(steps, dtype=np.float64), np.array(values), np.arange(len(steps)), lambda i: Place(*spots[i])
    )
    series = {key: every.at(np.array(rows)) for key, rows in names.items()}
    return scalars_of_series(place, name, series, horizon, dialect)


def scalars_of_series(
    place: Place,
    name: str,
    series: Mapping[str, Series],
    horizon: int | None = None,
    dialect: Dialect | None = None,
) -> Scalars:
    """Return the numbers of a run, from the order in which they were logged.

    Where the steps of a name fall back, a run was resumed from an earlier step: the later values hold.

    Raises:
        RunError: if there is none, or a step is not a whole number from 0.
    """
    if not any(map(len, series.values())):
        raise RunError(f"{place} holds no numbers of a run")
    distinct = {id(each.steps): each for each in series.values() if len(each)}  # a table has one column of steps
    for each in distinct.values():
        _check_steps(each)
    again = [lowest for each in distinct.values() for lowest in _lowest_after_a_fall(each.steps)]
    rows = {key: _rows_that_hold(each.steps) for key, each in distinct.items()}
    kept = {key: each.at(rows[id(each.steps)]) for key, each in series.items() if len(each)}
    note = f"step {min(again):,.0f} and others were logged twice, and the later rows hold" if again else ""
    return Scalars(place, name, kept, dialect or dialect_of(series), horizon, assumed=note)


def _check_steps(series: Series) -> None:
    steps = series.steps
    for i in np.flatnonzero(~((steps >= 0) & (steps == np.floor(steps)) & (steps < np.inf)))[:1]:
        step = "missing" if np.isnan(steps[i]) else f"{float(steps[i])!r}"
        raise RunError(f"the step is {step}; steps are whole numbers from 0", place=series.place(int(i)))
    for i in np.flatnonzero(steps > MOST_STEPS)[:1]:
        check_length(series.place(int(i)), float(steps[i]))


def _rows_that_hold(steps: FloatArray) -> IntArray:
    """Return the rows that no later row replaces: those below every step that follows."""
    if (steps[1:] > steps[:-1]).all():
        return np.arange(len(steps))
    lowest = np.minimum.accumulate(steps[::-1])[::-1]
    return np.flatnonzero(np.append(steps[:-1] < lowest[1:], True))


def _lowest_after_a_fall(steps: FloatArray) -> Sequence[float]:
    fallen = steps[1:][steps[1:] < steps[:-1]]
    return [float(fallen.min())] if len(fallen) else []
