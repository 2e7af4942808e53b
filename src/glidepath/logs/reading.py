"""A run, or its rates, from the numbers that a logger kept: one reading of what they mean, which `assumed` names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import final, get_args

import numpy as np

from glidepath.core.schedule import Schedule
from glidepath.errors import Argument, HorizonError, RunError
from glidepath.runs.deviation import Rates
from glidepath.runs.from_rows import run_from_rows
from glidepath.runs.run import GIVE_PLAN, FloatArray, Run

from .axis import COUNTS, in_updates
from .dialects import NEXT, Between, Count
from .lightning import BY_EPOCH, between_of
from .names import LOG_THE_RATE, is_evaluation
from .quantities import choose_loss, choose_rate, losses_that_hold
from .series import NOTHING, Locate, Scalars, Series
from .studies.study import Only


@final
@dataclass(frozen=True)
class ReadOptions:
    """The options of `glidepath.logs.read`; None where none was given."""

    columns: Mapping[str, str] | None = None
    plan: Schedule | None = None
    peak: float | None = None
    horizon: int | None = None
    warmup: int | None = None
    metric: str | None = None
    only: Only | None = None
    count: Count | None = None
    between: Between | None = None
    updates_per_epoch: int | None = None

    def __post_init__(self) -> None:
        if self.count not in (None, *get_args(Count)):
            problem = (Argument("count", self.count), " does not say what a logged step means")
            raise RunError(problem, choices=get_args(Count))
        if self.between not in (None, *get_args(Between)):
            problem = (Argument("between", self.between), " does not say what the rate is between two rows")
            raise RunError(problem, choices=get_args(Between))

    @property
    def named(self) -> Mapping[str, str]:
        """Return the names that were given."""
        return self.columns or {}


def run_of_scalars(logged: Scalars, options: ReadOptions) -> Run:
    """Build a run from the rate and the loss among some numbers.

    Raises:
        RunError: if a name is not there, several could be meant, or they are not those of a run.
    """
    name = choose_loss(logged, options.named, options.metric)
    planned = options.plan is not None
    choose_rate(logged, options.named, [GIVE_PLAN], needed=not planned)
    scalars, left_out = _without_lost_losses(logged, name)
    scalars = _in_updates(scalars, options, scalars.series[name])
    offsets = COUNTS["index of the update"] if scalars.dialect.offsets is None else scalars.dialect.offsets
    evaluated = is_evaluation(name)
    losses = _shift(scalars.series[name], offsets.evaluation if evaluated else offsets.loss)
    rates = _rates(scalars, options, needed=not planned)
    scalars = _settle_between(scalars, rates, options)
    updates = int(max(rates.steps.max(initial=-1) + 1, losses.steps.max() + (not evaluated)))
    run = _build(scalars, options, rates, losses, name, updates)
    return replace(run, assumed="; ".join(filter(None, [run.assumed, scalars.assumed, left_out])))


def rates_of_scalars(logged: Scalars, options: ReadOptions) -> Rates:
    """Return the rates that were logged, each at the index of the update that used it.

    Raises:
        RunError: if there is none, or several could be meant.
    """
    key = choose_rate(logged, options.named, [LOG_THE_RATE])
    scalars = _in_updates(logged, options, key)
    series = _rates(scalars, options, needed=True)
    return Rates(scalars.name, [int(step) for step in series.steps], series.values.tolist(), scalars.horizon)


def _without_lost_losses(scalars: Scalars, name: str) -> tuple[Scalars, str]:
    losses, note = losses_that_hold(scalars.series[name])
    return replace(scalars, series={**scalars.series, name: losses}), note


def _in_updates(scalars: Scalars, options: ReadOptions, losses: Series) -> Scalars:
    key = choose_rate(scalars, options.named, needed=False)
    planned = _rates_of_plan(scalars, options, key) if len(key) else None
    return in_updates(
        scalars,
        key,
        losses,
        count=options.count or "auto",
        per_epoch=options.updates_per_epoch,
        planned=planned,
    )


def _rates_of_plan(scalars: Scalars, options: ReadOptions, rates: Series) -> Callable[[FloatArray], FloatArray] | None:
    """Return the rates of the plan by update, if it is given and has values."""
    if options.plan is None or options.peak is None:
        return None
    try:
        plan = options.plan.over(options.horizon or scalars.horizon or int(rates.steps[-1]) + 1)
    except HorizonError:
        return None  # which building the run tells
    peak = options.peak
    return lambda steps: peak * np.asarray(plan(steps.astype(np.int64)), dtype=np.float64)


def _rates(scalars: Scalars, options: ReadOptions, *, needed: bool) -> Series:
    """Return the rates at the indices of their updates."""
    series = choose_rate(scalars, options.named, needed=needed)
    if not len(series):
        return NOTHING
    offset = 0 if scalars.dialect.offsets is None else scalars.dialect.offsets.rate
    series = _shift(series, offset)
    if series.steps[-1] == scalars.horizon or (scalars.dialect.offsets == NEXT and len(series) > 1):
        series = series.at(np.arange(len(series) - 1))  # of an update that was never made
    for i in np.flatnonzero(series.steps < 0)[:1]:
        problem = ("a rate at step 0, before the first update; if a step is the index of its update, give ",)
        raise RunError((*problem, Argument("count", "index of the update")), place=series.place(int(i)))
    return series


def _settle_between(scalars: Scalars, rates: Series, options: ReadOptions) -> Scalars:
    """Return the numbers with what the rate was between two rows, where Lightning's rows show it."""
    if (
        scalars.dialect.trainer != "Lightning"
        or options.between is not None
        or not len(rates)
        or options.plan is not None
    ):
        return scalars
    between = between_of(rates, scalars.series)
    settled = replace(scalars, dialect=replace(scalars.dialect, between=between))
    return settled.assume(BY_EPOCH) if between == "held" and len(rates) > 1 else settled


def _build(scalars: Scalars, options: ReadOptions, rates: Series, losses: Series, loss: str, updates: int) -> Run:
    horizon = scalars.horizon if options.plan is not None and options.horizon is None else options.horizon
    steps, rate, measured, place = _in_rows(rates, losses)
    return run_from_rows(
        scalars.name,
        steps,
        rate,
        measured,
        plan=options.plan,
        peak=options.peak,
        horizon=horizon,
        warmup=options.warmup,
        between=options.between or scalars.dialect.between,
        place=place,
        updates=updates,
        loss=loss,
    )


def _in_rows(rates: Series, losses: Series) -> tuple[FloatArray, FloatArray, FloatArray, Locate]:
    """Return rates and losses in one table: the step of each row, its rate or NaN, its loss or NaN, and its place."""
    if np.array_equal(rates.steps, losses.steps):
        return rates.steps, rates.values, losses.values, rates.place
    steps = np.concatenate([rates.steps, losses.steps])
    order = np.argsort(steps, kind="stable")
    absent = [np.full(len(each), np.nan) for each in (losses, rates)]
    rate, measured = np.concatenate([rates.values, absent[0]]), np.concatenate([absent[1], losses.values])
    return (
        steps[order],
        rate[order],
        measured[order],
        lambda row: rates.place(order[row]) if order[row] < len(rates) else losses.place(order[row] - len(rates)),
    )


def _shift(series: Series, by: int) -> Series:
    return replace(series, steps=series.steps + by) if by else series
