"""Warns once if a scheduler seems to be stepped per epoch, or without updates in between."""

from typing import final

import torch
import torch.distributed as dist

from glidepath.warn import warn_caller

from .skipped_steps import has_overflow

ADVICE = (
    "Plans follow real updates here: if yours is in epochs, write it in epochs "
    '("30ep" over Horizon(steps, steps_per_epoch=...)); to count calls of step() instead, use clock="calls"; '
    "to look at a plan, plan.plot() needs no optimizer."
)


@final
class MisuseDetector:
    """Compares the calls of a scheduler's `step()` with the updates of its optimizer.

    Args:
        position: updates made so far.
        epochs: whether a plan was written in epochs, so that one call of `step()` per epoch is as it should be.
    """

    def __init__(self, position: int, *, epochs: bool) -> None:
        self.epochs, self.warned = epochs, False
        self.reset(position)

    def reset(self, position: int) -> None:
        """Forget all calls, because the position was set by loading a state."""
        self._last_position, self._first, self._long_gaps, self._repeats = position, True, 0, 0

    def check_call(self, position: int, optimizer: torch.optim.Optimizer) -> None:
        """Check one call of `step()`, which is to follow one update, and warn if it is at least the second misuse."""
        updates, first = position - self._last_position, self._first
        self._last_position, self._first = position, False
        if updates == 1 or self.warned:
            self._long_gaps = self._repeats = 0
            return
        self._long_gaps = self._long_gaps + 1 if updates > 1 else 0
        self._repeats = self._repeats + 1 if updates == 0 else 0
        if updates == 0 and not first and self._repeats >= _count_processes() and not has_overflow(optimizer):
            problem = "step() was called twice with no optimizer update in between, so the rate stayed the same"
            self._warn(problem, position, "GP701")
        elif self._long_gaps >= 2 and not self.epochs:
            problem = f"step() is called once in {updates} updates, and the plan counts updates"
            self._warn(problem, position, "GP702")

    def _warn(self, problem: str, position: int, code: str) -> None:
        self.warned = True
        warn_caller(f"{problem} ({position} updates so far). {ADVICE}", code)


def _count_processes() -> int:
    """Return the number of processes: Accelerate calls `step()` after each update as often as that."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
