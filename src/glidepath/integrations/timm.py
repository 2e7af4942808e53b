"""timm: a plan as a scheduler for timm's `train.py`, and for loops written like it.

timm counts updates and epochs in the loop, hands the number over, and saves no scheduler: what a scheduler has to be
is a function of that number, and that is what a plan is. So there is no clock here, and nothing of timm is needed.
"""

import math
from typing import Any, final

from glidepath.core.checks import count
from glidepath.core.horizon import Horizon
from glidepath.core.schedule import Schedule
from glidepath.errors import SchedulerError
from glidepath.extras import needs_extra
from glidepath.parser import parse

with needs_extra("torch", "the integration with timm"):
    import torch


@final
class PlannedScheduler:
    """Before update k a group holds base * plan(k), times the group's `lr_scale` (layer decay) if it has one.

    It has what timm's `train.py` asks of a scheduler: `step_update`, `step` and `t_in_epochs`.

    Args:
        optimizer: any PyTorch optimizer.
        plan: a schedule or its text; a draft takes its horizon from the two numbers below.
        epochs: epochs in the run.
        updates_per_epoch: optimizer updates in an epoch, not batches.
        field: the hyperparameter to scale.

    Raises:
        SchedulerError: if `plan` is not a plan, a group has no such field, or a value is not finite.
        HorizonError: if a draft does not fit the run.

    Examples:
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        >>> scheduler = PlannedScheduler(optimizer, "warmup(1ep) >> linear(50%)", epochs=2, updates_per_epoch=4)
        >>> optimizer.param_groups[0]["lr"]
        0.025
        >>> scheduler.step_update(num_updates=6)
        >>> optimizer.param_groups[0]["lr"]
        0.05
    """

    t_in_epochs = False  # train.py tells from it what it logs: "LR stepped per update"

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        plan: Schedule | str,
        *,
        epochs: int,
        updates_per_epoch: int,
        field: str = "lr",
    ) -> None:
        schedule = parse(plan) if isinstance(plan, str) else plan
        if not isinstance(schedule, Schedule):
            raise SchedulerError(f"timm's schedulers follow one plan, a schedule or its text, not {plan!r}")
        epochs = count(epochs, "epochs", at_least=1)
        updates_per_epoch = count(updates_per_epoch, "updates_per_epoch", at_least=1)
        self.plan = schedule.over(Horizon(epochs * updates_per_epoch, steps_per_epoch=updates_per_epoch))
        self.optimizer, self.updates_per_epoch, self.field = optimizer, updates_per_epoch, field
        self.step_update(0)

    def step_update(self, num_updates: int, metric: float | None = None) -> None:
        """Write the values of the next update.

        Args:
            num_updates: updates made so far, as the loop counts them.
            metric: ignored; timm passes it.
        """
        value = self.plan(num_updates)
        if not math.isfinite(value):
            raise SchedulerError(f"{self.plan!r} gives {value} at update {num_updates}; nothing was changed")
        for number, group in enumerate(self.optimizer.param_groups):
            _write(group, self.field, self._base(group, number) * value * group.get("lr_scale", 1.0))

    def step(self, epoch: int, metric: float | None = None) -> None:
        """Write the values of the first update of an epoch; timm calls it after the epoch before, and on resuming.

        Args:
            epoch: epochs made so far.
            metric: ignored; timm passes it.
        """
        self.step_update(epoch * self.updates_per_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: the loop has the number of updates, and the optimizer the bases."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load nothing: `step_update` or `step` say where the run is."""

    def _base(self, group: dict[str, Any], number: int) -> float:
        """Return the group's own value before anything was scaled, kept in the group where timm keeps it."""
        if self.field not in group:
            raise SchedulerError(f"group {number} has no {self.field!r} to schedule")
        return float(group.setdefault(f"initial_{self.field}", float(group[self.field])))


def _write(group: dict[str, Any], field: str, value: float) -> None:
    if isinstance(group[field], torch.Tensor):
        group[field].fill_(value)
    else:
        group[field] = value
