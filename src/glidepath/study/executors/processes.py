"""Several trainings at a time on this machine: a process for each, which may die and is then replaced.

A process keeps its task, so a segment that begins where its last one ended is trained on in place. It writes its
snapshots itself; its records come back through a pipe of its own, so that a process that is killed cannot disturb the
others. Only its own segment is trained again.
"""

import multiprocessing
import os
import signal
import sys
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from time import monotonic
from typing import Any, final

from glidepath.errors import GlidepathError, SnapshotError, WorkerLostError
from glidepath.study.curve import Record
from glidepath.study.engine.work import WorkItem
from glidepath.study.engine.worker import Worker
from glidepath.study.store import Snapshots, StoredSnapshot
from glidepath.study.training.interrupts import defer_interrupts
from glidepath.study.training.jobs import Job, JobResult

from .local import Progress

REPORT_EVERY = 0.2  # seconds between two reports of progress
STOP = "stop"


@final
class Processes:
    """A pool of processes.

    Args:
        snapshots: where states are stored.
        threads: CPU threads of one training.
        workers: processes; None for as many as there are cores for.
        progress: called a few times a second for each process.
    """

    def __init__(self, snapshots: Snapshots, threads: int, workers: int | None, progress: Progress) -> None:
        self.slots = workers or max(1, len(os.sched_getaffinity(0)) // threads)
        self._snapshots, self._progress = snapshots, progress
        self._members: list[Member] = []
        self._waiting: deque[JobResult] = deque()

    def start(self, job: Job) -> None:
        """Send a job to the process that is in the state where it begins; else to any that is free."""
        idle = [member for member in self._members if member.job is None]
        in_place = [member for member in idle if member.at == job.work.begins]
        (in_place or idle or [self._add_member()])[0].assign(job)

    def _add_member(self) -> "Member":
        self._members.append(Member(self._snapshots))
        return self._members[-1]

    def wait(self) -> JobResult:
        """Return the next job that is finished, or whose process died."""
        while not self._waiting:
            busy = {member.pipe: member for member in self._members if member.job is not None}
            if not busy:
                raise KeyboardInterrupt  # a second one came between an answer and its registration
            for pipe in wait(list(busy)):
                with defer_interrupts():
                    self._receive(busy[pipe])  # type: ignore[index]  # `wait` returns the pipes that it was called with
        return self._waiting.popleft()

    def _receive(self, member: "Member") -> None:
        job = member.job
        assert job is not None  # only busy ones are listened to
        try:
            message = member.pipe.recv()
        except (EOFError, OSError):
            self._replace(member, job)
            return
        if isinstance(message, Record):
            self._progress(job, message)
        elif isinstance(message, BaseException):
            self._fail(member, job, message)
        else:
            member.job, member.at = None, job.work.ends
            self._waiting.append(JobResult(job, *message))

    def _fail(self, member: "Member", job: Job, error: BaseException) -> None:
        member.job = member.at = None
        if not isinstance(error, SnapshotError):
            raise error
        self._waiting.append(JobResult(job, None, error=error))

    def _replace(self, member: "Member", job: Job) -> None:
        self._members.remove(member)
        code = member.end()
        reason = f"killed by signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        self._waiting.append(JobResult(job, None, error=WorkerLostError(f"a process was lost ({reason})")))

    def stop(self) -> None:
        """Ask every process to end its segment after the present update."""
        for member in self._members:
            if member.job is not None:
                member.send(STOP)

    def close(self) -> None:
        """End every process."""
        for member in self._members:
            member.end()
        self._members = []


@final
class Member:
    """One process, its pipe, and what it is doing. Mutable."""

    def __init__(self, snapshots: Snapshots) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would inherit threads and locks
        self.pipe, other_end = context.Pipe()
        self.process: SpawnProcess = context.Process(
            target=_serve, args=(other_end, snapshots, list(sys.path)), daemon=True
        )
        self.process.start()
        other_end.close()  # so that the pipe ends with the process
        self.job: Job | None = None
        self.at: str | None = None

    def assign(self, job: Job) -> None:
        """Send a job; if the process is dead, `wait` will notice."""
        self.job = job
        self.send((job.work, job.snapshot))

    def send(self, message: Any) -> None:
        """Send a message to a process that may be dead."""
        try:
            self.pipe.send(message)
        except OSError:
            self.at = None

    def end(self) -> int | None:
        """End the process; return its exit code."""
        self.pipe.close()
        self.process.join(timeout=1.0)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        return self.process.exitcode


def _serve(pipe: Connection, snapshots: Snapshots, path: list[str]) -> None:
    """Train job after job in a process of its own, until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the coordinator, which then sends a stop
    sys.path[:] = path
    worker = Worker(snapshots)
    with suppress(EOFError, OSError):  # the coordinator has ended
        while True:
            message = pipe.recv()
            if message != STOP:
                pipe.send(_answer(worker, pipe, *message))


def _answer(worker: Worker, pipe: Connection, work: WorkItem, begin: StoredSnapshot | None) -> Any:
    reported = monotonic()

    def report(record: Record) -> bool:
        nonlocal reported
        if monotonic() - reported > REPORT_EVERY:
            reported = monotonic()
            pipe.send(record)
        return pipe.poll() and pipe.recv() == STOP

    try:
        return worker.do(work, begin, report)
    except GlidepathError as error:
        return error
