"""Hugging Face's Trainer: a plan in place of its own schedules, with the number of updates that the Trainer counts.

The Trainer knows that number only once its training begins, in `create_scheduler`. That method is replaced on one
trainer, so any subclass of Trainer will do. Where the Trainer's optimizer is not the one that changes the weights,
those that do are scheduled, and where no optimizer's `step` is called the Trainer's own calls are counted.
"""

import copy
import warnings
from collections.abc import Callable, Sequence
from typing import Any, final

from glidepath.core.horizon import Horizon
from glidepath.errors import GlidepathWarning, SchedulerError
from glidepath.torch import Scheduler, detach
from glidepath.torch.clock import unwrap_optimizer
from glidepath.torch.foreign_state import is_foreign
from glidepath.torch.scheduler import PlanArgument
from glidepath.torch.state import OnChange
from glidepath.warn import warn_caller


def schedule(trainer: Any, lr: PlanArgument | None = None, **arguments: Any) -> None:
    """Let a plan drive the optimizer of a Trainer; call it before `trainer.train()`.

    Plans may be drafts ("5%", "3ep"): their horizon is the number of updates that the Trainer will make. It knows its
    epochs if `num_train_epochs` is a whole number, and `max_steps` is not given.

    With `optim="galore_adamw_layerwise"` and the like the optimizer of every parameter is scheduled, not the Trainer's
    dummy; with `optim="lomo"` and DeepSpeed the Trainer's updates are counted, which no hook sees. A checkpoint of the
    Trainer's own scheduler is taken over.

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
    factory = _SchedulerFactory(trainer, {"lr": lr, **arguments})
    trainer.create_scheduler = factory
    trainer.remove_callback(_ResumeWarnings)
    trainer.add_callback(factory.resume_warnings)


@final
class _SchedulerFactory:
    """The replacement of `create_scheduler` in one trainer."""

    def __init__(self, trainer: Any, arguments: dict[str, Any]) -> None:
        self._trainer, self._arguments = trainer, arguments
        self._optimizers: list[Any] = []
        self._before: list[list[dict[str, Any]]] = []
        self.resume_warnings = _ResumeWarnings(trainer)

    def __call__(self, num_training_steps: int, optimizer: Any = None) -> Scheduler:
        trainer = self._trainer
        if trainer.lr_scheduler is None:
            optimizer = unwrap_optimizer(trainer.optimizer if optimizer is None else optimizer)
            optimizers = _optimizers_in_training(optimizer)
            self._begin(optimizers)
            defaults: dict[str, Any] = {
                "horizon": Horizon(
                    num_training_steps, steps_per_epoch=_updates_in_an_epoch(trainer, num_training_steps)
                )
            }
            if _hides_updates(trainer, optimizer):
                defaults["clock"] = "calls"
            target = optimizers[0] if optimizers == [optimizer] else optimizers
            scheduler = Scheduler(target, **{**defaults, **self._arguments})
            scheduler.trainer_updates = lambda: int(trainer.state.global_step)
            self.resume_warnings.hold(scheduler)
            trainer.lr_scheduler = scheduler
            trainer._created_lr_scheduler = True  # so that training once more asks for another
        return trainer.lr_scheduler  # type: ignore[no-any-return]

    def _begin(self, optimizers: list[Any]) -> None:
        """Start from the values of the first training, also when the same optimizers are trained again."""
        for optimizer in optimizers:
            detach(optimizer)
        if list(map(id, optimizers)) == list(map(id, self._optimizers)):
            for optimizer, groups in zip(optimizers, self._before, strict=True):
                for group, before in zip(optimizer.param_groups, groups, strict=True):
                    group.update(before)
        self._optimizers = optimizers
        self._before = [
            copy.deepcopy([{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups])
            for optimizer in optimizers
        ]


def _optimizers_in_training(optimizer: Any) -> list[Any]:
    """Return the optimizers that change weights: those of the parameters, where the Trainer's own is a dummy."""
    by_parameter = getattr(optimizer, "optimizer_dict", None)
    if not by_parameter:
        return [optimizer]
    return [each for parameter, each in by_parameter.items() if parameter.requires_grad]


def _hides_updates(trainer: Any, optimizer: Any) -> bool:
    """Return whether updates happen without the optimizer's `step`: LOMO's in backward, DeepSpeed's group by group."""
    return hasattr(optimizer, "fused_backward") or getattr(trainer, "is_deepspeed_enabled", False)


def _updates_in_an_epoch(trainer: Any, updates: int) -> int | None:
    """Return the updates in an epoch, or None if the run is not a whole number of epochs."""
    epochs = int(trainer.args.num_train_epochs)
    whole = trainer.args.max_steps < 0 and 0 < epochs == trainer.args.num_train_epochs
    return updates // epochs if whole else None


# --- resuming ---


@final
class _ResumeWarnings:
    """A callback of the Trainer, which gives what it has swallowed: it drops the warnings of a checkpoint's load.

    It is no `TrainerCallback`, so that Transformers need not be imported.
    """

    def __init__(self, trainer: Any) -> None:
        self._trainer = trainer
        self._caught: list[GlidepathWarning] = []

    def hold(self, scheduler: Scheduler) -> None:
        """Hold back the warnings of a scheduler's `load_state_dict` until the training begins."""
        load = scheduler.load_state_dict

        def load_state_dict(state_dict: dict[str, Any], on_change: OnChange = "warn") -> None:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                load(_spread_bases(state_dict, scheduler), on_change)
            self._caught = [each.message for each in caught if isinstance(each.message, GlidepathWarning)]

        self._caught = []
        scheduler.load_state_dict = load_state_dict  # type: ignore[method-assign]

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Give the warnings of the load, and another one if no update is left."""
        caught, self._caught = self._caught, []
        for warning in caught:
            if warning.code == "GP704":
                warn_caller(
                    f"{warning.args[0]}; a learning_rate that was changed counts if the on_train_begin of a callback "
                    "calls lr_scheduler.rebase(lr=args.learning_rate)",
                    "GP746",
                )
            else:
                warn_caller(str(warning.args[0]), warning.code)
        self._warn_if_nothing_is_left(state, [warning.code for warning in caught])

    def _warn_if_nothing_is_left(self, state: Any, codes: Sequence[str]) -> None:
        """Warn about a training that is past its end, unless it was simply finished before."""
        updates, batch = state.global_step, self._trainer._train_batch_size
        plan = self._trainer.lr_scheduler._clock.schedules[0].target.plan
        has_rest = plan.duration is not None and updates < plan.duration
        is_other = state.train_batch_size not in (None, batch)
        if updates >= state.max_steps > 0 and updates and ("GP703" in codes or has_rest or is_other):
            batches = f", with a batch of {batch} in place of {state.train_batch_size}" if is_other else ""
            warn_caller(
                f"this training has no update left to make: the checkpoint has made {updates:,}, and "
                f"{state.max_steps:,} are all that there are now{batches}; give max_steps=, or more epochs",
                "GP747",
            )

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Return the other events of a callback, which do nothing."""
        if name.startswith("on_"):
            return _do_nothing
        raise AttributeError(name)


def _spread_bases(state: dict[str, Any], scheduler: Scheduler) -> dict[str, Any]:
    """Return a state of the Trainer's own scheduler, which drove one dummy, for the optimizers of all parameters."""
    bases = state.get("base_lrs")
    if len(scheduler.optimizers) == 1 or not is_foreign(state) or not isinstance(bases, list) or len(bases) != 1:
        return state
    return {**state, "base_lrs": bases * len(scheduler.base_lrs)}


def _do_nothing(*arguments: Any, **others: Any) -> None:
    pass
