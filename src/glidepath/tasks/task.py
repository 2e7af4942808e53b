"""A task: everything a run needs except the schedule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, final

from torch import Tensor, nn
from torch.optim import Optimizer

from glidepath.errors import TaskError


class Stateful(Protocol):
    """An object whose state can be saved and loaded: a GradScaler, an averaged model, a data loader with a position."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any: ...


@final
@dataclass(frozen=True)
class Task:
    """A model and how to train it, without a schedule. A function `task(seed: int) -> Task` builds a fresh one.

    The seed decides the first weights and every batch, so two calls with one seed give two equal runs; the step alone
    decides which batch comes next, so a run can begin anywhere. Give `batch` and `loss`, and the update is

        loss(model, batch(step)).backward(); optimizer.step()

    or give `update` in their place, and do it yourself: accumulation, mixed precision, clipping, averaging.

    Args:
        model: what is trained.
        optimizer: over the model's parameters; its own rates are the peaks unless a study names others.
        batch: the batch of an update, `batch(step)`, pure in (seed, step): no state, no global random numbers.
        loss: `loss(model, batch)`, a tensor with one element; the model is in training mode.
        evaluate: `evaluate(model)`, one number or several by name. The first ranks the schedules and drives a
            plateau, and lower is better. Called without gradients, in evaluation mode, and with its own random
            numbers, so that it cannot disturb the training.
        update: `update(step)` makes one optimizer update, gradients zeroed, and returns its loss. The rate is already
            in the optimizer. Where a GradScaler skips the update, the same step is called again.
        carried: whatever else changes during training and is needed to resume, by name: each has `state_dict` and
            `load_state_dict`, and promises that loading what was saved makes it continue exactly as it would have. A
            loader among them must, once loaded, give the very batches that would have come next.

    Raises:
        TaskError: if a part is missing, or not of its kind.

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
    batch: Callable[[int], Any] | None = None
    loss: Callable[[nn.Module, Any], Tensor] | None = None
    evaluate: Callable[[nn.Module], float | Mapping[str, float]] | None = None
    update: Callable[[int], Tensor | float] | None = None
    carried: Mapping[str, Stateful] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in (("model", nn.Module), ("optimizer", Optimizer)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise TaskError(f"a task's {name} is a {kind.__module__}.{kind.__name__}, not {value!r}")
        self._check_functions()
        for name, value in self.carried.items():
            if not (hasattr(value, "state_dict") and hasattr(value, "load_state_dict")):
                raise TaskError(f"carried {name!r} has no state_dict and load_state_dict: {value!r}")

    def _check_functions(self) -> None:
        if self.update is not None and (self.batch is not None or self.loss is not None):
            raise TaskError("a task has batch and loss, or update, which does the work of both")
        for name in ("evaluate", *(["batch", "loss"] if self.update is None else ["update"])):
            if not callable(getattr(self, name)):
                raise TaskError(f"a task's {name} is a function, not {getattr(self, name)!r}")
