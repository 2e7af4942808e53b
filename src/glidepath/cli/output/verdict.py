"""The verdict of a study in the terminal: a table, and sentences."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from glidepath.study.report.cells import header, legend, lines
from glidepath.study.report.summary import Row
from glidepath.study.report.verdict import sentences

from .console import console, write_lines

STYLES = {"best": "bold green", "diverged": "red", "other peak": "dim"}


def show(rows: Sequence[Row]) -> None:
    """Print the table, how to read it, and the verdict."""
    console().print(table(rows))
    write_lines(note(rows))


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
