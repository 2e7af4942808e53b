"""Figures of runs and predictions: what the commands that learn from runs draw.

Loaded only when a figure is drawn, because Matplotlib may be missing.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from glidepath.core.schedule import Schedule
from glidepath.law import Committee, Fit, Prediction, RankedSchedule
from glidepath.law.fitting.prediction import space_evenly
from glidepath.plot.loss_series import MeasuredLosses, PredictedLosses
from glidepath.plot.losses import draw_losses
from glidepath.plot.style import COLORS
from glidepath.runs.run import FloatArray, Run
from glidepath.ticks import value_text


def draw_fits(fits: Sequence[tuple[Sequence[Run], Fit]], loss: str, law: str) -> Figure:
    """Draw runs, and the law that was fitted to each of them.

    Args:
        fits: each with its runs.
        loss: beside the axis.
        law: in the title.
    """
    many = len(fits) > 1 and sum(len(runs) for runs, _ in fits) > len(COLORS)  # colored by their peaks alone
    families = [f"peak {value_text(fit.law.peak)}" if many else "" for _, fit in fits]
    pairs = [(run, fit, family) for family, (runs, fit) in zip(families, fits, strict=True) for run in runs]
    series = [MeasuredLosses(run.name, run.rates, run.updates, run.losses, family) for run, _, family in pairs]
    curves = [_law_of_run(run, fit, family) for run, fit, family in pairs]
    return draw_losses(series, curves, loss_label=loss, title=f"{law} law")


def draw_predictions(
    runs: Sequence[Run], predictions: Mapping[str, tuple[FloatArray, Prediction]], loss: str, level: float
) -> Figure:
    """Draw runs, and what one law predicts of others.

    Args:
        runs: that the law was fitted to.
        predictions: the rates and the prediction of each run by its name.
        loss: beside the axis.
        level: of the bands.
    """
    curves = [_curve_of_prediction(name, rates, prediction) for name, (rates, prediction) in predictions.items()]
    return draw_losses(_curves_of_runs(runs, predictions), curves, level=level, loss_label=loss)


def draw_ranking(
    runs: Sequence[Run],
    ranking: Sequence[RankedSchedule],
    rates: Mapping[str, FloatArray],
    committee: Committee,
    loss: str,
    tie: float = 0.0,
) -> Figure:
    """Draw runs, and what several laws predict of others on average.

    Args:
        runs: that the laws were fitted to.
        ranking: what is predicted of the last losses.
        rates: of each run in the ranking, by its name.
        committee: the laws.
        loss: beside the axis.
        tie: the difference of last losses below which schedules are a tie.
    """
    curves = [_mean_curve(each, rates[each.name], committee) for each in ranking]
    return draw_losses(_curves_of_runs(runs, rates), curves, tie=tie, loss_label=loss)


def rates_of(plan: Schedule, steps: int, peak: float) -> FloatArray:
    """Return the absolute rate of every update."""
    return peak * np.asarray(plan.over(steps)(np.arange(steps)), dtype=np.float64)


def _curves_of_runs(runs: Sequence[Run], others: Collection[str]) -> list[MeasuredLosses]:
    """Return what was logged, under names that are not those of the others in the figure."""
    names = [f"{run.name}, measured" if run.name in others else run.name for run in runs]
    return [MeasuredLosses(name, run.rates, run.updates, run.losses) for name, run in zip(names, runs, strict=True)]


def _law_of_run(run: Run, fit: Fit, family: str) -> PredictedLosses:
    """Return the law's curve over the updates of a run that were logged."""
    updates = space_evenly(int(run.updates[0]), int(run.updates[-1]))
    prediction = fit.predict(run.rates, updates=updates[updates > np.flatnonzero(run.rates)[0]])
    return PredictedLosses(run.name, run.rates, prediction.updates, prediction.losses, family=family)


def _curve_of_prediction(name: str, rates: FloatArray, prediction: Prediction) -> PredictedLosses:
    """Return a curve with its band, and the interval of its last loss."""
    end = (prediction.final_low, prediction.final_high)
    return PredictedLosses(name, rates, prediction.updates, prediction.losses, prediction.low, prediction.high, end)


def _mean_curve(ranked: RankedSchedule, rates: FloatArray, committee: Committee) -> PredictedLosses:
    """Return the mean of some laws' curves with its band, and the interval of the last loss."""
    mean = committee.predict(rates)
    return PredictedLosses(
        ranked.name, rates, mean.updates, mean.losses, mean.low, mean.high, (ranked.low, ranked.high)
    )
