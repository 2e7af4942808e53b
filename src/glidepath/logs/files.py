"""The files or folders of single runs that a path holds."""

import os
from collections.abc import Iterator
from pathlib import Path

from glidepath.errors import RunError

from .formats.dvclive import is_dvclive
from .formats.mlflow import DATABASE, runs_in
from .formats.trainer import state_in
from .lines import unreadable

RESULTS = "curves.csv"  # in the folder that `glidepath compare` writes
STORE = "store.sqlite"
TABLES = (".csv", ".parquet")
LOGS = (  # of which the first that are there are read
    *("*.jsonl", "*.log.json", "metrics.json", "progress.json", "result.json", "history.json"),
    *("vis_data/scalars.json", "*/vis_data/scalars.json"),
    *("run-*.wandb", "offline-run-*/run-*.wandb", "wandb/offline-run-*/run-*.wandb", "*.db"),
)
DVCLIVE = "dvclive"
EVENTS = "tfevents"  # in the names that TensorBoard looks for
MOST_FOLDERS = 10_000


def files_of(path: Path) -> list[Path]:
    """Return a file itself, and of a folder the logs in it.

    Of a folder these are: a study's curves, our store, the state of a Trainer, MLflow's database or its folders of
    runs, or every table in the order of their names; and if there is none of them, every folder with event files.

    Raises:
        RunError: if there is nothing to read.
    """
    if not path.is_dir():
        return [path]
    try:
        files = _files_in(path)
    except OSError as error:
        raise unreadable(path, error) from error
    if not files:
        raise RunError(
            f"{path} holds no logs: neither {RESULTS} of glidepath compare, nor {STORE}, nor a .csv or .parquet file, "
            f"nor a trainer_state.json, event files or runs of MLflow"
        )
    return files


def _files_in(path: Path) -> list[Path]:
    for name in (RESULTS, STORE):
        if (path / name).is_file():
            return [path / name]
    state = state_in(path)
    if state is not None:
        return [state]
    if (path / DATABASE).is_file():
        return [path / DATABASE]
    tables = sorted(file for file in path.iterdir() if file.suffix.lower() in TABLES and file.is_file())
    return runs_in(path) or tables or _logs_in(path) or list(_folders_with_events(path))


def _logs_in(path: Path) -> list[Path]:
    """Return the files with the first of the names that other formats have, or the folder of dvclive."""
    folders = [folder for folder in (path, path / DVCLIVE) if is_dvclive(folder)]
    return folders or next((files for name in LOGS if (files := sorted(path.glob(name)))), [])


def _folders_with_events(path: Path) -> Iterator[Path]:
    """Yield folders with event files, in the order of their names; links to folders are not followed."""
    for i, (folder, below, _) in enumerate(os.walk(path)):
        if i >= MOST_FOLDERS:
            raise RunError(
                f"{path} has more than {MOST_FOLDERS:,} folders below it: give one that is nearer to the log"
            )
        below.sort()
        if events_in(Path(folder)):
            yield Path(folder)


def events_in(folder: Path) -> list[Path]:
    """Return the event files of one run, in the order of their names, which begin with the time; or the file itself."""
    if not folder.is_dir():
        return [folder]
    return sorted(file for file in folder.iterdir() if EVENTS in file.name and file.is_file())
