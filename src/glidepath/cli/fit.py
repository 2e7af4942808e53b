"""`glidepath fit`: the parameters of a loss law, from runs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from cyclopts import Parameter

from glidepath.law import Fit, group_by_peak
from glidepath.law import fit as fit_law
from glidepath.runs.aggregate import count_runs
from glidepath.runs.run import Run
from glidepath.ticks import value_text

from .options import laws
from .options.logs import DEFAULT_LOGS, Logs
from .options.runs import Evidence, read_evidence
from .output.console import write_lines
from .output.figures import figure_file, save_figure
from .output.tables import write_table
from .output.wording import word_as_options

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAVES = 0.01  # of the loss: a law that is so far off at the end of a run is reported
OPTIONS = {"across_peaks": "--across-peaks"}


def fit(
    *runs: Path,
    logs: Logs = DEFAULT_LOGS,
    law: laws.Option = "noise-floor",
    across_peaks: Annotated[bool, Parameter(negative=())] = False,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
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
        The figure: PNG, SVG or PDF; fit.png without it.
    as_json
        Print one JSON object.
    """
    file = figure_file(output, "fit.png")
    evidence = read_evidence(runs, logs)
    groups = [list(evidence.runs)] if across_peaks else list(group_by_peak(evidence.runs).values())
    with word_as_options(OPTIONS):
        fits = [(group, fit_law(group, laws.LAWS[law], across_peaks=across_peaks)) for group in groups]
    saved = save_figure(file, lambda: _draw(fits, evidence.loss, law))
    notes = [*_notes(evidence, len(fits)), *(line for group, each in fits for line in _bad_ends(group, each))]
    if as_json:
        plain = [_plain(*pair) for pair in fits]
        figure = {"figure": file and str(file)}
        print(json.dumps({"law": law, "loss_name": evidence.loss, "notes": notes, "fits": plain, **figure}))
        return
    for group, each in fits:
        _write_tables(law, group, each, evidence.loss)
    write_lines(*notes, saved)


def _draw(fits: Sequence[tuple[Sequence[Run], Fit]], loss: str, law: str) -> "Figure":
    from .output.loss_curves import draw_fits  # only here: Matplotlib may be missing

    return draw_fits(fits, loss, law)


def _write_tables(law: str, group: list[Run], fit: Fit, loss: str) -> None:
    """Write two tables: the parameters, and the runs."""
    head = f"{law} law of the {loss}, peak {value_text(fit.law.peak)}, {count_runs(len(group))}"
    write_lines(f"{head}; residual standard deviation {fit.residual_std:.2%}", "")
    parameters = [
        (parameter.symbol, f"{parameter.value:.4g}", f"± {parameter.standard_error:.2g}", parameter.meaning)
        for parameter in fit.parameters
    ]
    write_table(["parameter", "meaning"], ["parameter", "value", "standard error", "meaning"], parameters)
    write_lines("")
    runs = [
        (run.name, f"{run.steps:,}", str(len(run.losses)), f"{run.final:.4f}", f"{misfit:.2%}")
        for run, misfit in zip(group, _misfits(fit), strict=True)
    ]
    write_table(["run"], ["run", "updates", "losses", f"last {loss}", "typical misfit"], runs)
    write_lines("")


def _misfits(fit: Fit) -> list[float]:
    """Return for each run a share of the loss: half of its losses are nearer to the law."""
    return [float(np.median(np.abs(residuals))) for residuals in fit.residuals]


def _bad_ends(group: list[Run], fit: Fit) -> list[str]:
    """Return a line for each run that leaves its law at the end, as those do whose loss rises again."""
    lines = []
    for run, residuals in zip(group, fit.residuals, strict=True):
        last = residuals[-max(3, len(residuals) // 10) :]
        off = float(np.median(last))
        if abs(off) > max(LEAVES, 3 * fit.residual_std / len(last) ** 0.5):
            where = "below" if off < 0 else "above"
            lines.append(
                f"{run.name}: the law ends {abs(off):.1%} {where} the run; no law here has a loss that rises again"
            )
    return lines


def _notes(evidence: Evidence, fits: int) -> list[str]:
    peaks = len(group_by_peak(evidence.runs))
    if peaks == 1:
        return list(evidence.notes)
    how = "each has its own" if fits > 1 else "this one is not accurate"
    return [f"these runs have {peaks} peaks, and one law does not hold across peaks: {how}", *evidence.notes]


def _plain(group: list[Run], fit: Fit) -> dict[str, Any]:
    parameters = {
        parameter.name: {
            "symbol": parameter.symbol,
            "value": parameter.value,
            "standard_error": parameter.standard_error,
        }
        for parameter in fit.parameters
    }
    runs = [
        {"name": run.name, "updates": run.steps, "last": run.final, "misfit": misfit, "assumed": run.assumed}
        for run, misfit in zip(group, _misfits(fit), strict=True)
    ]
    return {"peak": fit.law.peak, "parameters": parameters, "residual_std": fit.residual_std, "runs": runs}
