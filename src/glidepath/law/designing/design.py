"""Design the best schedule that one or several laws predict, for a horizon, a warmup, and what was trained before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean
from typing import NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike

from glidepath.core.checks import count
from glidepath.core.schedule import Schedule
from glidepath.errors import Argument, Cure, LawError
from glidepath.law.evaluation.fast_sum import FloatArray
from glidepath.law.evaluation.rates import horizon_of, ratios_of
from glidepath.law.evaluation.timeline import History
from glidepath.law.fitting.committee import Committee
from glidepath.law.fitting.fit import Fit
from glidepath.law.laws.law import Law
from glidepath.recipes import constant, piecewise_linear
from glidepath.recipes import warmup as rise
from glidepath.runs.aggregate import ONE_PEAK

from .descent import Descent
from .knots import knots
from .named_schedules import standard_schedules
from .optimum import Segment, curve

TOLERANCE = 2e-3  # of the peak: how far the lines of a plan may be from the best rates
DIGITS = 4
PEAK = 0.999  # from there on a rate is the peak


class NamedSchedule(NamedTuple):
    """A schedule of the field, and the loss that the laws predict for it."""

    name: str
    plan: Schedule
    loss: float


@final
@dataclass(frozen=True, eq=False)
class Design:
    """The best schedule by the prediction of some laws.

    Args:
        plan: ratios of the peak, for the updates that are still to come.
        loss: predicted at its end, the mean of the laws.
        laws: which.
        before: (n,), the ratios that were used before; may be empty.
        warmup: updates of it that rise to the peak.
    """

    plan: Schedule
    loss: float
    laws: tuple[Law, ...]
    before: FloatArray = field(repr=False)
    warmup: int

    @property
    def steps(self) -> int:
        """Return the updates that are still to come."""
        return int(self.plan.duration or 0)

    @cached_property
    def nearest(self) -> NamedSchedule:
        """Return the named schedule whose predicted loss is the least; what it costs is its loss over this one's."""
        others = (
            NamedSchedule(name, plan, self._loss(plan)) for name, plan in standard_schedules(self.steps, self.warmup)
        )
        return min(others, key=lambda schedule: schedule.loss)

    def _loss(self, plan: Schedule) -> float:
        return last_loss(self.laws, self.before, plan, self.steps)


def design(
    predictor: Law | Fit | Committee, steps: int | str, *, warmup: int | str = 0, before: ArrayLike | None = None
) -> Design:
    """Design the schedule with the least last loss.

    Under the noise-floor or the functional scaling law it is the optimum in closed form (`optimum.py`). Under another,
    or under the mean of a committee, it is the best of 24 falls (`descent.py`). A committee's is the one to train: what
    is best under one law leans on that law's mistakes. It is written as straight lines between few knots, within 0.2%
    of the peak.

    Args:
        predictor: a law, a fit of one, or a committee. Its peak is the largest rate of the plan.
        steps: updates that are still to come.
        warmup: how many of them rise to the peak; a share as text, "2%".
        before: (n,), the absolute rates of the updates that were made before, for a run that is half done.

    Raises:
        LawError: if the warmup leaves no updates, or the rates before are invalid or above the peak.

    Examples:
        >>> from glidepath.law import NoiseFloorLaw
        >>> law = NoiseFloorLaw(3e-4, limit=2.6, gap=0.9, gap_exponent=0.5, noise=0.35, noise_exponent=0.7,
        ...                     relaxation=0.01, clock_exponent=0.75)
        >>> best = design(law, 10_000, warmup="2%")
        >>> best.plan(0), best.plan(5_000), round(best.plan(9_999), 3)
        (0.005, 1.0, 0.059)
    """
    laws = laws_of(predictor)
    horizon = horizon_of(steps)
    rising = horizon.in_steps(warmup) if isinstance(warmup, str) else count(warmup, "warmup")
    if rising >= horizon.steps:
        shorter = Cure("give a shorter one", Argument("warmup"))
        raise LawError(f"a warmup of {rising} updates leaves nothing to design of {horizon.steps}", cures=[shorter])
    ratios = np.zeros(0) if before is None else _history(before, laws[0].peak)
    warm = rise(rising)(np.arange(rising))
    values = best_ratios(laws, horizon.steps - rising, np.concatenate([ratios, warm]))
    plan = rise(rising) >> fit_lines(values) if rising else fit_lines(values)
    return Design(plan, last_loss(laws, ratios, plan, horizon.steps), laws, ratios, rising)


def _history(before: ArrayLike, peak: float) -> FloatArray:
    ratios = ratios_of(before, peak)
    if ratios.max() > 1 + ONE_PEAK:
        raise LawError(
            f"the rates before go up to {peak * ratios.max():.3g}, and the laws were fitted to runs of the peak "
            f"{peak:.3g}: they say nothing of that training",
            cures=[Cure("give the rates of a run of that peak", Argument("before"))],
        )
    return ratios


def laws_of(predictor: Law | Fit | Committee) -> tuple[Law, ...]:
    """Return the laws themselves."""
    if isinstance(predictor, Committee):
        return tuple(fit.law for fit in predictor.fits)
    return (predictor.law if isinstance(predictor, Fit) else predictor,)


def last_loss(laws: Sequence[Law], before: FloatArray, plan: Schedule, steps: int) -> float:
    """Predict the loss at the end of a plan that follows the rates before it, both over the peak: the laws' mean."""
    ratios = np.concatenate([before, plan(np.arange(steps))])
    return fmean(law.final_loss(ratios * law.peak) for law in laws)


def best_ratios(laws: Sequence[Law], steps: int, before: FloatArray) -> FloatArray:
    """Find the best rates over the peak, and the value that they reach at the end, (steps + 1,)."""
    history = History(before) if before.any() else None
    if not any(law.parameters.noise for law in laws):
        return np.ones(steps + 1)  # where the rate adds no noise, no decay is worth anything
    if len(laws) == 1 and has_closed_form(laws[0]):
        left, ratios = curve(Segment(laws[0].parameters, history, steps).best())
        return np.asarray(np.interp(np.maximum(0, steps - 0.5 - np.arange(steps + 1)), left, ratios))
    descent = Descent([(law.parameters, law.CLOCK) for law in laws], history, steps)
    middles, logs = (descent.edges[:-1] + descent.edges[1:] - 1) / 2, np.log(descent.best())
    if len(logs) > 1:  # the last line continues to the end
        slope = (logs[-1] - logs[-2]) / (middles[-1] - middles[-2])
        middles, logs = np.append(middles, steps), np.append(logs, logs[-1] + slope * (steps - middles[-1]))
    best: FloatArray = np.exp(np.interp(np.arange(steps + 1), middles, logs))
    return best


def has_closed_form(law: Law) -> bool:
    """Return whether the best rates under a law are known in closed form."""
    parameters = law.parameters
    return law.CLOCK == "progress" and not parameters.gamma and parameters.q < parameters.kappa + 1


def fit_lines(values: FloatArray) -> Schedule:
    """Return straight lines through few of the values, in numbers that can be read.

    >>> fit_lines(np.array([1.0, 1.0, 1.0, 0.5, 0.0]))
    constant(2) >> linear(2)
    """
    hold = int(np.argmax(values < PEAK)) - 1 if (values < PEAK).any() else len(values) - 1
    hold = max(hold, 0)
    places = knots(values[hold:], TOLERANCE)
    points = [(place, float(f"{values[hold + place]:.{DIGITS}g}")) for place in places]
    fall = piecewise_linear(points) if len(points) > 1 else None
    if hold and fall:
        return constant(hold) >> fall
    return fall or constant(hold)
