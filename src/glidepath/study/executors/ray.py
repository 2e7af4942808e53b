"""Trainings on a Ray cluster: each segment is a Ray task, which Ray places, and repeats if its machine is lost.

A segment's last state stays in Ray's object store as arrays, so the segments that follow find it there, on whichever
machine they run; one that runs in the process where it was trained continues in place. Only this process, the driver,
writes the store. Ray must be the same version everywhere, and PyTorch too: a worker that would train other bits is
refused.

Source:
    Moritz et al., 2018, Ray: A Distributed Framework for Emerging AI Applications, https://arxiv.org/abs/1712.05889.
"""

import sys
from collections import OrderedDict, deque
from pathlib import Path
from time import monotonic
from typing import Any, final

import ray
import torch
from ray.exceptions import RayError, RayTaskError, RuntimeEnvSetupError

from glidepath.errors import SnapshotError, StudyError, WorkerLostError
from glidepath.study.curve import Record
from glidepath.study.engine.work import WorkResult
from glidepath.study.store import Snapshots, State, StoredSnapshot
from glidepath.study.training.jobs import Job, JobResult
from glidepath.tasks import load_task

from .arrays import pack, unpack
from .local import Progress
from .ray_cluster import brief, connect, count_slots
from .ray_worker import REPORT_EVERY, Home, libraries, new_board, train

MOST_BYTES = 2**30  # of states to hold in Ray's memory, beyond two for each training
RETRIES = 3  # times that Ray repeats a segment by itself


@final
class Ray:
    """Trains on a Ray cluster: the one this process is connected to, the one at an address, or one that it starts.

    Args:
        snapshots: where states are stored; only the driver's disk.
        address: HOST:PORT or ray://HOST:PORT; None for RAY_ADDRESS, or a cluster here that ends with the study.
            To a cluster that it connects to, the folder where you are is sent, so that workers find the task.
        threads: CPU threads of one training.
        workers: trainings at a time; None for as many as there are cores, or GPUs, for. More than there are now wait
            until the cluster has grown.
        gpus: of one training, which may be a fraction; None for one, if the driver has any.
        progress: called a few times a second for each training.

    Raises:
        StudyError: if no machine of the cluster is large enough for one training, or none answers.
    """

    def __init__(
        self,
        snapshots: Snapshots,
        address: str | None = None,
        *,
        threads: int = 1,
        workers: int | None = None,
        gpus: float | None = None,
        progress: Progress = lambda job, record: None,
    ) -> None:
        self._snapshots, self._progress = snapshots, progress
        self._gpus = float(torch.cuda.is_available()) if gpus is None else gpus
        self._own = not ray.is_initialized()
        shipped = connect(address, threads * (workers or 0), snapshots.folder.parent) if self._own else False
        self.slots = workers or self._count_slots(threads)
        self._folder = None if shipped else str(Path.cwd())
        self._homes: dict[str, Home] = {}
        self._board = new_board()
        self._asked = self._board.look.remote()
        self._train: Any = ray.remote(
            num_returns=2, num_cpus=threads, num_gpus=self._gpus, max_retries=RETRIES, max_calls=0
        )(train)
        self._jobs: dict[Any, tuple[Job, Any]] = {}  # by the reference of the outcome, with that of the state
        self._states: OrderedDict[str, tuple[Any, int]] = OrderedDict()  # references and bytes, by key
        self._waiting: deque[JobResult] = deque()
        self._shown = monotonic()

    def _count_slots(self, threads: int) -> int:
        slots = count_slots(threads, self._gpus)
        if slots == 0:
            if self._own:
                ray.shutdown()
            wanted = f"{threads} CPU{'s' * (threads > 1)}" + (f" and {self._gpus:g} GPU" if self._gpus else "")
            raise StudyError(f"no machine of the Ray cluster has {wanted}, which one training takes: start larger ones")
        return slots

    def start(self, job: Job) -> None:
        """Hand a job to Ray."""
        try:
            begin = self._state_before(job)
        except SnapshotError as error:
            self._waiting.append(JobResult(job, None, error=error))
            return
        outcome, state = self._train.remote(self._home(job.work.env.task), job.work, begin, self._board)
        self._jobs[outcome] = job, state

    def _state_before(self, job: Job) -> Any:
        """Return a reference to the state where a job begins; None for the first state of all."""
        if job.snapshot is None:
            return None
        key = job.work.begins
        if key not in self._states:
            self._remember(job.snapshot, ray.put(pack(self._snapshots.read(job.snapshot))))
        self._states.move_to_end(key)
        return self._states[key][0]

    def _remember(self, snapshot: StoredSnapshot, state: Any) -> None:
        """Hold a reference to a state, which keeps it in Ray's memory; drop those least recently used."""
        self._states[snapshot.key] = state, snapshot.bytes
        while len(self._states) > 2 * self.slots and sum(size for _, size in self._states.values()) > MOST_BYTES:
            self._states.popitem(last=False)

    def _home(self, task: str) -> "Home":
        if task not in self._homes:
            self._homes[task] = Home(self._folder, tuple(sys.path), libraries(), task, load_task(task).fingerprint)
        return self._homes[task]

    def wait(self) -> JobResult:
        """Return the next job that is finished, or that Ray could not finish."""
        while not self._waiting:
            finished, _ = ray.wait(list(self._jobs), num_returns=1, timeout=REPORT_EVERY)
            for outcome in finished:
                self._waiting.append(self._result_of(outcome, *self._jobs[outcome]))
                del self._jobs[outcome]  # not before: Ctrl-C may come in between
            if monotonic() - self._shown > REPORT_EVERY:
                self._report()
        return self._waiting.popleft()

    def _result_of(self, reference: Any, job: Job, state: Any) -> JobResult:
        try:
            outcome, last = ray.get([reference, state])
        except RuntimeEnvSetupError as error:
            raise StudyError(f"Ray could not send this folder to its workers: {brief(error)}") from None
        except RayError as error:
            cause = error.cause if isinstance(error, RayTaskError) else error
            if not isinstance(cause, RayError):
                raise cause from None
            self._states.pop(job.work.begins, None)  # it may be what was lost; its snapshot is not
            return JobResult(job, None, error=WorkerLostError(f"a Ray worker was lost ({brief(cause)})"))
        return JobResult(job, outcome, self._store_state(job, state, outcome, last))

    def _store_state(self, job: Job, reference: Any, outcome: WorkResult, last: State | None) -> Any:
        """Return the snapshot of a job's last state; the state itself if it was stopped; None if it diverged."""
        if last is None or len(outcome.records) < len(job.work.values):
            return None if last is None else unpack(last)
        snapshot = self._snapshots.write(job.work.ends, unpack(last))
        self._remember(snapshot, reference)
        return snapshot

    def _report(self) -> None:
        """Report the progress of the jobs, if the board has answered, and ask it again."""
        self._shown = monotonic()
        answered, _ = ray.wait([self._asked], timeout=0)
        if not answered:
            return
        try:
            latest = ray.get(self._asked)
        except RayError:
            latest = {}  # the board is being started again, and only progress was lost
        self._asked = self._board.look.remote()
        for job, _ in self._jobs.values():
            if job.work.ends in latest:
                self._progress(job, Record(*latest[job.work.ends]))

    def stop(self) -> None:
        """Ask every job to end; the request arrives within a second or the update after next, whichever is later.

        Not by Ray's own cancellation, which aborts the driver if a task ends at the same moment (ray-project/ray#54798
        mends one half of it; Ray 2.60 has the other).
        """
        self._board.stop.remote()

    def close(self) -> None:
        """Release everything; in a cluster that ran before, what is under way ends as in `stop`."""
        if self._own:
            ray.shutdown()
        else:
            ray.kill(self._board)
        self._jobs, self._states = {}, OrderedDict()
