"""Fit a law to some runs, and predict others from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from glidepath.core.schedule import Schedule
from glidepath.errors import Argument, Cure, LawError
from glidepath.law.evaluation.fast_sum import FloatArray
from glidepath.law.evaluation.formula import losses
from glidepath.law.evaluation.rates import Length, as_counts, as_numbers, ratios_of
from glidepath.law.laws.law import Law
from glidepath.law.laws.noise_floor import NoiseFloorLaw
from glidepath.runs.aggregate import ONE_PEAK, group_by_peak
from glidepath.runs.run import Run

from .observations import Observations, observe
from .parameters import FittedParameter, parameter_table
from .prediction import Prediction, Uncertainty, add_band, distance_from_fit, space_evenly
from .problem import Problem, parameters_of, relative_slopes
from .selection import select_runs

NOISIEST = 0.4  # of the loss, around the law
LEAST_FALL = 1e-3  # of the loss, from the first tenth of the points to the last


@final
@dataclass(frozen=True, eq=False)
class Fit:
    """A law fitted to runs.

    Args:
        law: with the parameters that fit best.
        coordinates: (n,), its free parameters as they were searched for: the logarithm of most.
        covariance: (n, n), of those.
        residuals: for each run (m,), log L - log loss.
        names: of the runs.
        residual_std: the standard deviation of one logged loss around the law, relative; outliers aside.
        earliest: the progress at the first loss that was used, in updates at the peak.
        furthest: the largest progress of a run.
    """

    law: Law
    coordinates: FloatArray = field(repr=False)
    covariance: FloatArray = field(repr=False)
    residuals: tuple[FloatArray, ...] = field(repr=False)
    names: tuple[str, ...]
    residual_std: float
    earliest: float
    furthest: float

    @property
    def parameters(self) -> tuple[FittedParameter, ...]:
        """Return the parameters that the fit chose: name, symbol, meaning, value and standard error of each."""
        return parameter_table(type(self.law), self.coordinates, self.covariance)

    def predict(
        self,
        plan: Schedule | ArrayLike,
        steps: Length = None,
        *,
        updates: ArrayLike | None = None,
        level: float = 0.9,
    ) -> Prediction:
        """Predict the loss of a run under a schedule, with a band.

        Args:
            plan: a schedule, whose values are ratios of the peak, or the absolute rate of every update.
            steps: updates of the run, also "10k"; None: as many as the schedule lasts, or as there are rates.
            updates: (m,), ascending, after how many updates; None: some 400, evenly spaced over the run.
            level: how often the band should hold for one logged loss.

        Raises:
            LawError: as `Law.predict`.
        """
        ratios = ratios_of(plan, self.law.peak, steps)
        first = int(np.flatnonzero(ratios)[0]) + 1
        where = space_evenly(first, len(ratios)) if updates is None else as_counts(updates)
        timeline = self.law.timeline(ratios, where)
        loss, slopes = losses(timeline, self.law.noise_of(timeline), self.law.parameters)
        jacobian = relative_slopes(type(self.law), self.coordinates, loss, slopes)
        parameter_std = np.sqrt(np.maximum(0, np.einsum("mi,ij,mj->m", jacobian, self.covariance, jacobian)))
        distance = distance_from_fit(timeline.progress, ratios, self.earliest, self.furthest)
        uncertainty = Uncertainty(parameter_std, distance, self.residual_std)
        return add_band(where, ratios[where - 1] * self.law.peak, loss, uncertainty, level)


def fit(
    runs: Sequence[Run],
    law: type[Law] = NoiseFloorLaw,
    *,
    weights: Sequence[float] | None = None,
    across_peaks: bool = False,
    prior: bool = True,
) -> Fit:
    """Fit a law to some runs of one model.

    Args:
        runs: at least one whose rate decays; different lengths and schedules may be mixed.
        law: which.
        weights: of each run, above 0; None: all alike.
        across_peaks: fit one law to runs whose peaks differ, which is not accurate; see `fit_by_peak`.
        prior: whether to hold exponents near what they usually are, where the runs do not determine them. Without it
            a few runs are met more closely, and others predicted worse.

    Raises:
        LawError: if the runs say nothing about decay, have different peaks, or cannot be fitted.
    """
    if isinstance(runs, Run) or not (isinstance(law, type) and issubclass(law, Law)):
        raise LawError("fit takes a list of runs and the class of a law, as in fit([run], NoiseFloorLaw)")
    peak = _peak(runs, across_peaks)
    observations = [observe(run, peak) for run in runs]
    _refuse_constant(observations)
    problem = Problem(law, observations, _weights(weights, len(runs)), prior)
    coordinates, covariance = problem.solve()
    names = tuple(run.name for run in runs)
    residual_std = problem.residual_std(coordinates)
    _refuse_lawless(names, observations, residual_std)
    return Fit(
        law.from_parameters(peak, parameters_of(law, coordinates)),
        coordinates,
        covariance,
        tuple(problem.residuals(coordinates)),
        names,
        residual_std=float(np.hypot(residual_std, max(points.neighbor_std for points in observations))),
        earliest=min(float(points.timeline.progress[0]) for points in observations),
        furthest=max(float(points.timeline.progress[-1]) for points in observations),
    )


def fit_by_peak(runs: Sequence[Run], law: type[Law] = NoiseFloorLaw) -> dict[float, Fit]:
    """Fit a law for each peak rate among the runs, the lowest first: one law does not hold across peaks."""
    return {peak: fit(group, law) for peak, group in group_by_peak(runs).items()}


def predict(
    runs: Sequence[Run],
    plan: Schedule | ArrayLike,
    steps: Length = None,
    *,
    law: type[Law] = NoiseFloorLaw,
    updates: ArrayLike | None = None,
    level: float = 0.9,
) -> Prediction:
    """Fit a law to some runs, and predict a run that was not made: `fit(runs, law).predict(plan, steps, ...)`.

    Runs that differ only by their seed count as one, their mean. Of runs with several peaks, those of the peak with the
    lowest last loss are used, with a warning; the `notes` of the prediction say so too.
    """
    selection = select_runs(runs)
    prediction = fit(selection.runs, law).predict(plan, steps, updates=updates, level=level)
    return replace(prediction, notes=selection.notes)


def _peak(runs: Sequence[Run], across_peaks: bool) -> float:
    if not runs:
        raise LawError("there is no run to fit a law to")
    peaks = [float(run.peak) for run in runs]
    if max(peaks) - min(peaks) > ONE_PEAK * max(peaks) and not across_peaks:
        listed = ", ".join(f"{run.name}: {run.peak:g}" for run in runs)
        raise LawError(
            f"these runs have different peaks ({listed}), and one law is not accurate across peaks",
            cures=[
                Cure("fit each apart with fit_by_peak(runs)"),
                Cure("fit one law to all of them", Argument("across_peaks", True)),
            ],
        )
    return max(peaks)


def _weights(weights: Sequence[float] | None, runs: int) -> FloatArray:
    values = np.ones(runs) if weights is None else np.atleast_1d(as_numbers(weights, "weights are numbers"))
    if values.shape != (runs,) or not (np.isfinite(values) & (values > 0)).all():
        raise LawError(f"weights are one number above 0 for each of the {runs} runs, not {weights!r}")
    return values


def _refuse_constant(observations: Sequence[Observations]) -> None:
    """Raise an error unless the rate of a run falls while its loss is logged: only that says what a fall does."""
    if not any(_decays(points) for points in observations):
        names = ", ".join(points.name for points in observations)
        raise LawError(
            f"the rate never falls in {names}, and a constant rate says nothing about what a decay would do: add a run "
            "that decays, however short its decay"
        )


def _refuse_lawless(names: Sequence[str], observations: Sequence[Observations], residual_std: float) -> None:
    """Raise an error if no law of this kind describes the losses, so that they get no confident numbers."""
    if residual_std > NOISIEST:
        raise LawError(
            f"the losses of {', '.join(names)} lie {residual_std:.0%} from the best law: they are too noisy, or not "
            "the losses of one training; average them (over seeds, over steps), or give the validation loss"
        )
    if not any(_falls(points, residual_std) for points in observations):
        raise LawError(
            f"the losses of {', '.join(names)} do not fall with training, so there is no progress to predict: are the "
            "right columns read?"
        )


def _falls(points: Observations, residual_std: float) -> bool:
    """Return whether the first tenth of the points is above the last tenth by more than chance would have it."""
    part = max(1, len(points.log_losses) // 10)
    fall = float(points.log_losses[:part].mean() - points.log_losses[-part:].mean())
    return fall > max(LEAST_FALL, 3.0 * residual_std * math.sqrt(2 / part))


def _decays(points: Observations) -> bool:
    rates = points.timeline.history.ratios[points.timeline.updates - 1]
    return bool(rates.min() < 0.9 * rates.max())
