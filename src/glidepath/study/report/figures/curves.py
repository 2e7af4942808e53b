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

from .style import WIDTH, Look, at_best_peak, drawn, legend, looks, of, several_peaks, step_axis, value_axis

SMOOTHED = 20  # the loss is averaged over this share of a run, one twentieth


def curves_figure(curves: Sequence[Curve], rows: Sequence[Row]) -> Figure:
    """The rate above and the training loss below, over one step axis, in the same colours.

    Each schedule is shown at its best peak. The loss is the mean over seeds of a trailing mean over a twentieth of
    the shortest run; a plateau has a rate for every seed. Runs that diverged are left out of the loss, and counted in
    the legend.
    """
    shown, known = at_best_peak(rows), looks(curves)
    window = max(1, min(row.setting.horizon for row in shown) // SMOOTHED)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 5.2), dpi=100, layout="constrained")
        rate, loss = figure.subplots(2, 1, sharex=True, height_ratios=[2, 3])
        for row in shown:
            chosen, look = of(curves, row.setting), known[row.setting.schedule]
            _draw_rates(rate, chosen, look)
            _draw_loss(loss, chosen, look, window)
        step_axis(loss, max(row.setting.horizon for row in shown))
        _dress_rates(rate)
        label = "training loss" + (f",\nmean of {window} updates" if window > 1 else "")
        value_axis(loss, drawn(loss), label, wide=1.0)
        if several_peaks(rows):
            rate.set_title("each schedule at its best peak", loc="left", color=INK)
        legend(figure, known, rows)
    return figure


def _draw_rates(axis: Axes, curves: Sequence[Curve], look: Look) -> None:
    different = {tuple(record.rate for record in curve.records) for curve in curves}
    for rates in sorted(different):
        x, y = thin_out(*outline(np.arange(len(rates)), np.asarray(rates)))
        axis.plot(x, y, linewidth=1.3 if len(different) == 1 else 0.8, zorder=3, **look)


def _draw_loss(axis: Axes, curves: Sequence[Curve], look: Look, window: int) -> None:
    whole = [curve for curve in curves if not curve.diverged]
    if whole:
        mean = np.mean([[record.loss for record in curve.records] for curve in whole], axis=0)
        smooth = _trailing_mean(mean, window)
        axis.plot(*thin_out(np.arange(len(smooth)) + window - 1, smooth), zorder=3, **look)


def _trailing_mean(values: Any, window: int) -> Any:
    """Element i is the mean of values[i : i + window]: only full windows."""
    return np.convolve(values, np.full(window, 1 / window), mode="valid")


def _dress_rates(axis: Axes) -> None:
    axis.set_ylim(bottom=0)
    axis.set_ylabel("rate")
    axis.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(value)))
