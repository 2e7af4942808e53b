"""Which schedule, how long a cooldown, and what to train next: advice from a few runs.

The law with the most exact curves is not the one that ranks best: it errs alike where schedules are alike. So advice
takes the mean of three that err differently, the noise-floor law, the multi-power law and the convex-kernel law. On
runs of a 124M-parameter model, picking by the noise-floor law alone cost 0.0033 of loss on average and 0.012 at most,
by the mean 0.0012 and 0.004 (`benchmarks/advice.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Literal, NamedTuple, final

from numpy.typing import ArrayLike

from glidepath.core.errors import LawError
from glidepath.core.schedule import Schedule
from glidepath.run import Run
from glidepath.units import Horizon, as_horizon

from .convex_kernel import ConvexKernelLaw
from .fitting import Fit, fit
from .multi_power import MultiPowerLaw
from .named import SHARES, cooldown
from .next_run import NextRun, next_run
from .noise_floor import NoiseFloorLaw

TIE = 7e-4  # of the loss: what another seed changes in runs of this kind
Verdict = Literal["best", "tie", "worse"]


class Ranked(NamedTuple):
    """A candidate, and what is predicted of its last loss.

    Args:
        name: of the candidate.
        plan: over the horizon.
        loss: the mean of the laws.
        low: the lower end of the interval.
        high: the upper end.
        by_law: what each law says.
        behind: loss over that of the best.
        verdict: best, tie (not told apart from the best), or worse.
    """

    name: str
    plan: Schedule
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
    committee: "Committee"


@final
@dataclass(frozen=True, eq=False)
class Committee:
    """Laws fitted to the same runs, whose mean ranks.

    Args:
        fits: of each law; the first one is the noise-floor law.
    """

    fits: tuple[Fit, ...]

    def losses(self, plan: Schedule | ArrayLike, steps: int | None = None) -> dict[str, float]:
        """What each law says of the last loss."""
        return {type(fit.law).__name__: fit.law.final_loss(plan, steps) for fit in self.fits}

    def loss(self, plan: Schedule | ArrayLike, steps: int | None = None) -> float:
        """The mean of what they say."""
        return fmean(self.losses(plan, steps).values())


def fit_committee(runs: Sequence[Run]) -> Committee:
    """The laws of the advice, fitted to runs of one peak."""
    return Committee(tuple(fit(runs, law) for law in (NoiseFloorLaw, MultiPowerLaw, ConvexKernelLaw)))


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
        noise: what another seed changes of a last loss, a standard deviation; None: 7e-4 of the loss.
        warmup: of the cooldowns that are looked at, in updates.

    Raises:
        LawError: if there is no candidate, or the runs cannot be fitted.
    """
    whole = as_horizon(horizon)
    if not candidates:
        raise LawError("there is no candidate to rank: give some, as in {'cosine': cosine('100%')}")
    known = fit_committee(runs)
    plans = {name: plan.over(whole) for name, plan in candidates.items()}
    losses = {name: known.loss(plan, whole.steps) for name, plan in plans.items()}
    best = min(losses.values())
    margin = TIE * best if noise is None else 2 * noise
    order = sorted(losses, key=lambda name: losses[name])
    ranking = [_ranked(known, name, plans[name], whole.steps, best, margin) for name in order]
    ranking[0] = ranking[0]._replace(verdict="best")
    rivals = [one.plan for one in ranking if one.behind <= margin] if len(ranking) > 1 else []
    rivals = rivals if len(rivals) > 1 else [one.plan for one in ranking[:2]]
    return Advice(
        tuple(ranking),
        margin,
        best_cooldown(known, whole.steps, warmup, margin),
        next_run(known.fits[0], rivals, plans, whole.steps),
        known,
    )


def _ranked(known: Committee, name: str, plan: Schedule, steps: int, best: float, margin: float) -> Ranked:
    by_law = known.losses(plan, steps)
    loss = fmean(by_law.values())
    band = known.fits[0].predict(plan, steps, updates=[steps])
    apart = pstdev(by_law.values())
    low, high = loss * band.final_low / band.final - apart, loss * band.final_high / band.final + apart
    verdict: Verdict = "tie" if loss - best <= margin else "worse"
    return Ranked(name, plan, loss, low, high, by_law, loss - best, verdict)


def best_cooldown(known: Committee, steps: int, warmup: int, margin: float) -> Cooldown:
    """The share of a linear cooldown with the lowest predicted loss, and what the others cost."""
    losses = {share: known.loss(cooldown(steps, warmup, share), steps) for share in SHARES}
    best = min(losses, key=lambda share: losses[share])
    regrets = {share: loss - losses[best] for share, loss in losses.items()}
    near = [share for share, regret in regrets.items() if regret <= margin]
    return Cooldown(best, min(near), max(near), regrets)
