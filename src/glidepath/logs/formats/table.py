"""Some columns of a table: cells by name, the numbers in them, and the place of every row."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from glidepath.errors import Cure, Place, RunError
from glidepath.runs.run import FloatArray, IntArray

from ..names import short_repr, shorten
from ..series import Spot
from ..source import Source
from .csv_rows import EMPTY, Column, Numbers, is_number, number_of

NOTHING_LOGGED = "NA"
MOST_COLUMNS = 10_000
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


@final
@dataclass(frozen=True)
class Table:
    """Some columns of a file.

    Args:
        file: where they come from.
        cells: text or numbers by the names of their columns; `EMPTY` where there is nothing.
        lines: where each row is; None for a Parquet file, whose rows have no lines.
    """

    file: str
    cells: Mapping[str, Column]
    lines: Sequence[int] | IntArray | None

    def spot(self, row: int) -> Spot:
        """Return where a row is, as the fields of a `Place`."""
        return (self.file, None, f"row {row}") if self.lines is None else (self.file, int(self.lines[row]), "")

    def place(self, row: int) -> Place:
        """Return where a row is."""
        return Place(*self.spot(row))

    def numbers(self, column: str) -> FloatArray:
        """Return a column of numbers, NaN where a cell is empty.

        Raises:
            RunError: if a cell is something else.
        """
        cells = self.cells[column]
        if isinstance(cells, Numbers):
            return cells.values
        try:
            return np.array([math.nan if cell in EMPTY else number_of(cell) for cell in cells])
        except (TypeError, ValueError, OverflowError) as error:
            row = next(row for row, cell in enumerate(cells) if not is_number(cell))
            problem = f"{column} is {short_repr(cells[row])}, not a number; {_cure_of(cells[row])}"
            raise RunError(problem, place=self.place(row)) from error

    def is_blank(self, column: str) -> bool:
        """Return whether nothing was logged: Keras fills such a column with NA."""
        cells = self.cells[column]
        return not isinstance(cells, Numbers) and all(cell in (*EMPTY, NOTHING_LOGGED) for cell in cells)

    def cell(self, column: str, row: int) -> Any:
        """Return what is in a cell; of a column of numbers, whole ones without a point."""
        cells = self.cells[column]
        if not isinstance(cells, Numbers):
            return cells[row]
        value = float(cells.values[row])
        return str(int(value)) if value.is_integer() else repr(value)

    @property
    def length(self) -> int:
        """Return the number of rows."""
        cells = next(iter(self.cells.values()), ())
        return len(cells.values if isinstance(cells, Numbers) else cells)

    def rows_with(self, column: str) -> IntArray | None:
        """Return the rows where something was logged, "nan" among it; None if it was in all."""
        cells = self.cells[column]
        if isinstance(cells, Numbers):
            return cells.rows
        return np.flatnonzero([cell not in EMPTY for cell in cells])


def _cure_of(cell: Any) -> str:
    if isinstance(cell, str) and DECIMAL_COMMA.fullmatch(cell.strip()):
        return "a decimal comma is not read: write numbers with a point"
    return "where nothing was logged, a cell is left empty"


def read_table(source: Source, columns: Sequence[str]) -> Table:
    """Return these columns, which the header has.

    Raises:
        RunError: if it is damaged, or two columns have one name.
    """
    if len(source.header) > MOST_COLUMNS:
        problem = f"{len(source.header):,} columns, more than {MOST_COLUMNS:,}: this is not the log of a run"
        raise RunError(problem, place=source.place)
    counts = Counter(source.header)
    for name in columns:
        if counts[name] > 1:
            problem = f"{counts[name]} columns are called {name}: rename all but one"
            raise RunError(problem, place=source.place)
    if source.csv is None:
        from .parquet import read_cells  # only here: pyarrow may be missing

        return Table(str(source.path), read_cells(source.path, columns), None)
    cells = dict(zip(source.header, source.csv.columns, strict=True))
    return Table(str(source.path), {name: cells[name] for name in columns}, source.csv.lines)


def check_column(source: Source, name: str, cures: Sequence[Cure] = ()) -> str:
    """Return the name of a column, if there is one of this name; `cures` are what else to do.

    Raises:
        RunError: if there is none.
    """
    if name not in source.header:
        problem, choices = f"no column is called {name!r}", shorten(source.header)
        raise RunError(problem, place=source.place, choices=choices, cures=cures)
    return name
