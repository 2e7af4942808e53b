"""Which runs to make: those after which the candidates' order is known best.

By Gauss and Newton a run whose losses have the derivatives J adds J^T W J to what is known of the parameters, whatever
its losses turn out to be. So the variance a^T C a of a predicted difference, a its derivatives, after a run is known
before the run is made; of all runs that could be made, the best one leaves the least.

Sources:
    Chaloner and Verdinelli, 1995, Bayesian experimental design, section 2.2, https://doi.org/10.1214/ss/1177009939.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from glidepath.core.schedule import Schedule
from glidepath.law.evaluation.fast_sum import FloatArray, IntArray
from glidepath.law.evaluation.formula import losses
from glidepath.law.fitting.fit import Fit
from glidepath.law.fitting.prediction import space_evenly
from glidepath.law.fitting.problem import INDEPENDENT, MISFIT, parameters_of, relative_slopes
from glidepath.law.laws.law import Law
from glidepath.law.laws.noise_floor import NoiseFloorLaw
from glidepath.recipes import constant, cosine, linear, warmup

POINTS = 60  # of a run that is imagined


class NextRun(NamedTuple):
    """A run to make.

    Args:
        name: what it is.
        plan: over its own length, a ratio of the peak.
        steps: its length.
        now: the standard deviation of the predicted differences between the candidates that lead, as far as the
            parameters of the noise-floor law leave them open; what a law misses comes on top.
        then: what would be left of it.
    """

    name: str
    plan: Schedule
    steps: int
    now: float
    then: float


def next_run(
    known: Fit, rivals: Sequence[Schedule], candidates: Mapping[str, Schedule], steps: int, rising: int = 0
) -> NextRun:
    """The run after which the differences between rivals are known best.

    Args:
        known: a fit.
        rivals: the schedules whose order is open, over `steps`.
        candidates: schedules that could be trained, over `steps`.
        steps: the horizon.
        rising: updates of a warmup, before the runs of half the length that are looked at too.
    """
    ends = [_end(known.law, known.coordinates, plan(np.arange(steps))) for plan in rivals]
    apart = np.array([one - ends[0] for one in ends[1:]] or [ends[0]])
    size, information = known.law.final_loss(rivals[0], steps), np.linalg.inv(known.covariance)
    now = size * _deviation(apart, known.covariance)
    found = []
    for name, plan, length in _possible(candidates, steps, rising):
        more = _told(known.law, known.coordinates, plan(np.arange(length)), max(MISFIT, known.residual_std))
        left = np.asarray(np.linalg.inv(information + more), dtype=np.float64)
        found.append(NextRun(name, plan, length, now, size * _deviation(apart, left)))
    return min(found, key=lambda run: run.then)


def _deviation(apart: FloatArray, covariance: FloatArray) -> float:
    """The largest standard deviation of some differences (r, n)."""
    return float(np.sqrt(np.einsum("ri,ij,rj->r", apart, covariance, apart).max()))


def _possible(candidates: Mapping[str, Schedule], steps: int, rising: int) -> list[tuple[str, Schedule, int]]:
    """The candidates themselves, and some runs of half the length."""
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
    """The schedules to train first, when nothing is known yet but the prior: those that tell most about all of them.

    Args:
        ratios: by name, the rate of every update over the peak; one at least falls.
        runs: how many to choose.

    Returns:
        The names, the first one telling most by itself.
    """
    law, searched, deviations = _typical(max(map(len, ratios.values())))
    ends = np.array([_end(law, searched, one) for one in ratios.values()])
    apart, information = ends - ends.mean(axis=0), np.diag(deviations**-2.0)
    told = {name: _told(law, searched, one, MISFIT) for name, one in ratios.items()}
    chosen: list[str] = []
    while len(chosen) < min(runs, len(ratios)):
        left = {}
        for name in ratios.keys() - set(chosen):
            covariance = np.linalg.inv(information + told[name])
            left[name] = float(np.einsum("ri,ij,rj->", apart, covariance, apart))
        chosen.append(min(left, key=lambda name: (left[name], name)))
        information = information + told[chosen[-1]]
    return chosen


def _typical(steps: int) -> tuple[Law, FloatArray, FloatArray]:
    """A noise-floor law as the prior has it, its parameters as they are searched for, and how open they are."""
    free = NoiseFloorLaw.FREE
    known = {"limit": 1.0, "gap": 0.0, "noise": float(np.log(0.3))}
    searched = np.array([known.get(one.name, one.prior_mean_over(steps)) for one in free])
    law = NoiseFloorLaw.from_parameters(1.0, parameters_of(NoiseFloorLaw, searched))
    return law, searched, np.array([min(one.deviation, 1.0) for one in free])


def _end(law: Law, searched: FloatArray, ratios: FloatArray) -> FloatArray:
    """(n,): the derivatives of the logarithm of the last loss."""
    found: FloatArray = _slopes(law, searched, ratios, np.array([len(ratios)]))[0]
    return found


def _told(law: Law, searched: FloatArray, ratios: FloatArray, size: float) -> FloatArray:
    """(n, n): what the losses of a run would add to what is known of the parameters."""
    first = max(len(ratios) // 10, int(np.flatnonzero(ratios)[0]) + 1)
    slopes = _slopes(law, searched, ratios, space_evenly(first, len(ratios), POINTS))
    found: FloatArray = slopes.T @ slopes * INDEPENDENT / POINTS / size**2
    return found


def _slopes(law: Law, searched: FloatArray, ratios: FloatArray, updates: IntArray) -> FloatArray:
    """(m, n): the derivatives of log L after some updates."""
    timeline = law.timeline(ratios, updates)
    loss, slopes = losses(timeline, law.noise_of(timeline), law.parameters)
    return relative_slopes(type(law), searched, loss, slopes)
