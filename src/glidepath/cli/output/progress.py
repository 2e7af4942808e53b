"""What people see while a study trains: a bar for the whole, one for each segment, a line for each finished run.

On stderr, and only on a terminal; elsewhere only warnings and a stop are written.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, final

from rich.progress import TaskID

from glidepath.study.curve import Record
from glidepath.study.spec.runs import StudyRun
from glidepath.study.training.progress import Progress, RunningSegment

from .console import progress_bars

LONGEST_NAME = 44


@final
class ProgressBars(Progress):
    """A context in which the bars are shown. Mutable.

    Args:
        store: where what was trained is kept, for the message of a stop.
    """

    def __init__(self, store: Path) -> None:
        self.bars = progress_bars()
        self._store = store
        self._whole = self.bars.add_task("shared updates".ljust(LONGEST_NAME), total=None, now="")
        self._segments: dict[str, TaskID] = {}
        self._trained = self._finished = 0

    def __enter__(self) -> "ProgressBars":
        self.bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: Any, trace: TracebackType | None) -> None:
        self.bars.stop()

    def on_plan(self, updates: int) -> None:
        """Set the length of the bar of the whole."""
        self.bars.update(self._whole, total=updates)

    def on_update(self, segment: RunningSegment, record: Record) -> None:
        """Move the bar of a segment."""
        if self.bars.disable:
            return
        bar = self._segments.get(segment.key)
        if bar is None:
            bar = self.bars.add_task(_label(segment), total=segment.stop - segment.start, now="")
            self._segments[segment.key] = bar
        now = f"loss {record.loss:.4f}  rate {record.rate:.2e}"
        self.bars.update(bar, completed=record.step + 1 - segment.start, now=now)
        self._count()

    def on_segment(self, segment: RunningSegment, trained: int) -> None:
        """Remove the bar of a segment that is finished."""
        bar = self._segments.pop(segment.key, None)
        if bar is not None:
            self.bars.remove_task(bar)
        self._trained = trained
        self._count()

    def on_run(self, run: StudyRun, updates: int, metrics: Mapping[str, float]) -> None:
        """Write a line for a finished run."""
        self._finished += 1
        if self.bars.disable:
            return
        shown = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in metrics.items())
        line = f"{self._finished:>3}  {run}: {shown or f'diverged at update {updates - 1}'}"
        self.bars.console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)

    def on_warning(self, message: str) -> None:
        """Write a warning, even where there are no bars."""
        print(f"glidepath: {message}", file=sys.stderr)

    def on_stop(self, finished: int, runs: int) -> None:
        """Write what a stop has kept."""
        print(
            f"stopped: {finished} of {runs} runs are finished, and what was trained is kept in {self._store}; the same "
            "command goes on",
            file=sys.stderr,
        )

    def _count(self) -> None:
        """Move the bar of the whole: what is kept, and what is being trained."""
        training = sum(task.completed for task in self.bars.tasks if task.id != self._whole)
        self.bars.update(self._whole, completed=self._trained + training)


def _label(segment: RunningSegment) -> str:
    """Return the first run of a segment, and how many others share it."""
    others = len(segment.runs) - 1
    more = f" and {others} more" if others else ""
    return f"{str(segment.runs[0])[: LONGEST_NAME - len(more)]}{more}".ljust(LONGEST_NAME)
