"""`glidepath fit`: the parameters of a loss law, from runs."""

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from glidepath import plot as figures
from glidepath.law import Fit, group_by_peak
from glidepath.law import fit as fitted_to
from glidepath.plot.losses import draw_losses
from glidepath.runs.run import Run
from glidepath.ticks import value_text

from .options import laws
from .options.logs import AS_THEY_ARE, Logs, read
from .options.runs import Known, known
from .output import loss_curves as drawn
from .output import tables as told

LEAVES = 0.01  # of the loss: a law that is so far off at the end of a run is worth a word


def fit(
    *runs: Path,
    logs: Logs = AS_THEY_ARE,
    law: laws.Option = "noise-floor",
    across_peaks: Annotated[bool, Parameter(negative=())] = False,
    output: Annotated[Path, Parameter(alias="-o")] = Path("fit.png"),
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Fit a loss law to runs, and report its parameters, their standard errors, and how near the law is.

    Parameters
    ----------
    runs
        Logs: CSV, Parquet, or the results of glidepath compare.
    law
        noise-floor predicts best; docs/advisor.md compares them.
    across_peaks
        One law for all peak rates, which is not accurate; without it, one for each.
    output
        The figure: PNG, SVG or PDF.
    as_json
        Print one JSON object.
    """
    figures.check_format(output)
    seen = known(read(runs, logs))
    groups = [list(seen.runs)] if across_peaks else list(group_by_peak(seen.runs).values())
    fits = [(group, fitted_to(group, laws.LAWS[law], across_peaks=across_peaks)) for group in groups]
    measured, curves = drawn.fitted(fits)
    figure = draw_losses(measured, curves, loss_label=seen.loss, title=f"{law} law")
    file = figures.save(figure, output)
    notes = [*_notes(seen, len(fits)), *(line for group, one in fits for line in _ends(group, one))]
    if as_json:
        plain = [_plain(*one) for one in fits]
        print(json.dumps({"law": law, "notes": notes, "fits": plain, "figure": str(file)}))
        return
    for group, one in fits:
        _tell(law, group, one)
    told.write_lines(*notes, f"wrote {file}")


def _tell(law: str, group: list[Run], one: Fit) -> None:
    """Write two tables: the parameters, and the runs."""
    count = f"{len(group)} run{'s' * (len(group) > 1)}"
    told.write_lines(
        f"{law} law, peak {value_text(one.law.peak)}, {count}; residual standard deviation {one.residual_std:.2%}", ""
    )
    parameters = [
        (parameter.symbol, f"{parameter.value:.4g}", f"± {parameter.standard_error:.2g}", parameter.meaning)
        for parameter in one.parameters
    ]
    told.write_table(["parameter", "meaning"], ["parameter", "value", "standard error", "meaning"], parameters)
    told.write_lines("")
    runs = [
        (run.name, f"{run.steps:,}", str(len(run.losses)), f"{run.final:.4f}", f"{misfit:.2%}")
        for run, misfit in zip(group, _misfits(one), strict=True)
    ]
    told.write_table(["run"], ["run", "updates", "losses", "last loss", "typical misfit"], runs)
    told.write_lines("")


def _misfits(one: Fit) -> list[float]:
    """Of each run: half of its losses are nearer to the law than this share of the loss."""
    return [float(np.median(np.abs(residuals))) for residuals in one.residuals]


def _ends(group: list[Run], one: Fit) -> list[str]:
    """A word on runs that leave their law at the end, as those do whose loss rises again."""
    lines = []
    for run, residuals in zip(group, one.residuals, strict=True):
        last = residuals[-max(3, len(residuals) // 10) :]
        off = float(np.median(last))
        if abs(off) > max(LEAVES, 3 * one.residual_std / len(last) ** 0.5):
            where = "below" if off < 0 else "above"
            lines.append(
                f"{run.name}: the law ends {abs(off):.1%} {where} the run; no law here has a loss that rises again"
            )
    return lines


def _notes(seen: Known, fits: int) -> list[str]:
    peaks = len(group_by_peak(seen.runs))
    if peaks == 1:
        return list(seen.notes)
    how = "each has its own" if fits > 1 else "this one is not accurate"
    return [f"these runs have {peaks} peaks, and one law does not hold across peaks: {how}", *seen.notes]


def _plain(group: list[Run], one: Fit) -> dict[str, Any]:
    parameters = {
        parameter.name: {
            "symbol": parameter.symbol,
            "value": parameter.value,
            "standard_error": parameter.standard_error,
        }
        for parameter in one.parameters
    }
    runs = [
        {"name": run.name, "updates": run.steps, "last": run.final, "misfit": misfit, "assumed": run.assumed}
        for run, misfit in zip(group, _misfits(one), strict=True)
    ]
    return {"peak": one.law.peak, "parameters": parameters, "residual_std": one.residual_std, "runs": runs}
