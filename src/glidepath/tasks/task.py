"""What a task is: everything a run needs except the schedule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

from torch import Tensor, nn
from torch.optim import Optimizer

from glidepath.core.errors import GlidepathError


class TaskError(GlidepathError, ValueError):
    """A task cannot be found, is not a task, or failed while it was used."""


@final
@dataclass(frozen=True)
class Task:
    """A model and how to train it, without a schedule. A function `task(seed: int) -> Task` builds a fresh one.

    The seed decides the first weights and every batch, so two calls with one seed give two equal runs; the step alone
    decides which batch comes next, so a run can begin anywhere.

    Args:
        model: what is trained.
        optimizer: over the model's parameters; its own rates are the peaks unless a study names others.
        batch: the batch of an update, `batch(step)`, pure in (seed, step): no state, no global random numbers.
        loss: `loss(model, batch)`, a tensor with one element; the model is in training mode.
        evaluate: `evaluate(model)`, one number or several by name. The first ranks the schedules and drives a
            plateau, and lower is better. Called without gradients, in evaluation mode, and with its own random
            numbers, so that it cannot disturb the training.

    Raises:
        TaskError: if a part is not of its kind.

    Examples:
        >>> import torch
        >>> from torch.nn import functional
        >>> def line(seed: int) -> Task:
        ...     torch.manual_seed(seed)
        ...     model = torch.nn.Linear(1, 1)
        ...     x = torch.linspace(-1, 1, 16)[:, None]
        ...     error = lambda model, x: functional.mse_loss(model(x), 2 * x)
        ...     optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        ...     return Task(model, optimizer, lambda step: x, error, lambda model: error(model, x).item())
        >>> line(0).batch(5).shape
        torch.Size([16, 1])
    """

    model: nn.Module
    optimizer: Optimizer
    batch: Callable[[int], Any]
    loss: Callable[[nn.Module, Any], Tensor]
    evaluate: Callable[[nn.Module], float | Mapping[str, float]]

    def __post_init__(self) -> None:
        for name, kind in (("model", nn.Module), ("optimizer", Optimizer)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise TaskError(f"a task's {name} is a {kind.__module__}.{kind.__name__}, not {value!r}")
        for name in ("batch", "loss", "evaluate"):
            if not callable(getattr(self, name)):
                raise TaskError(f"a task's {name} is a function, not {getattr(self, name)!r}")
