"""What a caller of `compare` can see while a study trains: a class to inherit from, and the watcher that calls it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from glidepath.study.curve import Record
from glidepath.study.spec.runs import StudyRun
from glidepath.warn import warn_caller

from .coordinator import Coordinator, Watcher
from .jobs import Job, JobResult


@final
@dataclass(frozen=True)
class RunningSegment:
    """A segment of the tree that is being trained.

    Args:
        key: tells it from every other segment.
        runs: those that share it.
        start: the first update.
        stop: the update after the last.
    """

    key: str
    runs: tuple[StudyRun, ...]
    start: int
    stop: int


class Progress:
    """Sees how a study is trained; a class that inherits from this one overrides what it wants to see."""

    def on_plan(self, updates: int) -> None:
        """See how many updates this call trains, as far as is known; a plateau, or a lost worker, adds some later."""

    def on_update(self, segment: RunningSegment, record: Record) -> None:
        """See an update of a segment; from other processes only a few of them a second arrive."""

    def on_segment(self, segment: RunningSegment, trained: int) -> None:
        """See the end of a segment, and how many updates this call has trained and kept by then."""

    def on_run(self, run: StudyRun, updates: int, metrics: Mapping[str, float]) -> None:
        """See a finished run: the updates it made, and its last metrics; there are none if it diverged."""

    def on_warning(self, message: str) -> None:
        """See what went wrong and was repaired, or is probably not meant; without an override it is a warning."""
        warn_caller(message, "GP730")

    def on_stop(self, finished: int, runs: int) -> None:
        """See a Ctrl-C, once what was trained is kept: how many of the runs are finished."""


@final
class Reporter(Watcher):
    """Reports what a coordinator and an executor do. Mutable.

    Args:
        progress: whom to report to.
        before: updates that this call trained before, for other parts of the study.
    """

    def __init__(self, progress: Progress, before: int = 0) -> None:
        self._progress, self._before = progress, before
        self._coordinator: Coordinator | None = None

    def on_plan(self, coordinator: Coordinator) -> None:
        """Report the updates that are trained and left."""
        self._coordinator = coordinator
        self._progress.on_plan(
            self._before + coordinator.trained + coordinator.updates_left() + coordinator.updates_unknown()
        )

    def on_update(self, job: Job, record: Record) -> None:
        """Report an update."""
        self._progress.on_update(self._segment(job), record)

    def on_result(self, result: JobResult, runs: Sequence[int]) -> None:
        """Report the end of a segment, and the runs that end with it."""
        self._progress.on_segment(self._segment(result.job), self._before + self._leading.trained)
        ledger = self._leading.ledger
        for number in runs:
            end = ledger.end(number)
            metrics = {} if ledger.has_diverged(number) else ledger.metrics(number, end - 1)
            self._progress.on_run(self._leading.values[number].run, end, metrics)

    def on_warning(self, message: str) -> None:
        """Report a warning."""
        self._progress.on_warning(message)

    @property
    def _leading(self) -> Coordinator:
        assert self._coordinator is not None  # `on_plan` comes first
        return self._coordinator

    def _segment(self, job: Job) -> RunningSegment:
        runs = tuple(self._leading.values[number].run for number in job.runs)
        return RunningSegment(job.work.ends, runs, job.work.start, job.work.stop)
