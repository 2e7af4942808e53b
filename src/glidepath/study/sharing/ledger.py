"""What the store already knows about the runs of a study, and what it does not.

A stored segment serves a run as far as both receive the same values from the same state: it must begin at one of the
run's own states (equal keys), and it may end, or part from the run, anywhere. So segments are never cut again, however
many later studies branch off inside them, and a loss is always counted from the start of the segment that holds it.
"""

import math
from collections.abc import Collection, Container, Iterable, Sequence
from typing import final

from glidepath.errors import StudyError
from glidepath.study.curve import Curve, Record, same
from glidepath.study.store import Store, StoredSnapshot
from glidepath.study.store.database import SegmentRange, StoredSegment

from .tree import UpdatePath, agreement, distinct_updates
from .values import RunValues


@final
class Ledger:
    """The state of knowledge about some runs; grows while they are trained.

    Args:
        store: where everything is kept.
        values: of the runs, by number.
        due: the updates after which each run is evaluated.
    """

    def __init__(self, store: Store, values: Sequence[RunValues], due: Sequence[Collection[int]]) -> None:
        self.store, self.values, self.due = store, values, due
        paths = {one.path.origin for one in values}
        self._last = dict.fromkeys(paths, 0)  # the number of the newest segment that is known
        self._starts: dict[str, set[int]] = {path: set() for path in paths}
        self._begun: dict[str, list[StoredSegment]] = {}  # by the key of the state where they begin
        for path in paths:
            for stretch in store.segments_of(path):
                self._shelve(stretch)
        self._saved = {path: store.snapshots_of(path) for path in paths}
        self._pieces: list[list[SegmentRange]] = [[] for _ in values]
        self._ends: list[int | None] = [None] * len(values)  # where a run diverged
        self._evaluations: dict[str, dict[str, float]] = {}
        for number in range(len(values)):
            self.look(number)

    # --- what is known ---

    def look(self, number: int) -> None:
        """Find the pieces of one run, as far as its values are known."""
        one = self.values[number]
        keys = {one.state_keys.key(start) for start in self._starts[one.path.origin] if start < one.resolved_steps}
        begun = self._begun.keys() & keys
        found = [piece for key in begun for stretch in self._begun[key] if (piece := self._served(number, stretch))]
        self._pieces[number] = _in_order(found)

    def _shelve(self, stretch: StoredSegment) -> None:
        self._last[stretch.path] = max(self._last[stretch.path], stretch.number)
        self._starts[stretch.path].add(stretch.start)
        self._begun.setdefault(stretch.begins, []).append(stretch)

    def _served(self, number: int, stretch: StoredSegment) -> SegmentRange | None:
        """The updates of a segment that are this run's too."""
        one = self.values[number]
        if stretch.start >= one.resolved_steps or one.state_keys.key(stretch.start) != stretch.begins:
            return None
        stop, width = min(stretch.stop, one.resolved_steps), one.path.width
        mine = memoryview(one.path.rows)[stretch.start * width : stop * width]
        same = stretch.start + agreement(mine, memoryview(stretch.rows)[: len(mine)], width)
        if stretch.diverged and same == stretch.stop:
            self._ends[number] = stretch.stop
        return SegmentRange(stretch.number, stretch.start, same) if same > stretch.start else None

    def end(self, number: int) -> int:
        """Where a run's known part ends: at the last known value, or where it diverged."""
        end = self._ends[number]
        return self.values[number].resolved_steps if end is None else end

    def diverged(self, number: int) -> bool:
        """Whether the run is known to have diverged."""
        return self._ends[number] is not None

    def covered(self, number: int, start: int) -> int:
        """As far as every update from `start` on is known; `start` if that one is not."""
        for piece in self._pieces[number]:
            if piece.start <= start < piece.stop:
                start = piece.stop
        return start

    def done(self, numbers: Sequence[int], start: int, stop: int) -> bool:
        """Whether updates start..stop-1, which these runs share, are known, with every evaluation that is due."""
        if self.covered(numbers[0], start) < stop:
            return False
        return all(self.evaluated(numbers[0], update) for update in self.due_within(numbers, start, stop))

    def due_within(self, numbers: Iterable[int], start: int, stop: int) -> frozenset[int]:
        """The updates of a stretch after which one of these runs at least is evaluated."""
        return frozenset(update for number in numbers for update in self.due[number] if start <= update < stop)

    def evaluated(self, number: int, update: int) -> bool:
        """Whether the state after an update was evaluated, or has diverged."""
        return update + 1 == self._ends[number] or bool(self.metrics(number, update))

    def metrics(self, number: int, update: int) -> dict[str, float]:
        """The metrics after an update; empty if they are not known."""
        key = self.values[number].state_keys.key(update + 1)
        if not self._evaluations.get(key):
            self._evaluations[key] = self.store.evaluation(key)
        return self._evaluations[key]

    def snapshot(self, number: int, step: int) -> StoredSnapshot | None:
        """A snapshot of a run's state before update `step`."""
        one = self.values[number]
        found = self._saved[one.path.origin].get(one.state_keys.key(step))
        return None if found is None else found[1]

    def snapshot_steps(self, number: int, start: int, stop: int) -> list[int]:
        """Where between start and stop there are snapshots of a run's states."""
        one = self.values[number]
        saved = self._saved[one.path.origin].items()
        return [step for key, (step, _) in saved if start < step < stop and one.state_keys.key(step) == key]

    # --- what is learnt ---

    def add(self, numbers: Sequence[int], start: int, records: Sequence[Record], seconds: float) -> None:
        """Keep what training these runs from `start` on led to; what was known before must be the same again.

        Raises:
            StudyError: if it is not: the task cannot be reproduced.
        """
        first, diverged = self.values[numbers[0]], not math.isfinite(records[-1].loss)
        stop, width = start + len(records), first.path.width
        metrics = {first.state_keys.key(record.step + 1): dict(record.metrics) for record in records if record.metrics}
        with self.store.transaction():
            self.refresh()
            self._compare(numbers[0], start, records)
            self.store.add_evaluations(metrics)
            fresh = self.covered(numbers[0], start)
            if fresh < stop:
                keys = first.state_keys.key(fresh), first.state_keys.key(stop)
                inside = bytes(first.path.rows[fresh * width : stop * width])
                stretch = StoredSegment(0, first.path.origin, fresh, stop, *keys, diverged, width, inside)
                self._learn(self.store.add(stretch, records[fresh - start :], seconds))
        self._evaluations |= metrics

    def refresh(self) -> None:
        """Learn what other processes have added to the store in the meantime."""
        if not self.store.has_changed():
            return
        for path, last in self._last.items():
            for stretch in self.store.segments_of(path, after=last):
                self._learn(stretch)
            self._saved[path] = self.store.snapshots_of(path)

    def _learn(self, stretch: StoredSegment) -> None:
        """Every run that the segment serves knows it, whichever it was trained for."""
        self._shelve(stretch)
        for number, one in enumerate(self.values):
            piece = self._served(number, stretch) if one.path.origin == stretch.path else None
            if piece is not None:
                self._pieces[number] = _in_order([*self._pieces[number], piece])

    def _compare(self, number: int, start: int, records: Sequence[Record]) -> None:
        known = {record.step: record.loss for record in self.records(number, start, start + len(records))}
        for record in records:
            before = known.get(record.step, record.loss)
            if not same(before, record.loss):
                raise StudyError(
                    f"update {record.step} of {self.values[number].run} was trained again and had the loss "
                    f"{record.loss!r}; the store has {before!r}. The task cannot be reproduced: --no-share compares "
                    "without sharing"
                )

    def add_snapshot(self, number: int, step: int, before: int, saved: StoredSnapshot) -> None:
        """Note a snapshot of a run's state before update `step`; its segment began at `before`."""
        one = self.values[number]
        kept = self.store.add_snapshot(saved, one.path.origin, step, one.state_keys.key(before))
        self._saved[one.path.origin][kept.key] = step, kept

    def forget_snapshot(self, key: str) -> None:
        """Delete a snapshot that cannot be used."""
        for saved in self._saved.values():
            if key in saved:
                self.store.delete_snapshots([saved.pop(key)[1]])

    def evict_to(self, budget: int, needed: Container[str]) -> None:
        """Give up snapshots until the store's take no more than a budget; those of `needed` states stay."""
        for gone in self.store.evict_to(budget, needed):
            for saved in self._saved.values():
                saved.pop(gone.key, None)

    # --- curves ---

    def records(self, number: int, start: int, stop: int) -> list[Record]:
        """What is known of updates start..stop-1, without metrics."""
        pieces = [_within(piece, start, stop) for piece in self.pieces(number)]
        return [record for piece in pieces if piece for record in self.store.records(piece)]

    def pieces(self, number: int) -> list[SegmentRange]:
        """The pieces that a run is made of, each update once."""
        return self._pieces[number]

    def distinct_updates(self) -> int:
        """How many different updates the runs are made of."""
        return distinct_updates([self.path(number) for number in range(len(self.values))])

    def path(self, number: int) -> UpdatePath:
        """What a run receives, as far as it is known and until it diverges."""
        path = self.values[number].path
        if self.end(number) == path.steps:
            return path
        return UpdatePath(path.origin, path.width, path.rows[: self.end(number) * path.width])

    def curve(self, number: int) -> Curve:
        """A finished run, with the evaluations that are its own."""
        one, due = self.values[number], set(self.due[number])
        records = self.records(number, 0, self.end(number))
        whole = (Record(r.step, r.rate, r.loss, self.metrics(number, r.step) if r.step in due else {}) for r in records)
        return Curve(one.run, one.peak, tuple(whole))


def _in_order(pieces: Iterable[SegmentRange]) -> list[SegmentRange]:
    """The pieces in the order of their updates, each update in one of them only: the one that reaches farthest."""
    ordered: list[SegmentRange] = []
    covered = 0
    for piece in sorted(pieces, key=lambda piece: (piece.start, -piece.stop)):
        if piece.stop > covered:
            ordered.append(SegmentRange(piece.segment, max(piece.start, covered), piece.stop))
            covered = piece.stop
    return ordered


def _within(piece: SegmentRange, start: int, stop: int) -> SegmentRange | None:
    first, last = max(piece.start, start), min(piece.stop, stop)
    return SegmentRange(piece.segment, first, last) if first < last else None
