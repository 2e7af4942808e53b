"""A table as a Parquet file, for notebooks and data frames."""

import os
from pathlib import Path

from glidepath.extras import needs_extra

from .tables import DataTable, beside

with needs_extra("export", "Parquet files"):
    import pyarrow
    from pyarrow import parquet


def save_parquet(file: Path, table: DataTable) -> Path:
    """Write a table in one move; what a row leaves out is null, and a loss that is not a number stays one."""
    columns = {name: [row.get(name) for row in table.rows] for name in table.columns}
    new = beside(file)
    parquet.write_table(pyarrow.table(columns), new)
    os.replace(new, file)
    return file
