"""`glidepath design`: the best schedule that loss laws know of."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from glidepath import plot as figures
from glidepath.errors import GlidepathError
from glidepath.law import Committee, Design, RankedSchedule, fit_committee
from glidepath.law import design as designed
from glidepath.law import fit as fitted_to
from glidepath.law.advising.advice import TIE, rank_schedules
from glidepath.plot.losses import draw_losses
from glidepath.runs.run import FloatArray, Run
from glidepath.ticks import value_text

from .options import horizon, laws
from .options.logs import AS_THEY_ARE, Logs, Runs, read
from .options.runs import AtPeak, Known, at_one_peak, known
from .output import loss_curves as drawn
from .output import tables as told

OURS = "designed"
LEAP = 1.2  # times as high: a rise that is worth a word


def design(
    *,
    runs: Runs = None,
    run: horizon.Run = horizon.ONE_RUN,
    logs: Logs = AS_THEY_ARE,
    warmup: str | None = None,
    after: Path | None = None,
    law: laws.Option | None = None,
    at_peak: AtPeak = None,
    output: Annotated[Path, Parameter(alias="-o")] = Path("design.png"),
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """The best schedule that loss laws know of, learnt from a few runs; its text comes first, for every other command.

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
        The figure: PNG, SVG or PDF.
    as_json
        Print one JSON object.
    """
    figures.check_format(output)
    whole = run.planned("24k")
    seen, begun = known(at_one_peak(read(runs, logs), at_peak)), _begun(after, logs)
    committee = _committee(seen, law)
    rising = whole.in_steps(warmup or ("2%" if begun is None else "0"))
    best = designed(committee, whole.steps, warmup=rising, before=None if begun is None else begun.rates)
    rated = _rated(best)
    ranking = {one.name: one for one in rank_schedules(committee, rated)}
    curves = [drawn.agreed(one, rated[name], committee) for name, one in ranking.items()]
    shown = [*seen.runs, *([] if begun is None or begun.name in [run.name for run in seen.runs] else [begun])]
    file = figures.save(draw_losses(drawn.measured(shown, rated), curves, loss_label=seen.loss), output)
    doubts = told.doubt_notes({OURS: ranking[OURS].doubts})
    notes = [*_notes(committee, seen, begun), *_jump(best), *doubts]
    if as_json:
        print(json.dumps(_plain(best, ranking[OURS]) | {"notes": notes, "figure": str(file)}))
        return
    told.write_lines(repr(best.plan), "", *sentences(best, ranking[OURS]), "", *notes, f"wrote {file}")


def _committee(seen: Known, law: str | None) -> Committee:
    """The three laws of the advice, or one."""
    if law is None:
        return fit_committee(seen.runs)
    return Committee((fitted_to(seen.runs, laws.LAWS[law]),))


def _begun(path: Path | None, logs: Logs) -> Run | None:
    """The run that is half done."""
    if path is None:
        return None
    found = read([path], replace(logs, only=None)).runs
    if len(found) > 1:
        raise GlidepathError(f"--after is one run, and {path} has {len(found)}")
    return found[0]


def _rated(best: Design) -> dict[str, FloatArray]:
    """The absolute rates of the design and of the nearest schedule with a name, from the first update on."""
    plans = {OURS: best.plan, f"nearest: {best.nearest.name}": best.nearest.plan}
    peak = best.laws[0].peak
    return {name: peak * np.append(best.before, plan(np.arange(best.steps))) for name, plan in plans.items()}


def sentences(best: Design, ours: RankedSchedule) -> list[str]:
    """The loss of the design, and of the nearest schedule with a name."""
    near = best.nearest
    return [
        f"last loss: {best.loss:.4f}, 90% interval [{ours.low:.4f}, {ours.high:.4f}]",
        f"nearest with a name: {near.name}, {near.plan!r}: it would cost {near.loss - best.loss:.4f}{_tie(best)}",
    ]


def _tie(best: Design) -> str:
    return ", which no law can tell from nothing" if best.nearest.loss - best.loss < TIE * best.loss else ""


def _notes(committee: Committee, seen: Known, begun: Run | None) -> list[str]:
    kinds = [fit.law.NAME for fit in committee.fits]
    who = f"the mean of {len(kinds)} laws ({', '.join(kinds)})" if len(kinds) > 1 else f"the {kinds[0]} law"
    peak = value_text(committee.peak)
    after = (
        [] if begun is None else [f"follows the {begun.steps:,} updates of {begun.name}; its step 0 is the next one"]
    )
    return [f"by {who}, fitted to {seen.names}; the plan is a ratio of the peak {peak}", *after, *seen.notes]


def _jump(best: Design) -> list[str]:
    """A word, if the rate does not go on where the run that is half done has left it, but higher."""
    last, first = float(best.before[-1]) if len(best.before) else 1.0, float(best.plan(0))
    if first <= LEAP * last:
        return []
    peak = best.laws[0].peak
    return [
        f"the rate rises at once, from {value_text(last * peak)} to {value_text(first * peak)}, which no law knows the "
        "risk of: --warmup makes it rise slowly"
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
