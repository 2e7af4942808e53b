"""Check whether a task can be reproduced: whether training resumed from a snapshot is the training it was taken from.

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
    """Return what differs first between a training and the same training by way of a snapshot; None if nothing does.

    Args:
        named: the task.
        whole: a work item from the first update on; its first six updates, or fewer if it has fewer, are trained.
    """
    half = min(UPDATES, len(whole.values) // 2)
    if half == 0:
        return None
    first, second = _part(whole, 0, half, True), _part(whole, half, 2 * half, False)
    straight, broken, fresh = (_session(named, whole.env) for _ in range(3))
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
        difference = _compare_records(expected, records) or _compare_states(last, session.state())
        if difference:
            return f"{difference}, when training resumed from a snapshot after update {half - 1} {where}"
    return None


def verify_run(named: NamedTask, whole: WorkItem, expected: Sequence[Record], last: State | None) -> str | None:
    """Return what differs first between a run trained alone and the records and last state that the store has of it."""
    session = _session(named, whole.env)
    records = session.train(whole).records
    difference = _compare_records(expected, records)
    return difference or (None if last is None else _compare_states(last, session.state()))


def _session(named: NamedTask, env: TrainingEnv) -> Session:
    return Session(named, env.seed, env.threads)


def _part(whole: WorkItem, start: int, stop: int, evaluate: bool) -> WorkItem:
    values = np.ascontiguousarray(whole.values[start:stop])
    due = frozenset([stop - 1] if evaluate else [])
    return WorkItem(whole.env, start, str(start), str(stop), whole.slots, values, due)


def _through_a_file(named: NamedTask, state: State) -> State:
    """Return the state as a snapshot gives it back."""
    with tempfile.TemporaryDirectory() as folder:
        snapshots = Snapshots(Path(folder))
        snapshot = snapshots.write("state", state)
        try:
            return snapshots.read(snapshot)
        except Exception as error:  # whatever the reader says of data that is not plain
            reason = str(error).strip().splitlines()[0]
            raise TaskError(
                f"the state of {named.name} is more than tensors, numbers, texts, lists and dicts, so no file that is "
                f"safe to read can hold it: {reason}"
            ) from error


def _compare_records(expected: Sequence[Record], records: Sequence[Record]) -> str | None:
    for first, second in zip_longest(expected, records):
        if first is None or second is None:
            return f"a training ends before update {(first or second).step}"
        if not same(first.loss, second.loss):
            return f"update {first.step} had the loss {first.loss!r} in one training and {second.loss!r} in another"
        pairs = [(first.metrics[name], second.metrics[name]) for name in first.metrics if name in second.metrics]
        if not all(same(*pair) for pair in pairs):
            return f"update {first.step} led to the metrics {dict(first.metrics)} and {dict(second.metrics)}"
    return None


def _compare_states(first: Any, second: Any) -> str | None:
    place = find_difference(first, second)
    return None if place is None else f"all losses agree, but {place or 'the state'} differs"


def find_difference(first: Any, second: Any) -> str | None:
    """Return the place of the first difference between two states, as in "optimizer.state.0.exp_avg"; None if none.

    Examples:
        >>> find_difference({"a": [1, 2]}, {"a": [1, 3]})
        'a.1'
    """
    if isinstance(first, dict) and isinstance(second, dict):
        return _within([*first, *(key for key in second if key not in first)], first, second)
    if digest(first) == digest(second):
        return None
    both = isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)) and len(first) == len(second)
    return _within(range(len(first)), first, second) if both else ""


def _within(keys: Any, first: Any, second: Any) -> str | None:
    for key in keys:
        try:
            place = find_difference(first[key], second[key])
        except KeyError:
            place = ""
        if place is not None:
            return f"{key}.{place}".removesuffix(".")
    return None
