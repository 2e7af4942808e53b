"""A list of JSON: the history of skorch, or the rows that a loop of one's own kept and wrote at its end."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from glidepath.errors import Place, RunError

from ..dialects import TRAINER, UNKNOWN, dialect_of
from ..series import Scalars
from .json_file import read_json
from .json_lines import name_of
from .objects import gather_rows
from .runs_in_file import scalars_of_rows
from .skorch import is_history, scalars_of_history


def scalars_of_list(file: Path, columns: Mapping[str, str], per_epoch: int | None = None) -> list[Scalars]:
    """Return the runs in a list of rows.

    Raises:
        RunError: if the file is damaged, or holds something else.
    """
    content = read_json(file, "the log of a run")
    place, name = Place(str(file)), name_of(file)
    if is_history(content):
        return [scalars_of_history(str(file), name, content, columns)]
    rows = gather_rows(_rows(content), lambda i: Place(str(file), part=f"row {i}"), set(columns.values()))
    if not rows.cells:
        raise RunError(f"{file} is a list of JSON that holds no numbers of a run")
    dialect = dialect_of([*rows.names, *rows.texts])
    every = scalars_of_rows(place, name, rows, columns, UNKNOWN if dialect is TRAINER else dialect, per_epoch)
    others = len(content) - rows.length
    note = f"{others} row{'s' * (others > 1)} left out that {'are' if others > 1 else 'is'} no object" if others else ""
    return [each.assume(note) for each in every]


def _rows(content: list[Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return ((i, row) for i, row in enumerate(content) if isinstance(row, dict))
