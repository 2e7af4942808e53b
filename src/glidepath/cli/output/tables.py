"""Answers for people: tables, and lines beside them."""

import sys
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

PIPED_WIDTH = 160  # nothing is cut when nobody watches
BEST = "bold green"


def table(words: Iterable[str], header: Sequence[str], rows: Iterable[Sequence[str]], *, first: str = "") -> None:
    """A table on stdout.

    Args:
        words: the columns that hold words; the others hold numbers.
        header: the name of every column.
        rows: a text for every column.
        first: the style of the first row.
    """
    shown, left = Table(box=None, header_style="bold", pad_edge=False), set(words)
    for name in header:
        shown.add_column(name, justify="left" if name in left else "right", no_wrap=name not in left)
    for i, row in enumerate(rows):
        shown.add_row(*map(escape, row), style="" if i else first)
    _console().print(shown)


def lines(*texts: str) -> None:
    """Lines on stdout; where nobody watches, they are never wrapped."""
    for text in texts:
        _console().print(text, highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)


def doubts(found: Mapping[str, Sequence[str]]) -> list[str]:
    """Why some predictions should not be trusted: a line for each reason."""
    reasons: dict[str, list[str]] = {}
    for name, why in found.items():
        for reason in why:
            reasons.setdefault(reason, []).append(name)
    return [f"do not trust {', '.join(names)}: {reason}" for reason, names in reasons.items()]
