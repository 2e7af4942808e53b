"""MeasuredLosses and predicted losses over one step axis, the rate above them, and the last losses side by side.

Numbers in, a figure out: what predicts is left to the caller.
"""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike

from glidepath.errors import GlidepathError
from glidepath.ticks import step_text, value_text

from .figure import Picture
from .last_losses import draw_intervals, draw_last_losses, percent
from .loss_series import MeasuredLosses, PredictedLosses, assign_colors, family_of, look_of, shorten
from .series import outline, thin_out
from .style import GRID, INK, QUIET, STYLE

WIDTH, HEIGHT = 6.9, 4.5  # inches: two columns of a paper
SHARES = (1.0, 2.0)  # of the height, of the rate and of the loss
BESIDE = (3.4, 1.0)  # of the width, of the curves and of the last losses
# In the first eighth of a run the loss falls further than in all the rest: an axis with room for it would press what
# is compared, the ends, into one line.
BEGINNING = 0.125
OUTLIERS = 0.002  # share of the points at either end that the axis need not show: losses of single batches
POINTS = 150  # measured ones that can be told apart; more are averaged, and shown as a faint line too
BANDS = 3  # predictions whose bands do not hide each other
LEGEND_NAME_WIDTH = 44  # in a legend
DOT: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 3}
MOST_NAMES = 15  # in a legend; more say nothing
LEGEND_WIDTH = 124  # of a legend that fit into the width


def draw_losses(
    measured: Sequence[MeasuredLosses],
    predicted: Sequence[PredictedLosses] = (),
    *,
    level: float = 0.9,
    tie: float = 0.0,
    loss_label: str = "loss",
    title: str = "",
) -> Figure:
    """The rate above and the loss below, over one step axis: measured points, and predicted lines with their bands.

    With several predictions, their last losses stand beside the curves, the lowest on top: curves whose ends cost or
    save a thousandth cannot be told apart by eye. What a law says of a measured run has its color.

    Args:
        measured: runs; grey where there are too many for colors of their own.
        predicted: with names of their own, or of runs.
        level: how often the bands should hold.
        tie: differences to the lowest last loss that are none; shaded.
        loss_label: beside the loss axis.
        title: above the figure.

    Raises:
        GlidepathError: if there is nothing to draw.
    """
    if not measured and not predicted:
        raise GlidepathError("there is nothing to draw: give at least one run or one prediction")
    ended = [one for one in predicted if one.final is not None]
    colors = assign_colors(measured, predicted)
    with mpl.rc_context(STYLE):
        figure = Picture(figsize=(WIDTH, HEIGHT), dpi=100, layout="constrained")
        rate, loss, last, names = _axes(figure, beside=len(ended) > 1)
        _draw_rate_axis(rate, measured, predicted, colors)
        _draw_loss_axis(loss, measured, predicted, colors)
        _format_axes(rate, loss, loss_label)
        draw_intervals(loss, ended[:BANDS] if len(ended) <= BANDS else [], colors)
        if last is None or names is None:
            _draw_legend_below(figure, _entries(measured, predicted, colors, level))
        else:
            draw_last_losses(last, ended, colors, tie, level)
            _draw_legend_beside(names, _entries(measured, (), colors, level), tie)
        if title:
            rate.set_title("\n".join(textwrap.wrap(title, 100)), loc="left", color=INK)
    return figure


def _axes(figure: Figure, beside: bool) -> tuple[Axes, Axes, Axes | None, Axes | None]:
    """For the rate, the loss, the last losses, and the legend above these."""
    if not beside:
        rate, loss = figure.subplots(2, 1, sharex=True, height_ratios=SHARES)
        return rate, loss, None, None
    grid = figure.add_gridspec(2, 2, height_ratios=SHARES, width_ratios=BESIDE)
    rate = figure.add_subplot(grid[0, 0])
    loss = figure.add_subplot(grid[1, 0], sharex=rate)
    rate.tick_params(labelbottom=False)
    names = figure.add_subplot(grid[0, 1])
    names.set_axis_off()
    return rate, loss, figure.add_subplot(grid[1, 1]), names


# --- curves ---


def _draw_rate_axis(
    axis: Axes, measured: Sequence[MeasuredLosses], predicted: Sequence[PredictedLosses], colors: dict[str, str]
) -> None:
    known = {one.name for one in predicted}
    for run in measured:
        if run.name not in known:
            axis.plot(*_corners(run.rates), color=colors[family_of(run)], linewidth=0.8, alpha=0.7, zorder=2.5)
    for one in predicted:
        axis.plot(*_corners(one.rates), zorder=3, **look_of(one, colors))


def _corners(rates: ArrayLike) -> tuple[Any, Any]:
    values = np.asarray(rates, dtype=np.float64)
    x, y = thin_out(*outline(np.arange(len(values)), values))
    return x, y


def _draw_loss_axis(
    axis: Axes, measured: Sequence[MeasuredLosses], predicted: Sequence[PredictedLosses], colors: dict[str, str]
) -> None:
    for run in measured:
        _draw_measured(axis, run, colors[family_of(run)])
    made = {run.name for run in measured}
    for one in predicted:
        width = 0.9 if one.name in made else 1.3  # of a line through points
        look = look_of(one, colors)
        axis.plot(np.asarray(one.updates), np.asarray(one.losses), linewidth=width, zorder=3, **look)
        if one.low is not None and one.high is not None and len(predicted) <= BANDS:
            band: dict[str, Any] = {"alpha": 0.16, "linewidth": 0, "zorder": 2}
            axis.fill_between(one.updates, one.low, one.high, color=colors[family_of(one)], **band)
    axis.set_ylim(*_loss_limits(measured, predicted))


def _draw_measured(axis: Axes, run: MeasuredLosses, color: str) -> None:
    """Points; where they are means of several losses, a faint line through every loss too."""
    updates, losses = _means(run.updates, run.losses)
    if len(updates) < len(np.asarray(run.updates)):
        faint: dict[str, Any] = {"linewidth": 0.4, "alpha": 0.18, "zorder": 2}
        axis.plot(*thin_out(np.asarray(run.updates), np.asarray(run.losses)), color=color, **faint)
    points: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 2.4, "markeredgewidth": 0, "zorder": 2.5}
    axis.plot(updates, losses, color=color, alpha=0.4 if color == QUIET else 0.6, **points)


def _means(updates: ArrayLike, losses: ArrayLike) -> tuple[Any, Any]:
    """Means of as many neighbours as it takes to have few enough points.

    >>> _means(np.arange(1, 601), np.ones(600))[0][:3]
    array([ 2.5,  6.5, 10.5])
    """
    x, y = np.asarray(updates, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    width = -(-len(x) // POINTS)
    starts = np.arange(0, len(x), width)
    sizes = np.diff(starts, append=len(x))
    return np.add.reduceat(x, starts) / sizes, np.add.reduceat(y, starts) / sizes


def _loss_limits(measured: Sequence[MeasuredLosses], predicted: Sequence[PredictedLosses]) -> tuple[float, float]:
    """The loss axis: the losses after the beginning, and the last intervals."""
    curves = [_means(run.updates, run.losses) for run in measured]
    curves += [(np.asarray(one.updates), np.asarray(one.losses)) for one in predicted]
    beginning = BEGINNING * max(float(updates[-1]) for updates, _ in curves)
    seen = [losses[updates > min(beginning, ([0, *updates])[-2])] for updates, losses in curves]
    ends = [np.quantile(losses, [OUTLIERS, 1 - OUTLIERS]) for losses in seen] + [losses[-1:] for losses in seen]
    values = np.concatenate([*ends, [end for one in predicted for end in one.final or ()]])
    low, high = float(values.min()), float(values.max())
    air = 0.05 * (high - low) or 0.05 * abs(high)
    return low - air, high + air


# --- axes and legend ---


def _format_axes(rate: Axes, loss: Axes, loss_label: str) -> None:
    rate.set_ylim(bottom=0)
    rate.set_ylabel("learning rate")
    rate.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    rate.yaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(value)))
    loss.set_xlim(0, _longest([*rate.get_lines(), *loss.get_lines()]))
    loss.set_xlabel("step")
    loss.set_ylabel(loss_label)
    loss.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    loss.xaxis.set_major_formatter(FuncFormatter(lambda value, _: step_text(value)))
    loss.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    loss.yaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(value, 4)))


def _longest(lines: Iterable[Line2D]) -> float:
    return max(float(np.asarray(line.get_xdata())[-1]) for line in lines)


def _entries(
    measured: Sequence[MeasuredLosses], predicted: Sequence[PredictedLosses], colors: dict[str, str], level: float
) -> list[Line2D]:
    """Lines for predictions, points for runs; a family is one, and so are grey runs."""
    names, made = {one.name for one in predicted}, {run.name for run in measured}
    lines = {_label_of_prediction(one, level): look_of(one, colors) for one in predicted}
    own = [run for run in measured if colors[family_of(run)] != QUIET and run.name not in names]
    points = {shorten(family_of(run), LEGEND_NAME_WIDTH): {"color": colors[family_of(run)], **DOT} for run in own}
    looks = lines | points if len(lines) + len(points) <= MOST_NAMES else {}
    grey = [run.name for run in measured if colors[family_of(run)] == QUIET]
    if grey:
        looks[_label_of_runs(grey)] = {"color": QUIET, **DOT}
    if names & made:
        looks |= {"measured": {"color": INK, **DOT}, "law": {"color": INK, "linewidth": 0.9}}
    return [Line2D([], [], label=label, **look) for label, look in looks.items()]


def _label_of_runs(names: Sequence[str]) -> str:
    return f"{len(names)} measured runs" if len(names) > 1 else shorten(names[0], LEGEND_NAME_WIDTH)


def _label_of_prediction(one: PredictedLosses, level: float) -> str:
    """The name, and the last loss where it has an interval."""
    if one.final is None:
        return shorten(family_of(one), LEGEND_NAME_WIDTH)
    last, (low, high) = float(np.asarray(one.losses)[-1]), one.final
    return f"{shorten(one.name, LEGEND_NAME_WIDTH)}: {last:.4g}, {percent(level)} [{low:.4g}, {high:.4g}]"


def _draw_legend_below(figure: Figure, entries: Sequence[Line2D]) -> None:
    """Under the axes, in one row if they fit."""
    if not entries:
        return
    letters = [len(str(entry.get_label())) + 8 for entry in entries]
    columns = len(entries) if sum(letters) <= LEGEND_WIDTH else max(1, LEGEND_WIDTH // max(letters))
    figure.legend(handles=list(entries), loc="outside lower center", ncols=columns)


def _draw_legend_beside(axis: Axes, entries: Sequence[Line2D], tie: float) -> None:
    """Beside the rates: what was measured, and what the shade is."""
    for entry in entries:
        entry.set_label(shorten(str(entry.get_label())))
    shade = [Patch(color=GRID, alpha=0.7, label="tied with the lowest")] if tie > 0 else []
    axis.legend(handles=[*entries, *shade], loc="upper left", bbox_to_anchor=(-0.95, 1.05), borderaxespad=0.0)
