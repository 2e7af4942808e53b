"""Tasks that are awkward: what the state must not forget, what a session has to refuse.

Each function here makes a task's function, so that a test can vary it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import LRScheduler, StepLR
from torch.optim.swa_utils import AveragedModel

import glidepath as gp
from glidepath.tasks import Task
from glidepath.torch import Scheduler

Function = Callable[[int], Task]


class Drifting(nn.Module):
    """A line whose answer depends on how often it was trained, which its own state does not tell."""

    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Linear(3, 1)
        self.register_buffer("seen", torch.zeros(()), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.seen += 1
        return self.line(x) + 0.01 * self.seen


def batch(seed: int, step: int) -> tuple[Tensor, Tensor]:
    """Eight points of a line in three dimensions."""
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(1000 * seed + step))
    return x, x.sum(1, keepdim=True)


def plain_update(model: nn.Module, optimizer: Any, seed: int, step: int) -> Tensor:
    """What most loops do."""
    x, y = batch(seed, step)
    optimizer.zero_grad()
    loss = functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


def drifting(seed: int) -> Task:
    """A buffer outside the model's state."""
    model = Drifting()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    return Task(model, optimizer, evaluate=lambda m: 0.0, update=lambda k: plain_update(model, optimizer, seed, k))


def drifting_average(seed: int) -> Task:
    """The same buffer, in something carried: the average asks it how long it has been averaging."""
    model = Drifting()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    averaged = AveragedModel(model, avg_fn=lambda old, new, n: 0.9 * old + 0.1 * new, use_buffers=True).eval()

    def update(step: int) -> Tensor:
        loss = plain_update(model, optimizer, seed, step)
        averaged.update_parameters(model)
        return loss + averaged(torch.ones(1, 3)).detach().sum()

    return Task(model, optimizer, evaluate=lambda m: 0.0, update=update, carried={"averaged": averaged})


class Drawn:
    """Points from a generator of NumPy's, and how often it was asked: a state with arrays and NumPy's own numbers."""

    def __init__(self, seed: int) -> None:
        self.source, self.asked = np.random.RandomState(seed), np.int64(0)

    def next(self) -> Tensor:
        """Eight points."""
        self.asked += 1
        return torch.from_numpy(self.source.randn(8, 3)).float()

    def state_dict(self) -> dict[str, Any]:
        return {"source": self.source.get_state(), "asked": self.asked}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.source.set_state(state["source"])
        self.asked = state["asked"]


def drawing(*, carried: bool) -> Function:
    """Points that depend on how often they were asked for; a mistake, unless what draws them is carried."""

    def task(seed: int) -> Task:
        model, points = nn.Linear(3, 1), Drawn(seed)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

        def update(step: int) -> Tensor:
            x = points.next()
            optimizer.zero_grad()
            loss = functional.mse_loss(model(x), x.sum(1, keepdim=True))
            loss.backward()
            optimizer.step()
            return loss

        kept = {"points": points} if carried else {}
        return Task(model, optimizer, evaluate=lambda m: 0.0, update=update, carried=kept)

    return task


def overflowing(tries: list[int], *, fused: bool = False, start: float = 2.0**30) -> Function:
    """float16 with a scale that is too large at first, and again and again: the scaler skips updates.

    Args:
        tries: the step of every update that was asked for.
        fused: the optimizer itself leaves the update out.
        start: the first scale.
    """

    def task(seed: int) -> Task:
        model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.2), nn.Linear(8, 1))
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.05, fused=fused)
        scaler = torch.amp.GradScaler("cpu", init_scale=start, growth_interval=2, growth_factor=16.0)

        def update(step: int) -> Tensor:
            tries.append(step)
            x, y = batch(seed, step)
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.float16):
                loss = functional.mse_loss(model(x).float(), y)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            return loss

        return Task(model, optimizer, evaluate=lambda m: 0.0, update=update, carried={"scaler": scaler})

    return task


def changing(
    change: Callable[[Any], Callable[[], Any]], *, early: bool = False, rate: Callable[[], Any] = lambda: 0.05
) -> Function:
    """A task that does something of its own around its updates.

    Args:
        change: of the optimizer; gives what is called at every update.
        early: call it before the update rather than after it.
        rate: makes that of the optimizer.
    """

    def task(seed: int) -> Task:
        model = nn.Linear(3, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate())
        changed = change(optimizer)

        def update(step: int) -> Tensor:
            if early:
                changed()
            loss = plain_update(model, optimizer, seed, step)
            if not early:
                changed()
            return loss

        return Task(model, optimizer, evaluate=lambda m: 0.0, update=update)

    return task


def of_torch(optimizer: Any) -> Callable[[], Any]:
    """A stock scheduler's step."""
    scheduler: LRScheduler = StepLR(optimizer, 1, gamma=0.5)
    return scheduler.step


def of_glidepath(optimizer: Any) -> Callable[[], Any]:
    """A driver's step."""
    return Scheduler(optimizer, gp.linear(100)).step


def by_hand(optimizer: Any) -> Callable[[], Any]:
    """Half the rate, written into the group."""

    def halve() -> None:
        for group in optimizer.param_groups:
            group["lr"] = group["lr"] * 0.5

    return halve


def again(optimizer: Any) -> Callable[[], Any]:
    """One more update."""
    return lambda: optimizer.step()


def never(seed: int) -> Task:
    """Asks for no update at all."""
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    x, y = batch(seed, 0)
    return Task(model, optimizer, evaluate=lambda m: 0.0, update=lambda k: functional.mse_loss(model(x), y))


def keeps_gradients(seed: int) -> Task:
    """Sets gradients to zero in place after the update, as old loops do; half of the model is used every other time."""
    often, seldom = nn.Linear(3, 1), nn.Linear(3, 1)
    model = nn.ModuleList([often, seldom])
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)

    def update(step: int) -> Tensor:
        x, y = batch(seed, step)
        loss = functional.mse_loss(often(x) + (0 if step % 2 else seldom(x)), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        return loss

    return Task(model, optimizer, evaluate=lambda m: 0.0, update=update)


class Epochs:
    """Epoch after epoch of a loader that knows its place within one; the order of each is drawn from its number.

    What torchdata's loader saves is enough for the rest of an epoch, and not for the order of the next. Without a
    generator of its own it also draws from the global random numbers when it goes on, once more than it would have.
    """

    def __init__(self, loader: Any, seed: int) -> None:
        self.loader, self.seed, self.epoch = loader, seed, 0
        self.begin()

    def begin(self) -> None:
        """Begin the epoch, or go on in it."""
        self.loader.generator.manual_seed(1_000_000 * self.seed + self.epoch)
        self.batches = iter(self.loader)

    def next(self) -> Any:
        """The next batch."""
        for found in self.batches:
            return found
        self.epoch += 1
        self.begin()
        return next(self.batches)

    def state_dict(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "loader": self.loader.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.epoch = state["epoch"]
        self.loader.load_state_dict(state["loader"])
        self.begin()
