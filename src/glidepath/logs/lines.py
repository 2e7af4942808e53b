"""The lines of a file as bytes, none of them longer than a reader allows."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO, cast

from glidepath.errors import RunError


@contextmanager
def open_binary(file: Path) -> Iterator[BinaryIO]:
    """Open a file to read its bytes.

    Raises:
        RunError: if it cannot be opened, or cannot be read within the context.
    """
    try:
        with file.open("rb") as stream:
            yield cast(BinaryIO, stream)
    except OSError as error:
        raise unreadable(file, error) from error


def unreadable(path: Path, error: OSError) -> RunError:
    """Return the error about a file or a folder that the system does not let us read."""
    return RunError(f"{path} cannot be read: {error.strerror or error}")


def read_lines(stream: BinaryIO, most_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file with their numbers, from 1; one of more than `most_bytes` comes in pieces."""
    for number in count(1):
        line = stream.readline(most_bytes + 1)
        if not line:
            return
        yield number, line
