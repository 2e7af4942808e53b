"""The files or folders of single runs that a path holds; nothing outside a folder that is named is ever read."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from glidepath.errors import RunError

from .formats.dvclive import is_dvclive
from .formats.mlflow import DATABASE, runs_in
from .formats.trainer import state_in
from .lines import unreadable

RESULTS = "curves.csv"  # in the folder that `glidepath compare` writes
STORE = "store.sqlite"
TABLES = (".csv", ".tsv", ".parquet")
LOGS = (  # of which the first that are there are read
    *("*.jsonl", "*.log.json", "metrics.json", "progress.json", "result.json", "history.json"),
    *("vis_data/scalars.json", "*/vis_data/scalars.json"),
    *("run-*.wandb", "offline-run-*/run-*.wandb", "wandb/offline-run-*/run-*.wandb", "*.db"),
    *("log.txt", "*.log", "printed.txt"),
)
BELOW = (  # by which a run is found in a folder further down, where other tables may be data
    *("metrics.csv", "progress.csv", "results.csv", "summary.csv", "history.csv"),
    *("trainer_log.jsonl", "metrics.json", "progress.json", "result.json", "history.json", "vis_data/scalars.json"),
    "run-*.wandb",
)
SUPERSEDED = ".superseded-"  # in the name of what a resumed `glidepath.torch.Recorder` put aside
DVCLIVE = "dvclive"
EVENTS = "tfevents"  # in the names that TensorBoard looks for
MOST_FOLDERS = 10_000
MOST_FILES = 10_000


def files_of(path: Path) -> list[Path]:
    """Return a file itself, and of a folder the logs in it.

    Of a folder these are: a study's curves, our store, the state of a Trainer, MLflow's database or its folders of
    runs, every table in the order of their names, or another trainer's log; and if there is none of them, those of
    every folder below that is known by its name, and every folder with event files.

    Raises:
        RunError: if there is nothing to read, or far too much.
    """
    if not path.is_dir():
        return [path]
    try:
        files = _files_in(path)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(files) > MOST_FILES:
        raise RunError(f"{path} has more than {MOST_FILES:,} logs: give a folder with fewer")
    if not files:
        raise RunError(
            f"{path} holds no logs: neither {RESULTS} of glidepath compare, nor {STORE}, nor a .csv or .parquet file, "
            f"nor a trainer_state.json, event files or runs of MLflow"
        )
    return files


def is_within(file: Path, folder: Path) -> bool:
    """Return whether a file lies in a folder, and is not a link that leads out of it."""
    return file.resolve().is_relative_to(folder.resolve())


def _within(files: Iterable[Path], folder: Path) -> list[Path]:
    return [file for file in files if is_within(file, folder)]


def _files_in(path: Path) -> list[Path]:
    for name in (RESULTS, STORE):
        if (path / name).is_file():
            return [path / name]
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in TABLES and file.is_file())
    tables = _within(files, path)
    return _run_in(path) or _within(runs_in(path), path) or tables or _logs_in(path, LOGS) or list(_runs_below(path))


def _run_in(folder: Path) -> list[Path]:
    """Return the state of a Trainer or MLflow's database."""
    state, database = state_in(folder), folder / DATABASE
    return _within([state], folder) if state is not None else [database] if database.is_file() else []


def _logs_in(path: Path, names: tuple[str, ...]) -> list[Path]:
    """Return the files with the first of some names, or the folder of dvclive."""
    folders = [folder for folder in (path, path / DVCLIVE) if is_dvclive(folder)]
    logs = (sorted(file for file in path.glob(name) if SUPERSEDED not in file.name) for name in names)
    return folders or next(filter(None, (_within(files, path) for files in logs)), [])


def _runs_below(path: Path) -> Iterator[Path]:
    """Yield the runs in a folder and those below it, in the order of their names; links to folders are not followed.

    Below a folder with event files are others; below one with another log are only its parts.
    """
    for i, (name, below, _) in enumerate(os.walk(path)):
        folder = Path(name)
        if i >= MOST_FOLDERS:
            raise RunError(
                f"{path} has more than {MOST_FOLDERS:,} folders below it: give one that is nearer to the log"
            )
        below.sort()
        files = [] if folder == path else _run_in(folder) or _logs_in(folder, BELOW)
        if files:
            below.clear()
            yield from files
        elif events_in(folder):
            yield folder


def events_in(folder: Path) -> list[Path]:
    """Return the event files of one run, in the order of their names, which begin with the time; or the file itself."""
    if not folder.is_dir():
        return [folder]
    files = sorted(file for file in folder.iterdir() if EVENTS in file.name and file.is_file())
    return _within(files, folder)
