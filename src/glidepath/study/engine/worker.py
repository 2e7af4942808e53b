"""A worker trains one item after the other in this process, in place where the next begins in its present state."""

from typing import final

from glidepath.errors import MachineError, TaskError
from glidepath.study.store import Snapshots, StoredSnapshot
from glidepath.tasks import load_task
from glidepath.tasks.loading import NamedTask

from .origin import first_digests, machine
from .session import Session
from .state import State
from .work import TrainingEnv, UpdateCallback, WorkItem, WorkResult


@final
class Worker:
    """Keeps the session of the last work item. Mutable.

    Args:
        snapshots: where states are stored; None if the caller stores them.
    """

    def __init__(self, snapshots: Snapshots | None) -> None:
        self.snapshots = snapshots
        self._session: Session | None = None
        self._env: TrainingEnv | None = None
        self._named: NamedTask | None = None
        self._at: str | None = None  # the key of the state that the session is in

    def do(
        self, work: WorkItem, begin: StoredSnapshot | State | None, callback: UpdateCallback
    ) -> tuple[WorkResult, StoredSnapshot | State | None]:
        """Train a segment.

        Args:
            work: the segment.
            begin: the state before it, or its snapshot; None for the first state of all.
            callback: called after every update; returns whether to stop there.

        Returns:
            Its result, and the snapshot of its last state. Where the caller keeps states, or the work was stopped
            before its end, that state itself; None if the loss stopped being finite.

        Raises:
            SnapshotError: if the snapshot cannot be used.
            MachineError: if this machine would train other bits.
            TaskError: if the task does something wrong, or its code has changed.
        """
        session = self._session_at(work, begin)
        self._at = None  # unknown until the segment is trained
        result = session.train(work, callback)
        if not result.finite:
            return result, None
        state = session.state()
        if len(result.records) < len(work.values):
            return result, state
        self._at = work.ends
        return result, state if self.snapshots is None else self.snapshots.write(work.ends, state)

    def _session_at(self, work: WorkItem, begin: StoredSnapshot | State | None) -> Session:
        restart = work.env.alone and work.start == 0
        if self._session is None or self._env != work.env or restart:
            self._session, self._at = self._build(work.env), None
            self._env = work.env
        if self._at != work.begins:
            self._session.restore(self._state(begin))
        return self._session

    def _build(self, env: TrainingEnv) -> Session:
        here = machine()
        if here != env.machine:
            raise MachineError(f"this worker is another machine ({here}) than {env.machine}: its bits would differ")
        session = Session(self._load(env), env.seed, env.threads)
        if not env.alone and "/".join(first_digests(session)) != env.first:
            raise TaskError(
                f"{env.task} begins with other weights or another batch here than where the study was planned: are "
                "the data the same? Does it depend on the order of a set (PYTHONHASHSEED), or on the folder it runs in?"
            )
        return session

    def _load(self, env: TrainingEnv) -> NamedTask:
        """Return the task as it was when the study began: read once, although its file may change in the meantime."""
        if self._named is None or self._named.name != env.task:
            named = load_task(env.task)
            if named.fingerprint != env.code:
                raise TaskError(
                    f"the code of {env.task} has changed since this study began; the same command trains what it "
                    "is now, from the beginning"
                )
            self._named = named
        return self._named

    def _state(self, begin: StoredSnapshot | State | None) -> State | None:
        return self.snapshots.read(begin) if isinstance(begin, StoredSnapshot) and self.snapshots else begin  # type: ignore[return-value]
