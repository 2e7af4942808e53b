"""The rate and the loss of a run, among the numbers that a logger kept.

The loss is the validation loss where it has 20 values or more, and otherwise the training loss, unless one is named.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from glidepath.errors import Argument, Cure, RunError
from glidepath.runs.run import at_step, check_each_rate, divergence_error

from .names import (
    ENOUGH,
    TRAINING_LOSS,
    ambiguous,
    loss_names,
    name_it,
    normalize,
    rate_names,
    short_repr,
    shorten,
    validation_names,
)
from .series import NOTHING, Scalars, Series

OTHER_STEPS = ("epoch", "step", "global_step")  # of no use as a metric


def metrics_of_scalars(scalars: Scalars) -> tuple[str, ...]:
    """Return what `metric=` can read: all but the training loss, the rates and other ways to count."""
    names = list(scalars.series)
    others = {*loss_names(names), *rate_names(names), *scalars.dialect.losses, *scalars.dialect.rates}
    return tuple(
        name for name in names if name not in others and normalize(name).removeprefix("train_") not in OTHER_STEPS
    )


# --- the rate ---


def choose_rate(
    scalars: Scalars, columns: Mapping[str, str], cures: Sequence[Cure] = (), *, needed: bool = True
) -> Series:
    """Return the rates as they were logged; none if they are not needed.

    Args:
        scalars: of one run.
        columns: a name by "rate", where it cannot be guessed.
        cures: what to do if there is none, beside naming it.
        needed: whether there has to be one.

    Raises:
        RunError: if there is none, several could be meant, or one is impossible.
    """
    name = _name_in_columns(scalars, columns, "rate", cures) or _rate_name(scalars)
    if name is None and not needed:
        return NOTHING
    if name is None:
        choices = shorten(list(scalars.series))
        losses = {*loss_names(choices), *validation_names(choices)}
        named = [name_it("rate")] if set(choices) - losses else []
        raise RunError("no rate was logged", place=scalars.place, choices=choices, cures=[*named, *cures])
    series = scalars.series[name]
    for i in np.flatnonzero(np.isnan(series.values))[:1]:
        raise RunError(
            "the rate is nan; where none was used, nothing is logged", place=at_step(series.place(i), series.steps[i])
        )
    check_each_rate(series.values, series.steps, series.place)
    return series


def _rate_name(scalars: Scalars) -> str | None:
    candidates = _candidates(scalars, scalars.dialect.rates, rate_names(list(scalars.series)), "rate")
    if len(candidates) > 1 and not _are_equal([scalars.series[name] for name in candidates]):
        raise ambiguous(scalars.place, candidates, "rate")
    return candidates[0] if candidates else None


def _candidates(scalars: Scalars, own: Sequence[str], common: Sequence[str], role: str) -> list[str]:
    """Return the names that could be meant: the trainer's own, or the one with the very name, or the common ones."""
    exact = [name for name in common if normalize(name) == role]
    return [name for name in own if name in scalars.series][:1] or exact or list(common)


def _are_equal(several: Sequence[Series]) -> bool:
    first = several[0]
    return all(
        np.array_equal(first.steps, other.steps) and np.array_equal(first.values, other.values) for other in several
    )


def _name_in_columns(scalars: Scalars, columns: Mapping[str, str], role: str, cures: Sequence[Cure] = ()) -> str | None:
    name = columns.get(role)
    if name is not None and name not in scalars.series:
        choices = shorten(list(scalars.series))
        raise RunError(f"nothing is called {short_repr(name)}", place=scalars.place, choices=choices, cures=cures)
    return name


# --- the loss ---


def choose_loss(scalars: Scalars, columns: Mapping[str, str], metric: str | None) -> str:
    """Return the name of the loss to read.

    Args:
        scalars: of one run.
        columns: a name by "loss", where it cannot be guessed.
        metric: what to read in place of the training loss; "loss" for that.

    Raises:
        RunError: if there is none, or several could be meant.
    """
    names = list(scalars.series)
    if metric is not None and "loss" in columns:
        both = (Argument("metric"), " and ", Argument("columns", key="loss"), " both name the loss: leave one out")
        raise RunError(both, place=scalars.place)
    if metric is not None and metric not in (*names, TRAINING_LOSS):
        raise RunError(f"there is no metric {short_repr(metric)}", place=scalars.place, choices=shorten(names))
    if metric is not None and metric in names:
        return metric
    named = _name_in_columns(scalars, columns, "loss")
    if named is not None:
        return named
    return (None if metric else _validation_loss(scalars)) or _loss_of_training(scalars)


def _validation_loss(scalars: Scalars) -> str | None:
    """Return the validation loss if it is the one to read: it has enough values, or there is no training loss."""
    candidates = validation_names(list(scalars.series))
    if len(candidates) != 1:
        return None
    name = candidates[0]
    alone = not scalars.dialect.losses and not loss_names(list(scalars.series))
    return name if len(scalars.series[name]) >= ENOUGH or alone else None


def _loss_of_training(scalars: Scalars) -> str:
    names = list(scalars.series)
    candidates = _candidates(scalars, scalars.dialect.losses, loss_names(names), "loss")
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        cures = [name_it("loss"), Cure("choose what to read in its place", Argument("metric"))]
        raise RunError("no training loss was logged", place=scalars.place, choices=shorten(names), cures=cures)
    raise ambiguous(scalars.place, candidates, "loss")


def losses_that_hold(series: Series) -> tuple[Series, str]:
    """Return the losses without rows of NaN among good ones, and what was left out.

    Raises:
        RunError: if they end in NaN: the run diverged.
    """
    bad = ~np.isfinite(series.values)
    if not bad.any():
        return series, ""
    if bad[-1] or np.count_nonzero(bad) > len(series) // 2:
        first = int(np.flatnonzero(bad[::-1] == 0)[0]) if not bad.all() else len(series)
        i = len(series) - first if bad[-1] else int(np.flatnonzero(bad)[0])
        raise divergence_error(series.place(i), series.steps[i], str(float(series.values[i])))
    rows = np.flatnonzero(bad)
    places = f"step {series.steps[rows[0]]:,.0f}" + f" and {len(rows) - 1} more" * (len(rows) > 1)
    return series.at(np.flatnonzero(~bad)), f"the loss at {places} is not a number, and left out"
