"""Train one segment after the other, in this process."""

from collections.abc import Callable
from typing import final

from glidepath.errors import SnapshotError
from glidepath.study.curve import Record
from glidepath.study.engine.worker import Worker
from glidepath.study.store import Snapshots
from glidepath.study.training.interrupts import collect_interrupts
from glidepath.study.training.jobs import Job, JobResult

Progress = Callable[[Job, Record], None]


@final
class Local:
    """Trains in this process. Ctrl-C ends the segment after its present update, so that it can be stored.

    Args:
        snapshots: where states are stored.
        progress: called after every update.
    """

    slots = 1

    def __init__(self, snapshots: Snapshots, progress: Progress = lambda job, record: None) -> None:
        self._worker, self._progress = Worker(snapshots), progress
        self._job: Job | None = None
        self._done: JobResult | None = None
        self._stopped = False

    def start(self, job: Job) -> None:
        """Accept a job; it is trained in `wait`."""
        self._job, self._done = job, None

    def wait(self) -> JobResult:
        """Train the job.

        Raises:
            KeyboardInterrupt: if it was stopped; `wait` again for what was trained by then, if anything was.
        """
        if self._done is None and self._stopped:
            raise KeyboardInterrupt
        if self._done is None:
            assert self._job is not None  # `start` comes first
            with collect_interrupts() as interrupted:
                self._done = self._train(self._job, lambda: bool(interrupted))
            if interrupted:
                raise KeyboardInterrupt
        return self._done

    def _train(self, job: Job, stopped: Callable[[], bool]) -> JobResult:
        def callback(record: Record) -> bool:
            self._progress(job, record)
            return stopped()

        try:
            return JobResult(job, *self._worker.do(job.work, job.snapshot, callback))
        except SnapshotError as error:
            return JobResult(job, None, error=error)

    def stop(self) -> None:
        """Let no further job begin; between two waits none is under way."""
        self._stopped = True

    def close(self) -> None:
        """Do nothing, since nothing has to be released."""
