"""The two figures of a study: the rate and the loss of every schedule, and where every seed ended."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from glidepath.plot.series import outline, thinned
from glidepath.plot.style import ALARM, COLOURS, DASHES, GRID, INK, STYLE
from glidepath.study.curve import Curve
from glidepath.ticks import step_text, value_text

from .summary import Row, Setting, first_metric

SMOOTHED = 20  # the loss is averaged over this share of a run, one twentieth
WIDTH = 6.9  # inches: two columns of a paper
Look = dict[str, Any]


def curves_figure(curves: Sequence[Curve], rows: Sequence[Row]) -> Figure:
    """The rate above and the training loss below, over one step axis, in the same colours.

    Each schedule is shown at its best peak. The loss is the mean over seeds of a trailing mean over a twentieth of
    the shortest run; a plateau has a rate for every seed.
    """
    shown, looks = _at_best_peak(rows), _looks(curves)
    window = max(1, min(setting.horizon for setting in shown) // SMOOTHED)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 4.9), dpi=100, layout="constrained")
        rate, loss = figure.subplots(2, 1, sharex=True, height_ratios=[2, 3])
        for setting in shown:
            chosen, look = _of(curves, setting), looks[setting.schedule]
            _draw_rates(rate, chosen, look)
            _draw_loss(loss, chosen, look, window)
        _dress_steps(loss, max(setting.horizon for setting in shown))
        _dress_rates(rate)
        _dress_loss(loss, window)
        if len({row.setting.peak for row in rows}) > 1:
            rate.set_title("each schedule at its best peak", loc="left", color=INK)
        _legend(figure, looks)
    return figure


def final_figure(curves: Sequence[Curve], rows: Sequence[Row]) -> Figure:
    """Where every seed of every setting ended: a dot for a seed, a bar for their mean, the best on top."""
    looks, horizons = _looks(curves), list(dict.fromkeys(row.setting.horizon for row in rows))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.7 + 0.26 * len(rows) + 0.3 * len(horizons)), dpi=100, layout="constrained")
        panels = [[row for row in rows if row.setting.horizon == horizon] for horizon in horizons]
        axes = figure.subplots(len(panels), 1, squeeze=False, sharex=True, height_ratios=[len(p) for p in panels])
        for axis, panel in zip(axes.flat, panels, strict=True):
            _draw_finals(axis, panel, curves, looks)
            if len(panels) > 1:
                axis.set_title(f"{step_text(panel[0].setting.horizon)} steps", loc="left", color=INK)
        seeds = len({curve.run.seed for curve in curves})
        last = axes.flat[-1]
        last.set_xlabel(f"{_metric(curves)} after the last update ({seeds} seed{'s' * (seeds > 1)}; a bar is the mean)")
        last.xaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(value)))
    return figure


# --- what is shown ---


def _at_best_peak(rows: Iterable[Row]) -> list[Setting]:
    """For every schedule and horizon the setting that ranks first: rows come in that order."""
    best: dict[tuple[str, int], Setting] = {}
    for row in rows:
        best.setdefault((row.setting.schedule, row.setting.horizon), row.setting)
    return list(best.values())


def _looks(curves: Iterable[Curve]) -> dict[str, Look]:
    """A colour for every schedule, and another dash when the colours begin again."""
    names = dict.fromkeys(curve.run.schedule for curve in curves)
    return {
        name: {"color": COLOURS[i % len(COLOURS)], "linestyle": DASHES[i // len(COLOURS) % len(DASHES)]}
        for i, name in enumerate(names)
    }


def _of(curves: Iterable[Curve], setting: Setting) -> list[Curve]:
    return [c for c in curves if (c.run.schedule, c.run.horizon, c.peak) == setting]


def _metric(curves: Iterable[Curve]) -> str:
    """The metric that ranks, in words."""
    finals = (curve.records[-1].metrics for curve in curves)
    return next((name for final in finals for name in final), "metric").replace("_", " ")


# --- curves ---


def _draw_rates(axis: Axes, curves: Sequence[Curve], look: Look) -> None:
    different = {tuple(record.rate for record in curve.records) for curve in curves}
    for rates in sorted(different):
        x, y = thinned(*outline(np.arange(len(rates)), np.asarray(rates)))
        axis.plot(x, y, linewidth=1.3 if len(different) == 1 else 0.8, zorder=3, **look)


def _draw_loss(axis: Axes, curves: Sequence[Curve], look: Look, window: int) -> None:
    whole = [curve for curve in curves if not curve.diverged]
    if whole:
        mean = np.mean([[record.loss for record in curve.records] for curve in whole], axis=0)
        smooth = _trailing_mean(mean, window)
        axis.plot(*thinned(np.arange(len(smooth)) + window - 1, smooth), zorder=3, **look)


def _trailing_mean(values: Any, window: int) -> Any:
    """Element i is the mean of values[i : i + window]: only full windows."""
    return np.convolve(values, np.full(window, 1 / window), mode="valid")


def _dress_steps(axis: Axes, steps: int) -> None:
    axis.set_xlim(0, steps)
    axis.set_xlabel("step")
    axis.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: step_text(value)))


def _dress_rates(axis: Axes) -> None:
    axis.set_ylim(bottom=0)
    axis.set_ylabel("rate")
    axis.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(value)))


def _dress_loss(axis: Axes, window: int) -> None:
    axis.set_ylabel("training loss" + (f",\nmean of {window} updates" if window > 1 else ""))
    if all(low > 0 for line in axis.get_lines() for low in np.asarray(line.get_ydata())):
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5), numticks=10))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(value)))
        axis.yaxis.set_minor_locator(NullLocator())


def _legend(figure: Figure, looks: Mapping[str, Look]) -> None:
    handles = [Line2D([], [], label=name, **look) for name, look in looks.items()]
    columns = max(1, min(len(handles), int(110 / (max(map(len, looks)) + 8))))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)


# --- ends ---


def _draw_finals(axis: Axes, rows: Sequence[Row], curves: Sequence[Curve], looks: Mapping[str, Look]) -> None:
    several = len({row.setting.peak for row in rows}) > 1
    for place, row in enumerate(rows):
        colour = looks[row.setting.schedule]["color"]
        ends = [end for end in map(first_metric, _of(curves, row.setting)) if math.isfinite(end)]
        axis.plot(ends, [place] * len(ends), "o", color=colour, markersize=4, alpha=0.55, markeredgewidth=0, zorder=3)
        if ends:
            axis.plot([sum(ends) / len(ends)] * 2, [place - 0.3, place + 0.3], color=colour, linewidth=2, zorder=4)
        if row.diverged:
            _note(axis, place, f"{row.diverged} of {row.seeds} diverged")
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set_yticks(range(len(rows)), [_label(row, several) for row in rows])
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="y", color=GRID)
    axis.spines["left"].set_visible(False)


def _label(row: Row, several_peaks: bool) -> str:
    return row.setting.schedule + (f", peak {value_text(row.setting.peak)}" if several_peaks else "")


def _note(axis: Axes, place: int, text: str) -> None:
    across = axis.get_yaxis_transform()
    axis.text(0.995, place, text, transform=across, ha="right", va="center", color=ALARM, fontsize=7, zorder=5)
