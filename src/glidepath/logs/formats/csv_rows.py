"""The cells of a table of text (RFC 4180, UTF-8) between commas, tabs or semicolons: its header, and its columns.

This reads any such table, and says where one is damaged; `csv_numbers.py` reads large and plain ones faster.
"""

import csv
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from glidepath.errors import Place, RunError
from glidepath.runs.run import FloatArray, IntArray

from ..lines import read_lines
from ..names import short_repr

MOST_BYTES = 1_000_000  # of a line: more is not a table
EMPTY = ("", None)  # cells where nothing was logged
DELIMITERS = (",", "\t", ";")  # the first that is in the header


class Numbers(NamedTuple):
    """A column of numbers.

    Args:
        values: NaN where a cell is empty; shape (n,).
        rows: those with a cell that is not empty, "nan" among it, in their order; None if all are.
    """

    values: FloatArray
    rows: IntArray | None


Column = Numbers | Sequence[Any]  # numbers, or the cells as they are in the file


class CsvTable(NamedTuple):
    """A table of text.

    Args:
        header: the names of the columns.
        columns: their cells, of every row that is not blank.
        lines: of the file, where each row ends.
    """

    header: tuple[str, ...]
    columns: Sequence[Column]
    lines: Sequence[int] | IntArray


def read_csv(stream: BinaryIO, file: Path) -> CsvTable:
    """Read a table.

    Args:
        stream: its bytes, from the beginning.
        file: named in messages.

    Raises:
        RunError: if it is not a table, or damaged.
    """
    rows = _parse_rows(stream, file)
    header = _check_header(file, next(rows, (1, []))[1])
    columns: list[list[str]] = [[] for _ in header]
    lines: list[int] = []
    for line, row in rows:
        if len(row) != len(header):
            raise RunError(_wrong_width(len(row), len(header)), place=Place(str(file), line=line))
        lines.append(line)
        for column, cell in zip(columns, row, strict=True):
            column.append(cell)
    return CsvTable(header, columns, lines)


def read_header(stream: BinaryIO, file: Path) -> tuple[str, ...]:
    """Read no more of a table than its header.

    Raises:
        RunError: if the first row has no names, or is damaged.
    """
    return _check_header(file, next(_parse_rows(stream, file), (1, []))[1])


def number_of(cell: Any) -> float:
    """Return a cell as a number; Python would read 1_0 as 10, and no logger writes that.

    Raises:
        ValueError: if it is something else.
    """
    if isinstance(cell, str) and "_" in cell:
        raise ValueError
    return float(cell)


def is_number(cell: Any) -> bool:
    """Return whether a cell is a number, or empty."""
    try:
        return cell in EMPTY or number_of(cell) is not None
    except (TypeError, ValueError, OverflowError):
        return False


def delimiter_of(header: str) -> str:
    """Return what separates the columns, by the line of their names.

    >>> [delimiter_of(header) for header in ("step,lr", "step;lr", "step")]
    [',', ';', ',']
    """
    return next((mark for mark in DELIMITERS if mark in header), DELIMITERS[0])


def _wrong_width(cells: int, expected: int) -> str:
    if cells < expected:
        return f"the file may have been cut off in the middle of this line: {cells} of {expected} columns"
    return f"{cells} columns, and the header has {expected}: a decimal comma, or a text with a comma and no quotes?"


def _check_header(file: Path, cells: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns, if the first row has names."""
    names, first_line = tuple(cell.strip() for cell in cells), Place(str(file), line=1)
    if not names:
        raise RunError(f"{file} is empty")
    if all(map(is_number, names)):
        raise RunError("no header: the first line must name the columns, as in step,rate,loss", place=first_line)
    if len(names) == 1 and "|" in names[0]:
        problem = f"the columns of {short_repr(names[0])} are not separated by commas: export it as CSV"
        raise RunError(problem, place=first_line)
    return names


def _parse_rows(stream: BinaryIO, file: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield every row that is not blank, with its line; the header is the first."""
    lines = _decode_lines(stream, file)
    before: list[str] = []
    for line in lines:
        before.append(line)
        if line.strip():
            break
    delimiter = delimiter_of(before[-1]) if before else DELIMITERS[0]
    reader = csv.reader(chain(before, lines), delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        for row in reader:
            if any(row):
                yield reader.line_num, row
    except csv.Error as error:
        place = Place(str(file), line=reader.line_num)
        raise RunError(f"{error}: the file is not CSV, or damaged", place=place) from error


def _decode_lines(stream: BinaryIO, file: Path) -> Iterator[str]:
    """Yield the lines as text, each of them checked before it is parsed."""
    for number, line in read_lines(stream, MOST_BYTES):
        problem = _wrong_bytes(line)
        if problem:
            raise RunError(problem, place=Place(str(file), line=number))
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            problem = "not UTF-8: this is not text, or in another encoding; export it as UTF-8"
            raise RunError(problem, place=Place(str(file), line=number)) from error


def _wrong_bytes(line: bytes) -> str:
    """Return what is wrong with the bytes of a line; "" if nothing is."""
    if len(line) > MOST_BYTES:
        return f"more than {MOST_BYTES:,} bytes in one line: this is not a table of numbers, or damaged"
    return "a NUL byte: this is not text, or damaged" if b"\0" in line else ""
