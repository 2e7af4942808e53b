"""Runs and predictions as the figure of losses wants them."""

from collections.abc import Collection, Sequence

import numpy as np

from glidepath.core.schedule import Schedule
from glidepath.law import Committee, Fit, Prediction, RankedSchedule
from glidepath.law.fitting.prediction import space_evenly
from glidepath.plot.loss_series import Measured, Predicted
from glidepath.plot.style import COLORS
from glidepath.runs.run import FloatArray, Run
from glidepath.ticks import value_text


def measured(runs: Sequence[Run], others: Collection[str] = ()) -> list[Measured]:
    """What was logged, under names that are not those of the others in the figure."""
    names = [f"{run.name}, measured" if run.name in others else run.name for run in runs]
    return [Measured(name, run.rates, run.updates, run.losses) for name, run in zip(names, runs, strict=True)]


def fitted(fits: Sequence[tuple[Sequence[Run], Fit]]) -> tuple[list[Measured], list[Predicted]]:
    """Runs, and what the laws say that were fitted to them; many runs are told apart by their peaks alone."""
    many = len(fits) > 1 and sum(len(runs) for runs, _ in fits) > len(COLORS)
    families = [f"peak {value_text(fit.law.peak)}" if many else "" for _, fit in fits]
    pairs = [(run, fit, family) for family, (runs, fit) in zip(families, fits, strict=True) for run in runs]
    seen = [Measured(run.name, run.rates, run.updates, run.losses, family) for run, _, family in pairs]
    return seen, [_law_of(run, fit, family) for run, fit, family in pairs]


def _law_of(run: Run, fit: Fit, family: str) -> Predicted:
    """The law's curve over the updates of a run that were logged."""
    places = space_evenly(int(run.updates[0]), int(run.updates[-1]))
    one = fit.predict(run.rates, updates=places[places > np.flatnonzero(run.rates)[0]])
    return Predicted(run.name, run.rates, one.updates, one.losses, family=family)


def predicted(name: str, rates: FloatArray, one: Prediction) -> Predicted:
    """A curve with its band, and the interval of its last loss."""
    return Predicted(name, rates, one.updates, one.losses, one.low, one.high, (one.final_low, one.final_high))


def agreed(one: RankedSchedule, rates: FloatArray, committee: Committee) -> Predicted:
    """The mean of some laws' curves; how far they are apart widens the band of the first."""
    curves = [fit.predict(rates) for fit in committee.fits]
    losses = np.array([curve.losses for curve in curves])
    mean, apart, first = losses.mean(axis=0), losses.std(axis=0), curves[0]
    low, high = mean * first.low / first.losses - apart, mean * first.high / first.losses + apart
    return Predicted(one.name, rates, first.updates, mean, low, high, (one.low, one.high))


def rates_of(plan: Schedule, steps: int, peak: float) -> FloatArray:
    """The absolute rate of every update."""
    return peak * np.asarray(plan.over(steps)(np.arange(steps)), dtype=np.float64)
