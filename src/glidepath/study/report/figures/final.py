"""The final metric of every seed, with the interval of the mean: the best schedule on top."""

import math
from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from glidepath.plot.style import ALARM, GRID, INK, STYLE
from glidepath.study.curve import Curve
from glidepath.study.report.summary import Interval, Row, first_metric, interval
from glidepath.study.report.verdict import first_name
from glidepath.ticks import step_text, value_text

from .style import WIDTH, LineStyle, at_best_peak, line_styles, runs_of, several_peaks, visible_range


def draw_final(curves: Sequence[Curve], rows: Sequence[Row]) -> Figure:
    """Draw each schedule at its best peak: a dot for a seed, a bar for their mean, a line for its 95% interval.

    The interval is that of the mean of one setting alone; what the verdict says rests on differences, seed by seed.
    Where a seed diverged there is no mean: only the dots of the others, and how many are missing.
    """
    best_rows, styles = at_best_peak(rows), line_styles(curves)
    horizons = list(dict.fromkeys(row.setting.horizon for row in best_rows))
    panels = [[row for row in best_rows if row.setting.horizon == horizon] for horizon in horizons]
    with mpl.rc_context(STYLE):
        height = 0.8 + 0.26 * len(best_rows) + 0.3 * len(horizons)
        figure = Figure(figsize=(WIDTH, height), dpi=100, layout="constrained")
        axes = figure.subplots(len(panels), 1, squeeze=False, sharex=True, height_ratios=[len(p) for p in panels])
        for axis, panel in zip(axes.flat, panels, strict=True):
            _draw_panel(axis, panel, curves, styles)
            _name_rows(axis, panel, several_peaks(rows))
            if len(panels) > 1:
                axis.set_title(f"{step_text(panel[0].setting.horizon)} steps", loc="left", color=INK)
        _dress(axes.flat[-1], best_rows, curves)
    return figure


def _draw_panel(axis: Axes, rows: Sequence[Row], curves: Sequence[Curve], styles: Mapping[str, LineStyle]) -> None:
    for place, row in enumerate(rows):
        color = styles[row.setting.schedule]["color"]
        ends = _ends(curves, row)
        axis.plot(ends, [place] * len(ends), "o", color=color, markersize=4, alpha=0.55, markeredgewidth=0, zorder=3)
        if not row.diverged:
            _draw_mean(axis, place, interval(ends), color)
        else:
            _note(axis, place, f"{row.diverged} of {row.seeds} diverged")


def _draw_mean(axis: Axes, place: int, of: Interval, color: str) -> None:
    axis.plot([of.mean, of.mean], [place - 0.3, place + 0.3], color=color, linewidth=2, zorder=4)
    if of.low is not None and of.high is not None:
        axis.plot([of.low, of.high], [place, place], "|-", color=color, linewidth=0.8, markersize=4, zorder=2)


def _ends(curves: Sequence[Curve], row: Row) -> list[float]:
    """Return the final metric of the runs of a setting, without those that diverged."""
    return [end for end in map(first_metric, runs_of(curves, row.setting)) if math.isfinite(end)]


def _name_rows(axis: Axes, rows: Sequence[Row], peaks: bool) -> None:
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set_yticks(range(len(rows)), [_label(row, peaks) for row in rows])
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="y", color=GRID)
    axis.spines["left"].set_visible(False)


def _label(row: Row, peaks: bool) -> str:
    return row.setting.schedule + (f", peak {value_text(row.setting.peak)}" if peaks else "")


def _note(axis: Axes, place: int, text: str) -> None:
    """Write a text beside the axis, where no dot can be."""
    axis.text(1.01, place, text, transform=axis.get_yaxis_transform(), va="center", color=ALARM, fontsize=7)


def _dress(axis: Axes, rows: Sequence[Row], curves: Sequence[Curve]) -> None:
    ends = [end for row in rows for end in _ends(curves, row)]
    if ends:
        axis.set_xlim(*visible_range(ends, [interval(_ends(curves, row)) for row in rows if not row.diverged]))
    seeds = max(row.seeds for row in rows)
    parts = "a bar is the mean, a line its 95% interval" if seeds > 1 else "a bar is the mean"
    axis.set_xlabel(f"{first_name(rows)} after the last update ({seeds} seed{'s' * (seeds > 1)}; {parts})")
    axis.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(value, 4)))
