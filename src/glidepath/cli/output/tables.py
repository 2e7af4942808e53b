"""Tables for people, on stdout."""

from collections.abc import Iterable, Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from .console import console

BEST = "bold green"


def write_table(words: Iterable[str], header: Sequence[str], rows: Iterable[Sequence[str]], *, first: str = "") -> None:
    """Write a table to stdout.

    Args:
        words: the columns that hold words; the others hold numbers.
        header: the name of every column.
        rows: a text for every column.
        first: the style of the first row.
    """
    output, left = Table(box=None, header_style="bold", pad_edge=False), set(words)
    for name in header:
        output.add_column(name, justify="left" if name in left else "right", no_wrap=name not in left)
    for i, row in enumerate(rows):
        output.add_row(*map(escape, row), style="" if i else first)
    console().print(output)


def doubt_notes(doubts: Mapping[str, Sequence[str]]) -> list[str]:
    """Return why some predictions should not be trusted: a line for each reason."""
    names: dict[str, list[str]] = {}
    for name, reasons in doubts.items():
        for reason in reasons:
            names.setdefault(reason, []).append(name)
    return [f"do not trust {', '.join(each)}: {reason}" for reason, each in names.items()]
