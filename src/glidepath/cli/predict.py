"""`glidepath predict`: the loss that other schedules would have had."""

import json
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from cyclopts import Parameter

from glidepath import plot as figures
from glidepath.core.schedule import Schedule
from glidepath.errors import GlidepathError
from glidepath.law import Fit, Prediction
from glidepath.law import fit as fitted_to
from glidepath.plot.losses import draw_losses
from glidepath.ticks import value_text

from .options import horizon, laws, plans
from .options.logs import AS_THEY_ARE, Logs, Runs, read
from .options.runs import AtPeak, at_one_peak, known
from .output import loss_curves as drawn
from .output import tables as told


class Foretold(NamedTuple):
    """A plan, its length, and what is predicted of it."""

    name: str
    plan: Schedule
    steps: int
    prediction: Prediction


def predict(
    *planned: Annotated[str, Parameter(name="PLAN")],
    runs: Runs = None,
    run: horizon.Run = horizon.ONE_RUN,
    logs: Logs = AS_THEY_ARE,
    law: laws.Option = "noise-floor",
    at_peak: AtPeak = None,
    level: float = 0.9,
    output: Annotated[Path, Parameter(alias="-o")] = Path("predict.png"),
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """The loss that schedules would have, learnt from other runs: the curve with a band, and the last loss.

    Parameters
    ----------
    planned
        Schedules, as text, whose values are ratios of the peak of the runs; name=plan gives one a name.
    law
        noise-floor predicts best; docs/advisor.md compares them.
    level
        How often a band should hold.
    output
        The figure: PNG, SVG or PDF.
    as_json
        Print one JSON object.
    """
    figures.check_format(output)
    if not planned:
        raise GlidepathError(
            'there is no plan to predict: give one, as in glidepath predict "cosine(100%)" --run a.csv'
        )
    named = {name: horizon.resolved(plan, run) for name, plan in plans.named(planned).items()}
    seen = known(at_one_peak(read(runs, logs), at_peak))
    one = fitted_to(seen.runs, laws.LAWS[law])
    found = [
        Foretold(name, plan, steps, one.predict(plan, steps, level=level)) for name, (plan, steps) in named.items()
    ]
    curves = [drawn.predicted(each.name, _rates(each, one), each.prediction) for each in found]
    figure = draw_losses(drawn.measured(seen.runs, named), curves, level=level, loss_label=seen.loss)
    file = figures.save(figure, output)
    notes = [f"{law} law, fitted to {seen.names}; plans are ratios of the peak {value_text(one.law.peak)}", *seen.notes]
    notes += told.doubt_notes({each.name: each.prediction.doubts for each in found})
    if as_json:
        print(json.dumps(_plain(one, level, found) | {"law": law, "notes": notes, "figure": str(file)}))
        return
    _tell(found, level)
    told.write_lines("", *notes, f"wrote {file}")


def _rates(each: Foretold, one: Fit) -> Any:
    return drawn.rates_of(each.plan, each.steps, one.law.peak)


def _tell(found: list[Foretold], level: float) -> None:
    rows = [
        (name, f"{steps:,}", f"{one.final:.4f}", f"[{one.final_low:.4f}, {one.final_high:.4f}]")
        for name, _, steps, one in found
    ]
    told.write_table(["plan"], ["plan", "steps", "last loss", f"{100 * level:.4g}% interval"], rows)


def _plain(one: Fit, level: float, found: list[Foretold]) -> dict[str, Any]:
    return {"peak": one.law.peak, "level": level, "plans": [_plain_one(each) for each in found]}


def _plain_one(each: Foretold) -> dict[str, Any]:
    one = each.prediction
    return {
        "name": each.name,
        "plan": repr(each.plan),
        "steps": each.steps,
        "loss": one.final,
        "interval": [one.final_low, one.final_high],
        "curve": {
            "updates": one.updates.tolist(),
            "losses": one.losses.tolist(),
            "low": one.low.tolist(),
            "high": one.high.tolist(),
        },
    }
