"""The numbers that a logger kept of a run: by name, each at a step, and what that step means.

A run needs two of them, the rate and the loss; which ones is chosen here. Reading them is left to a file per logger.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import final

import numpy as np

from glidepath.errors import Argument, Cure, Place, RunError
from glidepath.runs.run import (
    GIVE_PLAN,
    MOST_STEPS,
    FloatArray,
    Run,
    at_step,
    check_each_rate,
    check_length,
    divergence_error,
)

from .names import TRAINING_LOSS, ambiguous, loss_names, name_it, normalize, rate_names, short_repr, shorten

EVALUATIONS = {"eval", "val", "valid", "validation", "test"}
OTHER_STEPS = ("epoch", "step", "global_step")  # of no use as a metric
Spot = tuple[str, int | None, str]  # the fields of a `Place`, which is built only for a message
Number = tuple[str, float, float, Spot]  # the name, the step, the value, and where it was logged


@final
@dataclass(frozen=True)
class Offsets:
    """What to add to a logged step.

    Args:
        rate: so that it is the index of the update that used the logged rate.
        loss: so that it is the number of updates before the one that computed the logged training loss.
        evaluation: so that it is the number of updates before an evaluation.
    """

    rate: int = 0
    loss: int = 0
    evaluation: int = 0


INDEX = Offsets()  # step k is update k
LIGHTNING = Offsets(evaluation=1)  # the same, and an evaluation is logged at the step of the last update before it
TRAINER = Offsets(rate=-1, loss=-1)  # Transformers: a step is the number of updates made, when it was logged


def offsets_of(names: Iterable[str]) -> Offsets:
    """Return what the steps mean of the trainer that logs under these names, through any logger.

    >>> offsets_of(["train/loss", "train/learning_rate", "train/epoch"]) == TRAINER
    True
    >>> offsets_of(["train_loss", "lr-AdamW"]) == LIGHTNING
    True
    """
    short = {name.removeprefix("train/") for name in names}
    if {"learning_rate", "epoch"} <= short:
        return TRAINER
    return LIGHTNING if any(name.startswith("lr-") for name in short) else INDEX


@final
@dataclass(frozen=True, eq=False)
class Series:
    """One of the numbers: shape (n,) each, in the order of the steps, and where each was logged."""

    steps: FloatArray
    values: FloatArray
    spots: Sequence[Spot]

    def place(self, i: int) -> Place:
        """Return where number i was logged."""
        return Place(*self.spots[i])


@final
@dataclass(frozen=True, eq=False)
class Scalars:
    """The numbers of one run.

    Args:
        place: the file or folder, for messages.
        name: of the run.
        series: by the names under which they were logged.
        offsets: what their steps mean.
        horizon: the updates that the run was made for, if they were logged.
        assumed: about numbers that were logged twice or cut off, for people to read; "" if there are none.
    """

    place: Place
    name: str
    series: Mapping[str, Series]
    offsets: Offsets = INDEX
    horizon: int | None = None
    assumed: str = ""


def gather_scalars(place: Place, name: str, numbers: Iterable[Number], horizon: int | None = None) -> Scalars:
    """Gather the numbers of a run by name, from the order in which they were logged.

    Where the steps of a name fall back, a run was resumed from an earlier step: the later values hold.

    Raises:
        RunError: if there is none, or a step is not a whole number from 0.
    """
    rows: dict[str, list[tuple[float, float, Spot]]] = {}
    for key, step, value, spot in numbers:
        _check_step(step, spot)
        rows.setdefault(key, []).append((step, value, spot))
    if not rows:
        raise RunError(f"{place} holds no numbers of a run")
    kept = {key: _rows_that_hold([step for step, _, _ in each]) for key, each in rows.items()}
    again = [step for each in rows.values() for step in _steps_that_fall([step for step, _, _ in each])]
    series = {key: _series([rows[key][k] for k in kept[key]]) for key in rows}
    return Scalars(place, name, series, offsets_of(series), horizon, _note_on_repeats(again))


def _check_step(step: float, spot: Spot) -> None:
    if not (math.isfinite(step) and step >= 0 and step == math.floor(step)):
        raise RunError(f"the step is {step!r}; steps are whole numbers from 0", place=Place(*spot))
    if step > MOST_STEPS:
        check_length(Place(*spot), step)


def _rows_that_hold(steps: Sequence[float]) -> list[int]:
    """Return the rows that no later row replaces: those below every step that follows."""
    kept: list[int] = []
    lowest = math.inf
    for k in range(len(steps) - 1, -1, -1):
        if steps[k] < lowest:
            kept.append(k)
            lowest = steps[k]
    return kept[::-1]


def _steps_that_fall(steps: Sequence[float]) -> list[float]:
    return [later for earlier, later in pairwise(steps) if later < earlier]


def _note_on_repeats(steps: Sequence[float]) -> str:
    return f"step {min(steps):,.0f} and others were logged twice, and the later rows hold" if steps else ""


def _series(rows: Sequence[tuple[float, float, Spot]]) -> Series:
    steps, values, spots = zip(*rows, strict=True)
    return Series(np.array(steps, dtype=np.float64), np.array(values, dtype=np.float64), spots)


# --- what a run needs of them ---


def run_of_scalars(
    scalars: Scalars, columns: Mapping[str, str], metric: str | None, build: Callable[..., Run], *, planned: bool
) -> Run:
    """Build a run from the rate and the loss among some scalars.

    Args:
        scalars: of one run.
        columns: names by "rate" and "loss", where they cannot be guessed.
        metric: read in place of the training loss.
        build: takes a name, steps, rates, losses, `place=`, `updates=` and `loss=`, as
            `glidepath.runs.from_rows.run_from_rows` does.
        planned: whether `build` has a plan, so that no rate is needed.

    Raises:
        RunError: if a name is not there, or several could be meant.
    """
    name = _loss_name(scalars, columns, metric)
    evaluated = is_evaluation(name)
    offsets = scalars.offsets
    losses = _shift(_check_nan(scalars, name, "loss"), offsets.evaluation if evaluated else offsets.loss)
    rates = rates_of_scalars(scalars, columns, [GIVE_PLAN], needed=not planned)
    updates = int(max(rates.steps.max(initial=-1) + 1, losses.steps.max() + (not evaluated)))
    steps = np.concatenate([rates.steps, losses.steps])
    order = np.argsort(steps, kind="stable")
    spots = [*rates.spots, *losses.spots]
    absent = [np.full(len(each.steps), np.nan) for each in (losses, rates)]
    run = build(
        scalars.name,
        steps[order],
        np.concatenate([rates.values, absent[0]])[order],
        np.concatenate([absent[1], losses.values])[order],
        place=lambda row: Place(*spots[order[row]]),
        updates=updates,
        loss=name,
    )
    return replace(run, assumed="; ".join(filter(None, [run.assumed, scalars.assumed])))


def rates_of_scalars(
    scalars: Scalars, columns: Mapping[str, str], cures: Sequence[Cure], *, needed: bool = True
) -> Series:
    """Return the rates that were logged, each at the index of the update that used it; none if they are not needed.

    Args:
        scalars: of one run.
        columns: a name by "rate", where it cannot be guessed.
        cures: what to do if there is none, beside naming it.
        needed: whether there has to be one.

    Raises:
        RunError: if there is none, or several could be meant.
    """
    name = _name_in_columns(scalars, columns, "rate", cures) or _rate_name(scalars)
    if name is None and not needed:
        return Series(np.empty(0), np.empty(0), ())
    if name is None:
        choices = shorten(list(scalars.series))
        raise RunError("no rate was logged", place=scalars.place, choices=choices, cures=[name_it("rate"), *cures])
    series = _shift(_check_nan(scalars, name, "rate"), scalars.offsets.rate)
    for i in np.flatnonzero(series.steps < 0)[:1]:
        raise RunError("a rate at step 0, before the first update", place=series.place(i))
    check_each_rate(series.values, series.steps, series.place)
    return series


def metrics_of_scalars(scalars: Scalars) -> tuple[str, ...]:
    """Return what `metric=` can read: all but the training loss, the rates and other ways to count."""
    names = list(scalars.series)
    others = {*loss_names(names), *rate_names(names)}
    return tuple(
        name for name in names if name not in others and normalize(name).removeprefix("train_") not in OTHER_STEPS
    )


def is_evaluation(name: str) -> bool:
    """Return whether a number with this name was measured between updates, on other data.

    >>> [is_evaluation(name) for name in ("eval_loss", "val/loss", "train_loss", "value")]
    [True, True, False, False]
    """
    return bool(EVALUATIONS & set(normalize(name).split("_")))


def _loss_name(scalars: Scalars, columns: Mapping[str, str], metric: str | None) -> str:
    names = list(scalars.series)
    if metric is not None and "loss" in columns:
        both = (Argument("metric"), " and ", Argument("columns", key="loss"), " both name the loss: leave one out")
        raise RunError(both, place=scalars.place)
    if metric is not None and metric not in (*names, TRAINING_LOSS):
        raise RunError(f"there is no metric {short_repr(metric)}", place=scalars.place, choices=shorten(names))
    if metric is not None and metric in names:
        return metric
    return _name_in_columns(scalars, columns, "loss") or _loss_of_training(scalars)


def _loss_of_training(scalars: Scalars) -> str:
    names = list(scalars.series)
    candidates = loss_names(names)
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        cures = [name_it("loss"), Cure("choose what to read in its place", Argument("metric"))]
        raise RunError("no training loss was logged", place=scalars.place, choices=shorten(names), cures=cures)
    raise ambiguous(scalars.place, candidates, "loss")


def _rate_name(scalars: Scalars) -> str | None:
    candidates = rate_names(list(scalars.series))
    if len(candidates) > 1:
        raise ambiguous(scalars.place, candidates, "rate")
    return candidates[0] if candidates else None


def _name_in_columns(scalars: Scalars, columns: Mapping[str, str], role: str, cures: Sequence[Cure] = ()) -> str | None:
    name = columns.get(role)
    if name is not None and name not in scalars.series:
        choices = shorten(list(scalars.series))
        raise RunError(f"nothing is called {short_repr(name)}", place=scalars.place, choices=choices, cures=cures)
    return name


def _check_nan(scalars: Scalars, name: str, role: str) -> Series:
    """Return a series, if it has no NaN, which would be taken for a number that was not logged."""
    series = scalars.series[name]
    for i in np.flatnonzero(np.isnan(series.values))[:1]:
        if role == "loss":
            raise divergence_error(series.place(i), series.steps[i], "nan")
        raise RunError(f"{name} is nan", place=at_step(series.place(i), series.steps[i]))
    return series


def _shift(series: Series, by: int) -> Series:
    return replace(series, steps=series.steps + by)
