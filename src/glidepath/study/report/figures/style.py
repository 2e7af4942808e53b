"""Parts that all figures of a study share: the color of a schedule, the legend, and axes of steps and of losses."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from glidepath.plot.style import COLORS, DASHES
from glidepath.study.curve import Curve
from glidepath.study.report.summary import Interval, Row, Setting
from glidepath.study.report.verdict import first_name
from glidepath.ticks import step_text, value_text

WIDTH = 6.9  # inches: two columns of a paper
LEGEND_CHARACTERS = 124  # that fit into its width, with what a line and a gap take
LineStyle = dict[str, Any]


def at_best_peak(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that figures show."""
    return [row for row in rows if row.chosen]


def line_styles(curves: Iterable[Curve]) -> dict[str, LineStyle]:
    """Return a color for every schedule, and another dash when the colors begin again."""
    names = dict.fromkeys(curve.run.schedule for curve in curves)
    return {
        name: {"color": COLORS[i % len(COLORS)], "linestyle": DASHES[i // len(COLORS) % len(DASHES)]}
        for i, name in enumerate(names)
    }


def runs_of(curves: Iterable[Curve], setting: Setting) -> list[Curve]:
    """Return the runs of a setting, one for each seed."""
    return [c for c in curves if (c.run.schedule, c.run.horizon, c.peak) == setting]


def several_peaks(rows: Iterable[Row]) -> bool:
    """Return whether a peak was chosen for each schedule, which a figure has to say."""
    return len({row.setting.peak for row in rows}) > 1


def peak_note(rows: Iterable[Row]) -> str:
    """Return how the peaks in a figure were chosen."""
    return f"each schedule at its best peak in {first_name(rows)}"


def legend(figure: Figure, line_styles: Mapping[str, LineStyle], rows: Sequence[Row]) -> None:
    """Draw the names under the axes, in as many columns as fit; a schedule that diverged says so."""
    names = {name: name + _divergence_note(name, rows) for name in line_styles}
    handles = [Line2D([], [], label=names[name], **look) for name, look in line_styles.items()]
    columns = max(1, min(len(handles), LEGEND_CHARACTERS // (max(map(len, names.values())) + 8)))
    columns = math.ceil(len(handles) / math.ceil(len(handles) / columns))  # rows of the same length
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)


def _divergence_note(name: str, rows: Iterable[Row]) -> str:
    lost = [row for row in rows if row.chosen and row.setting.schedule == name and row.diverged]
    return f" ({max(row.diverged for row in lost)} of {lost[0].seeds} diverged)" if lost else ""


def step_axis(axis: Axes, steps: int, label: str = "step") -> None:
    """Show steps from 0 along the bottom."""
    axis.set_xlim(0, steps)
    axis.set_xlabel(label)
    axis.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: step_text(value)))


def horizon_axis(axis: Axes, horizons: Sequence[int]) -> None:
    """Show lengths of runs, which are often doubled: a logarithmic axis with a tick at each."""
    axis.set_xscale("log")
    axis.set_xlim(min(horizons) / 1.12, max(horizons) * 1.12)
    axis.xaxis.set_major_locator(FixedLocator(list(map(float, horizons))))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: step_text(round(value))))
    axis.set_xlabel("steps of the run")


def value_axis(axis: Axes, values: Iterable[float], label: str, *, wide: float = 3.0) -> None:
    """Show losses or metrics: logarithmic if they are positive and the largest is over `wide` times the smallest."""
    finite = [value for value in values if math.isfinite(value)]
    if finite and min(finite) > 0 and max(finite) > wide * min(finite):
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5), numticks=10))
        axis.yaxis.set_minor_locator(NullLocator())
    else:
        axis.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(value, 4)))
    axis.set_ylabel(label)


def visible_range(means: Sequence[float], intervals: Iterable[Interval], air: float = 0.35) -> tuple[float, float]:
    """Return the range of an axis with some values and their intervals: all, as far as it leaves the values visible.

    Intervals from two or three seeds are long; beyond `air` times the range of the values they leave the axis.

    >>> visible_range([1.0, 2.0], [Interval(1.0, 0.9, 1.1), Interval(2.0, -8.0, 12.0)], air=0.5)
    (0.5, 2.5)
    """
    low, high = min(means), max(means)
    if low == high:
        return low - (abs(low) or 1.0) / 10, high + (abs(high) or 1.0) / 10
    ends = [end for each in intervals for end in each[1:] if end is not None]
    reach, margin = air * (high - low), 0.04 * (high - low)
    return (
        max(low - reach, min([low, *ends]) - margin),
        min(high + reach, max([high, *ends]) + margin),
    )


def values_on(axis: Axes) -> list[float]:
    """Return every value that the lines of an axis show."""
    return [float(y) for line in axis.get_lines() for y in np.asarray(line.get_ydata())]
