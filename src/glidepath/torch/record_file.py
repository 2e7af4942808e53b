"""The file of a `Recorder`: JSON lines, a header and then a row for each update and for each evaluation.

    {"glidepath": "record", "version": 1, "columns": {...}}
    {"update": 0, "lr": 0.02, "loss": 2.31}
    {"update": 1, "lr": 0.04, "lr/head": 0.4, "loss": "NaN"}
    {"updates_made": 2, "val_loss": 2.2}

- A row with "update" describes the update of this index, from 0: the hyperparameters that it used, and what was logged
  for it. "lr" is that of the first group, and "lr/NAME" that of a group that differs from it, by its "name" or its
  number; so are "momentum" and "betas[0]". Indices rise; they skip updates where `every=` says so.
- A row with "updates_made" is an evaluation after so many updates. It may stand before the row of the last of them. Of
  two with the same count and name the later holds.
- Numbers have all their digits. What JSON has no number for is a text: "NaN", "Infinity", "-Infinity".
- Rows that a resumed run makes anew are moved to a file beside this one, with "superseded_by" in its header.
"""

import json
from array import array
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple, final

from glidepath.errors import Cure, Place, RunError
from glidepath.warn import warn_caller

VERSION = 1
HEADER = {
    "glidepath": "record",
    "version": VERSION,
    "columns": {
        "update": "index of the update, from 0; the hyperparameters in this row are those that it used",
        "lr": "of the first group; lr/NAME is that of a group that differs",
        "updates_made": "number of updates made before the evaluation in this row",
    },
}
NON_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}

Row = dict[str, Any]
_encode = json.JSONEncoder(allow_nan=False).encode


def encode_row(row: Row) -> bytes:
    """Return a row as a line of JSON.

    >>> encode_row({"update": 3, "lr": 0.1, "loss": float("nan")})
    b'{"update": 3, "lr": 0.1, "loss": "NaN"}\\n'
    """
    try:
        text = _encode(row)
    except ValueError:
        text = _encode({name: NON_FINITE.get(repr(value), value) for name, value in row.items()})
    return text.encode() + b"\n"


@final
class Contents(NamedTuple):
    """The rows of a file: a row is of a run that goes on at update k if its position is below k.

    Args:
        positions: of the rows: the index of an update, or of the last one before an evaluation.
        offsets: in bytes, where the rows begin.
        end: offset where the last whole row ends.
        torn: what follows there: a part of a row, whose writing was cut off.
    """

    positions: "array[int]"
    offsets: "array[int]"
    end: int
    torn: bytes

    @property
    def updates(self) -> int:
        """Return the number of updates that were made when the last row was written."""
        return max(self.positions, default=-1) + 1


def read_contents(path: Path) -> Contents:
    """Read where the rows of a file are.

    Raises:
        RunError: if the file is not a record, or a line is damaged.
    """
    positions, offsets, end, torn = array("q"), array("q"), 0, b""
    if not path.exists():
        return Contents(positions, offsets, end, torn)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            row = _decode(line)
            if row is None and not line.endswith(b"\n") and (number > 1 or encode_row(HEADER).startswith(line)):
                torn = line
                break
            if number == 1:
                _check_header(row, path)
            else:
                positions.append(_position_of(row, Place(str(path), line=number)))
                offsets.append(end)
            end += len(line)
    return Contents(positions, offsets, end, torn)


def _decode(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _check_header(row: Any, path: Path) -> None:
    if not isinstance(row, dict) or row.get("glidepath") != "record":
        raise RunError("this is not a record of Recorder", place=Place(str(path)), cures=[Cure("give another path")])
    if row.get("version") != VERSION or "superseded_by" in row:
        kind = "superseded rows" if "superseded_by" in row else f"version {row.get('version')!r}"
        raise RunError(f"a record with {kind} cannot go on", place=Place(str(path)), cures=[Cure("give another path")])


def _position_of(row: Any, place: Place) -> int:
    values = [row.get(name) for name in ("update", "updates_made")] if isinstance(row, dict) else []
    update, updates_made = values or [None, None]
    if type(update) is int:
        return update
    if type(updates_made) is int:
        return updates_made - 1
    raise RunError("this line is not a row of a record", place=place, cures=[Cure("mend or remove it")])


@final
class RecordFile:
    """Appends rows to a file, each as soon as it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: FileIO | None = None
        read_contents(path)

    def updates(self) -> int:
        """Return the number of updates that the rows of the file describe."""
        return read_contents(self.path).updates

    def begin(self, update: int) -> None:
        """Open the file for the rows from an update on; those that are there already move to a file beside it."""
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        contents = read_contents(self.path)
        end = next((at for k, at in zip(contents.positions, contents.offsets, strict=True) if k >= update), None)
        if contents.torn:
            self._warn(f"its last line was cut off while it was written, and is left out: {contents.torn[:80]!r}")
        if end is not None:
            self._supersede(update, end, contents)
        self._open(contents.end if end is None else end)

    def _open(self, end: int) -> None:
        file = self._file = FileIO(self.path, "a+")
        file.truncate(end)
        if end == 0:
            self.write(HEADER)
            return
        file.seek(end - 1)
        if file.read(1) != b"\n":
            file.write(b"\n")

    def _supersede(self, update: int, start: int, contents: Contents) -> None:
        """Copy the rows from an offset on to a new file, and say so."""
        numbers = range(1, len(contents.offsets) + 2**20)
        names = (self.path.with_name(f"{self.path.stem}.superseded-{n}{self.path.suffix}") for n in numbers)
        copy = next(name for name in names if not name.exists())
        with self.path.open("rb") as file, copy.open("xb") as new:
            file.seek(start)
            new.write(encode_row({**HEADER, "superseded_by": self.path.name}))
            new.write(file.read(contents.end - start))
        self._warn(
            f"it had the updates to {contents.updates - 1:,} already, and the run goes on at update {update:,}: the "
            f"rows from there on are now in {copy.name}"
        )

    def _warn(self, message: str) -> None:
        warn_caller(f"{self.path}: {message}", "GP748")

    def write(self, row: Row) -> None:
        """Append a row."""
        if self._file is not None:
            self._file.write(encode_row(row))

    def close(self) -> None:
        """Close the file; `begin` opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None
