"""Watches how syncs and updates go together, and warns once when somebody seems to step per epoch."""

import warnings
from typing import final

import torch
import torch.distributed as dist

from glidepath.errors import GlidepathWarning


@final
class Watch:
    """Sees every sync of a driver whose clock is the optimizer's updates."""

    def __init__(self, position: int, *, epochs: bool) -> None:
        self.epochs, self.warned = epochs, False
        self.start_again(position)

    def start_again(self, position: int) -> None:
        """Forgets what was seen: the position was set from outside."""
        self._synced, self._first, self._long_gaps, self._repeats = position, True, 0, 0

    def see(self, position: int, optimizer: torch.optim.Optimizer) -> None:
        """A sync at this position; one after each update is as it should be."""
        done, first = position - self._synced, self._first
        self._synced, self._first = position, False
        if done == 1 or self.warned:
            self._long_gaps = self._repeats = 0
            return
        self._long_gaps = self._long_gaps + 1 if done > 1 else 0
        self._repeats = self._repeats + 1 if done == 0 else 0
        if done == 0 and not first and self._repeats >= _processes() and not _overflowed(optimizer):
            self._warn("step() was called twice with no optimizer update in between, so the rate stayed", position)
        elif self._long_gaps >= 2 and not self.epochs:
            self._warn(f"step() is called once in {done} updates, and the plan counts updates", position)

    def _warn(self, what: str, position: int) -> None:
        self.warned = True
        warnings.warn(
            f"{what} ({position} updates so far). Plans follow real updates here. If yours is in epochs, write it "
            'in epochs ("30ep" over Horizon(steps, steps_per_epoch=...)); to count calls of step() instead, pass '
            'clock="calls"; to look at a plan, plan.plot() needs no optimizer.',
            GlidepathWarning,
            stacklevel=4,
        )


def _processes() -> int:
    """Accelerate calls `step()` after each update as often as there are processes."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _overflowed(optimizer: torch.optim.Optimizer) -> bool:
    """Whether gradients are infinite or NaN, so that a GradScaler has skipped the update. Only asked when in doubt."""
    gradients = (p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None)
    return any(not bool(torch.isfinite(gradient).all()) for gradient in gradients)
