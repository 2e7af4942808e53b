"""The last losses of predictions: whiskers behind the curves, and a panel that tells them apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from glidepath.ticks import value_text

from .loss_series import PredictedLosses, family_of, shorten
from .style import GRID


def draw_intervals(axis: Axes, ended: Sequence[PredictedLosses], colors: dict[str, str]) -> None:
    """The intervals of the last losses as whiskers behind the end of the run, side by side."""
    _, right = axis.get_xlim()
    gap = 0.012 * right
    for i, one in enumerate(ended, start=1):
        _whisker(axis, len(np.asarray(one.rates)) + i * gap, one, colors[family_of(one)])
    if ended:
        axis.set_xlim(0, max(right, max(len(np.asarray(one.rates)) for one in ended) + (len(ended) + 1) * gap))


def _whisker(axis: Axes, place: float, one: PredictedLosses, color: str) -> None:
    last = float(np.asarray(one.losses)[-1])
    low, high = one.final or (last, last)
    axis.errorbar(
        place, last, [[last - low], [high - last]], color=color, fmt="o", markersize=3, elinewidth=1, capsize=2.5
    )


def draw_last_losses(
    axis: Axes, ended: Sequence[PredictedLosses], colors: dict[str, str], tie: float, level: float
) -> None:
    """A row for each prediction, the lowest on top."""
    rows = sorted(ended, key=lambda one: float(np.asarray(one.losses)[-1]))
    lasts = [float(np.asarray(one.losses)[-1]) for one in rows]
    for row, (one, last) in enumerate(zip(rows, lasts, strict=True)):
        low, high = one.final or (last, last)
        look: dict[str, Any] = {"color": colors[family_of(one)], "zorder": 3}
        axis.plot([low, high], [row, row], linewidth=0.9, **look)
        axis.plot([last], [row], marker="o", markersize=4, **look)
    if tie > 0:
        axis.axvspan(lasts[0], lasts[0] + tie, color=GRID, alpha=0.7, linewidth=0, zorder=0)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_yticks(range(len(rows)), [shorten(one.name) for one in rows])
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", length=0)
    axis.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(value, 4)))
    axis.set_xlabel(f"last loss,\n{percent(level)} interval")
    axis.spines["left"].set_visible(False)


def percent(level: float) -> str:
    """A level as people write it."""
    return f"{100 * level:.4g}%"
