"""`glidepath design`: the best schedule that loss laws know of."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from cyclopts import Parameter

from glidepath.errors import GlidepathError
from glidepath.law import Committee, Design, RankedSchedule, fit_committee
from glidepath.law import design as design_plan
from glidepath.law import fit as fit_law
from glidepath.law.advising.advice import TIE, rank_schedules
from glidepath.runs.run import FloatArray, Run
from glidepath.ticks import value_text

from .options import horizon, laws
from .options.logs import DEFAULT_LOGS, Logs, Runs, read_runs
from .options.runs import AtPeak, Evidence, read_evidence_at_peak
from .output.console import write_lines
from .output.figures import figure_file, save_figure
from .output.tables import doubt_notes
from .output.wording import word_as_options

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OPTIONS = {"warmup": "--warmup", "before": "--after"}
OURS = "designed"
LEAP = 1.2  # times as high: a rise that is reported


def design(
    *,
    runs: Runs = None,
    run: horizon.RunLength = horizon.OWN_LENGTH,
    logs: Logs = DEFAULT_LOGS,
    warmup: str | None = None,
    after: Path | None = None,
    law: laws.Option | None = None,
    at_peak: AtPeak = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Design the best schedule under loss laws, from a few runs; its text comes first, for every other command.

    Parameters
    ----------
    warmup
        Updates that rise to the peak, or a share of the run: 2% without it, or none after another run.
    after
        The log of a run that is half done: its rates so far are the history, and --steps are those still to come. If
        its losses should count, give it as --run too.
    law
        One law; without it, the mean of the three that rank best together.
    output
        The figure: PNG, SVG or PDF; design.png without it.
    as_json
        Print one JSON object.
    """
    file = figure_file(output, "design.png")
    whole = run.require_horizon("24k")
    evidence, before = read_evidence_at_peak(runs, logs, at_peak), _read_run_before(after, logs)
    with word_as_options(OPTIONS):
        committee = _fit_laws(evidence, law)
        rising = whole.in_steps(warmup or ("2%" if before is None else "0"))
        best = design_plan(committee, whole.steps, warmup=rising, before=None if before is None else before.rates)
    rates = _rates(best)
    ranking = {each.name: each for each in rank_schedules(committee, rates)}
    shown = [*evidence.runs, *_unless_shown(before, evidence.runs)]
    saved = save_figure(file, lambda: _draw(shown, list(ranking.values()), rates, committee, evidence.loss))
    doubts = doubt_notes({OURS: ranking[OURS].doubts})
    notes = [*_notes(committee, evidence, before), *_jump_note(best), *doubts]
    if as_json:
        extra = {"loss_name": evidence.loss, "notes": notes, "figure": file and str(file)}
        print(json.dumps(_plain(best, ranking[OURS]) | extra))
        return
    write_lines(repr(best.plan), "", *sentences(best, ranking[OURS], evidence.loss), "", *notes, saved)


def _draw(
    runs: list[Run],
    ranking: list[RankedSchedule],
    rates: dict[str, FloatArray],
    committee: Committee,
    loss: str,
) -> "Figure":
    from .output.loss_curves import draw_ranking  # only here: Matplotlib may be missing

    return draw_ranking(runs, ranking, rates, committee, loss)


def _fit_laws(evidence: Evidence, law: str | None) -> Committee:
    """Fit the three laws of the advice, or one."""
    if law is None:
        return fit_committee(evidence.runs)
    return Committee((fit_law(evidence.runs, laws.LAWS[law]),))


def _read_run_before(path: Path | None, logs: Logs) -> Run | None:
    """Read the run that is half done."""
    if path is None:
        return None
    runs = read_runs([path], replace(logs, only=None)).runs
    if len(runs) > 1:
        raise GlidepathError(f"--after is one run, and {path} has {len(runs)}")
    return runs[0]


def _unless_shown(before: Run | None, runs: Sequence[Run]) -> list[Run]:
    """Return the run that is half done, unless it is one of those that the laws learn from."""
    return [] if before is None or before.name in [run.name for run in runs] else [before]


def _rates(best: Design) -> dict[str, FloatArray]:
    """Return the absolute rates of the design and of the nearest schedule with a name, from the first update on."""
    plans = {OURS: best.plan, f"nearest: {best.nearest.name}": best.nearest.plan}
    peak = best.laws[0].peak
    ratios = {name: np.asarray(plan(np.arange(best.steps)), dtype=np.float64) for name, plan in plans.items()}
    return {name: peak * np.append(best.before, each) for name, each in ratios.items()}


def sentences(best: Design, ours: RankedSchedule, loss: str) -> list[str]:
    """Return the loss of the design, and of the nearest schedule with a name."""
    near = best.nearest
    return [
        f"last {loss}: {best.loss:.4f}, 90% interval [{ours.low:.4f}, {ours.high:.4f}]",
        f"nearest with a name: {near.name}, {near.plan!r}: it would cost {near.loss - best.loss:.4f}{_tie(best)}",
    ]


def _tie(best: Design) -> str:
    return ", which no law can tell from 0" if best.nearest.loss - best.loss < TIE * best.loss else ""


def _notes(committee: Committee, evidence: Evidence, before: Run | None) -> list[str]:
    kinds = [fit.law.NAME for fit in committee.fits]
    by = f"the mean of {len(kinds)} laws ({', '.join(kinds)})" if len(kinds) > 1 else f"the {kinds[0]} law"
    peak = value_text(committee.peak)
    after = (
        [] if before is None else [f"follows the {before.steps:,} updates of {before.name}; its step 0 is the next one"]
    )
    source = f"by {by} of the {evidence.loss}, fitted to {evidence.names}"
    return [f"{source}; the plan is a ratio of the peak {peak}", *after, *evidence.notes]


def _jump_note(best: Design) -> list[str]:
    """Return a line if the rate does not resume where the run that is half done has left it, but higher."""
    last, first = float(best.before[-1]) if len(best.before) else 1.0, float(best.plan(0))
    if first <= LEAP * last:
        return []
    peak = best.laws[0].peak
    return [
        f"the rate rises at once, from {value_text(last * peak)} to {value_text(first * peak)}, a risk that no law "
        "has: --warmup makes it rise slowly"
    ]


def _plain(best: Design, ours: RankedSchedule) -> dict[str, Any]:
    near = best.nearest
    return {
        "plan": repr(best.plan),
        "steps": best.steps,
        "peak": best.laws[0].peak,
        "loss": best.loss,
        "interval": [ours.low, ours.high],
        "by_law": dict(ours.by_law),
        "nearest": {"name": near.name, "plan": repr(near.plan), "loss": near.loss, "cost": near.loss - best.loss},
    }
