"""Curves as TensorBoard's event files, one folder for each run.

Rate, loss and every metric become scalars at their step. TensorBoard holds 32-bit floats: what matters to the last bit
belongs in CSV or Parquet.
"""

import re
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from glidepath.errors import StudyError
from glidepath.extras import needs_extra

from .tables import COLUMNS, DataTable

with needs_extra("export", "TensorBoard files"):
    from tensorboardX import SummaryWriter

SETTING = {"run", "schedule", "horizon", "seed", "peak", "step"}


def save_events(folder: Path, table: DataTable) -> Path:
    """Write a folder of event files for each run.

    Raises:
        StudyError: if the folder is not empty; TensorBoard would show old and new curves as one.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StudyError(f"{folder} exists already: give a new folder, or a file ending in .csv or .parquet")
    number = itemgetter("run")
    for _, rows in groupby(sorted(table.rows, key=number), key=number):
        _save_run(folder, list(rows))
    return folder


def run_folder(row: dict[str, Any]) -> str:
    """Return the name of a run's folder, which TensorBoard shows; characters that file systems refuse are left out.

    >>> run_folder({"run": 7, "schedule": "a/b", "horizon": 400, "seed": 0, "peak": 0.1})
    '007 a_b, peak 0.1, 400 steps, seed 0'
    """
    name = re.sub(r'[\\/:*?"<>|]+', "_", row["schedule"])
    return f"{row['run']:03} {name}, peak {row['peak']:g}, {row['horizon']} steps, seed {row['seed']}"


def _save_run(folder: Path, rows: list[dict[str, Any]]) -> None:
    with SummaryWriter(str(folder / run_folder(rows[0])), write_to_disk=True) as writer:
        for row in rows:
            for name, value in row.items():
                if name not in SETTING:
                    group = "training" if name in COLUMNS else "evaluation"
                    writer.add_scalar(f"{group}/{name}", value, row["step"])
