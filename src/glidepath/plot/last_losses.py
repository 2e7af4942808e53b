"""The last losses of predictions: whiskers behind the curves, and a panel that compares them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from glidepath.ticks import value_text

from .loss_series import PredictedLosses, family_of, shorten
from .style import GRID


def draw_intervals(axis: Axes, predictions: Sequence[PredictedLosses], colors: dict[str, str]) -> None:
    """Draw the intervals of the last losses as whiskers behind the end of the run, side by side."""
    _, right = axis.get_xlim()
    gap = 0.012 * right
    lengths = [len(np.asarray(prediction.rates)) for prediction in predictions]
    for i, (prediction, length) in enumerate(zip(predictions, lengths, strict=True), start=1):
        _draw_whisker(axis, length + i * gap, prediction, colors[family_of(prediction)])
    if lengths:
        axis.set_xlim(0, max(right, max(lengths) + (len(lengths) + 1) * gap))


def _draw_whisker(axis: Axes, place: float, prediction: PredictedLosses, color: str) -> None:
    last = prediction.last
    low, high = prediction.final or (last, last)
    axis.errorbar(
        place, last, [[last - low], [high - last]], color=color, fmt="o", markersize=3, elinewidth=1, capsize=2.5
    )


def draw_last_losses(
    axis: Axes, predictions: Sequence[PredictedLosses], colors: dict[str, str], tie: float, level: float
) -> None:
    """Draw a row for each prediction, the lowest on top; shade what ties with it."""
    rows = sorted(predictions, key=lambda prediction: prediction.last)
    for row, prediction in enumerate(rows):
        low, high = prediction.final or (prediction.last, prediction.last)
        look: dict[str, Any] = {"color": colors[family_of(prediction)], "zorder": 3}
        axis.plot([low, high], [row, row], linewidth=0.9, **look)
        axis.plot([prediction.last], [row], marker="o", markersize=4, **look)
    if tie > 0:
        axis.axvspan(rows[0].last, rows[0].last + tie, color=GRID, alpha=0.7, linewidth=0, zorder=0)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_yticks(range(len(rows)), [shorten(prediction.name) for prediction in rows])
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", length=0)
    axis.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(value, 4)))
    axis.set_xlabel(f"last loss,\n{percent(level)} interval")
    axis.spines["left"].set_visible(False)


def percent(level: float) -> str:
    """Return a level as a percentage."""
    return f"{100 * level:.4g}%"
