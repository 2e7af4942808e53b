"""Which files or folders of one run a path stands for, and what kind each is: of a file, its first bytes say."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from glidepath.errors import RunError

from .mlflow import DATABASE, runs_in
from .trainer import state_in

Kind = Literal["store", "MLflow database", "MLflow run", "state of a Trainer", "event files", "table"]

RESULTS = "curves.csv"  # in the folder that `glidepath compare` writes
STORE = "store.sqlite"
TABLES = (".csv", ".parquet")

EVENTS = "tfevents"  # in the names that TensorBoard looks for
MOST_FOLDERS = 10_000

SQLITE, PARQUET = b"SQLite format 3\0", b"PAR1"
APPLICATION, OURS = slice(68, 72), b"glid"  # in the header of a SQLite database
FIRST_EVENT = b"brain.Event:"  # near the beginning of an event file
BEGINNING = 256
NO_TABLES = {  # never opened, whatever their names
    b"\x80": "a pickle, which could run anything when it is read",
    b"PK\x03\x04": "an archive (a workbook, .npz or .pt file, perhaps)",
    b"\x1f\x8b": "compressed",
    b"\x93NUMPY": "a NumPy array",
    b"\x89HDF": "an HDF5 file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}


def files_of(path: Path) -> list[Path]:
    """A file itself; of a folder what it holds, by whoever wrote it.

    Of a folder that is: a study's curves, our store, the state of a Trainer, MLflow's database or its folders of runs,
    or every table in the order of their names; and if there is none of them, every folder with event files.

    Raises:
        RunError: if there is nothing to read.
    """
    if not path.is_dir():
        return [path]
    try:
        found = _in_folder(path)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from error
    if not found:
        raise RunError(
            f"{path} holds no logs: neither {RESULTS} of glidepath compare, nor {STORE}, nor a .csv or .parquet file, "
            f"nor a trainer_state.json, event files or runs of MLflow"
        )
    return found


def _in_folder(path: Path) -> list[Path]:
    for name in (RESULTS, STORE):
        if (path / name).is_file():
            return [path / name]
    state = state_in(path)
    if state is not None:
        return [state]
    if (path / DATABASE).is_file():
        return [path / DATABASE]
    tables = sorted(file for file in path.iterdir() if file.suffix.lower() in TABLES and file.is_file())
    return runs_in(path) or tables or list(_with_events(path))


def _with_events(path: Path) -> Iterator[Path]:
    """Folders with event files, in the order of their names; links to folders are not followed."""
    for i, (folder, below, _) in enumerate(os.walk(path)):
        if i >= MOST_FOLDERS:
            raise RunError(
                f"{path} has more than {MOST_FOLDERS:,} folders below it: give one that is nearer to the log"
            )
        below.sort()
        if events_in(Path(folder)):
            yield Path(folder)


def events_in(folder: Path) -> list[Path]:
    """The event files of one run, in the order of their names, which begin with the time; or the file itself."""
    if not folder.is_dir():
        return [folder]
    return sorted(file for file in folder.iterdir() if EVENTS in file.name and file.is_file())


def kind_of(path: Path) -> Kind:
    """What `files_of` found.

    Raises:
        RunError: if it cannot be read.
    """
    if path.is_dir():
        return "event files" if events_in(path) else "MLflow run"
    beginning = _beginning(path)
    if beginning.startswith(SQLITE):
        return "store" if beginning[APPLICATION] == OURS else "MLflow database"
    if FIRST_EVENT in beginning or _is_short_length(beginning):
        return "event files"
    return "state of a Trainer" if beginning.lstrip().startswith((b"{", b"[")) else "table"


def _is_short_length(beginning: bytes) -> bool:
    """Whether it is a length below 256 in 8 bytes, or the first of them: how an event file begins, if only that."""
    return len(beginning) > 1 and beginning[0] > 0 and not any(beginning[1:8])


def is_parquet(file: Path) -> bool:
    """Whether it is a Parquet file.

    Raises:
        RunError: if it is no table at all.
    """
    beginning = _beginning(file)
    for mark, kind in NO_TABLES.items():
        if beginning.startswith(mark):
            raise RunError(f"{file} is {kind}: export the log as CSV in UTF-8")
    return beginning.startswith(PARQUET)


def _beginning(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(BEGINNING)
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror or error}") from error
