"""The only consoles: stdout for answers, stderr for progress."""

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

PIPED_WIDTH = 160  # nothing is cut in a pipe
BAR_WIDTH = 24


def console() -> Console:
    """Return the console of stdout, wide where that is not a terminal."""
    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)


def write_lines(*texts: str) -> None:
    """Write lines to stdout; where that is not a terminal, they are never wrapped."""
    for text in texts:
        console().print(text, highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())


def progress_bars() -> Progress:
    """Return bars on stderr, each with a field `now`; they are shown on a terminal only, and go when they are done."""
    stderr = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(BAR_WIDTH),
        MofNCompleteColumn(),
        TextColumn("{task.fields[now]}", markup=False),
        TimeRemainingColumn(compact=True),
        console=stderr,
        disable=not stderr.is_terminal,
        transient=True,
    )
