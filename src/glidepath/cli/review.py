"""`glidepath review`: mistakes that can be seen before the run, and whether a run followed its plan."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from glidepath.core.schedule import Schedule
from glidepath.errors import GlidepathError, TextError
from glidepath.parser import parse
from glidepath.review import review as review_plan
from glidepath.review.rates import is_absolute

from .options.horizon import OWN_LENGTH, RunLength, own_length, resolve_plan
from .output.wording import word_as_options

if TYPE_CHECKING:
    from glidepath.runs.deviation import Rates

OPTIONS = {"peak": "--run-peak"}  # of the arguments of `first_mismatch`


def review(
    plan: str,
    /,
    *,
    run: RunLength = OWN_LENGTH,
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
        Parameter(help="The rate where the plan is 1; without it, 1 for a plan of rates, or any that fits the log."),
    ] = None,
) -> int:
    """Find mistakes before the run, each with its step, its number and its cure.

    With --run the rates that were really used are compared with the plan instead: the first step where they differ,
    and the likely cause.

    Parameters
    ----------
    plan
        A schedule, as text.
    """
    schedule = _read_plan(plan)
    if runs:
        return _compare(resolve_plan(schedule, run)[0], runs, column, run_peak)
    if column or run_peak is not None:
        raise GlidepathError("--column and --run-peak say how a log is read: give it, as in --run log.csv")
    findings = review_plan(schedule, run.horizon() or own_length(schedule))
    print(findings)
    return 1 if findings else 0


def _read_plan(text: str) -> Schedule:
    """Read the plan, where the log of a run is easily given instead."""
    try:
        return parse(text)
    except TextError as error:
        if error.code != "GP107":
            raise
        raise GlidepathError(
            f"{text} is a file, not a plan: give the plan first, and the log as --run {text}", code=error.code
        ) from error


def _compare(plan: Schedule, paths: list[Path], column: list[str] | None, peak: float | None) -> int:
    """Write a line for each run, and return 1 if a run deviated from the plan."""
    lines = list(_deviations(plan, paths, column, peak))
    for line, _ in lines:
        print(line)
    return 1 if any(deviates for _, deviates in lines) else 0


def _deviations(
    plan: Schedule, paths: list[Path], column: list[str] | None, peak: float | None
) -> Iterator[tuple[str, bool]]:
    """Yield a line for each run, and whether it deviated from the plan."""
    from glidepath.runs.deviation import first_mismatch  # only here: a review before the run needs no NumPy

    from .options.logs import read_rates

    own = peak is None and is_absolute(plan)
    for path in paths:
        for rates in read_rates(path, column):
            with word_as_options(OPTIONS):
                finding = first_mismatch(plan, rates, peak)
            result = finding or f"every logged rate is the plan's, {len(rates.steps):,} of them"
            yield f"{rates.name}: {result}{_peak_note(rates, peak, own)}", finding is not None


def _peak_note(rates: "Rates", peak: float | None, own: bool) -> str:
    """Return where the peak is from, if it was not given."""
    if peak is not None:
        return ""
    if own:
        return " (the plan's own peak looks like a rate, so it was not scaled; --run-peak)"
    return f" (the peak was taken from the log, whose largest rate is {max(rates.rates):g}; --run-peak)"
