"""What a logger kept of a run: numbers by name, each at a step, and what that step means.

A run needs two of them, the rate and the loss; which ones is chosen here. Reading them is left to a file per logger.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import final

import numpy as np

from glidepath.errors import RunError
from glidepath.runs.run import MOST_STEPS, PLAN, FloatArray, Run, check_length, diverged, impossible_rate, refused_rate

from .names import listed, plain, several, shown, training_losses
from .names import rates as rates_among

EVALUATIONS = {"eval", "val", "valid", "validation", "test"}
OTHER_STEPS = ("epoch", "step", "global_step")  # of no use as a metric


@final
@dataclass(frozen=True)
class Offsets:
    """What to add to a logged step.

    Args:
        rate: so that it is the index of the update that used the logged rate.
        loss: so that it is the number of updates before the one that saw the logged training loss.
        evaluation: so that it is the number of updates before an evaluation.
    """

    rate: int = 0
    loss: int = 0
    evaluation: int = 0


INDEX = Offsets()  # step k is update k
LIGHTNING = Offsets(evaluation=1)  # the same, and an evaluation is logged at the step of the last update before it
TRAINER = Offsets(rate=-1, loss=-1)  # Transformers: a step is the number of updates made, when it was logged


def offsets_of(names: Iterable[str]) -> Offsets:
    """What the steps mean of whoever logs under these names, through any logger.

    >>> offsets_of(["train/loss", "train/learning_rate", "train/epoch"]) == TRAINER
    True
    >>> offsets_of(["train_loss", "lr-AdamW"]) == LIGHTNING
    True
    """
    known = {name.removeprefix("train/") for name in names}
    if {"learning_rate", "epoch"} <= known:
        return TRAINER
    return LIGHTNING if any(name.startswith("lr-") for name in known) else INDEX


@final
@dataclass(frozen=True, eq=False)
class Series:
    """One of the numbers: shape (n,) each, in the order of the steps, and where each was found."""

    steps: FloatArray
    values: FloatArray
    places: Sequence[str]


@final
@dataclass(frozen=True, eq=False)
class Scalars:
    """The numbers of one run.

    Args:
        where: the file or folder, as messages begin.
        name: of the run.
        series: by the names under which they were logged.
        offsets: what their steps mean.
        horizon: the updates that the run was made for, if it is known.
        assumed: of what was logged twice or not whole, for people to read; "" if nothing was.
    """

    where: str
    name: str
    series: Mapping[str, Series]
    offsets: Offsets = INDEX
    horizon: int | None = None
    assumed: str = ""


def gathered(
    where: str, name: str, found: Iterable[tuple[str, float, float, str]], horizon: int | None = None
) -> Scalars:
    """Scalars from (name, step, value, place), in the order in which they were logged.

    Where the steps of a name fall back, a run was resumed from an earlier step: the later values hold.

    Raises:
        RunError: if there is none, or a step is no whole number from 0.
    """
    rows: dict[str, list[tuple[float, float, str]]] = {}
    for key, step, value, place in found:
        _check_step(step, place)
        rows.setdefault(key, []).append((step, value, place))
    if not rows:
        raise RunError(f"{where} holds no numbers of a run")
    kept = {key: _standing([step for step, _, _ in each]) for key, each in rows.items()}
    again = [step for each in rows.values() for step in _fallen([step for step, _, _ in each])]
    series = {key: _series([rows[key][k] for k in kept[key]]) for key in rows}
    return Scalars(where, name, series, offsets_of(series), horizon, _told_again(again))


def _check_step(step: float, place: str) -> None:
    if not (math.isfinite(step) and step >= 0 and step == math.floor(step)):
        raise RunError(f"{place}: the step is {step!r}; steps are whole numbers from 0")
    if step > MOST_STEPS:
        check_length(place, step)


def _standing(steps: Sequence[float]) -> list[int]:
    """The rows that no later row takes back: those below every step that follows."""
    kept: list[int] = []
    lowest = math.inf
    for k in range(len(steps) - 1, -1, -1):
        if steps[k] < lowest:
            kept.append(k)
            lowest = steps[k]
    return kept[::-1]


def _fallen(steps: Sequence[float]) -> list[float]:
    return [later for earlier, later in pairwise(steps) if later < earlier]


def _told_again(steps: Sequence[float]) -> str:
    return f"step {min(steps):,.0f} and others were logged twice, and the later rows hold" if steps else ""


def _series(rows: Sequence[tuple[float, float, str]]) -> Series:
    steps, values, places = zip(*rows, strict=True)
    return Series(np.array(steps, dtype=np.float64), np.array(values, dtype=np.float64), places)


# --- what a run needs of them ---


def run_of_scalars(
    scalars: Scalars, columns: Mapping[str, str], metric: str | None, build: Callable[..., Run], *, planned: bool
) -> Run:
    """The run that the rate and the loss among some scalars tell of.

    Args:
        scalars: of one run.
        columns: names by "rate" and "loss", where they cannot be guessed.
        metric: read in place of the training loss.
        build: makes a run of a name, steps, rates, losses, `place=` and `updates=`, as `glidepath.runs.from_rows.logged` does.
        planned: whether `build` has a plan, so that no rate is needed.

    Raises:
        RunError: if a name is not there, or several could be meant.
    """
    name = _loss_name(scalars, columns, metric)
    evaluated = is_evaluation(name)
    offsets = scalars.offsets
    losses = _moved(_finite(scalars, name, "loss"), offsets.evaluation if evaluated else offsets.loss)
    rates = _moved(rates_of_scalars(scalars, columns, needed=not planned), 0)
    made = int(max(rates.steps.max(initial=-1) + 1, losses.steps.max() + (not evaluated)))
    steps = np.concatenate([rates.steps, losses.steps])
    order = np.argsort(steps, kind="stable")
    places = [[*rates.places, *losses.places][i] for i in order]
    absent = [np.full(len(each.steps), np.nan) for each in (losses, rates)]
    run = build(
        scalars.name,
        steps[order],
        np.concatenate([rates.values, absent[0]])[order],
        np.concatenate([absent[1], losses.values])[order],
        place=places.__getitem__,
        updates=made,
    )
    return replace(run, assumed="; ".join(filter(None, [run.assumed, scalars.assumed])))


def rates_of_scalars(scalars: Scalars, columns: Mapping[str, str], *, needed: bool = True) -> Series:
    """The rates that were logged, each at the index of the update that used it; none if they are not needed.

    Raises:
        RunError: if there is none, or several could be meant.
    """
    name = _named(scalars, columns, "rate") or _rate_name(scalars)
    if name is None and not needed:
        return Series(np.empty(0), np.empty(0), ())
    if name is None:
        raise RunError(
            f"{scalars.where}: no rate among {listed(list(scalars.series))}: name it, "
            f'columns={{"rate": ...}}, or {PLAN}'
        )
    moved = _moved(_finite(scalars, name, "rate"), scalars.offsets.rate)
    for i in np.flatnonzero(moved.steps < 0)[:1]:
        raise RunError(f"{moved.places[i]}: a rate at step 0, before the first update")
    check_rates(moved)
    return moved


def check_rates(series: Series) -> None:
    """Every rate is one that an optimizer could have used.

    Raises:
        RunError: with the place of the first that is not.
    """
    for i in np.flatnonzero(impossible_rate(series.values))[:1]:
        raise RunError(f"{series.places[i]}: {refused_rate(int(series.steps[i]), series.values[i])}")


def metrics_of_scalars(scalars: Scalars) -> tuple[str, ...]:
    """What `metric=` can read: all but the training loss, the rates and other ways to count."""
    names = list(scalars.series)
    left = {*training_losses(names), *rates_among(names)}
    return tuple(name for name in names if name not in left and plain(name).removeprefix("train_") not in OTHER_STEPS)


def is_evaluation(name: str) -> bool:
    """Whether it was measured between updates, on other data.

    >>> [is_evaluation(name) for name in ("eval_loss", "val/loss", "train_loss", "value")]
    [True, True, False, False]
    """
    return bool(EVALUATIONS & set(plain(name).split("_")))


def _loss_name(scalars: Scalars, columns: Mapping[str, str], metric: str | None) -> str:
    names = list(scalars.series)
    if metric is not None and "loss" in columns:
        raise RunError(f'{scalars.where}: metric= and columns={{"loss": ...}} both name the loss: leave one out')
    if metric is not None and metric not in names:
        raise RunError(f"{scalars.where}: there is no metric {shown(metric)}; there are {listed(names)}")
    found = metric or _named(scalars, columns, "loss")
    if found is not None:
        return found
    candidates = training_losses(names)
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise RunError(
            f'{scalars.where}: no training loss among {listed(names)}: name it, columns={{"loss": ...}}, or choose '
            "what to read in its place, metric="
        )
    raise RunError(f"{scalars.where}: {several(candidates, 'loss')}")


def _rate_name(scalars: Scalars) -> str | None:
    candidates = rates_among(list(scalars.series))
    if len(candidates) > 1:
        raise RunError(f"{scalars.where}: {several(candidates, 'rate')}")
    return candidates[0] if candidates else None


def _named(scalars: Scalars, columns: Mapping[str, str], what: str) -> str | None:
    given = columns.get(what)
    if given is not None and given not in scalars.series:
        raise RunError(f"{scalars.where}: nothing is called {shown(given)}; there are {listed(list(scalars.series))}")
    return given


def _finite(scalars: Scalars, name: str, what: str) -> Series:
    """A series without NaN, which would be taken for a number that was not logged."""
    series = scalars.series[name]
    for i in np.flatnonzero(np.isnan(series.values))[:1]:
        step = int(series.steps[i])
        raise RunError(f"{series.places[i]}: {diverged(step, 'nan') if what == 'loss' else f'{name} is nan'}")
    return series


def _moved(series: Series, by: int) -> Series:
    return replace(series, steps=series.steps + by)
