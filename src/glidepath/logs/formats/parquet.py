"""Columns of a Parquet file, where null means that nothing was logged."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glidepath.errors import RunError
from glidepath.extras import needs_extra

with needs_extra("export", "Parquet files"):
    import pyarrow
    from pyarrow import parquet


def read_names(file: Path) -> tuple[str, ...]:
    """Return the names of the columns."""
    try:
        return tuple(parquet.read_schema(file).names)
    except (pyarrow.ArrowException, OSError) as error:
        raise _damage_error(file, error) from error


def read_cells(file: Path, columns: Sequence[str]) -> dict[str, list[Any]]:
    """Return the cells of these columns."""
    try:
        with parquet.ParquetFile(file) as content:
            table = content.read(columns=list(columns))
            return {name: table[name].to_pylist() for name in columns}
    except (pyarrow.ArrowException, OSError) as error:
        raise _damage_error(file, error) from error


def _damage_error(file: Path, error: Exception) -> RunError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return RunError(f"{file} is a Parquet file that cannot be read; it may have been cut off: {reason}")
