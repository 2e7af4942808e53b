"""From curves to a figure: axes, shading, legend. The curves are in `series.py`, their look in `style.py`."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, cast

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import LayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from glidepath.core.horizon import Horizon
from glidepath.core.schedule import Schedule
from glidepath.errors import ScheduleError
from glidepath.phases import Phase
from glidepath.ticks import linear_range, log_range, step_text, value_text

from .files import to_svg
from .labels import draw_phase_names
from .series import BUCKETS, Series, evaluate, outline, resolve_plans, thin_out
from .style import ALARM, BAND, COLORS, DASHES, INK, QUIET, STYLE, Width, size

MOST_MARKS = 200  # on the step axis


class Picture(Figure):
    """A Matplotlib figure that a notebook shows by itself; made without pyplot, so nothing has to be closed."""

    def _repr_svg_(self) -> str:
        return to_svg(self)


def plot(
    plans: Mapping[str, Schedule],
    horizon: Horizon | int | str | None = None,
    *,
    log: bool = False,
    side_by_side: bool = False,
    title: str = "",
    width: Width = "page",
    height: float | None = None,
    value_label: str = "value",
) -> Figure:
    """Draw one or more plans in one figure, with their phases shaded and named.

    Args:
        plans: by the name that the legend shows; a single plan may be called "".
        horizon: the run's length, which drafts need; `glidepath.plot` says what happens without one.
        log: a logarithmic value axis.
        side_by_side: an axis for each plan, on one scale, instead of all in one.
        title: above the figure.
        width: "column" (3.35 inches), "page" (6.9 inches, two columns), or inches.
        height: inches; by default it suits the width.
        value_label: beside the value axis, as in "learning rate".

    Raises:
        ScheduleError: if there is nothing to draw, or a size is out of range.
        HorizonError: if a plan does not fit its horizon.

    Examples:
        >>> from glidepath import cosine, warmup
        >>> figure = plot({"cosine": warmup(50) >> cosine(950)}, width="column")
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['warmup', 'cosine']
    """
    resolved, steps, assumed = resolve_plans(plans, horizon)
    return draw(
        [evaluate(plan, steps, name) for name, plan in resolved.items()],
        log=log,
        side_by_side=side_by_side,
        title=title,
        width=width,
        height=height,
        step_label=f"step (no length given: {step_text(steps)} shown)" if assumed else "step",
        value_label=value_label,
    )


def draw_svg(plan: Schedule) -> str:
    """Return a small figure of one plan as SVG text; a draft is resolved over 1,000 steps or as many as it needs."""
    return to_svg(plot({"": plan}, width=4.2, height=2.0))


def draw(
    series: Sequence[Series],
    *,
    log: bool = False,
    side_by_side: bool = False,
    title: str = "",
    width: Width = "page",
    height: float | None = None,
    step_label: str = "step",
    value_label: str = "value",
) -> Figure:
    """Draw series that have their values already; `plot` describes the arguments."""
    if not series or not all(len(curve.steps) for curve in series):
        raise ScheduleError("there is nothing to draw: give at least one plan of at least one step")
    panels = [[curve] for curve in series] if side_by_side else [list(series)]
    rows, columns = _rows_and_columns(len(panels))
    with mpl.rc_context(STYLE):
        figure = Picture(figsize=size(width, height, rows, columns), dpi=100, layout="constrained")
        axes = _axes(figure, rows, columns, len(panels))
        limits = _limits(series, log)
        for axis, curves in zip(axes, panels, strict=True):
            _format_axis(axis, curves, log, limits)
            _draw_curves(axis, curves, log)
        _draw_labels(figure, axes, panels, step_label, value_label)
        if title:
            figure.suptitle(_wrap(title, figure), fontsize=8.5, color=INK, x=0.01, ha="left")
        _draw_phase_names(figure, axes, panels)
    return figure


# --- axes ---


def _rows_and_columns(panels: int) -> tuple[int, int]:
    columns = 2 if panels == 4 else min(3, panels)
    return math.ceil(panels / columns), columns


def _axes(figure: Figure, rows: int, columns: int, panels: int) -> list[Axes]:
    axes = list(figure.subplots(rows, columns, sharey=True, squeeze=False).flat)
    for spare in axes[panels:]:
        spare.remove()
    return axes[:panels]


def _format_axis(axis: Axes, curves: Sequence[Series], log: bool, limits: tuple[float, float]) -> None:
    """Set the scale, ticks and shading of one axis."""
    axis.set_xlim(0, int(max(curve.steps[-1] for curve in curves)) + 1)
    axis.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: step_text(value)))
    if log:
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(10, numticks=8))
        axis.yaxis.set_minor_locator(NullLocator())
    else:
        axis.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        if max(map(abs, limits)) < 0.005:
            axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(value)))
        if limits[0] < 0 < limits[1]:
            axis.axhline(0, color=QUIET, linewidth=0.6, zorder=2)
    axis.set_ylim(*limits)
    for phase in _common_phases(curves)[1::2]:
        axis.axvspan(phase.start, phase.stop, color=BAND, linewidth=0, zorder=0)


def _limits(series: Sequence[Series], log: bool) -> tuple[float, float]:
    """Return the range of the value axis: a margin above, and below where it does not begin at zero."""
    values = [_drawable_values(curve, log) for curve in series]
    if not any(shown.size for shown in values):
        return (0.1, 1.0) if log else (0.0, 1.0)
    if log:
        ranges = [_log_range(shown) for shown in values if shown.size]
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
        return low, float(high * (high / low) ** 0.05)
    ends = [end for shown in values if shown.size for end in (float(shown.min()), float(shown.max()))]
    low, high = linear_range(min(ends), max(ends))
    margin = 0.06 * (high - low)
    return low - margin * (low != 0), high + margin * (high != 0)


def _drawable_values(curve: Series, log: bool) -> Any:
    return curve.values[np.isfinite(curve.values) & ((curve.values > 0) | (not log))]


def _log_range(values: Any) -> tuple[float, float]:
    ordered = np.sort(values)
    return log_range([*ordered[:: max(1, len(ordered) // BUCKETS)].tolist(), float(ordered[-1])])


# --- curves ---


def _draw_curves(axis: Axes, curves: Sequence[Series], log: bool) -> None:
    hidden: dict[str, Line2D] = {}
    for number, curve in enumerate(curves):
        x, y = thin_out(*outline(curve.steps, curve.values))
        finite = np.isfinite(y)
        shown = finite & ((y > 0) | (not log))
        axis.plot(
            x,
            np.where(shown, y, np.nan),
            color=COLORS[number % len(COLORS)],
            linestyle=DASHES[number % len(DASHES)],
            zorder=3,
        )
        _draw_marks(axis, x[~finite], "not finite", "x", ALARM, hidden)
        _draw_marks(axis, x[finite & ~shown], "zero or below", "v", QUIET, hidden)
    if hidden:
        axis.legend(hidden.values(), hidden.keys(), loc="upper right", handlelength=1)


def _draw_marks(axis: Axes, steps: Any, name: str, marker: str, color: str, hidden: dict[str, Line2D]) -> None:
    """Mark on the step axis the steps whose values the value axis cannot show."""
    if not len(steps):
        return
    marked = steps[:: math.ceil(len(steps) / MOST_MARKS)]
    (hidden[name],) = axis.plot(
        marked,
        np.zeros(len(marked)),
        linestyle="",
        marker=marker,
        markersize=3.5,
        color=color,
        transform=axis.get_xaxis_transform(),
        clip_on=False,
        zorder=4,
    )


# --- names ---


def _draw_labels(
    figure: Figure, axes: Sequence[Axes], panels: Sequence[Sequence[Series]], step_label: str, value_label: str
) -> None:
    if len(axes) == 1:
        axes[0].set_xlabel(step_label)
        axes[0].set_ylabel(value_label)
        _draw_legend(figure, axes[0], [curve.name for curve in panels[0]])
        return
    figure.supxlabel(step_label, fontsize=8, color=INK)
    figure.supylabel(value_label, fontsize=8, color=INK)
    for axis, (curve,) in zip(axes, panels, strict=True):
        axis.set_title(_wrap(curve.name, figure, _columns(axis)), loc="left", color=INK, pad=4)


def _draw_legend(figure: Figure, axis: Axes, names: Sequence[str]) -> None:
    """Name the curves under the axis, in one line if the names are short, else one below the other."""
    lines = [line for line in axis.get_lines() if line.get_zorder() == 3]
    entries = [(line, _wrap(name, figure)) for line, name in zip(lines, names, strict=True) if name]
    if entries:
        in_line = sum(len(text) + 8 for _, text in entries) < 15 * figure.get_figwidth()
        columns = len(entries) if in_line else 1
        figure.legend(*zip(*entries, strict=True), loc="outside lower center", ncols=columns)


def _draw_phase_names(figure: Figure, axes: Sequence[Axes], panels: Sequence[Sequence[Series]]) -> None:
    """Write the names of the phases; their space is known only once the figure has been laid out."""
    phases = [_common_phases(curves) for curves in panels]
    if not any(phases):
        return
    cast(LayoutEngine, figure.get_layout_engine()).execute(figure)
    heights = [draw_phase_names(axis, shown) if shown else 0.0 for axis, shown in zip(axes, phases, strict=True)]
    columns = _columns(axes[0])
    for number, axis in enumerate(axes):
        row = number // columns * columns
        pad = max(heights[row : row + columns]) + 3
        axis.set_title(axis.get_title(loc="left"), loc="left", color=INK, pad=pad)


def _common_phases(curves: Sequence[Series]) -> tuple[Phase, ...]:
    """Return the phases that every curve of one axis has; none where there is only one phase."""
    first = curves[0].phases
    return first if len(first) > 1 and all(curve.phases == first for curve in curves) else ()


def _columns(axis: Axes) -> int:
    spec = axis.get_subplotspec()
    return int(spec.get_gridspec().ncols) if spec else 1


def _wrap(text: str, figure: Figure, columns: int = 1) -> str:
    return "\n".join(textwrap.wrap(text, max(12, int(figure.get_figwidth() / columns * 15))))
