"""What people see while runs train: bars on a terminal, a line for each run that is finished."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from .curve import Record
from .runs import Run
from .train import Watch


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
        ends = (f"{name.replace('_', ' ')} {value:.4f}" for name, value in record.metrics.items())
        found = ", ".join(ends) or f"diverged at update {record.step}"
        if not self.bars.disable:
            self.bars.console.print(f"{self.done:>3}/{self.number}  {run}: {found}", highlight=False, soft_wrap=True)
