"""The lines of a file as bytes, none of them longer than a reader allows."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from glidepath.errors import RunError


def lines_of(file: Path, most_bytes: int) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers, from 1; one of more than `most_bytes` comes in pieces.

    Raises:
        RunError: if it cannot be read.
    """
    try:
        with file.open("rb") as stream:
            for number in count(1):
                line = stream.readline(most_bytes + 1)
                if not line:
                    return
                yield number, line
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror or error}") from error
