"""`glidepath review`: mistakes that can be seen before the run, and whether a run followed its plan."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from glidepath.core.schedule import Draft, Schedule
from glidepath.errors import GlidepathError, TextError
from glidepath.parser import parse
from glidepath.review import review as review_plan
from glidepath.review.rates import is_absolute

from .options.horizon import OWN_LENGTH, RunLength, own_length, resolve_plan
from .options.rows import DEFAULT_ROWS, Rows
from .output.wording import word_as_options

if TYPE_CHECKING:
    from glidepath.runs.deviation import Comparison, Rates

OPTIONS = {"peak": "--run-peak"}  # of the arguments of `compare_with_plan`


def review(
    plan: str,
    /,
    *,
    run: RunLength = OWN_LENGTH,
    runs: Annotated[
        list[Path] | None,
        Parameter(name="--run", negative=(), help="The log of a run that should have followed the plan."),
    ] = None,
    rows: Rows = DEFAULT_ROWS,
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
        return _compare(_Planned(schedule, run, run_peak), runs, rows)
    if rows != DEFAULT_ROWS or run_peak is not None:
        raise GlidepathError("--column, --run-peak and the like say how a log is read: give it, as in --run log.csv")
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


@dataclass(frozen=True)
class _Planned:
    """What the runs should have followed."""

    schedule: Schedule
    run: RunLength
    peak: float | None

    def resolve(self, horizon: int | None) -> Schedule:
        """Return the plan of a run with the length that was given, or else the one that its log says."""
        if self.run.steps is not None:
            return resolve_plan(self.schedule, self.run)[0]
        if not isinstance(self.schedule, Draft):
            return self.schedule
        return resolve_plan(self.schedule, self.run if horizon is None else self.run.with_steps(horizon))[0]

    def notes(self, rates: "Rates") -> Iterator[str]:
        """Yield what was taken from the log or from the plan because it was not given."""
        if self.run.steps is None and isinstance(self.schedule, Draft):
            yield f"the length, {rates.horizon:,} updates, was taken from the log; --steps"
        if self.peak is None and is_absolute(self.resolve(rates.horizon)):
            yield "the plan's own peak looks like a rate, so it was not scaled; --run-peak"
        elif self.peak is None:
            yield f"the peak was taken from the log, whose largest rate is {max(rates.rates):g}; --run-peak"


def _compare(planned: _Planned, paths: list[Path], rows: Rows) -> int:
    """Write a line for each run, and return 1 if a run deviated from the plan."""
    lines = list(_comparisons(planned, paths, rows))
    for line, _ in lines:
        print(line)
    return 1 if any(deviates for _, deviates in lines) else 0


def _comparisons(planned: _Planned, paths: list[Path], rows: Rows) -> Iterator[tuple[str, bool]]:
    """Yield a line for each run, and whether it deviated from the plan."""
    from glidepath.runs.deviation import compare_with_plan  # only here: a review before the run needs no NumPy

    from .options.logs import read_rates

    for path in paths:
        for rates in read_rates(path, rows):
            plan = planned.resolve(rates.horizon)
            with word_as_options(OPTIONS):
                comparison = compare_with_plan(plan, rates, planned.peak)
            notes = "".join(f" ({note})" for note in planned.notes(rates))
            yield f"{rates.name}: {_result(comparison)}{notes}", comparison.finding is not None


def _result(comparison: "Comparison") -> str:
    """Return the finding, or how every rate is explained."""
    if comparison.finding is not None:
        return str(comparison.finding)
    read = f": {comparison.note}" if comparison.note else ""
    return f"every logged rate is the plan's, {comparison.rows:,} of them{read}"
