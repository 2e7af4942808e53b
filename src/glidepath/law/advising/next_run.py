"""The runs to make: those after which the order of the candidates is known best.

By Gauss and Newton a run whose losses have the derivatives J adds J^T W J to the information about the parameters,
whatever its losses turn out to be. So the variance a^T C a of a predicted difference, a its derivatives, after a run is
known before the run is made; of all runs that could be made, the best one leaves the least.

Sources:
    Chaloner and Verdinelli, 1995, Bayesian experimental design, section 2.2, https://doi.org/10.1214/ss/1177009939.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from glidepath.core.schedule import Schedule
from glidepath.law.evaluation.fast_sum import FloatArray, IntArray
from glidepath.law.evaluation.formula import losses
from glidepath.law.evaluation.rates import values_of
from glidepath.law.fitting.fit import Fit
from glidepath.law.fitting.prediction import space_evenly
from glidepath.law.fitting.problem import INDEPENDENT, MISFIT, parameters_of, relative_slopes
from glidepath.law.laws.law import Law
from glidepath.law.laws.noise_floor import NoiseFloorLaw
from glidepath.recipes import constant, cosine, linear, warmup

POINTS = 60  # of a run that was not made


class NextRun(NamedTuple):
    """A run to make.

    Args:
        name: what it is.
        plan: over its own length, a ratio of the peak.
        steps: its length.
        std_now: the standard deviation of the predicted differences between the candidates that lead, by the errors
            of the parameters of the noise-floor law; what a law misses comes on top.
        std_after: what the run would leave of it.
    """

    name: str
    plan: Schedule
    steps: int
    std_now: float
    std_after: float


def next_run(
    fit: Fit, rivals: Sequence[Schedule], candidates: Mapping[str, Schedule], steps: int, rising: int = 0
) -> NextRun:
    """Choose the run after which the differences between rivals are known best.

    Args:
        fit: of a law to the runs that were made.
        rivals: the schedules whose order is open, over `steps`.
        candidates: schedules that could be trained, over `steps`.
        steps: the horizon.
        rising: updates of a warmup, before the runs of half the length that are considered too.
    """
    ends = [_final_slopes(fit.law, fit.coordinates, values_of(plan, steps)) for plan in rivals]
    differences = np.array([end - ends[0] for end in ends[1:]] or [ends[0]])
    size, information = fit.law.final_loss(rivals[0], steps), np.linalg.inv(fit.covariance)
    now = size * _largest_std(differences, fit.covariance)
    options = []
    for name, plan, length in _possible_runs(candidates, steps, rising):
        more = _information(fit.law, fit.coordinates, values_of(plan, length), max(MISFIT, fit.residual_std))
        covariance = np.asarray(np.linalg.inv(information + more), dtype=np.float64)
        options.append(NextRun(name, plan, length, now, size * _largest_std(differences, covariance)))
    return min(options, key=lambda run: run.std_after)


def _largest_std(differences: FloatArray, covariance: FloatArray) -> float:
    """Return the largest standard deviation of some differences (r, n)."""
    return float(np.sqrt(np.einsum("ri,ij,rj->r", differences, covariance, differences).max()))


def _possible_runs(candidates: Mapping[str, Schedule], steps: int, rising: int) -> list[tuple[str, Schedule, int]]:
    """Return the candidates themselves, and some runs of half the length: name, plan and length of each."""
    half = min(steps, max(10 + rising, steps // 2))
    rest = half - rising
    short = {
        "cosine": cosine(rest),
        "linear cooldown over the last 20%": constant(rest - rest // 5) >> linear(rest // 5),
        "fall to a tenth in the middle": constant(rest // 2) >> 0.1 * constant(rest - rest // 2),
    }
    return [
        *((name, plan, steps) for name, plan in candidates.items()),
        *(
            (f"{name}, {half:,} updates", warmup(rising) >> plan if rising else plan, half)
            for name, plan in short.items()
        ),
    ]


def choose_first_runs(ratios: Mapping[str, FloatArray], runs: int) -> list[str]:
    """Choose the schedules to train first, before any run: those whose losses determine all the others best.

    Args:
        ratios: by name, the rate of every update over the peak; one at least falls.
        runs: how many to choose.

    Returns:
        The names, the one that determines most by itself first.
    """
    law, coordinates, deviations = _prior_law(max(map(len, ratios.values())))
    ends = np.array([_final_slopes(law, coordinates, values) for values in ratios.values()])
    differences, information = ends - ends.mean(axis=0), np.diag(deviations**-2.0)
    gains = {name: _information(law, coordinates, values, MISFIT) for name, values in ratios.items()}
    chosen: list[str] = []
    while len(chosen) < min(runs, len(ratios)):
        variances = {}
        for name in ratios.keys() - set(chosen):
            covariance = np.linalg.inv(information + gains[name])
            variances[name] = float(np.einsum("ri,ij,rj->", differences, covariance, differences))
        chosen.append(min(variances, key=lambda name: (variances[name], name)))
        information = information + gains[chosen[-1]]
    return chosen


def _prior_law(steps: int) -> tuple[Law, FloatArray, FloatArray]:
    """Return a noise-floor law at the mean of the prior, its coordinates, and their standard deviations."""
    free = NoiseFloorLaw.FREE
    typical = {"limit": 1.0, "gap": 0.0, "noise": float(np.log(0.3))}
    coordinates = np.array([typical.get(parameter.name, parameter.prior_mean_over(steps)) for parameter in free])
    law = NoiseFloorLaw.from_parameters(1.0, parameters_of(NoiseFloorLaw, coordinates))
    return law, coordinates, np.array([min(parameter.prior_std, 1.0) for parameter in free])


def _final_slopes(law: Law, coordinates: FloatArray, ratios: FloatArray) -> FloatArray:
    """Return the derivatives of the logarithm of the last loss, (n,)."""
    slopes: FloatArray = _slopes(law, coordinates, ratios, np.array([len(ratios)]))[0]
    return slopes


def _information(law: Law, coordinates: FloatArray, ratios: FloatArray, size: float) -> FloatArray:
    """Return what the losses of a run would add to the information about the parameters, (n, n)."""
    first = max(len(ratios) // 10, int(np.flatnonzero(ratios)[0]) + 1)
    slopes = _slopes(law, coordinates, ratios, space_evenly(first, len(ratios), POINTS))
    information: FloatArray = slopes.T @ slopes * INDEPENDENT / POINTS / size**2
    return information


def _slopes(law: Law, coordinates: FloatArray, ratios: FloatArray, updates: IntArray) -> FloatArray:
    """Return the derivatives of log L after some updates, (m, n)."""
    timeline = law.timeline(ratios, updates)
    loss, slopes = losses(timeline, law.noise_of(timeline), law.parameters)
    return relative_slopes(type(law), coordinates, loss, slopes)
