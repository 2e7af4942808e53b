"""`glidepath advise`: which schedule, how long a cooldown, and what to train next."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from matplotlib.figure import Figure

from glidepath import plot as figures
from glidepath.core.horizon import Horizon
from glidepath.core.schedule import Schedule
from glidepath.errors import GlidepathError
from glidepath.law import Advice, Cooldown, RankedSchedule
from glidepath.law import advise as advised
from glidepath.law.advising.advice import TIE
from glidepath.parser import parse
from glidepath.plot.losses import draw_losses
from glidepath.ticks import value_text

from .options import horizon, plans
from .options.logs import AS_THEY_ARE, Logs, Runs, read
from .options.runs import AtPeak, Known, at_one_peak, known
from .output import loss_curves as drawn
from .output import tables as told
from .output.bound_ranking import advise_by_theory

USUAL = 0.2  # the share of a cooldown that people take
FALLS = {  # after a warmup of {rise} that leaves {left} updates
    "cosine": "cosine({left})",
    "cosine to 10%": "cosine({left}, to=0.1)",
    "linear": "linear({left})",
    "WSD, linear 10%": "constant() >> linear(10%)",
    "WSD, linear 20%": "constant() >> linear(20%)",
    "WSD, linear 40%": "constant() >> linear(40%)",
    "WSD, 1-sqrt 20%": "constant() >> one_minus_sqrt(20%)",
}


def advise(
    *,
    runs: Runs = None,
    run: horizon.Run = horizon.ONE_RUN,
    logs: Logs = AS_THEY_ARE,
    schedule: Annotated[list[str] | None, Parameter(negative=())] = None,
    warmup: str = "2%",
    noise: float | None = None,
    at_peak: AtPeak = None,
    output: Annotated[Path, Parameter(alias="-o")] = Path("advise.png"),
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Which schedule, how long a cooldown, and what to train next, learnt from a few runs by three laws.

    Without a run, candidates are ranked by the worst case of convex theory.

    Parameters
    ----------
    schedule
        NAME=TEXT, a candidate whose values are ratios of the peak of the runs, once for each; without any, the ways
        to decay a rate that people use most.
    warmup
        Of those, and of the cooldowns that are looked at: updates, or a share of the run.
    noise
        By how much chance moves a difference of two last losses, a standard deviation; less than twice that is a tie.
        Without it, as the seeds of the runs tell. What the laws cannot tell either, 0.07% of the loss, is always a tie.
    output
        The figure: PNG, SVG or PDF.
    as_json
        Print one JSON object.
    """
    figures.check_format(output)
    whole = run.planned("50k")
    rise = whole.in_steps(warmup)
    drafts = plans.named(schedule) if schedule else usual(whole, rise)
    candidates = {name: plan.over(whole) for name, plan in drafts.items()}
    if not runs:
        advise_by_theory(candidates, whole.steps, as_json)
        return
    seen = known(at_one_peak(read(runs, logs), at_peak))
    advice = advised(seen.runs, candidates, whole, noise=seen.noise if noise is None else noise, warmup=rise)
    file = figures.save(_figure(seen, advice, candidates, whole.steps), output)
    notes = _notes(seen, advice, noise)
    if as_json:
        print(json.dumps(_plain(advice, candidates) | {"steps": whole.steps, "notes": notes, "figure": str(file)}))
        return
    _tell(advice)
    told.write_lines("", *sentences(advice, candidates), "", *notes, f"wrote {file}")


def usual(whole: Horizon, rise: int) -> dict[str, Schedule]:
    """The ways to decay a rate that people use most, after a warmup; drafts."""
    if rise >= whole.steps:
        raise GlidepathError(f"a warmup of {rise:,} updates leaves nothing of a run of {whole.steps:,}")
    before = f"warmup({rise}) >> " if rise else ""
    return {name: parse(before + text.format(left=whole.steps - rise)) for name, text in FALLS.items()}


def _figure(seen: Known, advice: Advice, candidates: Mapping[str, Schedule], steps: int) -> Figure:
    peak = advice.committee.peak
    rates = {name: drawn.rates_of(plan, steps, peak) for name, plan in candidates.items()}
    return draw_losses(
        drawn.measured(seen.runs, candidates),
        [drawn.agreed(one, rates[one.name], advice.committee) for one in advice.ranking],
        tie=advice.margin,
        loss_label=seen.loss,
    )


# --- for people ---


def _tell(advice: Advice) -> None:
    """The ranking, and what each law says: two tables, since one would be wider than a terminal."""
    rows = [
        (
            one.name,
            f"{one.loss:.4f}",
            f"[{one.low:.4f}, {one.high:.4f}]",
            f"{one.behind:+.4f}" if one.behind else "",
            "★ best" if one.verdict == "best" else one.verdict,
        )
        for one in advice.ranking
    ]
    header = ["schedule", "last loss", "90% interval", "to the best", "verdict"]
    told.write_table(["schedule", "verdict"], header, rows, first=told.BEST)
    told.write_lines("")
    asked = list(advice.ranking[0].by_law)
    by_law = [(one.name, *(f"{one.by_law[law]:.4f}" for law in asked)) for one in advice.ranking]
    told.write_table(["schedule"], ["schedule", *asked], by_law)


def sentences(advice: Advice, candidates: Mapping[str, Schedule]) -> list[str]:
    """What the table does not say: the winner's text, the cooldown, and the run to make next."""
    best, then = advice.ranking[0], advice.next
    return [
        f"best: {candidates[best.name]!r}",
        f"cooldown: {_cooldown(advice.cooldown)}",
        f"to make next: {then.name}, {then.plan!r}: what the law's letters leave open between the leaders would fall "
        f"from ± {then.now:.4f} to ± {then.then:.4f}",
    ]


def _cooldown(found: Cooldown) -> str:
    cost = found.regrets[USUAL]
    usual = f"the usual {USUAL:.0%} would cost {cost:.4f}" if cost else "that is the usual one"
    near = f"; {found.shortest:.0%} to {found.longest:.0%} cannot be told apart from it"
    return (
        f"in a straight line to 0 over {found.share:.0%} of what follows the warmup"
        f"{near if found.shortest < found.longest else ''}; {usual}"
    )


def _notes(seen: Known, advice: Advice, noise: float | None) -> list[str]:
    peak = value_text(advice.committee.peak)
    given = "twice the noise given" if noise is not None else "twice the standard error between the seeds of two runs"
    why = "what the laws cannot tell" if advice.margin <= TIE * advice.ranking[0].loss else given
    return [
        f"the mean of three laws, fitted to {seen.names}; schedules are ratios of the peak {peak}",
        f"tie: less than {advice.margin:.4f} behind the best, {why}",
        *seen.notes,
        *told.doubt_notes({one.name: one.doubts for one in advice.ranking}),
    ]


def _plain(advice: Advice, candidates: Mapping[str, Schedule]) -> dict[str, Any]:
    found, then = advice.cooldown, advice.next
    return {
        "peak": advice.committee.peak,
        "margin": advice.margin,
        "ranking": [_plain_one(one, candidates[one.name]) for one in advice.ranking],
        "cooldown": {
            "share": found.share,
            "shortest": found.shortest,
            "longest": found.longest,
            "regrets": [{"share": share, "regret": regret} for share, regret in found.regrets.items()],
        },
        "next": {
            "name": then.name,
            "plan": repr(then.plan),
            "steps": then.steps,
            "deviation_now": then.now,
            "deviation_then": then.then,
        },
    }


def _plain_one(one: RankedSchedule, plan: Schedule) -> dict[str, Any]:
    return {
        "name": one.name,
        "plan": repr(plan),
        "loss": one.loss,
        "interval": [one.low, one.high],
        "behind": one.behind,
        "verdict": one.verdict,
        "by_law": dict(one.by_law),
    }
