"""Lightning: the result of `configure_optimizers`, with the trainer's own length of the run; and a monitor of rates.

Lightning steps a scheduler once per epoch by default, and does not say how long the run is.
"""

import math
from collections.abc import Mapping
from typing import Any, final

from glidepath.core.horizon import Horizon
from glidepath.core.schedule import waits
from glidepath.errors import Argument, Cure, HorizonError
from glidepath.extras import needs_extra
from glidepath.parser import parse_plan
from glidepath.torch import Scheduler, Set
from glidepath.torch.scheduler import PlanArgument
from glidepath.warn import warn_caller

with needs_extra("torch", "the integration with Lightning"):
    import torch
with needs_extra("", "the integration with Lightning"):
    from lightning.pytorch import callbacks


def configure_scheduler(
    module: Any, optimizer: torch.optim.Optimizer, lr: PlanArgument | None = None, **arguments: Any
) -> dict[str, Any]:
    """Return the result of `configure_optimizers`: the optimizer, and a scheduler that is stepped after each update.

    Plans may be drafts ("5%", "3ep"): their horizon is what the trainer will do.

    Args:
        module: the LightningModule, once it has a trainer.
        optimizer: its optimizer.
        lr: the plan of the learning rate, as for `glidepath.torch.Scheduler`.
        **arguments: the other arguments of `Scheduler`. A `horizon` among them takes the place of the trainer's.

    Raises:
        HorizonError: if a plan is a draft, and the trainer has no end, or the optimization is manual.

    Examples:
        >>> from lightning.pytorch import LightningModule
        >>> class Model(LightningModule):
        ...     def configure_optimizers(self):
        ...         optimizer = torch.optim.AdamW(self.parameters(), lr=3e-4)
        ...         return configure_scheduler(self, optimizer, "warmup(2%) >> constant() >> cosine(20%, to=0.1)")
    """
    plans = [lr, *(value for name, value in arguments.items() if name != "clock")]
    if arguments.get("horizon") is None and any(map(_is_draft, plans)):
        arguments["horizon"] = _horizon_for(module)
    scheduler = Scheduler(optimizer, lr, **arguments)
    if module.automatic_optimization:
        scheduler.trainer_updates = lambda: int(module.trainer.global_step)
    if any(isinstance(callback, callbacks.LearningRateFinder) for callback in module.trainer.callbacks):
        scheduler.expect_base()
    if any(map(_has_replaced_the_scheduler, module.trainer.callbacks)):
        scheduler.detach()
        warn_caller(
            "this checkpoint was saved after StochasticWeightAveraging had put SWALR in the place of the scheduler, so "
            "it holds no position: the plan is not resumed, and SWALR goes on from the saved rates; to follow the plan "
            "again, leave the callback out and give position=",
            "GP743",
        )
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step", "frequency": 1}}


def _has_replaced_the_scheduler(callback: Any) -> bool:
    """Return whether a callback was loaded from a checkpoint that it saved with SWALR in the scheduler's place."""
    averages = isinstance(callback, callbacks.StochasticWeightAveraging)
    return averages and getattr(callback, "_scheduler_state", None) is not None


def _horizon_for(module: Any) -> Horizon:
    if not module.automatic_optimization:
        raise HorizonError(
            "with manual optimization the trainer does not know how many updates an optimizer makes: its batches are "
            "not updates, and its max_steps are shared by all optimizers",
            cures=[Cure("give the updates of this optimizer", Argument("horizon", 10_000))],
        )
    return horizon_of(module.trainer)


def horizon_of(trainer: Any) -> Horizon:
    """Return the updates of a trainer, in all and in each epoch, with its accumulation, `max_steps` and limits.

    Raises:
        HorizonError: if the trainer has no end.
    """
    updates = trainer.estimated_stepping_batches  # -1 for a stream of data without max_steps
    if not 0 < updates < math.inf:
        raise HorizonError("this trainer has no end, and a share of it no length: give it max_steps, or horizon=10_000")
    batches = trainer.num_training_batches  # infinite for a stream; the trainer may not have looked yet
    if not 0 < batches < math.inf:
        return Horizon(updates)
    epochs = _updates_of_epochs(trainer, batches)
    if trainer.max_epochs != -1:  # the estimate takes the accumulation of now for that of all epochs
        updates = sum(epochs) if trainer.max_steps == -1 else min(sum(epochs), trainer.max_steps)
    return Horizon(updates, steps_per_epoch=epochs[0] if len(set(epochs)) == 1 else None)


def _updates_of_epochs(trainer: Any, batches: int) -> list[int]:
    """Return the updates of each epoch, of at least one, with the accumulation that a callback may change."""
    epochs = range(max(trainer.max_epochs, 1))
    changing = [c for c in trainer.callbacks if isinstance(c, callbacks.GradientAccumulationScheduler)]
    if not changing:
        return [math.ceil(batches / trainer.accumulate_grad_batches) for _ in epochs]
    return [math.ceil(batches / changing[-1].get_accumulate_grad_batches(epoch)) for epoch in epochs]


def _is_draft(value: Any) -> bool:
    """Return whether an argument of the scheduler has a plan that waits for a horizon."""
    if isinstance(value, str):
        value = parse_plan(value)
    if isinstance(value, Set):
        return _is_draft(value.plan)
    if isinstance(value, Mapping):
        return any(map(_is_draft, value.values()))
    if isinstance(value, (tuple, list)):
        return any(map(_is_draft, value))
    return waits(value)


@final
class LearningRateMonitor(callbacks.LearningRateMonitor):  # type: ignore[misc]
    """Lightning's own monitor, for rates that are tensors too.

    Lightning's keeps and logs the very tensor that the next update is written into, so its whole history becomes the
    last rate, again and again. This one keeps numbers.
    """

    def _extract_lr(self, param_group: dict[str, Any], name: str) -> dict[str, Any]:
        return super()._extract_lr({**param_group, "lr": float(param_group["lr"])}, name)  # type: ignore[no-any-return]
