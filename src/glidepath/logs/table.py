"""A table in a file: a header and rows of cells, as CSV (RFC 4180, UTF-8) or Parquet.

What its columns mean is left to others.
"""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from glidepath.errors import RunError
from glidepath.runs.run import FloatArray

from .files import is_parquet
from .lines import lines_of
from .names import listed, shown

MOST_BYTES = 1_000_000  # of a line: more is no table
EMPTY = ("", None)


@final
@dataclass(frozen=True)
class Table:
    """Some columns of a file.

    Args:
        file: where they come from.
        cells: text or numbers by the names of their columns; `EMPTY` where there is nothing.
        lines: where each row is; none in a Parquet file, whose rows have no lines.
    """

    file: Path
    cells: Mapping[str, Sequence[Any]]
    lines: Sequence[int] | None

    def place(self, row: int) -> str:
        """Where a row is."""
        return f"{self.file}, row {row}" if self.lines is None else f"{self.file}:{self.lines[row]}"

    def numbers(self, column: str) -> FloatArray:
        """A column of numbers, NaN where a cell is empty.

        Raises:
            RunError: if a cell is something else.
        """
        cells = self.cells[column]
        try:
            return np.array([math.nan if cell in EMPTY else _number(cell) for cell in cells])
        except (TypeError, ValueError, OverflowError) as error:
            row = next(row for row, cell in enumerate(cells) if not _is_number(cell))
            raise RunError(
                f"{self.place(row)}: {column} is {shown(cells[row])}, not a number; where nothing was logged, a cell "
                "is left empty"
            ) from error

    def written_nan(self, column: str, numbers: FloatArray) -> int | None:
        """The first row that says "nan", and is not just empty."""
        cells = self.cells[column]
        return next((row for row in np.flatnonzero(np.isnan(numbers)).tolist() if cells[row] not in EMPTY), None)


def header_of(file: Path) -> tuple[str, ...]:
    """The names of the columns.

    Raises:
        RunError: if it is no table.
    """
    if is_parquet(file):
        from .parquet import names  # only here: pyarrow may be missing

        return names(file)
    return _header(file, next(_rows(file), (1, []))[1])


def read_table(file: Path, columns: Sequence[str]) -> Table:
    """These columns, which the header has.

    Raises:
        RunError: if it is no table, is damaged, or has two columns of one name.
    """
    header = header_of(file)
    for name in columns:
        if header.count(name) > 1:
            raise RunError(f"{file}: {header.count(name)} columns are called {name}: rename all but one")
    if is_parquet(file):
        from .parquet import cells  # only here: pyarrow may be missing

        return Table(file, cells(file, columns), None)
    return _csv(file, header, columns)


def called(file: Path, header: Sequence[str], name: str) -> str:
    """The column of this name.

    Raises:
        RunError: if there is none.
    """
    if name not in header:
        raise RunError(f"{file}: no column is called {name!r}; there are {listed(header)}")
    return name


def _number(cell: Any) -> float:
    """A cell as a number; Python would read 1_0 as 10, and no logger writes that."""
    if isinstance(cell, str) and "_" in cell:
        raise ValueError
    return float(cell)


def _is_number(cell: Any) -> bool:
    try:
        return cell in EMPTY or _number(cell) is not None
    except (TypeError, ValueError, OverflowError):
        return False


# --- CSV ---


def _csv(file: Path, header: Sequence[str], columns: Sequence[str]) -> Table:
    lines: list[int] = []
    cells: dict[str, list[str]] = {name: [] for name in columns}
    places = [(header.index(name), column.append) for name, column in cells.items()]
    rows = _rows(file)
    next(rows, None)
    for line, row in rows:
        if len(row) != len(header):
            raise RunError(f"{file}:{line}: {_ragged(len(row), len(header))}")
        lines.append(line)
        for i, keep in places:
            keep(row[i])
    return Table(file, cells, lines)


def _ragged(found: int, expected: int) -> str:
    if found < expected:
        return f"the file may have been cut off in the middle of this line: {found} of {expected} columns"
    return f"{found} columns, and the header has {expected}: a decimal comma, or a text with a comma and no quotes?"


def _header(file: Path, cells: Sequence[str]) -> tuple[str, ...]:
    names = tuple(cell.strip() for cell in cells)
    if not names:
        raise RunError(f"{file} is empty")
    if all(map(_is_number, names)):
        raise RunError(f"{file}:1: no header: the first line must name the columns, as in step,rate,loss")
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        raise RunError(f"{file}:1: the columns of {shown(names[0])} are not separated by commas: export it as CSV")
    return names


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not blank, with its line; the header is the first."""
    reader = csv.reader(_lines(file), strict=True, skipinitialspace=True)
    try:
        for row in reader:
            if any(row):
                yield reader.line_num, row
    except csv.Error as error:
        raise RunError(f"{file}:{reader.line_num}: {error}: the file is no CSV, or damaged") from error


def _lines(file: Path) -> Iterator[str]:
    """The lines of a text, each of them checked before it is read as anything."""
    for number, line in lines_of(file, MOST_BYTES):
        yield _decoded(line, f"{file}:{number}", "utf-8-sig" if number == 1 else "utf-8")


def _decoded(line: bytes, place: str, encoding: str) -> str:
    if len(line) > MOST_BYTES:
        raise RunError(f"{place}: more than {MOST_BYTES:,} bytes in one line: this is no table of numbers, or damaged")
    if b"\0" in line:
        raise RunError(f"{place}: a NUL byte: this is no text, or damaged")
    try:
        return line.decode(encoding)
    except UnicodeDecodeError as error:
        raise RunError(f"{place}: not UTF-8: this is no text, or in another encoding; export it as UTF-8") from error
