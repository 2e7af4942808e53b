"""What the conductor and the executors exchange: a stretch to train, and what became of it."""

from dataclasses import dataclass
from typing import Protocol, final

from glidepath.study.engine.work import WorkItem, WorkResult
from glidepath.study.store import State, StoredSnapshot


@final
@dataclass(frozen=True)
class Job:
    """A segment on its way: its runs, the work, and the snapshot to begin from (None: the very first state)."""

    runs: tuple[int, ...]
    work: WorkItem
    snapshot: StoredSnapshot | None


@final
@dataclass(frozen=True)
class JobResult:
    """What became of a job: what it led to, with the snapshot of its last state; or what went wrong.

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
    """Trains stretches, somewhere."""

    slots: int

    def start(self, job: Job) -> None:
        """Begin a job; at most `slots` are under way at a time."""

    def wait(self) -> JobResult:
        """The next job that is finished. Whatever a task itself does wrong is raised."""

    def stop(self) -> None:
        """Ask every job under way to end after its present update."""

    def close(self) -> None:
        """Give everything back."""
