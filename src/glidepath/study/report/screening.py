"""The report of a screening: a CSV file, and a figure of predicted and measured losses."""

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from glidepath.plot import save
from glidepath.plot.style import COLORS, INK, QUIET, STYLE
from glidepath.study.screening.row import ScreeningRow
from glidepath.ticks import value_text

from .figures.style import WIDTH
from .tables import save_table

FILES = ("screening.csv", "screening.png")
COLUMNS = ("schedule", "why trained", "metric", "predicted", "low", "high", "measured", "error")


def save_screening(folder: Path, rows: Sequence[ScreeningRow], metric: str) -> list[Path]:
    """Write `screening.csv` and `screening.png`.

    Args:
        folder: of the results, which is there already.
        rows: of the screening.
        metric: that is predicted, in words.
    """
    table, figure = (folder / name for name in FILES)
    return [
        save_table(table, COLUMNS, [to_columns(row, metric) for row in rows]),
        save(draw_screening(rows, metric), figure),
    ]


def to_columns(row: ScreeningRow, metric: str) -> dict[str, object]:
    """Return a row as columns; those without a value are left out."""
    cells: dict[str, object] = {"schedule": row.schedule, "why trained": row.role, "metric": metric}
    if row.predicted is not None:
        cells |= {"predicted": row.predicted.loss, "low": row.predicted.low, "high": row.predicted.high}
    if row.measured is not None:
        cells |= {"measured": row.measured}
        if row.predicted is not None:
            cells |= {"error": row.predicted.loss - row.measured}
    return cells


def draw_screening(rows: Sequence[ScreeningRow], metric: str) -> Figure:
    """Draw a line for each schedule: its prediction with an interval, and a dot for the measured value."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.9 + 0.17 * len(rows)), dpi=100, layout="constrained")
        axis = figure.subplots()
        for place, row in enumerate(rows):
            _draw(axis, place, row)
        axis.set_yticks(range(len(rows)), [row.schedule for row in rows])
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(value, 4)))
        axis.set_xlabel(f"{metric} at the end: predicted with its 90% interval, and measured")
        handles, labels = axis.get_legend_handles_labels()
        entries = dict(zip(labels, handles, strict=True))
        figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=3)
    return figure


def _draw(axis: Axes, place: int, row: ScreeningRow) -> None:
    if row.predicted is not None:
        prediction = row.predicted
        axis.plot([prediction.low, prediction.high], [place, place], color=QUIET, linewidth=0.8)
        axis.plot(prediction.loss, place, "|", color=INK, markersize=7, label="predicted")
    if row.measured is not None and math.isfinite(row.measured):
        first = row.role != "to confirm"
        label = "measured, trained first" if first else "measured, trained to confirm"
        axis.plot(row.measured, place, "o", color=COLORS[0 if first else 1], markersize=4, label=label)
