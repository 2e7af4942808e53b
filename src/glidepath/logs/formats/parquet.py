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

MOST_ROWS = 50_000_000
MOST_BYTES = 2_000_000_000  # of a column, when it is unpacked


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
        with parquet.ParquetFile(file) as content:
            _check_size(file, content.metadata)
            table = content.read(columns=list(columns), use_threads=False)
            return {name: _cells(table[name]) for name in columns}
    except (pyarrow.ArrowException, OSError) as error:
        raise _damage_error(file, error) from error


def _cells(column: Any) -> Column:
    if not (types.is_integer(column.type) or types.is_floating(column.type)):
        return list(column.to_pylist())
    values = np.asarray(column.cast(pyarrow.float64(), safe=False).to_numpy(), dtype=np.float64)
    return Numbers(values, np.flatnonzero(column.is_valid().to_numpy()) if column.null_count else None)


def _check_size(file: Path, metadata: Any) -> None:
    """Check that a file does not unpack to more than the log of runs has."""
    if metadata.num_rows > MOST_ROWS:
        raise RunError(f"{file} has {metadata.num_rows:,} rows, more than {MOST_ROWS:,}: this is not the log of a run")
    for i in range(metadata.num_row_groups):
        if metadata.row_group(i).total_byte_size > MOST_BYTES:
            raise RunError(f"{file} unpacks to more than {MOST_BYTES:,} bytes: this is not the log of a run")


def _damage_error(file: Path, error: Exception) -> RunError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return RunError(f"{file} is a Parquet file that cannot be read; it may have been cut off: {reason}")
