"""Whether a task can be reproduced: whether training that goes on from a snapshot is the training it was taken from.

`first_difference` trains a few updates three times, once straight on, once through a snapshot into a fresh task, once
through the same snapshot back in time, with an evaluation in one of them, and compares every loss and every bit of
the last states. `verified` trains one whole run from scratch, alone, and compares it with what the store has.
"""

import tempfile
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from glidepath.errors import TaskError
from glidepath.study.curve import Record, same
from glidepath.study.store import Snapshots
from glidepath.tasks.loading import NamedTask

from .session import Session
from .state import State, digest
from .work import TrainingEnv, WorkItem

UPDATES = 3  # before the snapshot, and after it


def first_difference(named: NamedTask, whole: WorkItem) -> str | None:
    """What differs first between a training and the same training by way of a snapshot; None if nothing does.

    Args:
        named: the task.
        whole: a work from the first update on; its first six updates, or fewer if it has fewer, are trained.
    """
    half = min(UPDATES, len(whole.values) // 2)
    if half == 0:
        return None
    first, second = _part(whole, 0, half, True), _part(whole, half, 2 * half, False)
    straight, broken, fresh = (_session(named, whole.setting) for _ in range(3))
    outcome = straight.train(_part(whole, 0, 2 * half, False))
    if not outcome.finite:
        return first_difference(named, _part(whole, 0, len(outcome.records) - 1, False))
    expected = outcome.records
    last = straight.state()
    before = broken.train(first).records
    state = _through_a_file(named, broken.state())
    for session, where in ((fresh, "in a fresh task"), (straight, "in the same task, back in time")):
        session.restore(state)
        records = (*before, *session.train(second).records)
        found = _of_records(expected, records) or _of_states(last, session.state())
        if found:
            return f"{found}, when training went on from a snapshot after update {half - 1} {where}"
    return None


def verify_run(named: NamedTask, whole: WorkItem, expected: Sequence[Record], last: State | None) -> str | None:
    """What differs first between a run trained alone and the records and last state that the store has of it."""
    session = _session(named, whole.setting)
    records = session.train(whole).records
    found = _of_records(expected, records)
    return found or (None if last is None else _of_states(last, session.state()))


def _session(named: NamedTask, setting: TrainingEnv) -> Session:
    return Session(named, setting.seed, setting.threads)


def _part(whole: WorkItem, start: int, stop: int, evaluate: bool) -> WorkItem:
    table = np.ascontiguousarray(whole.values[start:stop])
    due = frozenset([stop - 1] if evaluate else [])
    return WorkItem(whole.setting, start, str(start), str(stop), whole.slots, table, due)


def _through_a_file(named: NamedTask, state: State) -> State:
    """The state as a snapshot gives it back."""
    with tempfile.TemporaryDirectory() as folder:
        snapshots = Snapshots(Path(folder))
        saved = snapshots.write("state", state)
        try:
            return snapshots.read(saved)
        except Exception as error:  # whatever the reader says of data that is not plain
            reason = str(error).strip().splitlines()[0]
            raise TaskError(
                f"the state of {named.name} is more than tensors, numbers, texts, lists and dicts, so no file that is "
                f"safe to read can hold it: {reason}"
            ) from error


def _of_records(expected: Sequence[Record], found: Sequence[Record]) -> str | None:
    for one, other in zip_longest(expected, found):
        if one is None or other is None:
            return f"one training ends before update {(one or other).step}"
        if not same(one.loss, other.loss):
            return f"update {one.step} had the loss {one.loss!r} in one training and {other.loss!r} in another"
        pairs = [(one.metrics[name], other.metrics[name]) for name in one.metrics if name in other.metrics]
        if not all(same(*pair) for pair in pairs):
            return f"update {one.step} led to the metrics {dict(one.metrics)} and {dict(other.metrics)}"
    return None


def _of_states(one: Any, other: Any) -> str | None:
    place = differing(one, other)
    return None if place is None else f"all losses agree, but {place or 'the state'} differs"


def differing(one: Any, other: Any) -> str | None:
    """The place of the first difference between two states, as in "optimizer.state.0.exp_avg"; None if none.

    Examples:
        >>> differing({"a": [1, 2]}, {"a": [1, 3]})
        'a.1'
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return _within([*one, *(key for key in other if key not in one)], one, other)
    if digest(one) == digest(other):
        return None
    both = isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)) and len(one) == len(other)
    return _within(range(len(one)), one, other) if both else ""


def _within(keys: Any, one: Any, other: Any) -> str | None:
    for key in keys:
        try:
            place = differing(one[key], other[key])
        except KeyError:
            place = ""
        if place is not None:
            return f"{key}.{place}".removesuffix(".")
    return None
