"""Leads a study: which stretch to train next, from which state, until every run is finished.

All runs together are a tree (`tree.py`) over what is known of their values. A segment is wanted if its updates or
evaluations are unknown, or if one that follows it is wanted and no snapshot lies between them. A wanted segment is
ready once the one before it is not wanted. A plateau's values are known as far as its next evaluation; when that is
in, its path grows, and so does the tree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, final

from glidepath.errors import SnapshotError, StudyError
from glidepath.study.engine.work import TrainingEnv, WorkItem
from glidepath.study.sharing.ledger import Ledger
from glidepath.study.sharing.tree import Segment, Tree, build_segments
from glidepath.study.sharing.values import RunValues
from glidepath.study.store import State, StoredSnapshot

from .interrupts import defer_interrupts
from .jobs import Executor, Job, JobResult

MOST_LOSSES = 10  # times that one stretch may lose its worker, or its snapshot


UnderWay = dict[tuple[str, str], Job]  # by the keys of the states where it begins and ends


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
    """The tree of a study, and what of it is still wanted. Mutable.

    Args:
        ledger: what is known.
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
    _known: set[int] = field(default_factory=set)  # segments of the tree that the ledger has whole
    _losses: dict[str, int] = field(default_factory=dict)

    @property
    def values(self) -> Sequence[RunValues]:
        """What the runs receive."""
        return self.ledger.values

    @property
    def segments(self) -> Sequence[Segment]:
        """The segments of the tree."""
        return self.tree.segments

    # --- the tree ---

    def plan(self) -> None:
        """Grow every path as far as its evaluations allow, and make the tree anew."""
        for number in range(len(self.values)):
            self._consult(number)
        self.tree = Tree(build_segments([self.ledger.path(number) for number in range(len(self.values))], self._cuts))
        self._known = set()

    def _consult(self, number: int) -> None:
        """Tell a plateau what its evaluations were, as far as they are known."""
        one = self.values[number]
        while not one.complete and not self.ledger.has_diverged(number):
            metrics = self.ledger.metrics(number, one.resolved_steps - 1)
            if not metrics or self.ledger.end_of_coverage(number, 0) < one.resolved_steps:
                return
            one.consult(next(iter(metrics.values())))
            self.ledger.find_parts(number)

    def _cuts(self, number: int, start: int, stop: int) -> list[int]:
        grid = range(start - start % self.snapshot_every + self.snapshot_every, stop, self.snapshot_every)
        return [*grid, *self.ledger.snapshot_steps(number, start, stop)]

    def find_needed(self) -> set[int]:
        """The segments that have to be trained, or trained again, to finish every run."""
        wanted: set[int] = set()
        for number in reversed(range(len(self.segments))):
            segment = self.segments[number]
            leads_on = any(child in wanted for child in self.tree.children[number])
            if not self._is_known(number) or (
                leads_on and self.ledger.snapshot(segment.paths[0], segment.stop) is None
            ):
                wanted.add(number)
        return wanted

    def _is_known(self, number: int) -> bool:
        """Whether the ledger has all of a segment; what it once had it keeps."""
        segment = self.segments[number]
        if number not in self._known and self.ledger.is_complete(segment.paths, segment.start, segment.stop):
            self._known.add(number)
        return number in self._known

    def updates_left(self) -> int:
        """Updates that are still to be trained, as far as they are known."""
        return sum(self.segments[number].steps for number in self.find_needed())

    def updates_unknown(self) -> int:
        """Updates whose values depend on evaluations to come."""
        waiting = (one for i, one in enumerate(self.values) if not self.ledger.has_diverged(i))
        return sum(one.run.horizon - one.resolved_steps for one in waiting)

    def ready(self, wanted: set[int], slots: int) -> list[int]:
        """The wanted segments that can begin now, in the order in which to begin them."""
        ready = [number for number in wanted if self.segments[number].parent not in wanted]
        if slots == 1:
            return sorted(ready, key=self.tree.place.__getitem__)
        return sorted(ready, key=lambda number: (-self.tree.longest_path[number], number))

    def job(self, number: int) -> Job:
        """What to train for a segment."""
        segment = self.segments[number]
        one, run = self.values[segment.paths[0]], segment.paths[0]
        table = one.matrix(segment.start, segment.stop)
        keys = one.state_keys.key(segment.start), one.state_keys.key(segment.stop)
        due = self.ledger.due_within(segment.paths, segment.start, segment.stop)
        work = WorkItem(self.envs[run], segment.start, *keys, tuple(one.slots), table, due)
        return Job(segment.paths, work, self.ledger.snapshot(run, segment.start) if segment.start else None)

    # --- what comes back ---

    def take(self, done: JobResult) -> bool:
        """Keep what a job led to, or what was wrong with it; whether the tree may now be another."""
        if done.outcome is None:
            self._lost(done)
            return True
        runs, records, start = done.job.runs, done.outcome.records, done.job.work.start
        with self.ledger.store.transaction():  # records without their state would be trained again
            self.ledger.add(runs, start, records, done.outcome.seconds)
            key = self._keep_state(runs[0], start, start + len(records), done.state)
        self.trained += len(records)
        if self.ledger.store.snapshot_bytes() > self.budget:
            self.ledger.evict_to(self.budget, self._needed() | {key})
        as_planned = isinstance(done.state, StoredSnapshot)
        return not as_planned or self.updates_unknown() > 0  # another process may have learnt what a plateau waits for

    def _keep_state(self, run: int, start: int, stop: int, state: StoredSnapshot | State | None) -> str:
        """Keep the state before update `stop`, if there is one; its key."""
        key = self.values[run].state_keys.key(stop)
        if state is not None:
            saved = state if isinstance(state, StoredSnapshot) else self.ledger.store.snapshots.write(key, state)
            self.ledger.add_snapshot(run, stop, start, saved)
        return key

    def _needed(self) -> set[str]:
        """The states where wanted segments begin."""
        wanted = (self.segments[number] for number in self.find_needed())
        return {self.values[segment.paths[0]].state_keys.key(segment.start) for segment in wanted}

    def _lost(self, done: JobResult) -> None:
        if isinstance(done.error, SnapshotError) and done.job.snapshot is not None:
            self.ledger.delete_snapshot(done.job.snapshot.key)
        key = done.job.work.begins + done.job.work.ends
        self._losses[key] = self._losses.get(key, 0) + 1
        if self._losses[key] >= MOST_LOSSES:
            raise StudyError(f"a stretch was lost {MOST_LOSSES} times, so it is given up: {done.error}")

    def find_finished(self, numbers: Iterable[int]) -> set[int]:
        """Those of these runs of which everything is known."""
        return {
            number
            for number in numbers
            if (self.values[number].complete or self.ledger.has_diverged(number))
            and self.ledger.is_complete([number], 0, self.ledger.end(number))
        }


def train_segments(coordinator: Coordinator, executor: Executor, watcher: Watcher) -> None:
    """Train whatever is wanted until nothing is.

    On KeyboardInterrupt, what is under way ends after its present update and is kept.

    Raises:
        TaskError: if the task fails.
        StudyError: if the task turns out not to be reproducible, or a stretch is lost again and again.
    """
    under_way: UnderWay = {}
    try:
        _until_done(coordinator, executor, watcher, under_way)
    except KeyboardInterrupt:
        executor.stop()
        while under_way:
            _keep(coordinator, executor.wait(), under_way)
        raise


def _until_done(coordinator: Coordinator, executor: Executor, watcher: Watcher, under_way: UnderWay) -> None:
    coordinator.plan()
    finished = coordinator.find_finished(range(len(coordinator.values)))
    watcher.on_plan(coordinator)
    while _begin(coordinator, executor, under_way):
        done = executor.wait()
        if done.error is not None:
            watcher.on_warning(f"{done.error}; trained again")
        if _keep(coordinator, done, under_way):
            coordinator.plan()
            watcher.on_plan(coordinator)
        new = coordinator.find_finished(set(done.job.runs) - finished)
        finished |= new
        watcher.on_result(done, sorted(new))


def _begin(coordinator: Coordinator, executor: Executor, under_way: UnderWay) -> bool:
    """Start what is ready, as far as there are slots; whether anything is under way."""
    for number in coordinator.ready(coordinator.find_needed(), executor.slots):
        if len(under_way) == executor.slots:
            break
        job = coordinator.job(number)
        name = (job.work.begins, job.work.ends)
        if name not in under_way:
            with defer_interrupts():
                executor.start(job)
                under_way[name] = job
    return bool(under_way)


def _keep(coordinator: Coordinator, done: JobResult, under_way: UnderWay) -> bool:
    with defer_interrupts():
        del under_way[done.job.work.begins, done.job.work.ends]
        return coordinator.take(done)
