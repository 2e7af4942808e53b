"""A table as a Parquet file, for notebooks and data frames."""

import os
from pathlib import Path

from glidepath.core.errors import MissingExtraError

from .tables import Table, beside

try:
    import pyarrow
    from pyarrow import parquet
except ImportError as error:
    raise MissingExtraError('Parquet needs pyarrow: pip install "glidepath[export]"') from error


def save_parquet(file: Path, table: Table) -> Path:
    """Write a table in one move; what a row leaves out is null, and a loss that is not a number stays one."""
    columns = {name: [row.get(name) for row in table.rows] for name in table.columns}
    new = beside(file)
    parquet.write_table(pyarrow.table(columns), new)
    os.replace(new, file)
    return file
