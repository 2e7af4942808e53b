"""What people see while a study trains: the tree's own progress, a bar for each stretch, a line for each finished run.

On stderr, and only on a terminal; where nobody watches, only warnings are written.
"""

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from glidepath.study.curve import Record
from glidepath.study.spec.runs import StudyRun

from .coordinator import Coordinator
from .jobs import Job, JobResult

LONGEST_NAME = 44


@final
class Screen:
    """A context in which the bars are shown; a watcher of the conductor, and of every update."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self.bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[now]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._coordinator: Coordinator | None = None
        self._whole = self.bars.add_task("shared updates".ljust(LONGEST_NAME), total=None, now="")
        self._stretches: dict[str, TaskID] = {}
        self._made = self._finished = 0

    def __enter__(self) -> "Screen":
        self.bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: Any, trace: TracebackType | None) -> None:
        self.bars.stop()

    # --- what the conductor tells ---

    def planned(self, coordinator: Coordinator) -> None:
        """The bar of the whole is as long as what has been trained and what is left."""
        self._coordinator = coordinator
        self.bars.update(self._whole, total=coordinator.trained + coordinator.left() + coordinator.unknown())

    def finished(self, done: JobResult, runs: Sequence[int]) -> None:
        """A stretch is finished: its bar goes, and every run that ends with it leaves a line."""
        bar = self._stretches.pop(done.job.work.ends, None)
        if bar is not None:
            self.bars.remove_task(bar)
        self._count()
        for number in runs:
            self._finished += 1
            self._line(number)

    def warned(self, message: str) -> None:
        """Said even where there are no bars."""
        print(f"glidepath: {message}", file=sys.stderr)

    def updated(self, job: Job, record: Record) -> None:
        """One update more."""
        if self.bars.disable:
            return
        bar = self._stretches.get(job.work.ends)
        if bar is None:
            bar = self.bars.add_task(self._name(job), total=len(job.work.table), now="")
            self._stretches[job.work.ends] = bar
        now = f"loss {record.loss:.4f}  rate {record.rate:.2e}"
        made = record.step + 1 - job.work.start
        self.bars.update(bar, completed=made, now=now)
        self._count()

    def _count(self) -> None:
        """The bar of the whole: what is kept, and what is under way."""
        assert self._coordinator is not None  # `planned` comes first
        under_way = sum(task.completed for task in self.bars.tasks if task.id != self._whole)
        self.bars.update(self._whole, completed=self._coordinator.trained + under_way)

    # --- words ---

    def _name(self, job: Job) -> str:
        """Whose stretch it is."""
        others = len(job.runs) - 1
        more = f" and {others} more" if others else ""
        return f"{str(self._run(job.runs[0]))[: LONGEST_NAME - len(more)]}{more}".ljust(LONGEST_NAME)

    def _run(self, number: int) -> StudyRun:
        assert self._coordinator is not None  # `planned` comes first
        return self._coordinator.values[number].run

    def _line(self, number: int) -> None:
        assert self._coordinator is not None
        if self.bars.disable:
            return
        ledger = self._coordinator.ledger
        end = ledger.end(number)
        metrics = {} if ledger.diverged(number) else ledger.metrics(number, end - 1)
        found = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in metrics.items())
        line = f"{self._finished:>3}  {self._run(number)}: {found or f'diverged at update {end - 1}'}"
        self.bars.console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)
