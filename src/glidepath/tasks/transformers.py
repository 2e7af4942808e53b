"""A task from a Hugging Face Trainer: its own optimizer, batches, loss, accumulation and clipping, without its loop.

The Trainer's methods do the work (`create_optimizer`, `training_step`, `evaluate`), so what a subclass overrides in
them counts, and losses and weights are those of `Trainer.train()`. So is the order of the batches: accelerate draws it
from the seed and the epoch. What the loop would do besides is refused by name: other precision, several devices,
callbacks, a scheduler.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from glidepath.errors import TaskError
from glidepath.extras import needs_extra

from .batches import EpochBatch, batches_of
from .task import Task
from .versions import Versions

with needs_extra("", "a task from a Trainer"):
    from transformers import Trainer

# Settings that Trainer.train() acts on, and that a task does not: (whether it is so, what it is, what to do instead).
REFUSED: tuple[tuple[Callable[[Trainer], Any], str, str], ...] = (
    (lambda t: t.accelerator.mixed_precision != "no", "mixed precision (bf16, fp16)", "write a Task with `update`"),
    (lambda t: t.is_deepspeed_enabled, "DeepSpeed", "train on one device"),
    (lambda t: t.is_fsdp_enabled or t.args.fsdp, "FSDP", "train on one device"),
    (lambda t: t.args.world_size > 1 or t.args.n_gpu > 1, "several devices", "CUDA_VISIBLE_DEVICES=0"),
    (lambda t: t.args.torch_compile, "torch_compile", "compile the model yourself"),
    (lambda t: t.args.neftune_noise_alpha is not None, "neftune_noise_alpha", "leave it out"),
    (lambda t: t.args.use_liger_kernel, "use_liger_kernel", "apply the kernels to the model yourself"),
    (lambda t: t.args.activation_checkpointing, "activation_checkpointing", "enable it on the model yourself"),
    (lambda t: t.args.auto_find_batch_size, "auto_find_batch_size", "set per_device_train_batch_size"),
    (lambda t: t.args.fp16_full_eval or t.args.bf16_full_eval, "evaluation in 16 bits", "leave it out"),
    (lambda t: t.args.debug, "debug", "leave it out"),
    (lambda t: "lomo" in str(t.args.optim).lower(), "LOMO, which updates during the backward pass", "another optim"),
    (lambda t: "layerwise" in str(t.args.optim).lower(), "an optimizer for each layer", "another optim"),
    (lambda t: t.lr_scheduler is not None, "a scheduler", "leave it out: the study's schedules decide the rate"),
)

# The methods of the loop, which is not run: what a subclass does there would be lost.
LOOP = ("train", "_inner_training_loop", "_run_epoch", "_prepare_for_training", "_clip_grad_norm")

SHOWING = ("DefaultFlowCallback", "ProgressCallback", "PrinterCallback")

TIMES = ("_runtime", "_per_second", "_preparation_time")  # the same update twice takes another time


def from_trainer(trainer: Trainer, *, seed: int) -> Task:
    """Return a task that trains as `trainer.train()` would, in full precision, on the one device that the Trainer
    chose.

    An update is `gradient_accumulation_steps` times `training_step` (`compute_loss`, with num_items_in_batch where
    the model takes it, label smoothing, the backward pass), clipping to `max_grad_norm`, and the optimizer's step.
    Batches are made in this process, whatever `dataloader_num_workers` says. An IterableDataset, or a sampler of one's
    own without `set_epoch`, makes a task that is compared without sharing.

    Reporting, logging and saving do not take place, `max_steps` and `num_train_epochs` are decided by the study, and
    `lr_scheduler_type` and warmup are left out. `evaluate` gives the metrics of `trainer.evaluate()`, losses first.

    Args:
        trainer: new, with an eval_dataset, and TrainingArguments(seed=seed). It is the task's from now on.
        seed: of the task.

    Raises:
        TaskError: if the Trainer would do something that the task does not; the message says what.

    Examples:
        >>> from tempfile import gettempdir
        >>> from transformers import GPT2Config, GPT2LMHeadModel, TrainingArguments
        >>> rows = [{"input_ids": row, "labels": row} for row in torch.arange(64).reshape(8, 8)]
        >>> def tiny(seed):
        ...     model = GPT2LMHeadModel(GPT2Config(vocab_size=64, n_positions=8, n_embd=8, n_layer=1, n_head=1))
        ...     settings = TrainingArguments(gettempdir(), seed=seed, use_cpu=True, dataloader_pin_memory=False)
        ...     return from_trainer(Trainer(model, settings, train_dataset=rows, eval_dataset=rows), seed=seed)
        >>> list(tiny(0).evaluate(None))
        ['eval_loss']
    """
    _refuse(trainer, seed)
    optimizer = trainer.create_optimizer()
    if not isinstance(optimizer, Optimizer):
        raise TaskError(f"the Trainer's optimizer is {optimizer!r:.80}: a task has one torch.optim.Optimizer")
    loader = trainer.get_train_dataloader()
    batches = batches_of(loader, seed, trainer.args.gradient_accumulation_steps)
    trainer.callback_handler.callbacks.clear()  # bars, tables and reports of one run
    return Task(
        model=trainer.model,
        optimizer=optimizer,
        update=lambda step: _update(trainer, step, batches(step)),
        evaluate=lambda model: _evaluate(trainer),
        carried={"versions": Versions("transformers", "accelerate")},
    )


def _update(trainer: Trainer, step: int, batches: list[EpochBatch]) -> Tensor:
    """Make one update, and return the sum of what its batches add to the Trainer's own loss."""
    model, args = trainer.model, trainer.args
    first = batches[0]
    model.zero_grad()  # of parameters that no optimizer has, too: clipping sees them
    trainer.state.global_step = step
    trainer.state.epoch = first.epoch + first.index / (first.epoch_length or math.inf)
    if first.index == 0 and first.epoch_length is not None:  # a DataLoader that is iterated anew draws one number
        torch.empty((), dtype=torch.int64).random_()
    inputs, items = trainer.get_batch_samples((batch.batch for batch in batches), len(batches), args.device)
    trainer.current_gradient_accumulation_steps = len(inputs)
    losses = [trainer.training_step(model, batch, items) for batch in inputs]
    if args.max_grad_norm > 0:
        nn.utils.clip_grad_norm_(model.parameters(), args.max_grad_norm)
    trainer.optimizer.step()
    total: Tensor = sum(losses[1:], losses[0])
    return total


def _evaluate(trainer: Trainer) -> dict[str, float]:
    """Return the Trainer's metrics, without how long they took; the losses of its own first."""
    metrics = {name: value for name, value in trainer.evaluate().items() if not _is_time(name)}
    trainer.state.log_history.clear()
    held_out = trainer.eval_dataset
    names = [f"eval_{name}_loss" for name in held_out] if isinstance(held_out, dict) else ["eval_loss"]
    losses = {name: metrics[name] for name in names if name in metrics}
    if not losses:
        raise TaskError(f"the Trainer evaluates to no loss, only to {', '.join(metrics)}: are there labels?")
    return losses | metrics


def _is_time(name: str) -> bool:
    return name == "epoch" or name.endswith(TIMES)


def _refuse(trainer: Any, seed: int) -> None:
    """Raise for anything that would train differently from `Trainer.train()`."""
    if not isinstance(trainer, Trainer):
        raise TaskError(f"from_trainer takes a transformers.Trainer, not {type(trainer)!r}")
    if trainer.args.seed != seed:
        raise TaskError(f"the Trainer's seed is {trainer.args.seed}, the task's {seed}: TrainingArguments(seed=seed)")
    for data in ("train_dataset", "eval_dataset"):
        if getattr(trainer, data) is None:
            raise TaskError(f"the Trainer has no {data}: schedules are compared by how it trains and evaluates")
    for applies, feature, instead in REFUSED:
        if applies(trainer):
            raise TaskError(f"the Trainer has {feature}, which a task does not do: {instead}")
    lost = [name for name in LOOP if getattr(type(trainer), name) is not getattr(Trainer, name)]
    if lost:
        raise TaskError(f"{type(trainer).__name__} overrides {', '.join(lost)}, which are not called: write a Task")
    _refuse_callbacks(trainer)


def _refuse_callbacks(trainer: Trainer) -> None:
    """Raise if the Trainer has callbacks other than those that show and report a run: they may change it."""
    own = [type(callback).__name__ for callback in trainer.callback_handler.callbacks if not _shows(callback)]
    if own:
        raise TaskError(
            f"the Trainer has callbacks that a task does not call: {', '.join(own)}. Remove them, or write a Task "
            "with `update`"
        )


def _shows(callback: Any) -> bool:
    """Return whether a callback only shows or reports, or decides when the Trainer does so."""
    kind = type(callback)
    if kind.__module__.startswith(("transformers.integrations", "transformers.utils.notebook")):
        return True
    return kind.__module__ == "transformers.trainer_callback" and kind.__name__ in SHOWING
