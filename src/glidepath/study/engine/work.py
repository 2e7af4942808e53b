"""What executors carry to where the training is, and what comes back."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

from glidepath.study.curve import Record
from glidepath.study.sharing.values import Slot, ValueMatrix


@final
@dataclass(frozen=True)
class TrainingEnv:
    """Where a training takes place, and where it begins.

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
    """A stretch of updates to train.

    Args:
        setting: where.
        start: the first update.
        begins: the key of the state before it.
        ends: the key of the state after the last.
        slots: what the columns of `table` set.
        table: what each update receives.
        evaluate: the updates after which to evaluate.
    """

    setting: TrainingEnv
    start: int
    begins: str
    ends: str
    slots: tuple[Slot, ...]
    values: ValueMatrix = field(repr=False)
    evaluate: frozenset[int]

    @property
    def stop(self) -> int:
        """The update after the last."""
        return self.start + len(self.values)


@final
@dataclass(frozen=True)
class WorkResult:
    """What a stretch of updates led to.

    Args:
        records: one for each update made; fewer than asked for if the loss stopped being finite, or on a stop.
        seconds: it took.
    """

    records: tuple[Record, ...]
    seconds: float

    @property
    def finite(self) -> bool:
        """Whether the loss is still a finite number."""
        return math.isfinite(self.records[-1].loss)


UpdateCallback = Callable[[Record], bool]  # called after every update; whether to stop there
