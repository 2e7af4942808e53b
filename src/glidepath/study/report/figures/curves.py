"""The rate and the training loss of every schedule, over one step axis."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from glidepath.plot.series import outline, thin_out
from glidepath.plot.style import INK, STYLE
from glidepath.study.curve import Curve
from glidepath.study.report.summary import Row
from glidepath.ticks import value_text

from .style import (
    WIDTH,
    LineStyle,
    at_best_peak,
    legend,
    line_styles,
    peak_note,
    runs_of,
    several_peaks,
    step_axis,
    value_axis,
    values_on,
)

SMOOTHED = 20  # the loss is averaged over this share of a run, one twentieth


def draw_curves(curves: Sequence[Curve], rows: Sequence[Row]) -> Figure:
    """Draw the rate above and the training loss below, over one step axis, in the same colors.

    Each schedule is shown at its best peak. The loss is the mean over seeds of a trailing mean over a twentieth of
    the shortest run; a plateau has a rate for every seed. Runs that diverged are left out of the loss, and counted in
    the legend.
    """
    best_rows, styles = at_best_peak(rows), line_styles(curves)
    window = max(1, min(row.setting.horizon for row in best_rows) // SMOOTHED)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 5.2), dpi=100, layout="constrained")
        rate, loss = figure.subplots(2, 1, sharex=True, height_ratios=[2, 3])
        for row in best_rows:
            chosen, look = runs_of(curves, row.setting), styles[row.setting.schedule]
            _draw_rates(rate, chosen, look)
            _draw_loss(loss, chosen, look, window)
        step_axis(loss, max(row.setting.horizon for row in best_rows))
        _dress_rates(rate)
        label = "training loss" + (f",\nmean of {window} updates" if window > 1 else "")
        value_axis(loss, values_on(loss), label, wide=1.0)
        if several_peaks(rows):
            rate.set_title(peak_note(rows), loc="left", color=INK)
        legend(figure, styles, rows)
    return figure


def _draw_rates(axis: Axes, curves: Sequence[Curve], look: LineStyle) -> None:
    different = {tuple(record.rate for record in curve.records) for curve in curves}
    for rates in sorted(different):
        x, y = thin_out(*outline(np.arange(len(rates)), np.asarray(rates)))
        axis.plot(x, y, linewidth=1.3 if len(different) == 1 else 0.8, zorder=3, **look)


def _draw_loss(axis: Axes, curves: Sequence[Curve], look: LineStyle, window: int) -> None:
    whole = [curve for curve in curves if not curve.diverged]
    if whole:
        mean = np.mean([[record.loss for record in curve.records] for curve in whole], axis=0)
        smooth = _average(mean, window)
        axis.plot(*thin_out(np.arange(len(smooth)) + window - 1, smooth), zorder=3, **look)


def _average(values: Any, window: int) -> Any:
    """Return the trailing mean: element i is the mean of values[i : i + window], full windows only."""
    return np.convolve(values, np.full(window, 1 / window), mode="valid")


def _dress_rates(axis: Axes) -> None:
    axis.set_ylim(bottom=0)
    axis.set_ylabel("rate")
    axis.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(value)))
