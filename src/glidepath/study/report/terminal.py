"""The report in the terminal: a table, and the verdict."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .cells import header, legend, lines
from .summary import Row
from .verdict import sentences

PIPED_WIDTH = 160  # nothing is cut in a pipe
STYLES = {"best": "bold green", "diverged": "red", "other peak": "dim"}


def show(rows: Sequence[Row]) -> None:
    """Print the table, how to read it, and the verdict."""
    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else PIPED_WIDTH)
    console.print(table(rows))
    console.print(note(rows), highlight=False, markup=False, soft_wrap=not terminal)


def table(rows: Sequence[Row]) -> Table:
    """Build a table with a row for every setting, the lowest mean first; peaks that were not chosen are dim."""
    result = Table(box=None, header_style="bold", pad_edge=False)
    for name in header(rows):
        left = name in ("schedule", "verdict")
        result.add_column(name, justify="left" if left else "right", no_wrap=True)
    for line in lines(rows):
        if line.new_horizon:
            result.add_section()
        result.add_row(*map(escape, line.cells), style=STYLES.get(line.row.verdict, ""))
    return result


def note(rows: Sequence[Row]) -> str:
    """Return how to read the table, and a line for every sentence of the verdict."""
    return "\n".join(["", legend(rows), "", *sentences(rows)])
