"""Measured and predicted losses over one step axis, the rate above them, and the last losses side by side.

Numbers in, a figure out: predicting is left to the caller.
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
# In the first eighth of a run the loss falls further than in all the rest: an axis with room for it would press the
# ends, which are to be compared, into one line.
BEGINNING = 0.125
OUTLIERS = 0.002  # share of the points at either end that the axis need not show: losses of single batches
POINTS = 150  # measured points that can be told apart; more are averaged, and shown as a faint line too
BANDS = 3  # predictions whose bands do not hide each other
LEGEND_NAME_WIDTH = 44  # characters of a name in one line
DOT: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 3}
MOST_NAMES = 15  # in a legend; more say nothing
LEGEND_WIDTH = 124  # characters


def draw_losses(
    measured: Sequence[MeasuredLosses],
    predicted: Sequence[PredictedLosses] = (),
    *,
    level: float = 0.9,
    tie: float = 0.0,
    loss_label: str = "loss",
    title: str = "",
) -> Figure:
    """Draw the rate above and the loss below, over one step axis: measured points, predicted lines with their bands.

    With several predictions, their last losses stand beside the curves, the lowest on top: curves whose ends cost or
    save a thousandth cannot be told apart by eye. A prediction of a measured run has its color.

    Args:
        measured: runs; gray where there are too many for colors of their own.
        predicted: with names of their own, or of measured runs.
        level: how often the bands should hold.
        tie: largest difference to the lowest last loss that counts as a tie; shaded.
        loss_label: beside the loss axis.
        title: above the figure.

    Raises:
        GlidepathError: if there is nothing to draw.
    """
    if not measured and not predicted:
        raise GlidepathError("there is nothing to draw: give at least one run or one prediction")
    complete = [prediction for prediction in predicted if prediction.final is not None]
    colors = assign_colors(measured, predicted)
    with mpl.rc_context(STYLE):
        figure = Picture(figsize=(WIDTH, HEIGHT), dpi=100, layout="constrained")
        rate, loss, last, names = _axes(figure, beside=len(complete) > 1)
        _draw_rate_axis(rate, measured, predicted, colors)
        _draw_loss_axis(loss, measured, predicted, colors)
        _format_axes(rate, loss, loss_label)
        draw_intervals(loss, complete if len(complete) <= BANDS else [], colors)
        if last is None or names is None:
            _draw_legend_below(figure, _entries(measured, predicted, colors, level))
        else:
            draw_last_losses(last, complete, colors, tie, level)
            _draw_legend_beside(names, _entries(measured, (), colors, level), tie)
        if title:
            rate.set_title("\n".join(textwrap.wrap(title, 100)), loc="left", color=INK)
    return figure


def _axes(figure: Figure, beside: bool) -> tuple[Axes, Axes, Axes | None, Axes | None]:
    """Return the axes of the rate, the loss, the last losses, and the legend above these."""
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
    names = {prediction.name for prediction in predicted}
    for run in measured:
        if run.name not in names:
            axis.plot(*_corners(run.rates), color=colors[family_of(run)], linewidth=0.8, alpha=0.7, zorder=2.5)
    for prediction in predicted:
        axis.plot(*_corners(prediction.rates), zorder=3, **look_of(prediction, colors))


def _corners(rates: ArrayLike) -> tuple[Any, Any]:
    values = np.asarray(rates, dtype=np.float64)
    x, y = thin_out(*outline(np.arange(len(values)), values))
    return x, y


def _draw_loss_axis(
    axis: Axes, measured: Sequence[MeasuredLosses], predicted: Sequence[PredictedLosses], colors: dict[str, str]
) -> None:
    for run in measured:
        _draw_measured(axis, run, colors[family_of(run)])
    names = {run.name for run in measured}
    for prediction in predicted:
        width = 0.9 if prediction.name in names else 1.3  # thinner through points
        x, y, look = np.asarray(prediction.updates), np.asarray(prediction.losses), look_of(prediction, colors)
        axis.plot(x, y, linewidth=width, zorder=3, **look)
        if prediction.low is not None and prediction.high is not None and len(predicted) <= BANDS:
            band: dict[str, Any] = {"alpha": 0.16, "linewidth": 0, "zorder": 2}
            axis.fill_between(x, prediction.low, prediction.high, color=look["color"], **band)
    axis.set_ylim(*_loss_limits(measured, predicted))


def _draw_measured(axis: Axes, run: MeasuredLosses, color: str) -> None:
    """Draw points; where they are means of several losses, draw a faint line through every loss too."""
    updates, losses = _means(run.updates, run.losses)
    if len(updates) < len(np.asarray(run.updates)):
        faint: dict[str, Any] = {"linewidth": 0.4, "alpha": 0.18, "zorder": 2}
        axis.plot(*thin_out(np.asarray(run.updates), np.asarray(run.losses)), color=color, **faint)
    points: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 2.4, "markeredgewidth": 0, "zorder": 2.5}
    axis.plot(updates, losses, color=color, alpha=0.4 if color == QUIET else 0.6, **points)


def _means(updates: ArrayLike, losses: ArrayLike) -> tuple[Any, Any]:
    """Average as many neighbors as it takes to have few enough points.

    >>> _means(np.arange(1, 601), np.ones(600))[0][:3]
    array([ 2.5,  6.5, 10.5])
    """
    x, y = np.asarray(updates, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    width = -(-len(x) // POINTS)
    starts = np.arange(0, len(x), width)
    sizes = np.diff(starts, append=len(x))
    return np.add.reduceat(x, starts) / sizes, np.add.reduceat(y, starts) / sizes


def _loss_limits(measured: Sequence[MeasuredLosses], predicted: Sequence[PredictedLosses]) -> tuple[float, float]:
    """Return the range of the loss axis: the losses after the beginning, and the last intervals, with a margin."""
    curves = [_means(run.updates, run.losses) for run in measured]
    curves += [(np.asarray(prediction.updates), np.asarray(prediction.losses)) for prediction in predicted]
    beginning = BEGINNING * max(float(updates[-1]) for updates, _ in curves)
    tails = [losses[updates > min(beginning, ([0, *updates])[-2])] for updates, losses in curves]
    ends = [np.quantile(losses, [OUTLIERS, 1 - OUTLIERS]) for losses in tails] + [losses[-1:] for losses in tails]
    values = np.concatenate([*ends, [end for prediction in predicted for end in prediction.final or ()]])
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * (high - low) or 0.05 * abs(high)
    return low - margin, high + margin


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
    """Return the legend: lines for predictions, points for runs; a family has one entry, and so have gray runs."""
    names = {prediction.name for prediction in predicted}
    lines = {_label_of_prediction(prediction, level): look_of(prediction, colors) for prediction in predicted}
    own = [run for run in measured if colors[family_of(run)] != QUIET and run.name not in names]
    points = {shorten(family_of(run), LEGEND_NAME_WIDTH): {"color": colors[family_of(run)], **DOT} for run in own}
    looks = lines | points if len(lines) + len(points) <= MOST_NAMES else {}
    gray = [run.name for run in measured if colors[family_of(run)] == QUIET]
    if gray:
        looks[_label_of_runs(gray)] = {"color": QUIET, **DOT}
    if names & {run.name for run in measured}:
        looks |= {"measured": {"color": INK, **DOT}, "law": {"color": INK, "linewidth": 0.9}}
    return [Line2D([], [], label=label, **look) for label, look in looks.items()]


def _label_of_runs(names: Sequence[str]) -> str:
    return f"{len(names)} measured runs" if len(names) > 1 else shorten(names[0], LEGEND_NAME_WIDTH)


def _label_of_prediction(prediction: PredictedLosses, level: float) -> str:
    """Return the name, with the last loss where it has an interval."""
    if prediction.final is None:
        return shorten(family_of(prediction), LEGEND_NAME_WIDTH)
    name, (low, high) = shorten(prediction.name, LEGEND_NAME_WIDTH), prediction.final
    return f"{name}: {prediction.last:.4g}, {percent(level)} [{low:.4g}, {high:.4g}]"


def _draw_legend_below(figure: Figure, entries: Sequence[Line2D]) -> None:
    """Draw the legend under the axes, in one row if it fits."""
    if not entries:
        return
    widths = [len(str(entry.get_label())) + 8 for entry in entries]
    columns = len(entries) if sum(widths) <= LEGEND_WIDTH else max(1, LEGEND_WIDTH // max(widths))
    figure.legend(handles=list(entries), loc="outside lower center", ncols=columns)


def _draw_legend_beside(axis: Axes, entries: Sequence[Line2D], tie: float) -> None:
    """Draw the legend beside the rates: the measured runs, and the meaning of the shade."""
    for entry in entries:
        entry.set_label(shorten(str(entry.get_label())))
    shade = [Patch(color=GRID, alpha=0.7, label="tied with the lowest")] if tie > 0 else []
    axis.legend(handles=[*entries, *shade], loc="upper left", bbox_to_anchor=(-0.95, 1.05), borderaxespad=0.0)
