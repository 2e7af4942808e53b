"""Which schedule, how long a cooldown, and what to train next: advice from a few runs.

What ranks is the mean of three laws: see `committee.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Literal, NamedTuple, final

from glidepath.core.errors import LawError
from glidepath.core.schedule import Schedule
from glidepath.law.designing.named import SHARES, cooldown
from glidepath.law.evaluation.fast_sum import FloatArray
from glidepath.law.fitting.committee import Committee, fit_committee
from glidepath.run import Run
from glidepath.units import Horizon, as_horizon

from .next_run import NextRun, next_run

TIE = 7e-4  # of the loss: what another seed changes in runs of this kind
Verdict = Literal["best", "tie", "worse"]


class Ranked(NamedTuple):
    """A candidate, and what is predicted of its last loss.

    Args:
        name: of the candidate.
        loss: the mean of the laws.
        low: the lower end of the interval.
        high: the upper end.
        by_law: what each law says.
        behind: loss over that of the best.
        verdict: best, tie (not told apart from the best), or worse.
    """

    name: str
    loss: float
    low: float
    high: float
    by_law: Mapping[str, float]
    behind: float
    verdict: Verdict


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

    ranking: tuple[Ranked, ...]
    margin: float
    cooldown: Cooldown
    next: NextRun
    committee: Committee


def advise(
    runs: Sequence[Run],
    candidates: Mapping[str, Schedule],
    horizon: Horizon | int | str,
    *,
    noise: float | None = None,
    warmup: int = 0,
) -> Advice:
    """Rank schedules that were not trained, and tell the best cooldown and the run to make next.

    Args:
        runs: of one model and one peak, at least one whose rate decays.
        candidates: by name; drafts are resolved over the horizon. Their values are ratios of the runs' peak.
        horizon: of the run that is to be planned.
        noise: by how much chance moves a last loss, a standard deviation; twice that is a tie. None: ties are 7e-4 of
            the loss.
        warmup: of the cooldowns and the next runs that are looked at, in updates.

    Raises:
        LawError: if there is no candidate, or the runs cannot be fitted.
    """
    whole = as_horizon(horizon)
    if not candidates:
        raise LawError("there is no candidate to rank: give some, as in {'cosine': cosine('100%')}")
    known = fit_committee(runs)
    plans = {name: plan.over(whole) for name, plan in candidates.items()}
    ranking = ranked(known, plans, whole.steps, noise)
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


def margin_of(loss: float, noise: float | None) -> float:
    """The difference in loss below which two schedules are a tie."""
    return TIE * loss if noise is None else 2 * noise


def ranked(
    known: Committee,
    plans: Mapping[str, Schedule] | Mapping[str, FloatArray],
    steps: int | None,
    noise: float | None = None,
) -> list[Ranked]:
    """Every schedule, or every row of absolute rates, with what is predicted of it; the lowest loss first."""
    losses = {name: known.loss(plan, steps) for name, plan in plans.items()}
    order = sorted(losses, key=lambda name: losses[name])
    margin = margin_of(losses[order[0]], noise)
    return [_ranked(known, name, plans[name], steps, losses[order[0]], margin) for name in order]


def _ranked(
    known: Committee, name: str, plan: Schedule | FloatArray, steps: int | None, best: float, margin: float
) -> Ranked:
    by_law = known.losses(plan, steps)
    loss = fmean(by_law.values())
    last = len(plan) if steps is None else steps  # type: ignore[arg-type]  # without a number of steps there are rates
    band = known.fits[0].predict(plan, steps, updates=[last])
    apart = pstdev(by_law.values())
    low, high = loss * band.final_low / band.final - apart, loss * band.final_high / band.final + apart
    verdict: Verdict = "best" if loss == best else "tie" if loss - best <= margin else "worse"
    return Ranked(name, loss, low, high, by_law, loss - best, verdict)


def best_cooldown(known: Committee, steps: int, warmup: int, margin: float) -> Cooldown:
    """The share of a linear cooldown with the lowest predicted loss, and what the others cost."""
    losses = {share: known.loss(cooldown(steps, warmup, share), steps) for share in SHARES}
    best = min(losses, key=lambda share: losses[share])
    regrets = {share: loss - losses[best] for share, loss in losses.items()}
    near = [share for share, regret in regrets.items() if regret <= margin]
    return Cooldown(best, min(near), max(near), regrets)
