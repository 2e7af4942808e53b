"""Data that an executor sends to where the training is, and that come back."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

from glidepath.study.curve import Record
from glidepath.study.sharing.values import Slot, ValueMatrix


@final
@dataclass(frozen=True)
class TrainingEnv:
    """What a training is run with, and where it begins.

    Args:
        task: the task's name.
        seed: decides the first weights and the batches.
        threads: CPU threads.
        machine: what kind of machine it must be; see `origin.py`.
        code: the fingerprint of the task's code when the study began.
        first: a digest of the first state and the first batch; see `origin.py`.
        alone: whether every run gets a task of its own, which has trained nothing before.
    """

    task: str
    seed: int
    threads: int
    machine: str
    code: str
    first: str
    alone: bool = False


@final
@dataclass(frozen=True)
class WorkItem:
    """A segment of updates to train.

    Args:
        env: what it is trained with.
        start: the first update.
        begins: the key of the state before it.
        ends: the key of the state after the last.
        slots: what the columns of `values` set.
        values: what each update receives.
        evaluate: the updates after which to evaluate.
    """

    env: TrainingEnv
    start: int
    begins: str
    ends: str
    slots: tuple[Slot, ...]
    values: ValueMatrix = field(repr=False)
    evaluate: frozenset[int]

    @property
    def stop(self) -> int:
        """Return the update after the last."""
        return self.start + len(self.values)


@final
@dataclass(frozen=True)
class WorkResult:
    """The result of training a segment.

    Args:
        records: one for each update made; fewer than asked for if the loss stopped being finite, or on a stop.
        seconds: that it took.
    """

    records: tuple[Record, ...]
    seconds: float

    @property
    def finite(self) -> bool:
        """Return whether the loss is still a finite number."""
        return math.isfinite(self.records[-1].loss)


UpdateCallback = Callable[[Record], bool]  # called after every update; returns whether to stop there
