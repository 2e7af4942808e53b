"""The runs of a schedule as one logged run, which a loss law can be fitted to."""

from collections.abc import Sequence

from glidepath.runs.aggregate import average_runs
from glidepath.runs.run import Run

from .curve import Curve


def mean_run(schedule: str, curves: Sequence[Curve]) -> Run | None:
    """Average the runs of a schedule over its seeds, in the metric that ranks; None if every one of them diverged.

    Raises:
        RunError: if the runs differ in more than their seed: in horizon, peak, or the rates of a plateau.
    """
    whole = [curve for curve in curves if curve.run.schedule == schedule and not curve.diverged]
    if not whole:
        return None
    metric = next(iter(whole[0].records[-1].metrics))
    return average_runs([to_logged_run(curve, metric) for curve in whole], schedule)


def to_logged_run(curve: Curve, metric: str) -> Run:
    """Return a curve as a logged run: its rates, and the evaluations of a metric as losses."""
    updates, values = curve.metrics[metric]
    return Run(str(curve.run), curve.rates, updates, values)
