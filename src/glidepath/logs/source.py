"""A log as its readers take it: a file that was opened once to be recognized, or the folder of one run.

Of a file, the first bytes say what it is, not its name. A CSV file is read in the same opening; other formats are
opened by their readers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal, final

from glidepath.errors import Argument, Place, RunError

from .attempts import all_failed
from .files import events_in, files_of
from .formats.csv_numbers import read_any_csv
from .formats.csv_rows import CsvTable
from .formats.dvclive import is_dvclive
from .formats.json_lines import MOST_BYTES, is_json_lines
from .formats.text_lines import compile_pattern, is_text_log
from .formats.trackio import is_trackio
from .lines import open_binary

Kind = Literal[
    "store",
    "table",
    "state of a Trainer",
    "JSON lines",
    "JSON list",
    "event files",
    "MLflow database",
    "MLflow run",
    "W&B file",
    "trackio database",
    "dvclive folder",
    "text lines",
]

SQLITE, PARQUET, WANDB = b"SQLite format 3\0", b"PAR1", b":W&B"
APPLICATION, OURS = slice(68, 72), b"glid"  # in the header of a SQLite database
FIRST_EVENT = b"brain.Event:"  # near the beginning of an event file
BOM = b"\xef\xbb\xbf"  # with which some programs begin UTF-8
BEGINNING = 256
AS_TEXT: tuple[Kind, ...] = ("table", "state of a Trainer", "JSON list")  # what a printed log may look like at first
LOOK, MOST_BEFORE = 65_536, 4_000_000  # bytes in which a printed log is told, at first and if it is no table
NOT_TABLES = {  # never opened, whatever their names
    b"\x80": "a pickle, which could run anything when it is read",
    b"PK\x03\x04": "an archive (a workbook, .npz or .pt file, perhaps)",
    b"\x1f\x8b": "compressed",
    b"\x93NUMPY": "a NumPy array",
    b"\x89HDF": "an HDF5 file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}


@final
@dataclass(frozen=True, eq=False)
class Source:
    """A log that was recognized.

    Args:
        path: the file, or the folder of one run.
        kind: what it is.
        header: of a table, the names of its columns; empty for other kinds.
        csv: of a table of text, what it holds; None for other kinds and for Parquet.
        parts: of a folder with event files, the folders below it that hold one number of the same run each.
        pattern: the form of the lines that the user described; None if it is found out.
        error: why it cannot be read; None if it can.
    """

    path: Path
    kind: Kind
    header: tuple[str, ...] = ()
    csv: CsvTable | None = None
    parts: tuple[Path, ...] = ()
    pattern: str | None = None
    error: RunError | None = None

    @property
    def place(self) -> Place:
        """Return the file or the folder, for messages."""
        return Place(str(self.path))


def open_sources(path: str | Path | Sequence[Source], pattern: str | None = None) -> list[Source]:
    """Recognize the logs that a file or a folder holds.

    Args:
        path: of them; sources that were opened before are returned as they are.
        pattern: the form of the lines of text in which a log was printed; found out if not given.

    Raises:
        RunError: if there is nothing to read. Of several logs, one that cannot be read is returned with its error.
    """
    if not isinstance(path, str | Path):
        return list(path)
    if pattern is not None:
        compile_pattern(pattern)
    files = files_of(Path(path))
    if len(files) == 1:
        return [open_source(files[0], pattern)]
    sources = _join_parts([_open_or_keep_error(file, pattern) for file in files])
    if all(source.error is not None for source in sources):
        raise all_failed([source.error for source in sources if source.error is not None])
    return sources


def _open_or_keep_error(file: Path, pattern: str | None) -> Source:
    try:
        return open_source(file, pattern)
    except RunError as error:
        return Source(file, "table", error=error)


def _join_parts(sources: list[Source]) -> list[Source]:
    """Return the sources without the folders that `add_scalars` made, each of which is a part of the one above."""
    folders = {source.path for source in sources if source.kind == "event files" and source.path.is_dir()}
    if not any(above in folders for folder in folders for above in folder.parents):
        return sources
    from .formats.event_parts import group_parts  # only here: tensorboard may be missing

    groups = group_parts(folders)
    parts = {part for group in groups.values() for part in group}
    whole = [source for source in sources if source.path not in parts]
    return [replace(source, parts=groups.get(source.path, ())) for source in whole]


def open_source(path: Path, pattern: str | None = None) -> Source:
    """Recognize one log, and read it if it is a CSV file.

    Raises:
        RunError: if it cannot be read, or is not a log.
    """
    if path.is_dir() and pattern is not None:
        raise _not_text(path)
    if path.is_dir():
        return Source(path, _kind_of_folder(path))
    with open_binary(path) as stream:
        beginning = stream.peek(BEGINNING)[:BEGINNING]  # type: ignore[attr-defined]  # a BufferedReader has it
        kind = _kind_of(beginning)
        if kind in AS_TEXT and not beginning.startswith(PARQUET):
            _refuse_other_formats(path, beginning)
            if pattern is not None or _is_text(stream):
                return Source(path, "text lines", pattern=pattern)
        if pattern is not None:
            raise _not_text(path)
        if kind == "state of a Trainer" and is_json_lines(stream.readline(MOST_BYTES + 1)):
            kind = "JSON lines"
        elif kind == "MLflow database" and is_trackio(path):
            kind = "trackio database"
        if kind != "table":
            return Source(path, kind)
        if not beginning.startswith(PARQUET):
            return _source_of_csv(path, stream)
    from .formats.parquet import read_names  # only here: pyarrow may be missing

    return Source(path, "table", read_names(path))


def _not_text(path: Path) -> RunError:
    return RunError((Argument("pattern"), " describes lines of text, and this is another log"), place=str(path))


def _is_text(stream: BinaryIO, most: int = LOOK) -> bool:
    """Return whether a file is a log that was printed; of a pipe, no more is seen than what has come."""
    if not stream.seekable():
        return is_text_log(stream.peek(LOOK))  # type: ignore[attr-defined]
    stream.seek(0)
    beginning = stream.read(most)
    stream.seek(0)
    return is_text_log(beginning)


def _source_of_csv(path: Path, stream: BinaryIO) -> Source:
    try:
        content = read_any_csv(stream, path)
    except RunError:
        if stream.seekable() and _is_text(stream, MOST_BEFORE):
            return Source(path, "text lines")
        raise
    return Source(path, "table", content.header, content)


def _kind_of_folder(path: Path) -> Kind:
    if is_dvclive(path):
        return "dvclive folder"
    return "event files" if events_in(path) else "MLflow run"


def _kind_of(beginning: bytes) -> Kind:
    if beginning.startswith(SQLITE):
        return "store" if beginning[APPLICATION] == OURS else "MLflow database"
    if beginning.startswith(WANDB):
        return "W&B file"
    if FIRST_EVENT in beginning or _is_short_length(beginning):
        return "event files"
    first = beginning.removeprefix(BOM).lstrip()[:1]
    return "JSON list" if first == b"[" else "state of a Trainer" if first == b"{" else "table"


def _is_short_length(beginning: bytes) -> bool:
    """Return whether a file begins as an event file does that is cut off: with a length below 256 in 8 bytes."""
    return len(beginning) > 1 and beginning[0] > 0 and not any(beginning[1:8])


def _refuse_other_formats(file: Path, beginning: bytes) -> None:
    for mark, kind in NOT_TABLES.items():
        if beginning.startswith(mark):
            raise RunError(f"{file} is {kind}: export the log as CSV in UTF-8")
