"""A large table is read by Arrow to the very bits, lines and errors of the reader that is the reference."""

import io
import math
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from glidepath import logs
from glidepath.errors import RunError
from glidepath.logs.formats import csv_numbers
from glidepath.logs.formats import parquet as reader
from glidepath.logs.formats.csv_numbers import read_any_csv, read_plain_csv
from glidepath.logs.formats.csv_rows import CsvTable, is_number, read_csv
from glidepath.logs.formats.table import Table

FILE = Path("log.csv")
ODD = ["", " ", "  1.5", "1 ", "\t2", "-0", "+1", "1_0", "007", "1e400", "-1e-400", "nan", "-NaN", "inf", "-Infinity"]
MORE = ["nan(1)", "0x10", "1e", ".5", "5.", "NA", "null", "x", '"1"', '"', "é", "1\0", "true", "2026-01-01", "9" * 30]
CELLS = st.one_of(
    st.floats(width=64).map(repr), st.integers(-(2**70), 2**70).map(str), st.sampled_from(ODD), st.sampled_from(MORE)
)
PLAIN = st.one_of(st.floats(allow_infinity=False).map(repr), st.integers(0, 10**9).map(str), st.just(""))


def table_of(content: CsvTable) -> Table:
    return Table(str(FILE), dict(zip(map(str, range(99)), content.columns, strict=False)), content.lines)


def outcome(read, text: str):
    """What a reader makes of a text: its header, lines and numbers, or its error."""
    try:
        content = read(io.BytesIO(text.encode()), FILE)
    except RunError as error:
        return str(error)
    table, numbers = table_of(content), []
    for name in table.cells:
        try:
            values, rows = table.numbers(name), table.rows_with(name)
            bits = np.where(np.isnan(values), math.nan, values).tobytes()  # NaN has several, and one meaning
            numbers.append((bits, np.arange(len(values)).tolist() if rows is None else rows.tolist()))
        except RunError as error:
            numbers.append(str(error))
    return content.header, list(content.lines), numbers


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=12),
    st.sampled_from(",\t;"),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
@example([["1", "2"], ["", ""], ["3", "4"]], ",", "\n")
def test_whatever_arrow_takes_is_what_the_reference_reads(rows, mark, end):
    text = end.join([mark.join("abcd"[: len(rows[0])] if rows else "ab"), *map(mark.join, rows)])
    try:
        fast = outcome(read_plain_csv, text)
    except ValueError:
        return
    assert fast == outcome(read_csv, text)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[PLAIN] * width), min_size=1)), st.booleans())
def test_a_table_of_plain_numbers_is_one_that_arrow_takes(rows, last):
    text = "\n".join([",".join("abcd"[: len(rows[0])]), *map(",".join, rows)]) + "\n" * last
    assert outcome(read_plain_csv, text) == outcome(read_csv, text)


def large(tmp_path: Path, cell: str = "", row: int = 30_000) -> Path:
    """A table of some megabytes, in which one cell may be odd."""
    lines = [f"{k},{0.1 / (k + 1)!r},{2 + 1 / (k + 1)!r},start" for k in range(60_000)]
    if cell:
        lines[row] = f"{row},0.1,{cell},"
    file = tmp_path / "log.csv"
    file.write_text("step,lr,loss,note\n" + "\n".join(lines))
    return file


@pytest.mark.parametrize("size", [1000, 77_777, 10**9])
def test_a_table_in_pieces_is_the_table(tmp_path, monkeypatch, size):
    file = large(tmp_path)
    monkeypatch.setattr(csv_numbers, "CHUNK", size)
    with file.open("rb") as stream:
        fast = read_plain_csv(stream, file)
    with file.open("rb") as stream:
        slow = read_csv(stream, file)
    assert fast.header == slow.header
    assert list(fast.lines) == slow.lines
    assert fast.columns[1].values.tolist() == [float(cell) for cell in slow.columns[1]]
    assert fast.columns[3] == slow.columns[3]


@pytest.mark.parametrize(
    "cell, message",
    [
        ("x", "csv:30002: loss is 'x', not a number"),
        ("1,2", "csv:30002: 5 columns, and the header has 4"),
        ("nan", None),
        ('"2.5"', None),
        ("", None),
    ],
)
def test_an_odd_cell_in_a_large_table_is_what_it_is_in_a_small_one(tmp_path, cell, message):
    file = large(tmp_path, cell or " ")
    if message is None:
        assert len(logs.read(file)[0].losses) == 59_999 - (cell != '"2.5"')
        return
    with pytest.raises(RunError, match=message):
        logs.read(file)


def test_without_arrow_a_large_table_is_read_all_the_same(tmp_path, monkeypatch):
    file = large(tmp_path)
    fast = logs.read(file)[0]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    slow = logs.read(file)[0]
    assert (fast.rates == slow.rates).all()
    assert (fast.losses == slow.losses).all()


def test_a_small_table_does_not_need_arrow(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_numbers, "read_plain_csv", lambda *_: pytest.fail("read by Arrow"))
    file = tmp_path / "log.csv"
    file.write_text("step,lr\n1,2\n")
    with file.open("rb") as stream:
        assert len(read_any_csv(stream, file).lines) == 1


def test_is_number_agrees_with_the_cells_above():
    assert [is_number(cell) for cell in ("", "1_0", "0x10", "nan", "+1")] == [True, False, False, True, True]


# --- Parquet ---


def test_a_text_that_stands_in_every_row_is_kept_once(tmp_path):
    file, rows = tmp_path / "log.parquet", 100_000
    note = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["x" * 10_000]))
    steps = np.arange(rows)
    parquet.write_table(pa.table({"step": steps, "lr": steps * 1e-6, "loss": steps + 1.0, "note": note}), file)
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    (run,) = logs.read(file)
    assert pa.total_allocated_bytes() - before < 10_000_000
    assert tracemalloc.get_traced_memory()[1] < 50_000_000  # a gigabyte, if every row had its own
    tracemalloc.stop()
    assert run.rates.tolist() == (steps * 1e-6).tolist()


def test_a_file_that_unpacks_to_more_than_a_log_is_refused_unread(tmp_path, monkeypatch):
    file = tmp_path / "log.parquet"
    parquet.write_table(pa.table({"step": [0, 1], "lr": [[0.1] * 50, [0.1]]}), file)
    monkeypatch.setattr(reader, "MOST_CELLS", 50)
    with pytest.raises(RunError, match="has 51 cells in a column, more than 50"):
        logs.read(file)


@pytest.mark.parametrize("kind", [pa.int8(), pa.int64(), pa.uint64(), pa.float32(), pa.float64(), pa.string()])
def test_every_kind_of_numbers_and_null_is_read(tmp_path, kind):
    file = tmp_path / "log.parquet"
    loss = pa.array([3, None, 2, 1]).cast(kind)
    parquet.write_table(pa.table({"step": [0, 1, 2, 3], "lr": [0.1] * 4, "loss": loss}), file)
    (run,) = logs.read(file)
    assert (run.updates.tolist(), run.losses.tolist()) == ([2, 3], [2, 1])
