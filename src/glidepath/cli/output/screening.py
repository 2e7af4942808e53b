"""The table of `glidepath compare --screen`: what was predicted of every schedule, and what training showed."""

import math
from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from glidepath.study.screening.row import ScreeningRow

from .console import console


def write_screening(rows: Sequence[ScreeningRow], metric: str) -> None:
    """Write the table to stdout."""
    console().print(build_table(rows, metric))


def build_table(rows: Sequence[ScreeningRow], metric: str) -> Table:
    """Return a table with a row for every schedule: those trained, the best first, then the others by their prediction.

    Args:
        rows: of the screening.
        metric: that is predicted, in words.
    """
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("schedule", "trained", f"predicted {metric}", "90% interval", "measured", "off by"):
        table.add_column(name, justify="left" if name in ("schedule", "trained") else "right", no_wrap=True)
    for row in rows:
        prediction = row.predicted
        cells = (
            row.schedule,
            "" if row.role == "left out" else row.role,
            "" if prediction is None else f"{prediction.loss:.4f}",
            "" if prediction is None else f"{prediction.low:.4f} to {prediction.high:.4f}",
            "" if row.measured is None else "diverged" if math.isinf(row.measured) else f"{row.measured:.4f}",
            "" if prediction is None or row.measured is None else f"{prediction.loss - row.measured:+.4f}",
        )
        table.add_row(*map(escape, cells), style="dim" if row.role == "left out" else "")
    return table
