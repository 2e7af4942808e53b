"""The losses of a run that a fit uses: those after its beginning, as logarithms, averaged to some hundreds."""

from dataclasses import dataclass
from typing import final

import numpy as np

from glidepath.errors import LawError
from glidepath.law.evaluation.fast_sum import FloatArray, IntArray
from glidepath.law.evaluation.timeline import History, Timeline
from glidepath.runs.run import Run

MOST = 400  # points of a run; more are averaged, which loses nothing that a law of seven parameters could use
FEWEST = 8
AT_THE_PEAK = 0.99  # where a warmup ends
BEGINNING = 0.08  # of a run, that is left out: no law here holds so early


@final
@dataclass(frozen=True, eq=False)
class Observations:
    """The points of one run.

    Args:
        name: of the run.
        timeline: its rates over the peak, and after how many updates there is a point.
        log_losses: (m,).
        neighbor_std: the standard deviation of the logarithm of one logged loss around its neighbors; 0 if no losses
            were averaged.
    """

    name: str
    timeline: Timeline
    log_losses: FloatArray
    neighbor_std: float = 0.0


def observe(run: Run, peak: float) -> Observations:
    """Return the points of a run that a fit uses.

    The first twelfth (8%) of the run is left out, and whatever came before the rate first reached the run's own peak.

    Raises:
        LawError: if fewer than eight points are left.
    """
    warm = int(np.argmax(run.rates >= AT_THE_PEAK * run.rates.max()))
    used = run.updates > max(warm, BEGINNING * run.steps)
    if used.sum() < FEWEST:
        raise LawError(
            f"{run.name} has {used.sum()} losses after its beginning ({BEGINNING:.0%} of the run, and its warmup of "
            f"{warm} updates): a fit needs at least {FEWEST}, better 50"
        )
    every = np.log(run.losses[used])
    updates, logs = thin(run.updates[used], every)
    std = neighbor_std(every) if len(logs) < len(every) else 0.0
    return Observations(run.name, Timeline(History(run.rates / peak), updates), logs, std)


def neighbor_std(values: FloatArray) -> float:
    """Estimate the standard deviation of one value around a smooth curve, from the median step between neighbors.

    >>> round(neighbor_std(np.random.default_rng(0).normal(size=10_000)), 1)
    1.0
    """
    return 1.4826 * float(np.median(np.abs(np.diff(values)))) / 2**0.5


def thin(updates: IntArray, values: FloatArray, most: int = MOST) -> tuple[IntArray, FloatArray]:
    """Average neighbors until there are no more than `most` points; each stands at its mean update.

    >>> thin(np.array([1, 2, 3, 4, 5]), np.array([1.0, 3.0, 5.0, 7.0, 9.0]), most=3)
    (array([1, 3, 5]), array([2., 6., 9.]))
    """
    width = -(-len(updates) // most)
    starts = np.arange(0, len(updates), width)
    sizes = np.diff(starts, append=len(updates))
    return np.add.reduceat(updates, starts) // sizes, np.add.reduceat(values, starts) / sizes
