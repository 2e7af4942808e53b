"""Does one job after the other in this process, and goes on in place where the next begins where the last one ended."""

from typing import final

from glidepath.errors import MachineError, TaskError
from glidepath.study.store import Snapshots, StoredSnapshot
from glidepath.tasks import load_task
from glidepath.tasks.loading import NamedTask

from .origin import first_facts, machine
from .session import Session
from .state import State
from .work import TrainingEnv, UpdateCallback, WorkItem, WorkResult


@final
class Worker:
    """Keeps the session of the last job. Mutable.

    Args:
        snapshots: where states are kept; None if the caller keeps them.
    """

    def __init__(self, snapshots: Snapshots | None) -> None:
        self.snapshots = snapshots
        self._session: Session | None = None
        self._setting: TrainingEnv | None = None
        self._named: NamedTask | None = None
        self._at: str | None = None  # the key of the state that the session is in

    def do(
        self, work: WorkItem, begin: StoredSnapshot | State | None, watch: UpdateCallback
    ) -> tuple[WorkResult, StoredSnapshot | State | None]:
        """Train a stretch.

        Args:
            work: the stretch.
            begin: the state before it, or the snapshot of it; None for the first state of all.
            watch: called after every update; whether to stop there.

        Returns:
            What it led to, and the snapshot of its last state. Where the caller keeps states, or the work was stopped
            before its end, that state itself; None if the loss stopped being finite.

        Raises:
            SnapshotError: if the snapshot cannot be used.
            MachineError: if this machine would train other bits.
            TaskError: if the task does something wrong, or is another one by now.
        """
        session = self._brought_to(work, begin)
        self._at = None  # until the job is done nobody can say where the session is
        outcome = session.train(work, watch)
        if not outcome.finite:
            return outcome, None
        state = session.state()
        if len(outcome.records) < len(work.values):
            return outcome, state
        self._at = work.ends
        return outcome, state if self.snapshots is None else self.snapshots.write(work.ends, state)

    def _brought_to(self, work: WorkItem, begin: StoredSnapshot | State | None) -> Session:
        anew = work.setting.alone and work.start == 0
        if self._session is None or self._setting != work.setting or anew:
            self._session, self._at = self._built(work.setting), None
            self._setting = work.setting
        if self._at != work.begins:
            self._session.restore(self._state(begin))
        return self._session

    def _built(self, setting: TrainingEnv) -> Session:
        here = machine()
        if here != setting.machine:
            raise MachineError(f"this worker is another machine ({here}) than {setting.machine}: its bits would differ")
        session = Session(self._loaded(setting), setting.seed, setting.threads)
        if not setting.alone and "/".join(first_facts(session)) != setting.first:
            raise TaskError(
                f"{setting.task} begins with other weights or another batch here than where the study was planned: are "
                "the data the same? Does it depend on the order of a set (PYTHONHASHSEED), or on the folder it runs in?"
            )
        return session

    def _loaded(self, setting: TrainingEnv) -> NamedTask:
        """The task as it was when the study began: read once, whoever edits its file in the meantime."""
        if self._named is None or self._named.name != setting.task:
            named = load_task(setting.task)
            if named.fingerprint != setting.code:
                raise TaskError(
                    f"the code of {setting.task} has changed since this study began; the same command trains what it "
                    "is now, from the beginning"
                )
            self._named = named
        return self._named

    def _state(self, begin: StoredSnapshot | State | None) -> State | None:
        return self.snapshots.read(begin) if isinstance(begin, StoredSnapshot) and self.snapshots else begin  # type: ignore[return-value]
