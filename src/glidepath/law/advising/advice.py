"""Which schedule, how long a cooldown, and what to train next: advice from a few runs.

What ranks is the mean of three laws: see `glidepath.law.fitting.committee`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, pstdev
from typing import Literal, NamedTuple, final

import numpy as np

from glidepath.core.horizon import Horizon
from glidepath.core.schedule import Schedule
from glidepath.errors import LawError
from glidepath.law.designing.named_schedules import SHARES, cooldown
from glidepath.law.evaluation.fast_sum import FloatArray
from glidepath.law.evaluation.rates import length_of
from glidepath.law.fitting.committee import Committee, fit_committee
from glidepath.law.fitting.prediction import Prediction
from glidepath.runs.run import Run

from .next_run import NextRun, next_run

TIE = 7e-4  # of the loss: what another seed changes in runs of this kind
Verdict = Literal["best", "tie", "worse"]


class RankedSchedule(NamedTuple):
    """A candidate, and what is predicted of its last loss.

    Args:
        name: of the candidate.
        loss: the mean of the laws.
        low: the lower end of the interval.
        high: the upper end.
        by_law: what each law says.
        behind: loss over that of the best.
        verdict: best, tie (not told apart from the best), or worse.
        doubts: why the prediction should not be trusted, if anything is known against it.
    """

    name: str
    loss: float
    low: float
    high: float
    by_law: Mapping[str, float]
    behind: float
    verdict: Verdict
    doubts: tuple[str, ...]


class Cooldown(NamedTuple):
    """A linear cooldown to zero after the peak, as a share of what comes after the warmup.

    Args:
        share: the best of those looked at.
        shortest: the shortest that is not told apart from it.
        longest: the longest that is not.
        regrets: loss over that of the best, by share.
    """

    share: float
    shortest: float
    longest: float
    regrets: Mapping[float, float]


@final
@dataclass(frozen=True, eq=False)
class Advice:
    """What the runs say about candidates that were not trained.

    Args:
        ranking: the candidates, the lowest predicted loss first.
        margin: differences below it are ties.
        cooldown: how long.
        next: the run that would settle most.
        committee: the fits.
    """

    ranking: tuple[RankedSchedule, ...]
    margin: float
    cooldown: Cooldown
    next: NextRun
    committee: Committee = field(repr=False)


def advise(
    runs: Sequence[Run],
    candidates: Mapping[str, Schedule],
    horizon: Horizon | int | str,
    *,
    noise: float | None = None,
    warmup: int = 0,
    level: float = 0.9,
) -> Advice:
    """Rank schedules that were not trained, and tell the best cooldown and the run to make next.

    Args:
        runs: of one model and one peak, at least one whose rate decays.
        candidates: by name; drafts are resolved over the horizon. Their values are ratios of the runs' peak.
        horizon: of the run that is to be planned.
        noise: by how much chance moves a difference of two last losses, a standard deviation; twice that is a tie.
            Ties are never less than 7e-4 of the loss, which the laws cannot tell either.
        warmup: of the cooldowns and the next runs that are looked at, in updates.
        level: how often the intervals should hold.

    Raises:
        LawError: if there is no candidate, or the runs cannot be fitted.
    """
    whole = length_of(horizon)
    _check(candidates, noise, warmup, whole.steps)
    known = fit_committee(runs)
    plans = {name: plan.over(whole) for name, plan in candidates.items()}
    rates = {name: known.peak * plan(np.arange(whole.steps)) for name, plan in plans.items()}
    ranking = rank_schedules(known, rates, noise, level)
    margin = margin_of(ranking[0].loss, noise)
    close = [one for one in ranking if one.verdict != "worse"]
    rivals = [plans[one.name] for one in (close if len(close) > 1 else ranking[:2])]
    return Advice(
        tuple(ranking),
        margin,
        best_cooldown(known, whole.steps, warmup, margin),
        next_run(known.fits[0], rivals, plans, whole.steps, warmup),
        known,
    )


def _check(candidates: Mapping[str, Schedule], noise: float | None, warmup: int, steps: int) -> None:
    if not isinstance(candidates, Mapping) or not candidates:
        raise LawError("there is no candidate to rank: give some, as in {'cosine': cosine('100%')}")
    if noise is not None and not 0 <= noise < math.inf:
        raise LawError(f"noise is a standard deviation of the loss, at least 0, not {noise!r}")
    if not 0 <= warmup < steps:
        raise LawError(f"a warmup of {warmup} updates does not fit into {steps}")


def margin_of(loss: float, noise: float | None) -> float:
    """The difference in loss below which two schedules are a tie."""
    return max(TIE * loss, 2 * (noise or 0.0))


def rank_schedules(
    known: Committee, rates: Mapping[str, FloatArray], noise: float | None = None, level: float = 0.9
) -> list[RankedSchedule]:
    """Runs of absolute rates (T,), with what is predicted of them; the lowest loss first."""
    said = {name: known.losses(each) for name, each in rates.items()}
    losses = {name: fmean(by_law.values()) for name, by_law in said.items()}
    order = sorted(losses, key=lambda name: losses[name])
    best = losses[order[0]]
    margin = margin_of(best, noise)
    return [_ranked(name, said[name], known.last(rates[name], level), best, margin) for name in order]


def _ranked(name: str, by_law: Mapping[str, float], band: Prediction, best: float, margin: float) -> RankedSchedule:
    loss, apart = fmean(by_law.values()), pstdev(by_law.values())
    low, high = loss * band.final_low / band.final - apart, loss * band.final_high / band.final + apart
    verdict: Verdict = "best" if loss == best else "tie" if loss - best <= margin else "worse"
    return RankedSchedule(name, loss, low, high, by_law, loss - best, verdict, band.doubts)


def best_cooldown(known: Committee, steps: int, warmup: int, margin: float) -> Cooldown:
    """The share of a linear cooldown with the lowest predicted loss, and what the others cost."""
    losses = {share: known.loss(cooldown(steps, warmup, share), steps) for share in SHARES}
    best = min(losses, key=lambda share: losses[share])
    regrets = {share: loss - losses[best] for share, loss in losses.items()}
    near = [share for share, regret in regrets.items() if regret <= margin]
    return Cooldown(best, min(near), max(near), regrets)
