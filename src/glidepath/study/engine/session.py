"""A task in training: built from a seed, brought to a state, trained for a segment of updates.

Fair and repeatable: the seed decides the first weights and the batches, whatever the schedule; every update receives
exactly the values that it was given; evaluation leaves the random numbers as they were; threads are pinned.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, final

import torch
from torch import Tensor

from glidepath.errors import TaskError
from glidepath.study.curve import Record
from glidepath.study.sharing.values import Slot
from glidepath.tasks import Task
from glidepath.tasks.loading import NamedTask
from glidepath.torch.hyperparameter import tensor_version
from glidepath.torch.randomness import (
    deterministic_kernels,
    get_rng_state,
    preserve_rng_state,
    seed_everything,
    set_rng_state,
)
from glidepath.torch.skipped_steps import MAX_SKIPS, was_update

from .state import State, capture_state, copy_state, restore_state
from .work import UpdateCallback, WorkItem, WorkResult

# a group, a key, what it holds, and its version if a tensor
Written = tuple[dict[str, Any], str, Any, tuple[int, int] | None]


@final
class Session:
    """One task of one seed. Mutable: it is at some update, in some state.

    Args:
        named: the task.
        seed: what it is built from.
        threads: CPU threads.

    Its `first` is the state in which it was built.
    """

    def __init__(self, named: NamedTask, seed: int, threads: int) -> None:
        self.named, self.seed, self.threads = named, seed, threads
        with deterministic_kernels(threads), preserve_rng_state():
            seed_everything(seed)
            self.task = named(seed)
            self._randomness = get_rng_state()
        self._clock = UpdateClock(self.task)
        self.first = self.state()

    def state(self) -> State:
        """Return a copy of everything that the next updates depend on."""
        with self.named.blame("saving its state"):
            return capture_state(self.task) | {"randomness": copy_state(self._randomness)}

    def restore(self, state: State | None) -> None:
        """Put the session into a state; None is the first of all."""
        target = self.first if state is None else state
        with self.named.blame("loading a state"):
            restore_state(self.task, target)
        self._randomness = copy_state(target["randomness"])

    def train(self, work: WorkItem, callback: UpdateCallback = lambda record: False) -> WorkResult:
        """Train a segment from the state that the session is in.

        Raises:
            TaskError: if the task fails, returns a wrong value, or changes what the study's schedules decide.
        """
        began, records = time.perf_counter(), []
        with self._session_randomness():
            for record in self._updates(work):
                records.append(record)
                if callback(record):
                    break
        return WorkResult(tuple(records), time.perf_counter() - began)

    @contextmanager
    def _session_randomness(self) -> Iterator[None]:
        """Use the session's own random numbers and number of threads."""
        with deterministic_kernels(self.threads), preserve_rng_state():
            set_rng_state(self._randomness)
            yield
            self._randomness = get_rng_state()

    def _updates(self, work: WorkItem) -> Iterator[Record]:
        write = _writer(self.task.optimizer.param_groups, work.slots)
        rates = [place for place, slot in enumerate(work.slots) if slot.hyperparameter.key == "lr"]
        for step, row in enumerate(work.values.tolist(), work.start):
            self._clock.written = write(row)
            loss = self._update(step)
            due = step in work.evaluate and math.isfinite(loss)
            yield Record(step, max(row[place] for place in rates), loss, self._metrics() if due else {})
            if not math.isfinite(loss):
                return

    def _update(self, step: int) -> float:
        """Make one update of the optimizer, again where a GradScaler skipped it; return its loss."""
        self._clock.updates = 0
        for _ in range(MAX_SKIPS):
            value = self._attempt(step)
            self._clock.check()
            if self._clock.updates == 1 or not math.isfinite(value):
                return value
            if self._clock.updates > 1:
                raise TaskError(f"{self.named.name} made {self._clock.updates} updates for step {step}: make one")
        raise TaskError(f"{self.named.name} made no update for step {step}, {MAX_SKIPS} times: call optimizer.step()")

    def _attempt(self, step: int) -> float:
        task = self.task
        task.model.train()
        task.optimizer.zero_grad()  # a gradient left from the update before is in no state
        if task.update is not None:
            with self.named.blame(f"making update {step}"):
                return self._scalar(task.update(step))
        with self.named.blame(f"making batch {step}"):
            batch = task.batch(step)  # type: ignore[misc]  # a task without update has batch and loss
        with self.named.blame(f"training on batch {step}"):
            loss = task.loss(task.model, batch)  # type: ignore[misc]
            value = self._scalar(loss)
            loss.backward()
            task.optimizer.step()
        return value

    def _scalar(self, loss: Any) -> float:
        if self.task.update is not None and isinstance(loss, (int, float)):
            return float(loss)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            shown = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else repr(loss)
            raise TaskError(f"the loss of {self.named.name} is {shown}: return a tensor with one element")
        return float(loss.detach())

    def _metrics(self) -> dict[str, float]:
        """Return the task's metrics as floats; the model, its mode and the random numbers stay as they were."""
        with preserve_rng_state(), torch.no_grad(), self.named.blame("evaluating"):
            self.task.model.eval()
            result = self.task.evaluate(self.task.model)  # type: ignore[misc]  # a task has evaluate
            metrics = result if isinstance(result, Mapping) else {"validation": result}
            if not metrics:
                raise TaskError(f"{self.named.name} evaluated to no metric: return a number, or several by name")
            return {str(name): self._number(name, value) for name, value in metrics.items()}

    def _number(self, name: Any, value: Any) -> float:
        try:
            return float(value)
        except (TypeError, ValueError, RuntimeError):
            raise TaskError(
                f"{self.named.name} evaluated {name} to {value!r:.60}: return a number, or several by name"
            ) from None


@final
class UpdateClock:
    """Counts the updates that the optimizer really makes, and checks that each uses what the study wrote."""

    def __init__(self, task: Task) -> None:
        self.updates = 0
        self.written: list[Written] = []
        task.optimizer.register_step_pre_hook(self.before)
        task.optimizer.register_step_post_hook(self.after)

    def before(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Check what the update is going to use."""
        self.check()

    def check(self) -> None:
        """Raise if the task changed what its study drives."""
        for group, key, expected, before in self.written:
            if group[key] is not expected or tensor_version(expected) != before:
                raise TaskError(
                    f"the task changes {key} itself, to {group[key]}: a study's schedules decide it, "
                    "so leave schedulers out of the task"
                )

    def after(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Count the update, unless a fused optimizer was asked to skip it."""
        self.updates += was_update(optimizer)

    before._torchdynamo_disable = True  # type: ignore[attr-defined]  # plain Python between compiled graphs
    after._torchdynamo_disable = True  # type: ignore[attr-defined]


def _writer(groups: Sequence[dict[str, Any]], slots: Sequence[Slot]) -> Callable[[Sequence[float]], list[Written]]:
    """Return a function that writes a row of values into the groups, and returns what each now holds."""
    places = [(hyperparameter, groups[number]) for hyperparameter, number in slots]

    def write(row: Sequence[float]) -> list[Written]:
        for (hyperparameter, group), value in zip(places, row, strict=True):
            current = hyperparameter.get(group)
            if isinstance(current, Tensor):
                current.fill_(value)
            else:
                hyperparameter.put(group, value)
        keys = [(group, hyperparameter.key) for hyperparameter, group in places]
        return [(group, key, group[key], tensor_version(group[key])) for group, key in keys]

    return write
