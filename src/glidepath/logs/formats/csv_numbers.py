"""Large and plain tables of text by Arrow, which parses numbers as Python does, and much faster.

Whatever is odd, such as quotes, characters beyond ASCII, a row of another width or a number unknown to Arrow, is
left to `csv_rows.py`: it reads the file again, and its result and its errors are the reference.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glidepath.runs.run import FloatArray, IntArray

from .csv_rows import MOST_BYTES, Column, CsvTable, Numbers, delimiter_of, is_number, read_csv, read_header

ENOUGH = 500_000  # bytes: below, importing Arrow takes longer than reading
CHUNK = 1_000_000  # bytes
SAMPLE = 1000  # lines by which columns of texts are told
ODD = (b'"', b"\0", b"(")  # "nan(1)" is a number for Arrow


class _Part(NamedTuple):
    """Some rows: of each column the texts, or the numbers with what is not empty; where each row is; and all lines."""

    cells: Sequence[list[str] | tuple[FloatArray, NDArray[np.bool_]]]
    lines: IntArray
    length: int


def read_any_csv(stream: BinaryIO, file: Path) -> CsvTable:
    """Read a table, in the fast way if it is large and plain.

    Args:
        stream: its bytes, from the beginning; a pipe cannot be read twice, and is read in the other way.
        file: named in messages.

    Raises:
        RunError: if it is not a table, or damaged.
    """
    if stream.seekable() and file.stat().st_size > ENOUGH:
        try:
            return read_plain_csv(stream, file)
        except (ValueError, ImportError):
            stream.seek(0)
    return read_csv(stream, file)


def read_plain_csv(stream: BinaryIO, file: Path) -> CsvTable:
    """Read a table of numbers and plain texts.

    Raises:
        RunError: if its first line has no names.
        ValueError: if it is for the other reader.
        ImportError: if Arrow is not installed.
    """
    line = stream.readline(MOST_BYTES + 1)
    if b'"' in line or not line.strip():
        raise ValueError("a table for the other reader")
    header = read_header(BytesIO(line), file)
    delimiter, texts, parts = delimiter_of(line.decode("utf-8", "replace")), None, []
    for chunk in _chunks(stream):
        texts = _columns_of_texts(chunk, len(header), delimiter) if texts is None else texts
        parts.append(_parse(chunk, len(header), delimiter, texts))
    columns = [_join([part.cells[i] for part in parts]) for i in range(len(header))]
    starts = np.cumsum([2, *(part.length for part in parts)])
    lines = [part.lines + start for part, start in zip(parts, starts[:-1], strict=True)]
    return CsvTable(header, columns, np.concatenate(lines) if lines else np.empty(0, np.int64))


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the rest of a file in pieces of whole lines, without anything that the two readers treat differently."""
    while piece := stream.read(CHUNK):
        rest = stream.readline(MOST_BYTES + 1)
        chunk = piece + rest
        odd = len(rest) > MOST_BYTES or not chunk.isascii() or any(mark in chunk for mark in ODD)
        if odd or (b"\r" in chunk and chunk.count(b"\r") != chunk.count(b"\r\n")):
            raise ValueError("a table for the other reader")
        yield chunk


def _columns_of_texts(chunk: bytes, width: int, delimiter: str) -> set[int]:
    """Return the columns in which the first lines have something that is no number."""
    rows = [line.split(delimiter) for line in chunk.decode().splitlines()[:SAMPLE]]
    return {i for row in rows if len(row) == width for i, cell in enumerate(row) if not is_number(cell.strip())}


def _parse(chunk: bytes, width: int, delimiter: str, texts: set[int]) -> _Part:
    """Return the rows of a piece; a row of empty cells alone is none."""
    import pyarrow  # only here: it may be missing
    from pyarrow import csv

    names = [str(i) for i in range(width)]
    types = {str(i): pyarrow.string() if i in texts else pyarrow.float64() for i in range(width)}
    try:
        table = csv.read_csv(
            pyarrow.BufferReader(chunk),
            csv.ReadOptions(column_names=names, use_threads=False, block_size=2 * CHUNK),
            csv.ParseOptions(delimiter=delimiter, quote_char=False),
            csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=False),
        )
    except pyarrow.ArrowInvalid as error:
        raise ValueError("numbers for the other reader") from error
    cells = [_cells(table[i], is_text=i in texts) for i in range(width)]
    return _without_blanks(cells, _lines(chunk, table.num_rows), chunk.count(b"\n"))


def _cells(column: Any, *, is_text: bool) -> list[str] | tuple[FloatArray, NDArray[np.bool_]]:
    if is_text:
        return [text.lstrip(" ") for text in column.to_pylist()]
    filled = column.is_valid().to_numpy() if column.null_count else np.ones(len(column), dtype=bool)
    return column.to_numpy(), filled


def _lines(chunk: bytes, rows: int) -> IntArray:
    """Return the line of each row within a piece, from 0; lines without anything are no rows."""
    if chunk.count(b"\n") + (not chunk.endswith(b"\n")) == rows:
        return np.arange(rows)
    return np.flatnonzero([bool(line.rstrip(b"\r")) for line in chunk.split(b"\n")])


def _without_blanks(
    cells: Sequence[list[str] | tuple[FloatArray, NDArray[np.bool_]]], lines: IntArray, length: int
) -> _Part:
    filled = np.zeros(len(lines), dtype=bool)
    for column in cells:
        filled |= np.array(column, dtype=bool) if isinstance(column, list) else column[1]
    if filled.all():
        return _Part(cells, lines, length)
    rows = np.flatnonzero(filled)
    kept = [
        [column[row] for row in rows] if isinstance(column, list) else (column[0][rows], column[1][rows])
        for column in cells
    ]
    return _Part(kept, lines[rows], length)


def _join(parts: Sequence[list[str] | tuple[FloatArray, NDArray[np.bool_]]]) -> Column:
    texts = [part for part in parts if isinstance(part, list)]
    if texts or not parts:
        return [text for part in texts for text in part]
    numbers = [part for part in parts if not isinstance(part, list)]
    values, filled = (np.concatenate(arrays) for arrays in zip(*numbers, strict=True))
    return Numbers(values, None if filled.all() else np.flatnonzero(filled))
