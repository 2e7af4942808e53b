"""The formats of logs, one file each: from bytes to the numbers of a run, by name and step."""

from collections.abc import Mapping
from dataclasses import replace

from glidepath.errors import Argument, RunError

from ..files import events_in
from ..series import Scalars
from ..source import Kind, Source

ROWS: tuple[Kind, ...] = ("table", "text lines", "JSON lines", "JSON list", "W&B file", "trackio database")


def read_scalars(source: Source, columns: Mapping[str, str], per_epoch: int | None = None) -> list[Scalars]:
    """Return the numbers of every run in a log.

    Args:
        source: the log, of a program other than Glidepath.
        columns: what a column is called, by "step", "rate" and "loss", where it is no common name.
        per_epoch: the updates of an epoch, for rows whose steps begin again in every epoch.

    Raises:
        RunError: if it is damaged, or holds no numbers of a run.
    """
    if source.kind in ROWS:
        return _scalars_of_rows(source, columns, per_epoch)
    if "step" in columns:
        problem = (Argument("columns", key="step"), f" names the column of a table, and this is a {source.kind}")
        raise RunError(problem, place=source.place)
    return [replace(each, has_fixed_steps=True) for each in _scalars_with_steps(source)]


def _scalars_of_rows(source: Source, columns: Mapping[str, str], per_epoch: int | None) -> list[Scalars]:
    """Return the numbers of formats with rows, in which the step is one of several numbers."""
    if source.kind == "table":
        from .tables import scalars_of_table

        return scalars_of_table(source, columns)
    if source.kind == "W&B file":
        from .wandb_file import scalars_of_wandb

        return scalars_of_wandb(source.path, columns, per_epoch)
    if source.kind == "trackio database":
        from .trackio import scalars_of_trackio

        return scalars_of_trackio(source.path, columns, per_epoch)
    if source.kind == "JSON list":
        from .json_list import scalars_of_list

        return scalars_of_list(source.path, columns, per_epoch)
    if source.kind == "text lines":
        from .text_lines import scalars_of_text

        return scalars_of_text(source.path, source.pattern, columns, per_epoch)
    from .json_lines import scalars_of_json_lines

    return scalars_of_json_lines(source.path, columns, per_epoch)


def _scalars_with_steps(source: Source) -> list[Scalars]:
    """Return the numbers of formats that keep the step of each."""
    if source.kind == "state of a Trainer":
        from .trainer import scalars_of_state

        return [scalars_of_state(source.path)]
    if source.kind == "MLflow database":
        from .mlflow import scalars_of_database

        return scalars_of_database(source.path)
    if source.kind == "MLflow run":
        from .mlflow import scalars_of_folder

        return [scalars_of_folder(source.path)]
    if source.kind == "dvclive folder":
        from .dvclive import scalars_of_dvclive

        return [scalars_of_dvclive(source.path)]
    from .events import scalars_of_events  # only here: tensorboard may be missing

    path, parts = source.path, {}
    if source.parts:
        from .event_parts import part_name

        parts = {part_name(part, path) or part.name: events_in(part) for part in source.parts}
    name = path.stem if path.is_file() else path.resolve().name
    return [scalars_of_events(path, name, events_in(path), parts)]
