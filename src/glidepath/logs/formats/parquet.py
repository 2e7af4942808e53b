"""Columns of a Parquet file, where null means that nothing was logged."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from glidepath.errors import RunError
from glidepath.extras import needs_extra

from .csv_rows import Column, Numbers

with needs_extra("export", "Parquet files"):
    import pyarrow
    from pyarrow import parquet, types

MOST_CELLS = 20_000_000  # of a column, those of its lists among them
MOST_BYTES = 2_000_000_000  # of some rows, when they are decompressed


def read_names(file: Path) -> tuple[str, ...]:
    """Return the names of the columns."""
    try:
        return tuple(parquet.read_schema(file).names)
    except (pyarrow.ArrowException, OSError) as error:
        raise _damage_error(file, error) from error


def read_cells(file: Path, columns: Sequence[str]) -> dict[str, Column]:
    """Return the cells of these columns.

    Raises:
        RunError: if the file is damaged, or far too large.
    """
    try:
        with parquet.ParquetFile(file, read_dictionary=_texts_in(file)) as content:
            _check_size(file, content.metadata)
            nested = {field.name for field in content.schema_arrow if types.is_nested(field.type)} & set(columns)
            table = content.read(columns=[name for name in columns if name not in nested], use_threads=False)
            return {name: _first(content, name) if name in nested else _cells(table[name]) for name in columns}
    except (pyarrow.ArrowException, OSError) as error:
        raise _damage_error(file, error) from error


def _texts_in(file: Path) -> list[str]:
    """Return the columns of texts, which are kept once each, however often they stand in a column."""
    return [
        field.name
        for field in parquet.read_schema(file)
        if types.is_string(field.type) or types.is_large_string(field.type)
    ]


def _first(content: Any, name: str) -> Column:
    """Return the first cell of a column of lists for all of them: they are no numbers, and may be huge."""
    batch = next(content.iter_batches(batch_size=1, columns=[name]), None)
    cell = None if batch is None else batch[0][0].as_py()
    return [str(content.schema_arrow.field(name).type) if cell is None else cell] * content.metadata.num_rows


def _cells(column: Any) -> Column:
    if types.is_dictionary(column.type):
        return [cell for chunk in column.chunks for cell in _texts(chunk)]
    if not (types.is_integer(column.type) or types.is_floating(column.type)):
        return list(column.to_pylist())
    values = np.asarray(column.cast(pyarrow.float64(), safe=False).to_numpy(), dtype=np.float64)
    return Numbers(values, np.flatnonzero(column.is_valid().to_numpy()) if column.null_count else None)


def _texts(chunk: Any) -> list[Any]:
    texts = [*chunk.dictionary.to_pylist(), None]
    return [texts[i] for i in chunk.indices.fill_null(len(texts) - 1).to_pylist()]


def _check_size(file: Path, metadata: Any) -> None:
    """Check that a file does not unpack to more than the log of runs has."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    cells = [sum(group.column(j).num_values for group in groups) for j in range(metadata.num_columns)]
    most = max(metadata.num_rows, *cells, 0)
    if most > MOST_CELLS:
        raise RunError(f"{file} has {most:,} cells in a column, more than {MOST_CELLS:,}: this is not the log of a run")
    if any(group.total_byte_size > MOST_BYTES for group in groups):
        raise RunError(f"{file} decompresses to more than {MOST_BYTES:,} bytes: this is not the log of a run")


def _damage_error(file: Path, error: Exception) -> RunError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return RunError(f"{file} is a Parquet file that cannot be read; it may have been cut off: {reason}")
