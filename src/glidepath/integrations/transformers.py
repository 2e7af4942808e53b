"""Hugging Face's Trainer: a plan in place of its own schedules, with the number of updates that the Trainer counts.

The Trainer knows that number only once its training begins, in `create_scheduler`. That method is replaced on one
trainer, so any subclass of Trainer will do.
"""

import copy
from typing import Any, final

from glidepath.core.horizon import Horizon
from glidepath.errors import SchedulerError
from glidepath.torch import Scheduler, detach
from glidepath.torch.clock import unwrap_optimizer
from glidepath.torch.scheduler import PlanArgument


def schedule(trainer: Any, lr: PlanArgument | None = None, **arguments: Any) -> None:
    """Let a plan drive the optimizer of a Trainer; call it before `trainer.train()`.

    Plans may be drafts ("5%", "3ep"): their horizon is the number of updates that the Trainer will make. It knows its
    epochs if `num_train_epochs` is a whole number, and `max_steps` is not given.

    Args:
        trainer: a `transformers.Trainer`, or one of a class below it.
        lr: the plan of the learning rate, as for `glidepath.torch.Scheduler`. It scales the `learning_rate` of the
            Trainer's arguments; their `lr_scheduler_type` and `warmup_steps` are not read.
        **arguments: the other arguments of `Scheduler`. A `horizon` among them takes the place of the Trainer's.

    Raises:
        SchedulerError: if the Trainer was given a scheduler.

    Examples:
        >>> from transformers import Trainer, TrainingArguments
        >>> def train(model, data):
        ...     trainer = Trainer(model, TrainingArguments(learning_rate=3e-4), train_dataset=data)
        ...     schedule(trainer, "warmup(2%) >> constant() >> cosine(20%, to=0.1)")
        ...     trainer.train()
    """
    if trainer.lr_scheduler is not None:
        raise SchedulerError("this Trainer was given a scheduler: give it optimizers=(optimizer, None), or none")
    trainer.create_scheduler = _SchedulerFactory(trainer, {"lr": lr, **arguments})


@final
class _SchedulerFactory:
    """The replacement of `create_scheduler` in one trainer."""

    def __init__(self, trainer: Any, arguments: dict[str, Any]) -> None:
        self._trainer, self._arguments = trainer, arguments
        self._optimizer: Any = None
        self._before: list[dict[str, Any]] = []

    def __call__(self, num_training_steps: int, optimizer: Any = None) -> Scheduler:
        trainer = self._trainer
        if trainer.lr_scheduler is None:
            self._begin(unwrap_optimizer(trainer.optimizer if optimizer is None else optimizer))
            horizon = Horizon(num_training_steps, steps_per_epoch=_updates_in_an_epoch(trainer, num_training_steps))
            trainer.lr_scheduler = Scheduler(self._optimizer, **{"horizon": horizon, **self._arguments})
            trainer._created_lr_scheduler = True  # so that training once more asks for another
        return trainer.lr_scheduler  # type: ignore[no-any-return]

    def _begin(self, optimizer: Any) -> None:
        """Start from the values of the first training, also when the same optimizer is trained again."""
        detach(optimizer)
        if optimizer is self._optimizer:
            for group, before in zip(optimizer.param_groups, self._before, strict=True):
                group.update(before)
        self._optimizer = optimizer
        self._before = copy.deepcopy(
            [{name: value for name, value in group.items() if name != "params"} for group in optimizer.param_groups]
        )


def _updates_in_an_epoch(trainer: Any, updates: int) -> int | None:
    """Return the updates in an epoch, or None if the run is not a whole number of epochs."""
    epochs = int(trainer.args.num_train_epochs)
    whole = trainer.args.max_steps < 0 and 0 < epochs == trainer.args.num_train_epochs
    return updates // epochs if whole else None
