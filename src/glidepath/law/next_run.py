"""The one run that would settle most: where the candidates' order depends on letters that the runs leave open.

By Gauss and Newton a run whose losses have the derivatives J adds J^T W J to what is known of the letters, whatever
its losses turn out to be. So the variance a^T C a of a predicted difference, a its derivatives, after a run is known
before the run is made; of all runs that could be made, the best one leaves the least.

Sources:
    Chaloner and Verdinelli, 1995, Bayesian experimental design, section 2.2, https://doi.org/10.1214/ss/1177009939.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from glidepath.core.schedule import Schedule
from glidepath.recipes import constant, cosine, linear

from .fast_sum import FloatArray, IntArray
from .fitting import Fit
from .formula import losses
from .prediction import spaced
from .problem import INDEPENDENT, MISFIT, relative

POINTS = 60  # of a run that is imagined


class NextRun(NamedTuple):
    """A run to make.

    Args:
        name: what it is.
        plan: over its own length, a ratio of the peak.
        steps: its length.
        now: the standard deviation of the predicted differences between the candidates that lead.
        then: what would be left of it.
    """

    name: str
    plan: Schedule
    steps: int
    now: float
    then: float


def next_run(known: Fit, rivals: Sequence[Schedule], candidates: Mapping[str, Schedule], steps: int) -> NextRun:
    """The run after which the differences between rivals are known best.

    Args:
        known: a fit.
        rivals: the schedules whose order is open, over `steps`.
        candidates: schedules that could be trained, over `steps`.
        steps: the horizon.
    """
    ends = [_slopes(known, plan, steps, np.array([steps])) for plan in rivals]
    apart = np.array([(one - ends[0])[0] for one in ends[1:]] or [ends[0][0]])
    size = known.law.final_loss(rivals[0], steps)
    found = []
    for name, plan, length in _possible(candidates, steps):
        slopes = _slopes(known, plan, length, spaced(max(1, length // 10), length, POINTS))
        more = slopes.T @ slopes * INDEPENDENT / POINTS / max(MISFIT, known.noise) ** 2
        then = np.asarray(np.linalg.inv(np.linalg.inv(known.covariance) + more), dtype=np.float64)
        now, left = (size * _deviation(apart, covariance) for covariance in (known.covariance, then))
        found.append(NextRun(name, plan, length, now, left))
    return min(found, key=lambda run: run.then)


def _deviation(apart: FloatArray, covariance: FloatArray) -> float:
    """The largest standard deviation of some differences (r, n)."""
    return float(np.sqrt(np.einsum("ri,ij,rj->r", apart, covariance, apart).max()))


def _possible(candidates: Mapping[str, Schedule], steps: int) -> list[tuple[str, Schedule, int]]:
    """The candidates themselves, and some runs of half the length."""
    half = max(10, steps // 2)
    short = {
        f"cosine over {half:,} updates": cosine(half),
        f"linear cooldown over the last 20% of {half:,} updates": constant(half - half // 5) >> linear(half // 5),
        f"a fall to a tenth after half of {half:,} updates": constant(half // 2) >> 0.1 * constant(half - half // 2),
    }
    return [
        *((name, plan, steps) for name, plan in candidates.items()),
        *((name, plan, half) for name, plan in short.items()),
    ]


def _slopes(known: Fit, plan: Schedule, steps: int, updates: IntArray) -> FloatArray:
    """(m, n): the derivatives of log L after some updates."""
    timeline = known.law.timeline(plan(np.arange(steps)), updates)
    loss, slopes = losses(timeline, known.law.noise_of(timeline), known.law.letters())
    return relative(type(known.law), known.searched, loss, slopes)
