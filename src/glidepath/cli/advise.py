"""`glidepath advise`: which schedule, how long a cooldown, and what to train next."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from glidepath.core.horizon import Horizon
from glidepath.core.schedule import Schedule
from glidepath.errors import GlidepathError
from glidepath.law import Advice, Cooldown, RankedSchedule
from glidepath.law import advise as advise_on
from glidepath.law.advising.advice import TIE
from glidepath.parser import parse
from glidepath.ticks import value_text

from .options import horizon, plans
from .options.logs import DEFAULT_LOGS, Logs, Runs
from .options.runs import AtPeak, Evidence, read_evidence_at_peak
from .output.bound_ranking import write_bound_ranking
from .output.console import write_lines
from .output.figures import figure_file, save_figure
from .output.tables import BEST, doubt_notes, write_table
from .output.wording import word_as_options

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OPTIONS = {"candidates": "--schedule", "noise": "--noise", "warmup": "--warmup"}
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
    run: horizon.RunLength = horizon.OWN_LENGTH,
    logs: Logs = DEFAULT_LOGS,
    schedule: Annotated[list[str] | None, Parameter(negative=())] = None,
    warmup: str = "2%",
    noise: float | None = None,
    at_peak: AtPeak = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Rank schedules, and advise on the length of a cooldown and the next run, from a few runs and three laws.

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
        Without it, as the seeds of the runs differ. What the laws cannot resolve, 0.07% of the loss, is always a tie.
    output
        The figure: PNG, SVG or PDF; advise.png without it.
    as_json
        Print one JSON object.
    """
    file = figure_file(output, "advise.png")
    whole = run.require_horizon("50k")
    rise = whole.in_steps(warmup)
    drafts = plans.parse_plans(schedule) if schedule else usual_schedules(whole, rise)
    candidates = {name: plan.over(whole) for name, plan in drafts.items()}
    if not runs:
        write_bound_ranking(candidates, whole.steps, as_json)
        return
    evidence = read_evidence_at_peak(runs, logs, at_peak)
    with word_as_options(OPTIONS):
        threshold = evidence.noise if noise is None else noise
        advice = advise_on(evidence.runs, candidates, whole, noise=threshold, warmup=rise)
    saved = save_figure(file, lambda: _draw(evidence, advice, candidates, whole.steps))
    notes = _notes(evidence, advice, noise)
    if as_json:
        extra = {"steps": whole.steps, "loss_name": evidence.loss, "notes": notes, "figure": file and str(file)}
        print(json.dumps(_plain(advice, candidates) | extra))
        return
    _write_tables(advice, evidence.loss)
    write_lines("", *sentences(advice, candidates), "", *notes, saved)


def usual_schedules(whole: Horizon, rise: int) -> dict[str, Schedule]:
    """Return the ways to decay a rate that people use most, after a warmup; drafts."""
    if rise >= whole.steps:
        raise GlidepathError(f"a warmup of {rise:,} updates leaves nothing of a run of {whole.steps:,}")
    before = f"warmup({rise}) >> " if rise else ""
    return {name: parse(before + text.format(left=whole.steps - rise)) for name, text in FALLS.items()}


def _draw(evidence: Evidence, advice: Advice, candidates: Mapping[str, Schedule], steps: int) -> "Figure":
    from .output.loss_curves import draw_ranking, rates_of  # only here: Matplotlib may be missing

    rates = {name: rates_of(plan, steps, advice.committee.peak) for name, plan in candidates.items()}
    return draw_ranking(evidence.runs, advice.ranking, rates, advice.committee, evidence.loss, advice.margin)


# --- for people ---


def _write_tables(advice: Advice, loss: str) -> None:
    """Write the ranking, and what each law predicts: two tables, since one would be wider than a terminal."""
    rows = [
        (
            each.name,
            f"{each.loss:.4f}",
            f"[{each.low:.4f}, {each.high:.4f}]",
            f"{each.behind:+.4f}" if each.behind else "",
            "★ best" if each.verdict == "best" else each.verdict,
        )
        for each in advice.ranking
    ]
    header = ["schedule", f"last {loss}", "90% interval", "to the best", "verdict"]
    write_table(["schedule", "verdict"], header, rows, first=BEST)
    write_lines("")
    laws = list(advice.ranking[0].by_law)
    by_law = [(each.name, *(f"{each.by_law[law]:.4f}" for law in laws)) for each in advice.ranking]
    write_table(["schedule"], ["schedule", *laws], by_law)


def sentences(advice: Advice, candidates: Mapping[str, Schedule]) -> list[str]:
    """Return what the table does not say: the winner's text, the cooldown, and the run to make next."""
    best, then = advice.ranking[0], advice.next
    return [
        f"best: {candidates[best.name]!r}",
        f"cooldown: {_cooldown(advice.cooldown)}",
        f"to make next: {then.name}, {then.plan!r}: "
        "what the law's parameters leave open between the leaders would fall "
        f"from ± {then.std_now:.4f} to ± {then.std_after:.4f}",
    ]


def _cooldown(cooldown: Cooldown) -> str:
    cost = cooldown.regrets[USUAL]
    usual = f"the usual {USUAL:.0%} would cost {cost:.4f}" if cost else "that is the usual one"
    near = f"; {cooldown.shortest:.0%} to {cooldown.longest:.0%} cannot be told apart from it"
    return (
        f"in a straight line to 0 over {cooldown.share:.0%} of what follows the warmup"
        f"{near if cooldown.shortest < cooldown.longest else ''}; {usual}"
    )


def _notes(evidence: Evidence, advice: Advice, noise: float | None) -> list[str]:
    peak = value_text(advice.committee.peak)
    spread = "twice the given noise" if noise is not None else "twice the standard error between the seeds of two runs"
    why = "what the laws cannot resolve" if advice.margin <= TIE * advice.ranking[0].loss else spread
    return [
        f"the mean of three laws of the {evidence.loss}, fitted to {evidence.names}; schedules are ratios of the peak "
        f"{peak}",
        f"tie: less than {advice.margin:.4f} behind the best, {why}",
        *evidence.notes,
        *doubt_notes({each.name: each.doubts for each in advice.ranking}),
    ]


def _plain(advice: Advice, candidates: Mapping[str, Schedule]) -> dict[str, Any]:
    cooldown, then = advice.cooldown, advice.next
    return {
        "peak": advice.committee.peak,
        "margin": advice.margin,
        "ranking": [_plain_schedule(each, candidates[each.name]) for each in advice.ranking],
        "cooldown": {
            "share": cooldown.share,
            "shortest": cooldown.shortest,
            "longest": cooldown.longest,
            "regrets": [{"share": share, "regret": regret} for share, regret in cooldown.regrets.items()],
        },
        "next": {
            "name": then.name,
            "plan": repr(then.plan),
            "steps": then.steps,
            "std_now": then.std_now,
            "std_after": then.std_after,
        },
    }


def _plain_schedule(ranked: RankedSchedule, plan: Schedule) -> dict[str, Any]:
    return {
        "name": ranked.name,
        "plan": repr(plan),
        "loss": ranked.loss,
        "interval": [ranked.low, ranked.high],
        "behind": ranked.behind,
        "verdict": ranked.verdict,
        "by_law": dict(ranked.by_law),
    }
