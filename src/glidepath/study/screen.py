"""What people see in the terminal: a bar for the run that trains, a line for each that is finished, then the table."""

import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from .runs import Run
from .summary import Interval, Row, Spread
from .train import Record, Watch

PIPED_WIDTH = 160  # nothing is cut when nobody watches


@contextmanager
def progress(waiting: Sequence[Run]) -> Iterator[Watch]:
    """Bars on stderr while the runs train; nothing where stderr is no terminal."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[now]}"),
        TimeRemainingColumn(compact=True),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as bars:
        yield _Watcher(bars, waiting)


class _Watcher:
    """Moves the bars; a finished run leaves one line."""

    def __init__(self, bars: Progress, waiting: Sequence[Run]) -> None:
        self.bars, self.number = bars, len(waiting)
        self.width = max(map(len, map(str, waiting)), default=0)
        self.whole = bars.add_task("all runs".ljust(self.width), total=sum(run.horizon for run in waiting), now="")
        self.current: tuple[Run, TaskID] | None = None
        self.done = 0

    def __call__(self, run: Run, record: Record) -> None:
        bar = self.bar(run)
        self.bars.update(bar, completed=record.step + 1, now=f"loss {record.loss:.4f}  rate {record.rate:.2e}")
        self.bars.advance(self.whole)
        diverged = not math.isfinite(record.loss)
        if diverged or record.step + 1 == run.horizon:
            self.bars.advance(self.whole, run.horizon - record.step - 1)
            self.finish(run, record)

    def bar(self, run: Run) -> TaskID:
        """The bar of this run; the one before it goes."""
        if self.current is None or self.current[0] is not run:
            if self.current is not None:
                self.bars.remove_task(self.current[1])
            self.current = run, self.bars.add_task(str(run).ljust(self.width), total=run.horizon, now="")
        return self.current[1]

    def finish(self, run: Run, record: Record) -> None:
        self.done += 1
        ends = (f"{_words(name)} {value:.4f}" for name, value in record.metrics.items())
        found = ", ".join(ends) or f"diverged at update {record.step}"
        if not self.bars.disable:
            self.bars.console.print(f"{self.done:>3}/{self.number}  {run}: {found}", highlight=False, soft_wrap=True)


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
