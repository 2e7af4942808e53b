"""The curves of a finished study for other tools: CSV, Parquet, or TensorBoard's event files.

Everything comes from `curves.csv` in the study's folder, so no task is loaded and nothing is trained.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from glidepath.errors import StudyError

from .tables import COLUMNS, DataTable, save_table

KINDS: dict[str, Callable[[str], int | str]] = {"run": int, "schedule": str, "horizon": int, "seed": int, "step": int}


def export(folder: Path, to: Path, runs: Sequence[int] = ()) -> int:
    """Write curves of a study to another place; the form is told by the suffix.

    Args:
        folder: of a study, with its `curves.csv`.
        to: a file ending in .csv or .parquet; anything else is a folder for TensorBoard, with one inside for each run.
        runs: numbers of runs; none for all.

    Returns:
        How many runs were written.

    Raises:
        StudyError: if the folder holds no curves, has no such run, or `to` cannot be written without losing something.
        MissingExtraError: if the package for the form is not installed.
    """
    save = _writer(to)
    table = _chosen(read_curves(folder), runs, folder)
    if to.exists() and to.resolve() == (folder / "curves.csv").resolve():
        raise StudyError(f"{to} holds the curves of the study itself: choose another file")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        save(to, table)
    except OSError as error:
        raise StudyError(f"{to} cannot be written: {error.strerror or error}") from error
    return len({row["run"] for row in table.rows})


def read_curves(folder: Path) -> DataTable:
    """Every update in the `curves.csv` of a folder, numbers as numbers; what a row leaves empty is left out.

    Raises:
        StudyError: if there is no such file, or it is not what a study writes.
    """
    file = folder / "curves.csv"
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream, strict=True)
            rows = [_typed(row) for row in reader]
            return DataTable(list(reader.fieldnames or ()), _complete(rows))
    except OSError as error:
        raise StudyError(f"{file} cannot be read: {error.strerror}; give the folder of a finished study") from error
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise StudyError(f"{file} is not what glidepath compare writes: let it write the file again") from error


def _writer(to: Path) -> Callable[[Path, DataTable], Path]:
    """What writes the form that a name asks for; a package that is missing is told before anything is read."""
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


def _typed(row: dict[str, str]) -> dict[str, int | float | str]:
    return {name: KINDS.get(name, float)(value) for name, value in row.items() if value != ""}


def _complete(rows: list[dict[str, int | float | str]]) -> list[dict[str, int | float | str]]:
    """The same rows, if each says which update of which run it is."""
    for row in rows:
        _ = [row[name] for name in COLUMNS]
    return rows


def _chosen(table: DataTable, runs: Sequence[int], folder: Path) -> DataTable:
    known = sorted({row["run"] for row in table.rows})
    absent = [run for run in runs if run not in known]
    if absent or not known:
        raise StudyError(f"{folder} has no run {_listed(absent) or 'at all'}; it has {_ranges(known)}")
    return DataTable(table.columns, [row for row in table.rows if not runs or row["run"] in runs])


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _ranges(known: Sequence[int]) -> str:
    if not known:
        return "none yet"
    whole = known == list(range(known[0], known[-1] + 1))
    return f"the runs {known[0]} to {known[-1]}" if whole else f"the runs {_listed(known)}"
