"""A task from a LightningModule: its own training_step, optimizer and hooks, without a Trainer.

What a Trainer does with automatic optimization is done in its order, so that losses and weights are those of
`Trainer.fit` on the same batches. What cannot be done without one is refused by name: a hook that would not be called,
a second optimizer, manual optimization. Schedulers are left out: a study's schedules decide the rate.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, final

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from glidepath.errors import TaskError
from glidepath.extras import needs_extra

from .batches import EpochBatch, batches_of, whole_epoch
from .lightning_optimizer import select_optimizer
from .task import Task
from .versions import Versions

with needs_extra("", "a task from a LightningModule"):
    from lightning.pytorch import LightningDataModule, LightningModule
    from lightning.pytorch.utilities.signature_utils import is_param_in_hook_signature
    from torchmetrics import Metric

from .lightning_metrics import MetricLog, RunningValue
from .lightning_trainer import StandIn

# Hooks that a Trainer calls and a task cannot: they decide about updates or epochs, add callbacks, or hold a state
# that no state_dict has.
UNCALLED = (
    *("optimizer_step", "configure_gradient_clipping", "configure_callbacks", "configure_sharded_model"),
    *("on_train_epoch_start", "on_train_epoch_end", "on_save_checkpoint", "on_load_checkpoint"),
    *("on_validation_model_zero_grad", "on_validation_model_eval", "on_validation_model_train"),
)

# Hooks that a datamodule may have, too, with what they are given besides the batch.
TRANSFERS = ("on_before_batch_transfer", "transfer_batch_to_device", "on_after_batch_transfer")


def from_module(
    module: LightningModule,
    train: DataLoader[Any] | LightningDataModule | None = None,
    validation: DataLoader[Any] | None = None,
    *,
    seed: int,
    monitor: str = "val_loss",
    gradient_clip_val: float | None = None,
    accumulate_grad_batches: int = 1,
    leave_out: Collection[str] = (),
) -> Task:
    """Return a task that trains a module as `lightning.Trainer` would, in full precision, on the device that it is on.

    An update is training_step, backward and the optimizer's step, with the hooks around them. Batches are made in
    this process, whatever `num_workers` says; where the loader shuffles, each epoch's order is drawn from (seed,
    epoch). A loader that only goes forward (an IterableDataset, a sampler of one's own without `set_epoch`) makes a
    task that is compared without sharing.

    Args:
        module: with automatic optimization and one optimizer. The schedulers that configure_optimizers returns are
            left out, and the rate is what it was before they were built.
        train: the training loader, or a datamodule with both loaders; None: the module's own loaders.
        validation: the validation loader, if `train` has none.
        seed: of the task: decides the order of the batches, and what the dataset draws.
        monitor: the logged metric that ranks, lower is better. If it is not logged, the mean of the losses that
            validation_step returns ranks, as `validation`.
        gradient_clip_val: as the Trainer's: the largest norm of the gradients; None: any.
        accumulate_grad_batches: as the Trainer's: batches of an update, at least 1.
        leave_out: overridden hooks that may stay uncalled, since they change nothing that is trained.

    Raises:
        TaskError: if the module needs a Trainer, or the data are missing.

    Examples:
        >>> import torch
        >>> class Line(LightningModule):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.layer = nn.Linear(1, 1)
        ...     def training_step(self, batch):
        ...         return (self.layer(batch) - 2 * batch).square().mean()
        ...     validation_step = training_step
        ...     def configure_optimizers(self):
        ...         return torch.optim.SGD(self.parameters(), lr=0.1)
        >>> points = torch.linspace(-1, 1, 16)[:, None]
        >>> train = DataLoader(points, batch_size=4, shuffle=True)
        >>> task = from_module(Line(), train, DataLoader(points, batch_size=16), seed=0)
        >>> list(task.evaluate(task.model))
        ['validation']
    """
    _refuse(module, leave_out)
    trainer, logged = StandIn(), MetricLog()
    data = module if train is None else train
    _prepare(module, data, trainer, logged)
    loader, held_out = _loaders(data, validation)
    optimizer = select_optimizer(module.configure_optimizers())
    trainer.optimizers, trainer.configuring = [optimizer], False
    batches = batches_of(loader, seed, accumulate_grad_batches)
    module.on_fit_start()
    module.on_train_start()
    frozen = tuple(part for part in module.modules() if not part.training)
    run = _Loop(module, frozen, trainer, optimizer, data, gradient_clip_val or 0.0, accumulate_grad_batches)
    return Task(
        model=module,
        optimizer=optimizer,
        update=lambda step: _update(run, step, batches(step)),
        evaluate=lambda model: _evaluate(run, logged, whole_epoch(held_out, seed), monitor),
        carried={"versions": Versions("lightning", "torchmetrics")},
    )


@final
@dataclass(frozen=True)
class _Loop:
    """The state that the updates of a task share; `frozen` are the modules that stay in evaluation mode."""

    module: LightningModule
    frozen: tuple[nn.Module, ...]
    trainer: StandIn
    optimizer: Optimizer
    data: Any
    clip: float
    together: int


def _update(run: _Loop, step: int, parts: list[EpochBatch]) -> Tensor:
    """Make one update, hook after hook as a Trainer calls them, and return the mean loss of its batches."""
    trainer = run.trainer
    trainer.global_step, trainer.training, trainer.validating = step, True, False
    for frozen in run.frozen:  # the engine has put them into training mode
        frozen.training = False
    losses = []
    for part in parts[:-1]:
        batch, output = _backward(run, part)
        run.module.on_train_batch_end(output, batch, part.index)
        losses.append(output["loss"])
    batch, output = _backward(run, parts[-1])
    run.module.on_before_optimizer_step(run.optimizer)
    if run.clip > 0:
        nn.utils.clip_grad_norm_([p for group in run.optimizer.param_groups for p in group["params"]], run.clip)
    run.optimizer.step()
    trainer.global_step += 1
    run.module.on_train_batch_end(output, batch, parts[-1].index)
    total: Tensor = sum(losses, output["loss"])
    return total * run.together / len(parts)


def _backward(run: _Loop, part: EpochBatch) -> tuple[Any, dict[str, Any]]:
    """Compute the gradients of one batch; return the batch as the step saw it, and what the step returned."""
    module, run.trainer.current_epoch = run.module, part.epoch
    if part.index == 0:
        _reset_metrics(module)
    batch = _move(run, part.batch)
    if module.on_train_batch_start(batch, part.index) == -1:
        raise TaskError("on_train_batch_start returned -1, which ends an epoch: how long epochs are is the loader's")
    output = _output(_call(module, "training_step", batch, part.index))
    loss = output["loss"] / run.together
    if part.index % run.together == 0:
        module.on_before_zero_grad(run.optimizer)
        module.optimizer_zero_grad(part.epoch, part.index, run.optimizer)
    module.on_before_backward(loss)
    module.backward(loss)
    module.on_after_backward()
    return batch, output | {"loss": loss.detach().clone()}


def _evaluate(run: _Loop, logged: MetricLog, batches: Any, monitor: str) -> dict[str, float]:
    """Return what the module logs over the validation batches; what ranks comes first."""
    module, trainer, returned = run.module, run.trainer, RunningValue("mean")
    trainer.training, trainer.validating, logged.listening = False, True, True
    module.on_validation_start()
    module.on_validation_epoch_start()
    for index, raw in enumerate(batches):
        logged.batch = batch = _move(run, raw)
        module.on_validation_batch_start(batch, index)
        output = _call(module, "validation_step", batch, index)
        loss = output.get("loss") if isinstance(output, Mapping) else output
        if isinstance(loss, Tensor) and loss.numel() == 1 and monitor not in logged.totals:
            returned.add(loss, logged.size())
        module.on_validation_batch_end(output, batch, index)
    logged.batch = None
    module.on_validation_epoch_end()
    module.on_validation_end()
    logged.listening = False
    return _rank(logged.values(), returned, monitor)


def _rank(values: dict[str, float], returned: RunningValue, monitor: str) -> dict[str, float]:
    """Return the metrics, the one that ranks first."""
    if monitor in values:
        return {monitor: values[monitor], **values}
    if returned.value is not None:
        return {"validation": float(returned.compute()), **values}
    raise TaskError(
        f"validation_step logs {', '.join(values) or 'nothing'}, not {monitor}, and returns no loss: return the loss, "
        "or say which metric ranks, with monitor="
    )


def _call(module: LightningModule, name: str, batch: Any, index: int) -> Any:
    """Call a step, which may take the batch alone, or its index too."""
    step = getattr(module, name)
    return step(batch, index) if is_param_in_hook_signature(step, "batch_idx", min_args=2) else step(batch)


def _output(returned: Any) -> dict[str, Any]:
    """Return what training_step returned, as a dict with a loss."""
    output = dict(returned) if isinstance(returned, Mapping) else {"loss": returned}
    if not isinstance(output.get("loss"), Tensor):
        raise TaskError(f"training_step returned {returned!r:.80}: return the loss, a tensor, or a dict with one")
    return output


def _move(run: _Loop, batch: Any) -> Any:
    """Move a batch through the hooks that move it to the device: the datamodule's, if it has them."""
    for name in TRANSFERS:
        owner = run.data if _overrides(run.data, name, LightningDataModule) else run.module
        where = (run.module.device,) if name == "transfer_batch_to_device" else ()
        batch = getattr(owner, name)(batch, *where, 0)
    return batch


def _reset_metrics(module: LightningModule) -> None:
    """Reset the metrics of training at a new epoch: they would grow for ever."""
    for metric in module.modules():
        if isinstance(metric, Metric):
            metric.reset()


def _refuse(module: Any, leave_out: Collection[str]) -> None:
    """Raise for anything that would train differently from a Trainer."""
    if not isinstance(module, LightningModule):
        raise TaskError(f"from_module takes a lightning.pytorch.LightningModule, not {type(module)!r}")
    if not module.automatic_optimization:
        raise TaskError("the module optimizes by itself (automatic_optimization=False): write a Task with `update`")
    for name in ("training_step", "validation_step"):
        if not _overrides(module, name, LightningModule):
            raise TaskError(f"the module has no {name}: schedules are compared by how it trains and validates")
    unknown = sorted(set(leave_out) - set(UNCALLED))
    if unknown:
        raise TaskError(f"{unknown[0]} is called, or is not a hook of training: leave_out takes {', '.join(UNCALLED)}")
    uncalled = [name for name in UNCALLED if _overrides(module, name, LightningModule) and name not in leave_out]
    if uncalled:
        raise TaskError(
            f"the module has hooks that only a Trainer calls: {', '.join(uncalled)}. If they change nothing that is "
            f"trained, leave_out={uncalled!r}; if they do, write a Task with `update`"
        )


def _overrides(thing: Any, name: str, base: type) -> bool:
    own = getattr(type(thing), name, None)
    return isinstance(thing, base) and (own is not getattr(base, name) or name in vars(thing))


def _prepare(module: LightningModule, data: Any, trainer: StandIn, logged: MetricLog) -> None:
    """Call the hooks that come before training, with a trainer to ask."""
    _attach(module, trainer, logged)
    if isinstance(data, LightningDataModule):
        data.trainer = trainer
        data.prepare_data()
    module.prepare_data()
    if isinstance(data, LightningDataModule):
        data.setup("fit")
    module.setup("fit")
    module.configure_model()
    _attach(module, trainer, logged)  # to modules that were only made now


def _attach(module: LightningModule, trainer: StandIn, logged: MetricLog) -> None:
    for part in module.modules():
        if isinstance(part, LightningModule):
            part.trainer, part.log = trainer, logged.log


def _loaders(data: Any, validation: Any) -> tuple[Any, DataLoader[Any]]:
    """Return the training loader and the validation loader."""
    own = isinstance(data, (LightningModule, LightningDataModule))
    held_out = data.val_dataloader() if own and validation is None else validation
    if isinstance(held_out, (list, tuple)) and len(held_out) == 1:
        held_out = held_out[0]
    if not isinstance(held_out, DataLoader):
        raise TaskError(f"validation data come from one torch.utils.data.DataLoader, not {held_out!r:.80}")
    return (data.train_dataloader() if own else data), held_out
