"""The table of `glidepath compare --screen`: what was predicted of every schedule, and what training showed."""

from collections.abc import Sequence

from glidepath.study.report.screening import build_table
from glidepath.study.screening.row import ScreeningRow

from .tables import console


def write_screening(rows: Sequence[ScreeningRow], metric: str) -> None:
    """Write the table to stdout."""
    console().print(build_table(rows, metric))
