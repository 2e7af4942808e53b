"""The verdict in the terminal: a table, and what it may be taken for."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from .summary import Interval, Row, Spread

PIPED_WIDTH = 160  # nothing is cut when nobody watches


def show(rows: Sequence[Row]) -> None:
    """The table on stdout, and what it may be taken for."""
    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
    console.print(table(rows))
    console.print(note(rows), highlight=False)


def table(rows: Sequence[Row]) -> Table:
    """A row for every setting, the best first; horizons are told apart only where there are several."""
    metrics = dict.fromkeys(name for row in rows for name in row.metrics)
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("schedule", "steps", "peak", "train loss", *map(_words, metrics), "to the best", ""):
        shown.add_column(name, justify="left" if name in ("schedule", "") else "right", no_wrap=True)
    for i, row in enumerate(rows):
        if i and row.setting.horizon != rows[i - 1].setting.horizon:
            shown.add_section()
        cells = [_spread(row.metrics[name]) if name in row.metrics else "" for name in metrics]
        setting = (row.setting.schedule, str(row.setting.horizon), f"{row.setting.peak:g}")
        difference = "" if row.difference is None else _interval(row.difference)
        shown.add_row(*setting, _spread(row.train_loss), *cells, difference, _verdict(row), style=_style(row))
    return shown


def note(rows: Sequence[Row]) -> str:
    """How many seeds stand behind the table, and what that allows."""
    seeds, metric = rows[0].seeds, _words(next((name for row in rows for name in row.metrics), "metric"))
    if seeds < 2:
        return (
            "\n1 seed: no interval can be given, and nothing here shows that one schedule is better than another."
            "\nFor intervals, give several: --seed 0 --seed 1 --seed 2"
        )
    return (
        f"\n{seeds} seeds: mean ± standard deviation. To the best: mean difference in {metric}, seed by seed,"
        "\nwith its 95% interval, each for itself; where the interval holds 0, no difference is shown."
    )


def _verdict(row: Row) -> str:
    if row.verdict == "best":
        return "★ best" if row.seeds > 1 else "★ lowest"
    if row.verdict == "diverged":
        return f"{row.diverged} of {row.seeds} diverged"
    return "" if row.verdict == "one seed" else row.verdict


def _style(row: Row) -> str:
    return {"best": "bold green", "diverged": "red"}.get(row.verdict, "")


def _spread(spread: Spread) -> str:
    return f"{spread.mean:.4f}" + ("" if spread.deviation is None else f" ± {spread.deviation:.4f}")


def _interval(interval: Interval) -> str:
    shown = f"{interval.mean:+.4f}"
    return shown if interval.low is None else f"{shown} [{interval.low:+.4f}, {interval.high:+.4f}]"


def _words(name: str) -> str:
    return name.replace("_", " ")
