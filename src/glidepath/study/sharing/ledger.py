"""The ledger of a study: which updates of its runs are in the store, and which are missing.

A stored segment serves a run as far as both receive the same values from the same state: it must begin at a state of
the run (equal keys), and it may end, or part from the run, anywhere. So segments are never cut again, however
many later studies branch off inside them, and a loss is always counted from the start of the segment that holds it.
"""

import math
from collections.abc import Collection, Container, Iterable, Sequence
from typing import final

from glidepath.errors import StudyError
from glidepath.study.curve import Curve, Record, same
from glidepath.study.store import Store, StoredSnapshot
from glidepath.study.store.database import SegmentRange, StoredSegment
from glidepath.tasks.failures import WITHOUT_SHARING

from .tree import UpdatePath, distinct_updates, first_difference
from .values import RunValues


@final
class Ledger:
    """The parts of the store that belong to some runs; grows while they are trained.

    Args:
        store: where everything is stored.
        values: of the runs, by number.
        due: the updates after which each run is evaluated.
    """

    def __init__(self, store: Store, values: Sequence[RunValues], due: Sequence[Collection[int]]) -> None:
        self.store, self.values, self.due = store, values, due
        paths = {run.path.origin for run in values}
        self._last = dict.fromkeys(paths, 0)  # the number of the newest segment that was read
        self._starts: dict[str, set[int]] = {path: set() for path in paths}
        self._by_start: dict[str, list[StoredSegment]] = {}  # by the key of the state where they begin
        for path in paths:
            for segment in store.segments_of(path):
                self._index(segment)
        self._snapshots = {path: store.snapshots_of(path) for path in paths}
        self._parts: list[list[SegmentRange]] = [[] for _ in values]
        self._ends: list[int | None] = [None] * len(values)  # where a run diverged
        self._evaluations: dict[str, dict[str, float]] = {}
        for number in range(len(values)):
            self.find_parts(number)

    # --- what is stored ---

    def find_parts(self, number: int) -> None:
        """Look up the stored parts of a run, as far as its values are resolved."""
        run = self.values[number]
        keys = {run.state_keys.key(start) for start in self._starts[run.path.origin] if start < run.resolved_steps}
        starts = self._by_start.keys() & keys
        parts = [part for key in starts for segment in self._by_start[key] if (part := self._part_for(number, segment))]
        self._parts[number] = _in_order(parts)

    def _index(self, segment: StoredSegment) -> None:
        self._last[segment.path] = max(self._last[segment.path], segment.number)
        self._starts[segment.path].add(segment.start)
        self._by_start.setdefault(segment.begins, []).append(segment)

    def _part_for(self, number: int, segment: StoredSegment) -> SegmentRange | None:
        """Return the updates of a segment that are this run's too."""
        run = self.values[number]
        if segment.start >= run.resolved_steps or run.state_keys.key(segment.start) != segment.begins:
            return None
        stop, width = min(segment.stop, run.resolved_steps), run.path.width
        own = memoryview(run.path.rows)[segment.start * width : stop * width]
        same = segment.start + first_difference(own, memoryview(segment.rows)[: len(own)], width)
        if segment.diverged and same == segment.stop:
            self._ends[number] = segment.stop
        return SegmentRange(segment.number, segment.start, same) if same > segment.start else None

    def end(self, number: int) -> int:
        """Return the step at which a run's resolved values end, or at which it diverged."""
        end = self._ends[number]
        return self.values[number].resolved_steps if end is None else end

    def has_diverged(self, number: int) -> bool:
        """Return whether the run has diverged."""
        return self._ends[number] is not None

    def end_of_coverage(self, number: int, start: int) -> int:
        """Return the step up to which every update from `start` on is stored; `start` if that update is not."""
        for part in self._parts[number]:
            if part.start <= start < part.stop:
                start = part.stop
        return start

    def is_complete(self, numbers: Sequence[int], start: int, stop: int) -> bool:
        """Return whether updates start..stop-1, which these runs share, are stored, with all evaluations due."""
        if self.end_of_coverage(numbers[0], start) < stop:
            return False
        return all(self.is_evaluated(numbers[0], update) for update in self.due_within(numbers, start, stop))

    def due_within(self, numbers: Iterable[int], start: int, stop: int) -> frozenset[int]:
        """Return the updates of start..stop-1 after which at least one of these runs is evaluated."""
        return frozenset(update for number in numbers for update in self.due[number] if start <= update < stop)

    def is_evaluated(self, number: int, update: int) -> bool:
        """Return whether the state after an update was evaluated, or has diverged."""
        return update + 1 == self._ends[number] or bool(self.metrics(number, update))

    def metrics(self, number: int, update: int) -> dict[str, float]:
        """Return the metrics after an update; empty if it was not evaluated."""
        key = self.values[number].state_keys.key(update + 1)
        if not self._evaluations.get(key):
            self._evaluations[key] = self.store.evaluation(key)
        return self._evaluations[key]

    def snapshot(self, number: int, step: int) -> StoredSnapshot | None:
        """Return the snapshot of a run's state before update `step`; None if there is none."""
        run = self.values[number]
        entry = self._snapshots[run.path.origin].get(run.state_keys.key(step))
        return None if entry is None else entry[1]

    def snapshot_steps(self, number: int, start: int, stop: int) -> list[int]:
        """Return the steps between start and stop where there are snapshots of a run's states."""
        run = self.values[number]
        snapshots = self._snapshots[run.path.origin].items()
        return [step for key, (step, _) in snapshots if start < step < stop and run.state_keys.key(step) == key]

    # --- what is added ---

    def add(self, numbers: Sequence[int], start: int, records: Sequence[Record], seconds: float) -> None:
        """Store the result of training these runs from `start` on; what was stored before must be the same again.

        Raises:
            StudyError: if it is not, since then the task cannot be reproduced.
        """
        first, diverged = self.values[numbers[0]], not math.isfinite(records[-1].loss)
        stop, width = start + len(records), first.path.width
        metrics = {first.state_keys.key(record.step + 1): dict(record.metrics) for record in records if record.metrics}
        with self.store.transaction():
            self.refresh()
            self._compare(numbers[0], start, records)
            self.store.add_evaluations(metrics)
            fresh = self.end_of_coverage(numbers[0], start)
            if fresh < stop:
                keys = first.state_keys.key(fresh), first.state_keys.key(stop)
                inside = bytes(first.path.rows[fresh * width : stop * width])
                segment = StoredSegment(0, first.path.origin, fresh, stop, *keys, diverged, width, inside)
                self._assign(self.store.add(segment, records[fresh - start :], seconds))
        self._evaluations |= metrics

    def refresh(self) -> None:
        """Read what other processes have added to the store in the meantime."""
        if not self.store.has_changed():
            return
        for path, last in self._last.items():
            for segment in self.store.segments_of(path, after=last):
                self._assign(segment)
            self._snapshots[path] = self.store.snapshots_of(path)

    def _assign(self, segment: StoredSegment) -> None:
        """Add a segment to every run that it serves, not only to those that it was trained for."""
        self._index(segment)
        for number, run in enumerate(self.values):
            part = self._part_for(number, segment) if run.path.origin == segment.path else None
            if part is not None:
                self._parts[number] = _in_order([*self._parts[number], part])

    def _compare(self, number: int, start: int, records: Sequence[Record]) -> None:
        stored = {record.step: record.loss for record in self.records(number, start, start + len(records))}
        for record in records:
            before = stored.get(record.step, record.loss)
            if not same(before, record.loss):
                raise StudyError(
                    f"update {record.step} of {self.values[number].run} was trained again and had the loss "
                    f"{record.loss!r}; the store has {before!r}, so the task cannot be reproduced",
                    cures=[WITHOUT_SHARING],
                )

    def add_snapshot(self, number: int, step: int, before: int, snapshot: StoredSnapshot) -> None:
        """Register a snapshot of a run's state before update `step`; its segment began at `before`."""
        run = self.values[number]
        registered = self.store.add_snapshot(snapshot, run.path.origin, step, run.state_keys.key(before))
        self._snapshots[run.path.origin][registered.key] = step, registered

    def delete_snapshot(self, key: str) -> None:
        """Delete a snapshot that cannot be read."""
        for snapshots in self._snapshots.values():
            if key in snapshots:
                self.store.delete_snapshots([snapshots.pop(key)[1]])

    def evict_to(self, budget: int, needed: Container[str]) -> None:
        """Delete snapshots until the store's take no more than a budget; those of `needed` states stay."""
        for evicted in self.store.evict_to(budget, needed):
            for snapshots in self._snapshots.values():
                snapshots.pop(evicted.key, None)

    # --- curves ---

    def records(self, number: int, start: int, stop: int) -> list[Record]:
        """Return the stored records of updates start..stop-1, without metrics."""
        parts = [_within(part, start, stop) for part in self.parts(number)]
        return [record for part in parts if part for record in self.store.records(part)]

    def parts(self, number: int) -> list[SegmentRange]:
        """Return the parts of segments that a run consists of, each update once."""
        return self._parts[number]

    def distinct_updates(self) -> int:
        """Return the number of different updates that the runs consist of."""
        return distinct_updates([self.path(number) for number in range(len(self.values))])

    def path(self, number: int) -> UpdatePath:
        """Return what a run receives, as far as it is resolved and until it diverges."""
        path = self.values[number].path
        if self.end(number) == path.steps:
            return path
        return UpdatePath(path.origin, path.width, path.rows[: self.end(number) * path.width])

    def curve(self, number: int) -> Curve:
        """Return the curve of a finished run, with the evaluations that are its own."""
        run, due = self.values[number], set(self.due[number])
        records = self.records(number, 0, self.end(number))
        whole = (Record(r.step, r.rate, r.loss, self.metrics(number, r.step) if r.step in due else {}) for r in records)
        return Curve(run.run, run.peak, tuple(whole))


def _in_order(parts: Iterable[SegmentRange]) -> list[SegmentRange]:
    """Sort the parts by their updates, each update in a single part: the one that reaches farthest."""
    ordered: list[SegmentRange] = []
    covered = 0
    for part in sorted(parts, key=lambda part: (part.start, -part.stop)):
        if part.stop > covered:
            ordered.append(SegmentRange(part.segment, max(part.start, covered), part.stop))
            covered = part.stop
    return ordered


def _within(part: SegmentRange, start: int, stop: int) -> SegmentRange | None:
    first, last = max(part.start, start), min(part.stop, stop)
    return SegmentRange(part.segment, first, last) if first < last else None
