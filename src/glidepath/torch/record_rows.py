"""The rows of a `Recorder` on their way to its file and its sinks: the last one stays open until the next update."""

import os
from collections.abc import Sequence
from typing import Any, final

from glidepath.warn import warn_caller

from .record_file import RecordFile, Row
from .record_sinks import Sink


@final
class RecordRows:
    """Holds the row of the last update, and the numbers that wait for the next one.

    Args:
        file: None if there is none.
        sinks: also written to.
    """

    def __init__(self, file: RecordFile | None, sinks: Sequence[Sink]) -> None:
        self._file, self._sinks, self._process = file, tuple(sinks), os.getpid()
        self.last: Row | None = None  # of the last update, if it is to be written
        self.coming: dict[str, Any] = {}  # for the row of the next update
        self.early: dict[str, Any] = {}  # an evaluation before the first update, when its place is not known yet

    def begin(self, update: int) -> None:
        """Write the rows from an update on, in place of those that the file has from there on."""
        self.finish()
        if self._file is not None:
            self._file.begin(update)

    def add(self, update: int, values: Row) -> None:
        """Write the last row, and begin that of an update."""
        self.finish()
        self.last = {"update": update, **values, **self.coming}

    def evaluate(self, updates_made: int, values: Row) -> None:
        """Write an evaluation."""
        self._write("updates_made", {"updates_made": updates_made, **values})

    def finish(self) -> None:
        """Write the last row."""
        row, self.last = self.last, None
        if row is not None:
            self._write("update", row)

    def _write(self, key: str, row: Row) -> None:
        if self._file is not None:
            self._file.write(row)
        for sink in self._sinks:
            sink(row[key], {name: value for name, value in row.items() if name != key})

    def close(self) -> None:
        """Write the last row and close the file; warn about numbers that have no update."""
        if os.getpid() != self._process:  # a fork
            return
        self.finish()
        if self._file is not None:
            self._file.close()
        rest = sorted({**self.coming, **self.early})
        self.coming, self.early = {}, {}
        if rest:
            warn_caller(
                f"Recorder was given {', '.join(rest)}, and no update followed: they are not in the record; call log() "
                "after optimizer.step(), or say whose they are with update=",
                "GP749",
            )
