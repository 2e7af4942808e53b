"""`glidepath predict`: the loss that other schedules would have had."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from cyclopts import Parameter

from glidepath.core.schedule import Schedule
from glidepath.errors import GlidepathError
from glidepath.law import Fit, Prediction
from glidepath.law import fit as fit_law
from glidepath.ticks import value_text

from .options import horizon, laws, plans
from .options.logs import DEFAULT_LOGS, Logs, Runs
from .options.runs import AtPeak, Evidence, read_evidence_at_peak
from .output.console import write_lines
from .output.figures import figure_file, save_figure
from .output.tables import doubt_notes, write_table
from .output.wording import word_as_options

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OPTIONS = {"level": "--level", "steps": "--steps"}


class PredictedPlan(NamedTuple):
    """A plan, its length, and what is predicted of it."""

    name: str
    plan: Schedule
    steps: int
    prediction: Prediction


def predict(
    *planned: Annotated[str, Parameter(name="PLAN")],
    runs: Runs = None,
    run: horizon.RunLength = horizon.OWN_LENGTH,
    logs: Logs = DEFAULT_LOGS,
    law: laws.Option = "noise-floor",
    at_peak: AtPeak = None,
    level: float = 0.9,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Predict the loss that schedules would have, from other runs: the curve with a band, and the last loss.

    Parameters
    ----------
    planned
        Schedules, as text, whose values are ratios of the peak of the runs; name=plan gives one a name.
    law
        noise-floor predicts best; docs/advisor.md compares them.
    level
        How often a band should hold.
    output
        The figure: PNG, SVG or PDF; predict.png without it.
    as_json
        Print one JSON object.
    """
    file = figure_file(output, "predict.png")
    if not planned:
        raise GlidepathError(
            'there is no plan to predict: give one, as in glidepath predict "cosine(100%)" --run a.csv'
        )
    resolved = {name: horizon.resolve_plan(plan, run) for name, plan in plans.parse_plans(planned).items()}
    evidence = read_evidence_at_peak(runs, logs, at_peak)
    with word_as_options(OPTIONS):
        fit = fit_law(evidence.runs, laws.LAWS[law])
        predictions = [
            PredictedPlan(name, plan, steps, fit.predict(plan, steps, level=level))
            for name, (plan, steps) in resolved.items()
        ]
    saved = save_figure(file, lambda: _draw(evidence, fit, predictions, level))
    notes = _notes(law, evidence, fit, predictions)
    if as_json:
        extra = {"law": law, "loss_name": evidence.loss, "notes": notes, "figure": file and str(file)}
        print(json.dumps(_plain(fit, level, predictions) | extra))
        return
    _write_table(predictions, level, evidence.loss)
    write_lines("", *notes, saved)


def _draw(evidence: Evidence, fit: Fit, predictions: Sequence[PredictedPlan], level: float) -> "Figure":
    from .output.loss_curves import draw_predictions, rates_of  # only here: Matplotlib may be missing

    curves = {each.name: (rates_of(each.plan, each.steps, fit.law.peak), each.prediction) for each in predictions}
    return draw_predictions(evidence.runs, curves, evidence.loss, level)


def _notes(law: str, evidence: Evidence, fit: Fit, predictions: Sequence[PredictedPlan]) -> list[str]:
    source = f"{law} law of the {evidence.loss}, fitted to {evidence.names}"
    return [
        f"{source}; plans are ratios of the peak {value_text(fit.law.peak)}",
        *evidence.notes,
        *doubt_notes({each.name: each.prediction.doubts for each in predictions}),
    ]


def _write_table(predictions: Sequence[PredictedPlan], level: float, loss: str) -> None:
    rows = [
        (name, f"{steps:,}", f"{curve.final:.4f}", f"[{curve.final_low:.4f}, {curve.final_high:.4f}]")
        for name, _, steps, curve in predictions
    ]
    write_table(["plan"], ["plan", "steps", f"last {loss}", f"{100 * level:.4g}% interval"], rows)


def _plain(fit: Fit, level: float, predictions: Sequence[PredictedPlan]) -> dict[str, Any]:
    return {"peak": fit.law.peak, "level": level, "plans": [_plain_plan(each) for each in predictions]}


def _plain_plan(predicted: PredictedPlan) -> dict[str, Any]:
    prediction = predicted.prediction
    return {
        "name": predicted.name,
        "plan": repr(predicted.plan),
        "steps": predicted.steps,
        "loss": prediction.final,
        "interval": [prediction.final_low, prediction.final_high],
        "curve": {
            "updates": prediction.updates.tolist(),
            "losses": prediction.losses.tolist(),
            "low": prediction.low.tolist(),
            "high": prediction.high.tolist(),
        },
    }
