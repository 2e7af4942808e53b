"""MLflow's local stores: a folder of metrics per run (`mlruns/`), or a SQLite database (`mlflow.db`).

Both are only read, without MLflow. A metric has a time, a value and a step; the time says in which order they came.
Runs that were deleted in MLflow are left out, unless the folder of one is asked for.
"""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from glidepath.errors import Place, RunError

from ..lines import open_binary, read_lines
from ..names import short_repr
from ..series import Number, Scalars, Spot, gather_scalars

DATABASE = "mlflow.db"
META, METRICS, TAGS = "meta.yaml", "metrics", "tags"
NAME = "mlflow.runName"
DELETED = b"lifecycle_stage: deleted"  # in the file META
MOST_META = 100_000
MOST_BYTES = 1000  # of a line of three numbers
RUNS = "SELECT run_uuid, name FROM runs WHERE lifecycle_stage = 'active' ORDER BY start_time, run_uuid"
VALUES = "SELECT key, step, value, is_nan, rowid FROM metrics WHERE run_uuid = ? ORDER BY timestamp, step, rowid"

# --- the folder ---


def runs_in(folder: Path) -> list[Path]:
    """Return the folders of runs: the folder itself, or those in an experiment or in all of them, in order of names."""
    if _is_run(folder):
        return [folder]
    files = [*folder.glob(f"*/{META}"), *folder.glob(f"*/*/{META}"), *folder.glob(f"mlruns/*/*/{META}")]
    return sorted(file.parent for file in files if _is_run(file.parent) and not _is_deleted(file))


def _is_run(folder: Path) -> bool:
    return (folder / META).is_file() and (folder / METRICS).is_dir()


def _is_deleted(meta: Path) -> bool:
    """Return whether a run was deleted, or its experiment, which then is in the trash."""
    with open_binary(meta) as stream:
        return ".trash" in meta.parts or DELETED in map(bytes.strip, stream.read(MOST_META).splitlines())


def scalars_of_folder(folder: Path) -> Scalars:
    """Return the metrics of one run.

    Raises:
        RunError: if there is none, or a file is damaged.
    """
    root = folder / METRICS
    inside = root.resolve()
    files = sorted(file for file in root.rglob("*") if file.is_file() and file.resolve().is_relative_to(inside))
    numbers = (number for file in files for number in _numbers(file, file.relative_to(root).as_posix()))
    return gather_scalars(Place(str(folder)), _name(folder), numbers)


def _name(folder: Path) -> str:
    try:
        with (folder / TAGS / NAME).open("rb") as stream:
            return stream.read(MOST_BYTES).decode("utf-8").strip() or folder.name
    except (OSError, UnicodeDecodeError):
        return folder.name  # a run may have no name


def _numbers(file: Path, key: str) -> Iterator[Number]:
    """Yield the lines of a metric: time, value and step."""
    with open_binary(file) as stream:
        for number, line in read_lines(stream, MOST_BYTES):
            spot = (str(file), number, "")
            yield key, *_step_and_value(line, spot), spot


def _step_and_value(line: bytes, spot: Spot) -> tuple[float, float]:
    parts = line.split()
    try:
        if len(parts) not in (3, 5) or b"_" in b"".join(parts[:3]):  # 5 with the name and digest of a data set
            raise ValueError
        int(parts[0])
        return float(int(parts[2])), float(parts[1])
    except (ValueError, OverflowError) as error:
        text = short_repr(line[:40].decode("ascii", "replace").strip())
        problem = f"{text} is not a time, value and step: the file is damaged"
        raise RunError(problem, place=Place(*spot)) from error


# --- the database ---


def scalars_of_database(file: Path) -> list[Scalars]:
    """Return the metrics of every run in a database.

    Raises:
        RunError: if it is a database of something else, is damaged, or has no runs.
    """
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as base:
            _check(base, file)
            runs = base.execute(RUNS).fetchall()
            every = [_scalars_of_run(base, file, str(run), str(name or run)) for run, name in runs]
    except (sqlite3.Error, OSError) as error:
        raise RunError(f"the database {file} cannot be read: {error}") from error
    scalars = [each for each in every if each is not None]
    if not scalars:
        raise RunError(f"{file} has no runs with metrics")
    return scalars


def _check(base: sqlite3.Connection, file: Path) -> None:
    tables = {name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"runs", "metrics", "experiments"} <= tables:
        raise RunError(f"{file} is a database of something else, not a store of Glidepath, nor one of MLflow")


def _scalars_of_run(base: sqlite3.Connection, file: Path, run: str, name: str) -> Scalars | None:
    rows = base.execute(VALUES, (run,)).fetchall()
    numbers = (_number((str(file), None, f"metrics, row {row}"), *values) for *values, row in rows)
    return gather_scalars(Place(str(file), part=f"run {name}"), name, numbers) if rows else None


def _number(spot: Spot, key: object, step: object, value: object, is_nan: object) -> Number:
    if not isinstance(key, str) or not isinstance(step, int) or not isinstance(value, (int, float)):
        problem = f"{short_repr((key, step, value))} is not a name, step and value: the database is damaged"
        raise RunError(problem, place=Place(*spot))
    return key, float(step), math.nan if is_nan else float(value), spot
