"""The metric against updates spent: during the runs of one horizon, or at the end of runs of several."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glidepath.plot.style import INK, STYLE
from glidepath.study.curve import Curve
from glidepath.study.report.summary import Interval, Row, first_metric, interval
from glidepath.study.report.verdict import first_name

from .style import (
    WIDTH,
    LineStyle,
    at_best_peak,
    horizon_axis,
    legend,
    line_styles,
    peak_note,
    runs_of,
    several_peaks,
    step_axis,
    value_axis,
    values_on,
    visible_range,
)

SPREAD_AT_MOST = 8  # schedules: the bands of more would hide one another
APART = 0.06  # how far the lines of one horizon stand from each other, in parts of it


def draw_cost(curves: Sequence[Curve], rows: Sequence[Row]) -> Figure:
    """Draw the first metric against the updates spent, each schedule at its best peak.

    With one horizon: the mean of every evaluation over the seeds, with a band from the lowest seed to the highest.
    With several: where the runs of each length ended, with the 95% interval of the mean; a length where a seed
    diverged has no mean. The legend counts what diverged.
    """
    best_rows, styles = at_best_peak(rows), line_styles(curves)
    horizons = sorted({row.setting.horizon for row in best_rows})
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3.9), dpi=100, layout="constrained")
        axis = figure.subplots()
        if len(horizons) == 1:
            _draw_runs(axis, best_rows, curves, styles)
            step_axis(axis, horizons[0], "updates spent")
            value_axis(axis, values_on(axis), _label(best_rows, "mean of the seeds, with their range"))
        else:
            _draw_lengths(axis, [row for row in best_rows if not row.diverged], curves, styles)
            horizon_axis(axis, horizons)
        if several_peaks(rows):
            axis.set_title(peak_note(rows), loc="left", color=INK)
        legend(figure, styles, rows)
    return figure


def _label(rows: Sequence[Row], several: str) -> str:
    return first_name(rows) + (f",\n{several}" if any(row.seeds > 1 for row in rows) else "")


# --- one horizon ---


def _draw_runs(axis: Axes, rows: Sequence[Row], curves: Sequence[Curve], styles: Mapping[str, LineStyle]) -> None:
    for row in rows:
        whole = [curve for curve in runs_of(curves, row.setting) if math.isfinite(first_metric(curve))]
        if not whole:
            continue
        spent, values = _evaluations(whole)
        look = styles[row.setting.schedule]
        axis.plot(spent, values.mean(axis=0), zorder=3, **look)
        if len(whole) > 1 and len(rows) <= SPREAD_AT_MOST:
            low, high = values.min(axis=0), values.max(axis=0)
            axis.fill_between(spent, low, high, color=look["color"], alpha=0.12, linewidth=0, zorder=2)


def _evaluations(curves: Sequence[Curve]) -> tuple[Any, Any]:
    """Return the updates spent at each evaluation, and the first metric there: a row for every run."""
    measured = [[record for record in curve.records if record.metrics] for curve in curves]
    spent = np.array([record.step + 1 for record in measured[0]])
    return spent, np.array([[next(iter(record.metrics.values())) for record in records] for records in measured])


# --- several horizons ---


def _draw_lengths(axis: Axes, rows: Sequence[Row], curves: Sequence[Curve], styles: Mapping[str, LineStyle]) -> None:
    """Draw a line for every schedule; at one horizon they stand a little apart, so that no intervals overlap."""
    ends = {row.setting: interval([first_metric(curve) for curve in runs_of(curves, row.setting)]) for row in rows}
    for place, (name, look) in enumerate(styles.items()):
        away = 1 + APART * (place / max(1, len(styles) - 1) - 0.5)
        own = sorted((horizon, end) for (schedule, horizon, _), end in ends.items() if schedule == name)
        if own:
            x, y = [horizon * away for horizon, _ in own], [end.mean for _, end in own]
            reach = [_half(end) for _, end in own]
            axis.errorbar(x, y, yerr=reach, elinewidth=0.7, capsize=1.5, markersize=3, marker="o", **look)
    means = [end.mean for end in ends.values()]
    value_axis(axis, means, _label(rows, "mean and its 95% interval"))
    if means:
        low, high = visible_range(means, ends.values())
        axis.set_ylim(max(low, min(means) / 2) if axis.get_yscale() == "log" else low, high)


def _half(end: Interval) -> float:
    return 0.0 if end.high is None else end.high - end.mean
