"""The curves of a finished study for other tools: CSV, Parquet, or TensorBoard's event files.

Everything comes from `curves.csv` in the study's folder, so no task is loaded and nothing is trained.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from glidepath.errors import StudyError

from .tables import COLUMNS, DataTable, save_table

KINDS: dict[str, Callable[[str], int | str]] = {"run": int, "schedule": str, "horizon": int, "seed": int, "step": int}


def export_curves(folder: Path, to: Path, runs: Sequence[int] = ()) -> int:
    """Write curves of a study to another place, in the format of the suffix.

    Args:
        folder: of a study, with its `curves.csv`.
        to: a file ending in .csv or .parquet; else a folder for TensorBoard, with a folder inside for each run.
        runs: numbers of runs; none for all.

    Returns:
        The number of runs that were written.

    Raises:
        StudyError: if the folder holds no curves, has no such run, or `to` cannot be written without losing data.
        MissingExtraError: if the package for the format is not installed.
    """
    save = _writer(to)
    table = _select_runs(read_curves(folder), runs, folder)
    if to.exists() and to.resolve() == (folder / "curves.csv").resolve():
        raise StudyError(f"{to} holds the curves of the study itself: choose another file")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        save(to, table)
    except OSError as error:
        raise StudyError(f"{to} cannot be written: {error.strerror or error}") from error
    return len({row["run"] for row in table.rows})


def read_curves(folder: Path) -> DataTable:
    """Read every update in the `curves.csv` of a folder, numbers as numbers; empty cells are left out.

    Raises:
        StudyError: if there is no such file, or it is not what a study writes.
    """
    file = folder / "curves.csv"
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream, strict=True)
            return DataTable(list(reader.fieldnames or ()), [_parse_row(row) for row in reader])
    except OSError as error:
        raise StudyError(f"{file} cannot be read: {error.strerror}; give the folder of a finished study") from error
    except (ValueError, csv.Error) as error:
        raise StudyError(f"{file} does not hold the curves of a study; compare again to write it anew") from error


def _writer(to: Path) -> Callable[[Path, DataTable], Path]:
    """Return the function that writes the format of a suffix; a missing package is reported before anything is read."""
    match to.suffix.lower():
        case ".csv":
            return _csv
        case ".parquet":
            from .parquet import save_parquet  # only here: pyarrow may be missing

            return save_parquet
    from .tensorboard import save_events  # only here: tensorboardX may be missing

    return save_events


def _csv(to: Path, table: DataTable) -> Path:
    return save_table(to, table.columns, table.rows)


def _parse_row(row: dict[Any, Any]) -> dict[str, int | float | str]:
    """Return a row with numbers as numbers.

    Raises:
        ValueError: if it has too few or too many cells, or does not say which update of which run it is.
    """
    if None in row or None in row.values() or not all(row.get(name) for name in COLUMNS):  # how `csv` marks the surplus
        raise ValueError(row)
    return {name: KINDS.get(name, float)(value) for name, value in row.items() if value != ""}


def _select_runs(table: DataTable, runs: Sequence[int], folder: Path) -> DataTable:
    numbers = sorted({row["run"] for row in table.rows})
    absent = [run for run in runs if run not in numbers]
    if absent or not numbers:
        raise StudyError(f"{folder} has no run {_join(absent) or 'at all'}; it has {_ranges(numbers)}")
    return DataTable(table.columns, [row for row in table.rows if not runs or row["run"] in runs])


def _join(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _ranges(numbers: Sequence[int]) -> str:
    if not numbers:
        return "none yet"
    first, last = numbers[0], numbers[-1]
    whole = numbers == list(range(first, last + 1))
    return f"the runs {first} to {last}" if whole else f"the runs {_join(numbers)}"
