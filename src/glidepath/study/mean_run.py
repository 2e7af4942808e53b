"""The runs of a schedule as one logged run, which a loss law can be fitted to."""

import math
from collections.abc import Sequence

from glidepath.core.closest import did_you_mean
from glidepath.errors import Argument, StudyError
from glidepath.runs.aggregate import average_runs
from glidepath.runs.run import Run

from .curve import Curve
from .report.summary import Row, Setting


def choose_setting(rows: Sequence[Row], schedule: str, peak: float | None, horizon: int | None) -> Setting:
    """Choose a setting of a schedule: over its longest horizon and at its best peak, where they are not given.

    Raises:
        StudyError: if there is no such schedule, horizon or peak; the message names those that there are.
    """
    names = sorted({row.setting.schedule for row in rows})
    if schedule not in names:
        hint = did_you_mean(str(schedule), names, f"there are {', '.join(names)}")
        raise StudyError(f"no schedule called {schedule!r} was trained; {hint}")
    own = [row for row in rows if row.setting.schedule == schedule]
    horizons = sorted({row.setting.horizon for row in own})
    if horizon is not None and horizon not in horizons:
        raise _absent("horizon", horizon, horizons)
    own = [row for row in own if row.setting.horizon == (horizon or horizons[-1])]
    if peak is None:
        return next(row.setting for row in own if row.chosen)
    equal = (row.setting for row in own if math.isclose(row.setting.peak, peak))
    setting = next(equal, None)
    if setting is None:
        raise _absent("peak", peak, sorted(row.setting.peak for row in own))
    return setting


def _absent(name: str, value: float, values: Sequence[float]) -> StudyError:
    return StudyError((Argument(name), f" is one of {', '.join(f'{value:g}' for value in values)}, not {value!r}"))


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
