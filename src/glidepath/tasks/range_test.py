"""The range test of a task, which has all that a sweep needs: an update, and what changes with it."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from glidepath.range_test import RangeTest
from glidepath.torch import range_test
from glidepath.torch.range_test import OnUpdate

from .task import Task


def sweep(
    task: Task, *, low: float = 1e-7, high: float = 10.0, updates: int = 200, progress: OnUpdate | None = None
) -> RangeTest:
    """Sweep the rate over a task, which is then as it was; `glidepath.torch.range_test` explains the arguments."""
    return range_test(
        task.model,
        task.optimizer,
        _update(task),
        low=low,
        high=high,
        updates=updates,
        stateful=task.carried,
        progress=progress,
    )


def _update(task: Task) -> Callable[[int], Tensor | float]:
    if task.update is not None:
        return task.update

    def update(step: int) -> Any:
        loss = task.loss(task.model, task.batch(step))  # type: ignore[misc]  # a task without update has both
        loss.backward()
        task.optimizer.step()
        return loss

    return update
