"""Which schedule, how long a cooldown, and what to train next: advice from a few runs.

Schedules are ranked by the mean of three laws: see `glidepath.law.fitting.committee`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, pstdev
from typing import Literal, NamedTuple, final

from glidepath.core.horizon import Horizon
from glidepath.core.schedule import Schedule
from glidepath.errors import Argument, Cure, LawError
from glidepath.law.designing.named_schedules import SHARES, cooldown
from glidepath.law.evaluation.fast_sum import FloatArray
from glidepath.law.evaluation.rates import horizon_of, values_of
from glidepath.law.fitting.committee import Committee, band_of_mean, fit_committee
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
        by_law: what each law predicts.
        behind: loss over that of the best.
        verdict: best, tie (cannot be told apart from the best), or worse.
        doubts: why the prediction should not be trusted, in sentences; empty without a reason.
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
        share: the best of those considered.
        shortest: the shortest that cannot be told apart from it.
        longest: the longest that cannot.
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
        next: the run to make next, which would settle most.
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
    """Rank schedules that were not trained, and choose the best cooldown and the run to make next.

    Args:
        runs: of one model, at least one whose rate decays; as for `fit_committee`.
        candidates: by name; drafts are resolved over the horizon. Their values are ratios of the runs' peak.
        horizon: of the run that is to be planned.
        noise: by how much chance moves a difference of two last losses, a standard deviation; twice that is a tie.
            Ties are never less than 7e-4 of the loss, which the laws cannot tell apart either. None: as the seeds of
            the runs differ.
        warmup: of the cooldowns and the next runs that are considered, in updates.
        level: how often the intervals should hold.

    Raises:
        LawError: if there is no candidate, or the runs cannot be fitted.
    """
    whole = horizon_of(horizon)
    _check(candidates, noise, warmup, whole.steps)
    committee = fit_committee(runs)
    noise = committee.noise if noise is None else noise
    plans = {name: plan.over(whole) for name, plan in candidates.items()}
    rates = {name: committee.peak * values_of(plan, whole.steps) for name, plan in plans.items()}
    ranking = rank_schedules(committee, rates, noise, level)
    margin = margin_of(ranking[0].loss, noise)
    close = [row for row in ranking if row.verdict != "worse"]
    rivals = [plans[row.name] for row in (close if len(close) > 1 else ranking[:2])]
    return Advice(
        tuple(ranking),
        margin,
        best_cooldown(committee, whole.steps, warmup, margin),
        next_run(committee.fits[0], rivals, plans, whole.steps, warmup),
        committee,
    )


def _check(candidates: Mapping[str, Schedule], noise: float | None, warmup: int, steps: int) -> None:
    if not isinstance(candidates, Mapping) or not candidates:
        raise LawError("there is no candidate to rank", cures=[Cure("give some by name", Argument("candidates"))])
    if noise is not None and not 0 <= noise < math.inf:
        raise LawError((Argument("noise"), f" is a standard deviation of the loss, at least 0, not {noise!r}"))
    if not 0 <= warmup < steps:
        shorter = Cure("give a shorter one", Argument("warmup"))
        raise LawError(f"a warmup of {warmup} updates does not fit into {steps}", cures=[shorter])


def margin_of(loss: float, noise: float | None) -> float:
    """Return the difference in loss below which two schedules are a tie."""
    return max(TIE * loss, 2 * (noise or 0.0))


def rank_schedules(
    committee: Committee, rates: Mapping[str, FloatArray], noise: float | None = None, level: float = 0.9
) -> list[RankedSchedule]:
    """Rank runs of absolute rates (T,) by the last loss that a committee predicts, the lowest first."""
    predictions = {name: committee.losses(values) for name, values in rates.items()}
    losses = {name: fmean(by_law.values()) for name, by_law in predictions.items()}
    order = sorted(losses, key=lambda name: losses[name])
    best = losses[order[0]]
    margin = margin_of(best, noise)
    return [_rank(name, predictions[name], committee.predict_last(rates[name], level), best, margin) for name in order]


def _rank(name: str, by_law: Mapping[str, float], band: Prediction, best: float, margin: float) -> RankedSchedule:
    loss = fmean(by_law.values())
    low, high = band_of_mean(loss, pstdev(by_law.values()), band.final, band.final_low, band.final_high)
    verdict: Verdict = "best" if loss == best else "tie" if loss - best <= margin else "worse"
    return RankedSchedule(name, loss, low, high, by_law, loss - best, verdict, band.doubts)


def best_cooldown(committee: Committee, steps: int, warmup: int, margin: float) -> Cooldown:
    """Choose the share of a linear cooldown with the lowest predicted loss, and compute what the others cost."""
    losses = {share: committee.loss(cooldown(steps, warmup, share), steps) for share in SHARES}
    best = min(losses, key=lambda share: losses[share])
    regrets = {share: loss - losses[best] for share, loss in losses.items()}
    near = [share for share, regret in regrets.items() if regret <= margin]
    return Cooldown(best, min(near), max(near), regrets)
