"""`glidepath review`: mistakes that can be seen before the run, and whether a run followed its plan."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from glidepath.core.schedule import Schedule
from glidepath.errors import GlidepathError
from glidepath.parser import parse
from glidepath.review import review as reviewed
from glidepath.review.rates import is_absolute

from .options.horizon import ONE_RUN, Run, own_length, resolved

if TYPE_CHECKING:
    from glidepath.runs.deviation import Rates


def review(
    plan: str,
    /,
    *,
    run: Run = ONE_RUN,
    runs: Annotated[
        list[Path] | None,
        Parameter(name="--run", negative=(), help="The log of a run that should have followed the plan."),
    ] = None,
    column: Annotated[
        list[str] | None,
        Parameter(negative=(), help="What a column of the log is called: step=it or rate=eta."),
    ] = None,
    run_peak: Annotated[
        float | None,
        Parameter(help="The rate where the plan is 1; without it, 1 for a plan of rates, or what the log tells."),
    ] = None,
) -> int:
    """Mistakes that can be seen before the run, each with its step, its number and its cure.

    With --run the rates that were really used are compared with the plan instead: the first step where they part, and
    the likely cause.

    Parameters
    ----------
    plan
        A schedule, as text.
    """
    known = parse(plan)
    if runs:
        return _compared(resolved(known, run)[0], runs, column, run_peak)
    if column or run_peak is not None:
        raise GlidepathError("--column and --run-peak say how a log is read: give it, as in --run log.csv")
    findings = reviewed(known, run.horizon() or own_length(known))
    print(findings)
    return 1 if findings else 0


def _compared(plan: Schedule, paths: list[Path], column: list[str] | None, peak: float | None) -> int:
    found = list(_followed(plan, paths, column, peak))
    for line, _ in found:
        print(line)
    return 1 if any(parted for _, parted in found) else 0


def _followed(
    plan: Schedule, paths: list[Path], column: list[str] | None, peak: float | None
) -> Iterator[tuple[str, bool]]:
    """A line for each run, and whether it parted from the plan."""
    from glidepath.runs.deviation import first_mismatch  # only here: a review before the run needs no NumPy

    own = peak is None and is_absolute(plan)
    for path in paths:
        for one in _read(path, column):
            finding = first_mismatch(plan, one, peak)
            told = finding or f"every logged rate is the plan's, {len(one.steps):,} of them"
            yield f"{one.name}: {told}{_assumed(one, peak, own)}", finding is not None


def _read(path: Path, column: list[str] | None) -> "list[Rates]":
    from .options.logs import rates

    try:
        return list(rates(path, column))
    except GlidepathError as error:
        if "--run-plan" not in str(error):
            raise
        raise GlidepathError(f"{path}: no column for the rate: name it, --column rate=...") from error


def _assumed(one: "Rates", peak: float | None, own: bool) -> str:
    """Where the peak is from, if it was not given."""
    if peak is not None:
        return ""
    if own:
        return " (the plan's own peak looks like a rate, so it was not scaled; --run-peak)"
    return f" (the peak was taken from the log, whose largest rate is {max(one.rates):g}; --run-peak)"
