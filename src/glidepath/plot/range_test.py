"""A range test as a figure: the losses over the rate, the smoothed losses, and the rates they suggest."""

import textwrap

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glidepath.range_test import RangeTest
from glidepath.ticks import value_text

from .figure import Picture
from .style import COLORS, INK, QUIET, STYLE, Width, size

MARGIN = 0.08  # of the height of what is shown
OUTLIERS = 0.01  # of the losses at either end that the axis need not show
DOUBT_WIDTH = 64  # of a doubt in a line


def draw_range_test(result: RangeTest, *, width: Width = 5.0, height: float | None = 3.4, title: str = "") -> Figure:
    """Draw the losses of a sweep over the rate, and the suggestions below them, each with its interval.

    A suggestion that should not be trusted is drawn hollow; the reasons against all of them are in the title. The axis
    ends a little above the losses of the beginning: where training diverged, the height says nothing.

    Args:
        result: of a range test.
        width: "column" or "page" of a paper, or inches.
        height: in inches.
        title: above the figure.
    """
    with mpl.rc_context(STYLE):
        figure = Picture(figsize=size(width, height, 1, 1), dpi=100, layout="constrained")
        curve, rules = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
        _draw_losses(curve, result)
        _draw_suggestions(rules, curve, result)
        words = [title] * bool(title) + [line for doubt in result.doubts for line in textwrap.wrap(doubt, DOUBT_WIDTH)]
        curve.set_title("\n".join(words), loc="left", color=INK)
    return figure


def _draw_losses(axis: Axes, result: RangeTest) -> None:
    size = len(result.smoothed)
    axis.set_xscale("log")
    axis.set_xlim(result.rates[0], result.rates[-1])
    axis.plot(result.rates, result.losses, linestyle="", marker=".", markersize=2.5, color=QUIET, alpha=0.6)
    axis.plot(result.rates[:size], result.smoothed, color=COLORS[0])
    shown = np.concatenate([result.smoothed, np.quantile(result.losses[:size], [OUTLIERS, 1 - OUTLIERS])])
    margin = MARGIN * ((shown.max() - shown.min()) or 1.0)
    axis.set_ylim(shown.min() - margin, shown.max() + margin)
    axis.set_ylabel("loss")


def _draw_suggestions(axis: Axes, curve: Axes, result: RangeTest) -> None:
    """Draw a row for each rule: its interval and its rate; a line through the losses if it can be trusted."""
    rows = range(len(result.suggestions))
    for row, color, suggestion in zip(rows, COLORS[1:], result.suggestions.values(), strict=False):
        alpha, fill = (1.0, color) if suggestion else (0.4, "white")
        axis.plot([suggestion.low, suggestion.high], [row, row], color=color, alpha=alpha)
        axis.plot(suggestion.rate, row, marker="o", markersize=4, color=color, markerfacecolor=fill)
        if suggestion:
            curve.axvline(suggestion.rate, color=color, linewidth=0.8, zorder=1)
    names = [f"{name}  {value_text(suggestion.rate, 2)}" for name, suggestion in result.suggestions.items()]
    axis.set_yticks(rows, names)
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set_xlabel("highest rate of any group")
