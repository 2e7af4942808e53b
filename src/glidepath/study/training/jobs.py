"""What the coordinator and the executors exchange: a segment to train, and its result."""

from dataclasses import dataclass
from typing import Protocol, final

from glidepath.study.engine.work import WorkItem, WorkResult
from glidepath.study.store import State, StoredSnapshot


@final
@dataclass(frozen=True)
class Job:
    """A segment to train: its runs, the work, and the snapshot to begin from (None: the very first state)."""

    runs: tuple[int, ...]
    work: WorkItem
    snapshot: StoredSnapshot | None


@final
@dataclass(frozen=True)
class JobResult:
    """The result of a job: its records, with the snapshot of its last state; or what went wrong.

    Args:
        job: the job.
        outcome: None if it was lost.
        state: after the last update, as a snapshot or itself; None if the loss stopped being finite.
        error: a snapshot that cannot be used, or a worker that is gone: the job is done again.
    """

    job: Job
    outcome: WorkResult | None
    state: StoredSnapshot | State | None = None
    error: Exception | None = None


class Executor(Protocol):
    """Trains segments, somewhere."""

    slots: int

    def start(self, job: Job) -> None:
        """Begin a job; at most `slots` run at a time."""

    def wait(self) -> JobResult:
        """Return the result of the next job that ends; what a task itself does wrong is raised."""

    def stop(self) -> None:
        """Ask every running job to end after its present update."""

    def close(self) -> None:
        """Release processes and connections."""
