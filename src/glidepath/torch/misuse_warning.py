"""Warns once if a scheduler seems to be stepped per epoch, or without updates in between."""

from collections.abc import Sequence
from typing import final

import torch
import torch.distributed as dist

from glidepath.core.schedule import Schedule
from glidepath.warn import warn_caller

from .plan_units import is_constant, seems_in_epochs
from .skipped_steps import MAX_SKIPS, has_overflow

EPOCHS = 'write it in epochs ("30ep" over Horizon(steps, steps_per_epoch=...)), or count the calls with clock="calls"'
CALLS = (
    'if the plan counts these calls (iterations, of which this optimizer updates only in some), use clock="calls"; if '
    "it counts updates, the rates are right, and step() belongs after optimizer.step(); to look at a plan, plan.plot() "
    "needs no optimizer"
)
SPARSELY = 1.25  # a plan is judged again when the run is that much longer
DENSE = 8  # updates between two calls without any, at most, for the second to count as a repetition


@final
class MisuseDetector:
    """Compares the calls of a scheduler's `step()` with the updates of its optimizer.

    A call that follows exactly one update is in order, and need not be reported. Many updates between two calls are in
    order too if the plan counts updates; whether it does is judged by the plans. Calls without an update are in order
    where a GradScaler has skipped it, in each of several processes, and while Opacus adds up physical batches.

    Args:
        position: updates made so far.
        epochs: whether a plan was written in epochs, so that one call of `step()` per epoch is as it should be.
        plans: the plans that the updates follow.
    """

    def __init__(self, position: int, *, epochs: bool, plans: Sequence[Schedule] = ()) -> None:
        self.epochs, self.warned, self.plans = epochs, False, tuple(plans)
        self.reset(position)

    def reset(self, position: int) -> None:
        """Forget all calls, because the position was set by loading a state."""
        self._last_position = self._last_repeat = position
        self._called, self._gap, self._next_check = False, 0, 0.0
        self._in_a_row = self._repeats = 0  # calls without an update: at this position, and at the last few

    def check_call(self, position: int, optimizer: torch.optim.Optimizer) -> None:
        """Check a call of `step()`, every one of which is reported here."""
        updates = position - self._last_position
        if updates == 1:
            self._last_position, self._called, self._gap = position, True, 0
        else:
            self.check_unusual_call(updates, position, optimizer)

    def check_unusual_call(self, updates: int, position: int, optimizer: torch.optim.Optimizer) -> None:
        """Check a call of `step()` that does not follow exactly one update; others need not be reported.

        Args:
            updates: made since the call before, or since the scheduler was built or loaded.
            position: updates made so far.
            optimizer: whose gradients show whether an update was skipped.
        """
        if self._last_position != position - updates:  # calls that followed one update each came in between
            self._called, self._gap = True, 0
        first, previous_gap = not self._called, self._gap
        self._last_position, self._called, self._gap = position, True, updates
        if self.warned:
            return
        if updates:
            if previous_gap > 1 and not self.epochs and position >= self._next_check:
                self._check_plans(min(updates, previous_gap), position)
        elif not first:
            self._check_repeat(position, optimizer)

    def _check_plans(self, gap: int, position: int) -> None:
        """Warn if every plan that changes seems to be in epochs."""
        self._next_check = SPARSELY * position
        try:
            plans = [plan for plan in self.plans if not is_constant(plan, position)]
            in_epochs = bool(plans) and all(seems_in_epochs(plan, gap, position) for plan in plans)
        except Exception:  # a Python function may refuse the steps of long ago, which the run does not need
            return
        if in_epochs:
            self._warn(
                f"step() is called once in {gap} updates, and {plans[0]!r} follows the updates, so that it is far "
                f"ahead of the calls (update {position}): if its numbers are epochs, {EPOCHS}",
                "GP702",
            )

    def _check_repeat(self, position: int, optimizer: torch.optim.Optimizer) -> None:
        """Warn if calls follow no update again and again, and no skipped update or virtual batch explains it."""
        distance, self._last_repeat = position - self._last_repeat, position
        self._in_a_row = 1 if distance else self._in_a_row + 1
        self._repeats = self._repeats + 1 if distance <= DENSE else 1
        if self._in_a_row < _count_processes() or self._repeats < _count_repeats(optimizer):
            return
        if _adds_up_batches(optimizer) or has_overflow(optimizer):  # the second reads every gradient
            return
        self._warn(
            "step() was called twice with no optimizer update in between, so the rate stayed the same "
            f"({position} updates so far): {CALLS}",
            "GP701",
        )

    def _warn(self, message: str, code: str) -> None:
        self.warned = True
        warn_caller(message, code)


def _count_processes() -> int:
    """Return the number of processes: Accelerate calls `step()` after each update as often as that."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _count_repeats(optimizer: torch.optim.Optimizer) -> int:
    """Return from how many calls without an update on they are a mistake.

    Where the gradients are already cleared, a GradScaler may have skipped the update: on a CPU once in a while, on an
    accelerator many times in a row.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    if any(p.grad is not None for p in parameters):
        return 1
    return MAX_SKIPS if any(p.device.type != "cpu" for p in parameters) else 2


def _adds_up_batches(optimizer: torch.optim.Optimizer) -> bool:
    """Return whether Opacus is adding up the clipped gradients of physical batches, which are no updates."""
    return any(getattr(p, "summed_grad", None) is not None for group in optimizer.param_groups for p in group["params"])
