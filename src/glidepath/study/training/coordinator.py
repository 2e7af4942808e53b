"""The coordinator of a study: which segment to train next, from which state, until every run is finished.

All runs together are a tree (`tree.py`) over their values. A segment is needed if the store lacks some of its updates
or evaluations, or if one that follows it is needed and no snapshot lies between them. A needed segment is ready once
the one before it is not needed. A plateau's values are known as far as its next evaluation; after that its path grows,
and so does the tree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, final

from glidepath.errors import GlidepathError, SnapshotError, StudyError
from glidepath.study.engine.work import TrainingEnv, WorkItem
from glidepath.study.sharing.ledger import Ledger
from glidepath.study.sharing.tree import Segment, Tree, build_segments
from glidepath.study.sharing.values import RunValues
from glidepath.study.store import State, StoredSnapshot

from .interrupts import defer_interrupts
from .jobs import Executor, Job, JobResult

MOST_LOSSES = 10  # times that a segment may lose its worker, or its snapshot


RunningJobs = dict[tuple[str, str], Job]  # by the keys of the states where it begins and ends


class Watcher(Protocol):
    """Sees what a coordinator does; a class that inherits from this one overrides what it wants to see."""

    def on_plan(self, coordinator: "Coordinator") -> None:
        """See a tree that is new, or has grown."""

    def on_result(self, result: JobResult, runs: Sequence[int]) -> None:
        """See the result of a job, and the numbers of the runs that are finished with it."""

    def on_warning(self, message: str) -> None:
        """See what went wrong and was repaired."""


@final
@dataclass
class Coordinator:
    """The tree of a study, and which of its segments are still needed. Mutable.

    Args:
        ledger: what the store has.
        settings: where each run is trained.
        snapshot_every: a segment ends at every multiple, so that a later branch has a state to begin near.
        budget: bytes that the snapshots of the store may take; those that are still needed may take more.
    """

    ledger: Ledger
    envs: Sequence[TrainingEnv]
    snapshot_every: int
    budget: int
    trained: int = 0  # updates, in this call
    tree: Tree = field(default_factory=Tree)
    _complete: set[int] = field(default_factory=set)  # segments of the tree that the ledger has whole
    _losses: dict[str, int] = field(default_factory=dict)

    @property
    def values(self) -> Sequence[RunValues]:
        """Return what the runs receive."""
        return self.ledger.values

    @property
    def segments(self) -> Sequence[Segment]:
        """Return the segments of the tree."""
        return self.tree.segments

    # --- the tree ---

    def plan(self) -> None:
        """Grow every path as far as its evaluations allow, and build the tree again."""
        for number in range(len(self.values)):
            self._consult(number)
        self.tree = Tree(build_segments([self.ledger.path(number) for number in range(len(self.values))], self._cuts))
        self._complete = set()

    def _consult(self, number: int) -> None:
        """Feed a plateau its evaluations, as far as they are known."""
        values = self.values[number]
        while not values.complete and not self.ledger.has_diverged(number):
            metrics = self.ledger.metrics(number, values.resolved_steps - 1)
            if not metrics or self.ledger.end_of_coverage(number, 0) < values.resolved_steps:
                return
            values.consult(next(iter(metrics.values())))
            self.ledger.find_parts(number)

    def _cuts(self, number: int, start: int, stop: int) -> list[int]:
        grid = range(start - start % self.snapshot_every + self.snapshot_every, stop, self.snapshot_every)
        return [*grid, *self.ledger.snapshot_steps(number, start, stop)]

    def find_needed(self) -> set[int]:
        """Return the segments that have to be trained, or trained again, to finish every run."""
        needed: set[int] = set()
        for number in reversed(range(len(self.segments))):
            segment = self.segments[number]
            leads_on = any(child in needed for child in self.tree.children[number])
            if not self._is_complete(number) or (
                leads_on and self.ledger.snapshot(segment.paths[0], segment.stop) is None
            ):
                needed.add(number)
        return needed

    def _is_complete(self, number: int) -> bool:
        """Return whether the ledger has all of a segment; what it once had it keeps."""
        segment = self.segments[number]
        if number not in self._complete and self.ledger.is_complete(segment.paths, segment.start, segment.stop):
            self._complete.add(number)
        return number in self._complete

    def updates_left(self) -> int:
        """Return the updates that are still to be trained, as far as they are known."""
        return sum(self.segments[number].steps for number in self.find_needed())

    def updates_unknown(self) -> int:
        """Return the updates whose values depend on evaluations to come."""
        waiting = (values for i, values in enumerate(self.values) if not self.ledger.has_diverged(i))
        return sum(values.run.horizon - values.resolved_steps for values in waiting)

    def ready(self, needed: set[int], slots: int) -> list[int]:
        """Return the needed segments that can begin now, in the order in which to begin them."""
        ready = [number for number in needed if self.segments[number].parent not in needed]
        if slots == 1:
            return sorted(ready, key=self.tree.place.__getitem__)
        return sorted(ready, key=lambda number: (-self.tree.longest_path[number], number))

    def job(self, number: int) -> Job:
        """Build the job of a segment."""
        segment = self.segments[number]
        run = segment.paths[0]
        values = self.values[run]
        matrix = values.matrix(segment.start, segment.stop)
        keys = values.state_keys.key(segment.start), values.state_keys.key(segment.stop)
        due = self.ledger.due_within(segment.paths, segment.start, segment.stop)
        work = WorkItem(self.envs[run], segment.start, *keys, tuple(values.slots), matrix, due)
        return Job(segment.paths, work, self.ledger.snapshot(run, segment.start) if segment.start else None)

    # --- what comes back ---

    def take(self, result: JobResult) -> bool:
        """Store the result of a job, or note what was wrong with it; return whether the tree may have changed."""
        if result.outcome is None:
            self._count_loss(result)
            return True
        runs, records, start = result.job.runs, result.outcome.records, result.job.work.start
        with self.ledger.store.transaction():  # records without their state would be trained again
            self.ledger.add(runs, start, records, result.outcome.seconds)
            key = self._keep_state(runs[0], start, start + len(records), result.state)
        self.trained += len(records)
        if self.ledger.store.snapshot_bytes() > self.budget:
            self.ledger.evict_to(self.budget, self._states_to_keep() | {key})
        as_planned = isinstance(result.state, StoredSnapshot)
        return not as_planned or self.updates_unknown() > 0  # another process may have learnt what a plateau waits for

    def _keep_state(self, run: int, start: int, stop: int, state: StoredSnapshot | State | None) -> str:
        """Store the state before update `stop`, if there is one; return its key."""
        key = self.values[run].state_keys.key(stop)
        if state is not None:
            saved = state if isinstance(state, StoredSnapshot) else self.ledger.store.snapshots.write(key, state)
            self.ledger.add_snapshot(run, stop, start, saved)
        return key

    def _states_to_keep(self) -> set[str]:
        """Return the keys of the states where needed segments begin."""
        needed = (self.segments[number] for number in self.find_needed())
        return {self.values[segment.paths[0]].state_keys.key(segment.start) for segment in needed}

    def _count_loss(self, result: JobResult) -> None:
        if isinstance(result.error, SnapshotError) and result.job.snapshot is not None:
            self.ledger.delete_snapshot(result.job.snapshot.key)
        key = result.job.work.begins + result.job.work.ends
        self._losses[key] = self._losses.get(key, 0) + 1
        if self._losses[key] >= MOST_LOSSES:
            raise _give_up(result.error)

    def find_finished(self, numbers: Iterable[int]) -> set[int]:
        """Return those of these runs whose every update and evaluation is in the store."""
        return {
            number
            for number in numbers
            if (self.values[number].complete or self.ledger.has_diverged(number))
            and self.ledger.is_complete([number], 0, self.ledger.end(number))
        }


def train_segments(coordinator: Coordinator, executor: Executor, watcher: Watcher) -> None:
    """Train the needed segments until none is left.

    On KeyboardInterrupt, what is running ends after its present update and is kept.

    Raises:
        TaskError: if the task fails.
        StudyError: if the task turns out not to be reproducible, or a segment is lost again and again.
    """
    running: RunningJobs = {}
    try:
        _train_all(coordinator, executor, watcher, running)
    except KeyboardInterrupt:
        executor.stop()
        while running:
            _store(coordinator, executor.wait(), running)
        raise


def _train_all(coordinator: Coordinator, executor: Executor, watcher: Watcher, running: RunningJobs) -> None:
    coordinator.plan()
    finished = coordinator.find_finished(range(len(coordinator.values)))
    watcher.on_plan(coordinator)
    while _begin(coordinator, executor, running):
        result = executor.wait()
        if result.error is not None:
            watcher.on_warning(f"{_reason(result)}; trained again")
        if _store(coordinator, result, running):
            coordinator.plan()
            watcher.on_plan(coordinator)
        new = coordinator.find_finished(set(result.job.runs) - finished)
        finished |= new
        watcher.on_result(result, sorted(new))


def _begin(coordinator: Coordinator, executor: Executor, running: RunningJobs) -> bool:
    """Start what is ready, as far as there are slots; return whether anything is running."""
    for number in coordinator.ready(coordinator.find_needed(), executor.slots):
        if len(running) == executor.slots:
            break
        job = coordinator.job(number)
        name = (job.work.begins, job.work.ends)
        if name not in running:
            with defer_interrupts():
                executor.start(job)
                running[name] = job
    return bool(running)


def _store(coordinator: Coordinator, result: JobResult, running: RunningJobs) -> bool:
    with defer_interrupts():
        del running[result.job.work.begins, result.job.work.ends]
        return coordinator.take(result)


def _give_up(error: Exception | None) -> StudyError:
    """Return the error for a segment that is lost again and again, from the last reason."""
    problem = f"a segment was lost {MOST_LOSSES} times, so it is given up: "
    if isinstance(error, GlidepathError):
        return StudyError([problem, *error.parts()], code=error.code)
    return StudyError(f"{problem}{error}")


def _reason(result: JobResult) -> str:
    error = result.error
    return error.worded() if isinstance(error, GlidepathError) else str(error)
