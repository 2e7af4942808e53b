"""How a screening went, for people: a table in the terminal, a file, and a figure of prediction beside truth."""

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from rich.markup import escape
from rich.table import Table

from glidepath.plot import save
from glidepath.plot.style import COLORS, INK, QUIET, STYLE
from glidepath.study.screening.row import ScreeningRow
from glidepath.ticks import value_text

from .figures.style import WIDTH
from .tables import save_table

COLUMNS = ("schedule", "why trained", "predicted", "low", "high", "found", "error")


def screening_table(rows: Sequence[ScreeningRow]) -> Table:
    """A row for every schedule: those that were trained, the best first, then the others by what is predicted."""
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("schedule", "trained", "predicted", "90% interval", "found", "off by"):
        shown.add_column(name, justify="left" if name in ("schedule", "trained") else "right", no_wrap=True)
    for row in rows:
        told = row.predicted
        cells = (
            row.schedule,
            "" if row.role == "left out" else row.role,
            "" if told is None else f"{told.loss:.4f}",
            "" if told is None else f"{told.low:.4f} to {told.high:.4f}",
            "" if row.loss is None else "diverged" if math.isinf(row.loss) else f"{row.loss:.4f}",
            "" if told is None or row.loss is None else f"{told.loss - row.loss:+.4f}",
        )
        shown.add_row(*map(escape, cells), style="dim" if row.role == "left out" else "")
    return shown


def save_screening(folder: Path, rows: Sequence[ScreeningRow], metric: str) -> list[Path]:
    """Write `screening.csv` and `screening.png`.

    Args:
        folder: of the results, which is there already.
        rows: of the screening.
        metric: what is predicted, in words.
    """
    return [
        save_table(folder / "screening.csv", COLUMNS, [flat(row) for row in rows]),
        save(screening_figure(rows, metric), folder / "screening.png"),
    ]


def flat(row: ScreeningRow) -> dict[str, object]:
    """The row as columns."""
    cells: dict[str, object] = {"schedule": row.schedule, "why trained": row.role}
    if row.predicted is not None:
        cells |= {"predicted": row.predicted.loss, "low": row.predicted.low, "high": row.predicted.high}
    if row.loss is not None:
        cells |= {"found": row.loss}
        if row.predicted is not None:
            cells |= {"error": row.predicted.loss - row.loss}
    return cells


def screening_figure(rows: Sequence[ScreeningRow], metric: str) -> Figure:
    """A line for each schedule: what was predicted with its interval, and a dot for what was found."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.9 + 0.17 * len(rows)), dpi=100, layout="constrained")
        axis = figure.subplots()
        for place, row in enumerate(rows):
            _draw(axis, place, row)
        axis.set_yticks(range(len(rows)), [row.schedule for row in rows])
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(value, 4)))
        axis.set_xlabel(f"{metric} at the end: predicted with its 90% interval, and found")
        handles, labels = axis.get_legend_handles_labels()
        known = dict(zip(labels, handles, strict=True))
        figure.legend(known.values(), known.keys(), loc="outside lower center", ncols=3)
    return figure


def _draw(axis: Axes, place: int, row: ScreeningRow) -> None:
    if row.predicted is not None:
        told = row.predicted
        axis.plot([told.low, told.high], [place, place], color=QUIET, linewidth=0.8)
        axis.plot(told.loss, place, "|", color=INK, markersize=7, label="predicted")
    if row.loss is not None and math.isfinite(row.loss):
        first = row.role != "to confirm"
        label = "found, trained first" if first else "found, trained to confirm"
        axis.plot(row.loss, place, "o", color=COLORS[0 if first else 1], markersize=4, label=label)
