"""A task from a LightningModule trains as `lightning.Trainer` does: the same losses, weights and metrics."""

import shutil
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, Dataset, DistributedSampler
from torchmetrics import MeanMetric

import glidepath as gp
from glidepath.cli import main
from glidepath.errors import TaskError
from glidepath.tasks import Task
from glidepath.tasks.lightning import from_module
from glidepath.tasks.lightning_optimizer import select_optimizer
from glidepath.torch import Scheduler

EXAMPLES = Path(__file__).parents[2] / "examples" / "training"
SEED, PLAN, RATE = 3, gp.parse("warmup(3) >> cosine(9)"), 0.05

pytestmark = [
    pytest.mark.filterwarnings("ignore:The '.*_dataloader' does not have many workers"),  # nor is it to have them
    pytest.mark.filterwarnings("ignore:The number of training batches"),  # ... is smaller than the logging interval
    pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec"),  # Lightning's own use of PyTorch
    pytest.mark.filterwarnings("ignore:GPU available but not used"),
]

X = torch.randn(45, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


class Rows(Dataset[Any]):
    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, row: int) -> Any:
        return X[row], X[row].sum()[None]


def training() -> DataLoader[Any]:
    """Another order in every epoch, the same for a Trainer and for a task: both tell the sampler the epoch."""
    return DataLoader(Rows(), batch_size=8, sampler=DistributedSampler(Rows(), 1, 0, seed=SEED))


def held_out() -> DataLoader[Any]:
    return DataLoader(Rows(), batch_size=10)


class Plain(pl.LightningModule):
    """As most are: a network with dropout and batch norm. It notes its losses, and draws from (epoch, batch)."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(SEED)
        self.network = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))
        self.losses: list[float] = []
        self.driven = False

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        torch.manual_seed(1000 * self.current_epoch + batch_idx)  # between batches a Trainer draws numbers for itself
        loss = functional.mse_loss(self.network(batch[0]), batch[1])
        self.log("train_loss", loss, prog_bar=True)
        self.losses.append(loss.item())
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        loss = functional.mse_loss(self.network(batch[0]), batch[1])
        self.log_dict({"twice": 2 * loss, "val_loss": loss})

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=RATE)
        if self.driven:
            return [optimizer], [{"scheduler": Scheduler(optimizer, PLAN), "interval": "step"}]
        return [optimizer], [lr_scheduler.LambdaLR(optimizer, lambda k: (k + 1) / 100)]


def fitted(
    make: Callable[[], Any], train: Callable[[], Any] = training, **options: Any
) -> tuple[Any, dict[str, float], int]:
    """The module that a real Trainer trained by the plan, the metrics of its last evaluation, and its updates."""
    module = make()
    module.driven = True
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = pl.Trainer(max_epochs=2, accelerator="cpu", enable_model_summary=False, **quiet, **options)
    trainer.fit(module, train(), held_out())
    return module, {name: value.item() for name, value in trainer.callback_metrics.items()}, trainer.global_step


def trained(task: Task, updates: int) -> tuple[Any, dict[str, float]]:
    """The module that a task trained by the plan, and what it evaluates to."""
    for step in range(updates):
        task.optimizer.param_groups[0]["lr"] = RATE * PLAN(step)
        task.model.train()
        task.optimizer.zero_grad()
        task.update(step)  # type: ignore[misc]
    task.model.eval()
    with torch.no_grad():
        return task.model, dict(task.evaluate(task.model))  # type: ignore[arg-type, misc]


def check_equal(make: Callable[[], Any], updates: int, train: Callable[[], Any] = training, **options: Any) -> Any:
    real, metrics, steps = fitted(make, train, **options)
    mine, found = trained(from_module(make(), train(), held_out(), seed=SEED, **options), steps)
    assert steps == updates
    assert mine.losses == real.losses
    states = (real.state_dict(), mine.state_dict())
    assert all(map(torch.equal, *(state.values() for state in states)))
    assert found == {name: metrics[name] for name in found}
    return mine, found


# --- the same as a real Trainer ---


@pytest.mark.parametrize(
    ("options", "updates"),
    [
        ({}, 12),
        ({"gradient_clip_val": 0.3}, 12),
        ({"accumulate_grad_batches": 4}, 4),
        ({"gradient_clip_val": 0.3, "accumulate_grad_batches": 4}, 4),
    ],
)
def test_losses_weights_and_metrics_are_those_of_a_trainer(options: dict[str, Any], updates: int) -> None:
    _, found = check_equal(Plain, updates, **options)
    assert list(found) == ["val_loss", "twice"]


def test_a_loader_that_does_not_shuffle_gives_a_trainers_bits_too() -> None:
    check_equal(Plain, 10, lambda: DataLoader(Rows(), batch_size=8, drop_last=True))


def test_the_loss_of_an_update_is_the_mean_of_its_batches_however_many_there_are() -> None:
    task = from_module(Plain(), training(), held_out(), seed=SEED, accumulate_grad_batches=4)
    told = [float(task.update(step)) for step in range(2)]  # type: ignore[misc]
    losses: Any = task.model.losses
    assert told == pytest.approx([sum(losses[:4]) / 4, sum(losses[4:]) / 2], rel=1e-6)


@pytest.mark.filterwarnings("ignore:Found 1 module.* in eval mode")  # which is what is tested
def test_what_the_module_froze_in_evaluation_mode_stays_so() -> None:
    class Frozen(Plain):
        def __init__(self) -> None:
            super().__init__()
            self.network[1].eval()

    mine, _ = check_equal(Frozen, 12)
    assert mine.network[1].num_batches_tracked == 0


class Hooked(Plain):
    """Notes every hook that it is called with, and where training stood."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Any] = []
        self.register_buffer("average", torch.zeros(()))

    def note(self, *what: Any) -> None:
        if self.trainer.sanity_checking or not self.training:
            return
        self.calls.append((*what, self.trainer.global_step, self.global_step, self.current_epoch))

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        self.note("before transfer")
        return [2 * batch[0], batch[1]]

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        self.note("after transfer")
        return [batch[0] + 1, batch[1]]

    def on_train_start(self) -> None:
        self.note("start", self.trainer.training)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        self.note("batch start", batch_idx, batch[0].sum().item())

    def on_before_zero_grad(self, optimizer: Any) -> None:
        self.note("before zero_grad")

    def optimizer_zero_grad(self, epoch: int, batch_idx: int, optimizer: Any) -> None:
        self.note("zero_grad", epoch, batch_idx)
        optimizer.zero_grad()

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        return {"loss": super().training_step(batch, batch_idx), "more": batch_idx}

    def on_before_backward(self, loss: Any) -> None:
        self.note("before backward", loss.item())

    def backward(self, loss: Any) -> None:  # type: ignore[override]
        self.note("backward")
        (2 * loss).backward()

    def on_after_backward(self) -> None:
        self.note("after backward")

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        self.note("before step", sum(float(p.grad.abs().sum()) for p in self.network.parameters()))

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.average.lerp_(outputs["loss"], 0.1)
        self.note("batch end", outputs["more"], outputs["loss"].item(), batch_idx)


@pytest.mark.parametrize("together", [1, 4])
def test_hooks_are_called_as_a_trainer_calls_them(together: int) -> None:
    real, _, updates = fitted(Hooked, accumulate_grad_batches=together)
    task = from_module(Hooked(), training(), held_out(), seed=SEED, accumulate_grad_batches=together)
    mine, _ = trained(task, updates)
    assert mine.calls == real.calls
    assert {call[0] for call in mine.calls} > {"start", "backward", "batch end", "after transfer"}
    assert all(map(torch.equal, real.state_dict().values(), mine.state_dict().values()))


class Measured(Plain):
    """Logs in every way that there is over an epoch of validation."""

    def __init__(self) -> None:
        super().__init__()
        self.metric = MeanMetric()
        self.seen: list[Any] = []

    def on_validation_epoch_start(self) -> None:
        self.seen.clear()

    def validation_step(self, batch: Any, batch_idx: int) -> Any:
        loss = functional.mse_loss(self.network(batch[0]), batch[1])
        self.metric(loss, weight=len(batch[0]))
        self.log("metric", self.metric)
        for reduction in ("min", "max", "sum"):
            self.log(reduction, loss, reduce_fx=reduction)
        self.log("function", loss, reduce_fx=torch.max)
        self.log("double", loss.double())
        self.log("number", batch_idx * 1.5)
        self.log("weighted", loss, batch_size=batch_idx + 1)
        self.log("for a step", loss, on_step=True, on_epoch=False)
        return loss

    def on_validation_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:  # type: ignore[override]
        self.seen.append(outputs)

    def on_validation_epoch_end(self) -> None:
        self.log("val_loss", torch.stack(self.seen).mean())


@pytest.mark.filterwarnings("ignore:You called .self.log.*but the value needs to be floating")
def test_every_metric_that_is_logged_is_reduced_as_lightning_reduces_it() -> None:
    mine, found = check_equal(Measured, 12)
    assert next(iter(found)) == "val_loss"
    assert set(found) == {
        *("val_loss", "metric", "min", "max", "sum", "function", "double", "number", "weighted"),
    }
    assert mine.metric.weight == 0  # a metric is reset after its evaluation


def test_without_a_logged_monitor_the_mean_of_what_is_returned_ranks() -> None:
    class Returns(Plain):
        def validation_step(self, batch: Any, batch_idx: int) -> Any:
            self.log("accuracy", 0.5)
            return {"loss": functional.mse_loss(self.network(batch[0]), batch[1])}

    _, expected, _ = fitted(Plain)
    _, found = trained(from_module(Returns(), training(), held_out(), seed=SEED), 12)
    assert found == {"validation": expected["val_loss"], "accuracy": 0.5}
    assert next(iter(found)) == "validation"


def test_the_monitor_may_be_another_one() -> None:
    _, found = trained(from_module(Plain(), training(), held_out(), seed=SEED, monitor="twice"), 1)
    assert list(found) == ["twice", "val_loss"]


# --- where the data come from ---


class Data(pl.LightningDataModule):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def prepare_data(self) -> None:
        self.calls.append("prepare")

    def setup(self, stage: str) -> None:
        self.calls.append(stage)

    def train_dataloader(self) -> Any:
        return training()

    def val_dataloader(self) -> Any:
        return [held_out()]

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        return [batch[0] - 1, batch[1]]


class Loaded(Plain):
    """With loaders of its own, and a parameter that is only made in setup."""

    def setup(self, stage: str) -> None:
        torch.manual_seed(SEED)
        self.scale = nn.Linear(6, 6)
        self.network.insert(0, self.scale)

    def train_dataloader(self) -> Any:
        return training()

    def val_dataloader(self) -> Any:
        return held_out()


def quiet_trainer() -> pl.Trainer:
    options = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    return pl.Trainer(max_epochs=2, accelerator="cpu", enable_model_summary=False, **options)


def test_a_datamodule_prepares_its_data_and_has_hooks_of_its_own() -> None:
    real, data = Plain(), Data()
    real.driven = True
    quiet_trainer().fit(real, datamodule=Data())
    mine, _ = trained(from_module(Plain(), data, seed=SEED), 12)
    assert mine.losses == real.losses
    assert data.calls == ["prepare", "fit"]


def test_a_module_may_have_its_own_loaders_and_be_finished_in_setup() -> None:
    real = Loaded()
    real.driven = True
    quiet_trainer().fit(real)
    mine, _ = trained(from_module(Loaded(), seed=SEED), 12)
    assert mine.losses == real.losses
    assert "scale.weight" in mine.state_dict()


# --- the optimizer ---


def sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(2)], lr=0.5, momentum=0.9)


FORMS: dict[str, Callable[[Any, Any], Any]] = {
    "an optimizer": lambda optimizer, scheduler: optimizer,
    "a list": lambda optimizer, scheduler: [optimizer],
    "two lists": lambda optimizer, scheduler: ([optimizer], [scheduler]),
    "a list and a scheduler": lambda optimizer, scheduler: ([optimizer], scheduler),
    "two lists with a configuration": lambda optimizer, scheduler: [[optimizer], [{"scheduler": scheduler}]],
    "a dict": lambda optimizer, scheduler: {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler}},
    "a dict with a scheduler": lambda optimizer, scheduler: {"optimizer": optimizer, "lr_scheduler": scheduler},
    "a tuple of dicts": lambda optimizer, scheduler: ({"optimizer": optimizer, "lr_scheduler": scheduler},),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("rate", [0.5, torch.tensor(0.5)], ids=["number", "tensor"])
def test_the_optimizer_is_found_in_every_form_with_the_rate_it_had_before_its_scheduler(form: Any, rate: Any) -> None:
    held = rate.clone() if isinstance(rate, torch.Tensor) else rate
    optimizer = torch.optim.SGD([torch.zeros(2)], lr=held)
    scheduler = lr_scheduler.LinearLR(optimizer, start_factor=0.25)
    assert optimizer.param_groups[0]["lr"] == 0.125
    assert select_optimizer(form(optimizer, scheduler)) is optimizer
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert isinstance(rate, float) or optimizer.param_groups[0]["lr"] is held
    assert "initial_lr" not in optimizer.param_groups[0]


def overwritten(make: Callable[[Any], Any]) -> Any:
    optimizer = sgd()
    return [optimizer], [make(optimizer)]


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, "returned None: a task has one"),
        ([sgd(), sgd()], "a task has one torch.optim.Optimizer"),
        ([], "a task has one"),
        ({"lr_scheduler": 1}, "a task has one"),
        ([{"optimizer": sgd()}, {"optimizer": sgd()}], "a task has one"),
        (3, "a task has one"),
        (torch.optim.LBFGS([torch.zeros(1)]), "LBFGS computes the loss several times an update"),
        (overwritten(lambda o: lr_scheduler.OneCycleLR(o, 1.0, 10)), "OneCycleLR writes the optimizer's rate"),
        (overwritten(lambda o: lr_scheduler.CyclicLR(o, 0.1, 1.0)), "CyclicLR writes"),
        (overwritten(lambda o: gp.torch.lr_scheduler.OneCycleLR(o, 1.0, 10)), "OneCycleLR writes"),
    ],
)
def test_what_is_not_one_optimizer_with_a_rate_of_its_own_is_refused(returned: Any, words: str) -> None:
    with pytest.raises(TaskError, match=words):
        select_optimizer(returned)


# --- what needs a Trainer ---


def made(module: Any, *loaders: Any, **options: Any) -> Task:
    return from_module(module, *(loaders or (training(), held_out())), seed=SEED, **options)


def with_method(name: str, base: type = Plain) -> Any:
    return type("Odd", (base,), {name: lambda self, *args, **kwargs: None})()


def by_hand() -> Any:
    module = Plain()
    module.automatic_optimization = False
    return module


class Deaf(pl.LightningModule):
    def training_step(self, batch: Any) -> Any:
        return batch.sum()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (by_hand, "optimizes by itself"),
        (lambda: nn.Linear(1, 1), "from_module takes a lightning.pytorch.LightningModule, not"),
        (lambda: Deaf(), "the module has no validation_step"),
        (lambda: pl.LightningModule(), "the module has no training_step"),
        (lambda: with_method("optimizer_step"), "only a Trainer calls: optimizer_step. If they change nothing"),
        (lambda: with_method("configure_gradient_clipping"), "configure_gradient_clipping"),
        (lambda: with_method("configure_callbacks"), "configure_callbacks"),
        (lambda: with_method("on_train_epoch_start"), r"leave_out=\['on_train_epoch_start'\]"),
        (lambda: with_method("on_save_checkpoint"), "on_save_checkpoint"),
        (lambda: with_method("on_train_epoch_end", type(with_method("on_load_checkpoint"))), "_end, on_load_check"),
    ],
)
def test_a_module_that_needs_a_trainer_is_refused(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(TaskError, match=words):
        made(make())


def test_a_hook_that_changes_nothing_may_be_left_out_by_name_and_no_other() -> None:
    odd = with_method("on_train_epoch_end")
    assert made(odd, leave_out=["on_train_epoch_end"]).model is odd
    with pytest.raises(TaskError, match="on_train_batch_end is called, or is not a hook of training"):
        made(Plain(), leave_out=["on_train_batch_end"])


@pytest.mark.parametrize(
    ("loaders", "words"),
    [
        ((training(), None), "validation data come from one torch.utils.data.DataLoader, not None"),
        ((training(), [held_out(), held_out()]), "validation data come from one"),
        (([training()], held_out()), "batches come from one torch.utils.data.DataLoader, not"),
    ],
)
def test_data_that_are_not_two_loaders_are_refused(loaders: Any, words: str) -> None:
    with pytest.raises(TaskError, match=words):
        made(Plain(), *loaders)


def asking(what: Callable[[Any], Any]) -> Any:
    """A module whose step does something with its Trainer."""

    class Asks(Plain):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            self.answer = what(self)
            return super().training_step(batch, batch_idx)

    return Asks()


@pytest.mark.parametrize(
    ("what", "answer"),
    [
        (lambda m: m.trainer.training, True),
        (lambda m: m.trainer.world_size, 1),
        (lambda m: m.logger.experiment.add_scalar("x", 1.0), None),
        (lambda m: m.logger.log_metrics({"x": 1.0}), None),
        (lambda m: m.print("hello"), None),
        (lambda m: m.loggers, ()),
        (lambda m: m.trainer.optimizers[0].param_groups[0]["lr"], RATE * PLAN(0)),
    ],
)
def test_a_step_may_ask_its_trainer_what_can_be_known(what: Callable[[Any], Any], answer: Any) -> None:
    module, _ = trained(made(asking(what)), 1)
    assert module.answer == answer


@pytest.mark.parametrize("name", ["max_epochs", "estimated_stepping_batches", "strategy", "callback_metrics"])
def test_a_step_that_asks_for_what_nobody_knows_is_told_so(name: str) -> None:
    task = made(asking(lambda module: getattr(module.trainer, name)))
    with pytest.raises(AttributeError, match=f"self.trainer.{name} is not there: no Trainer runs"):
        trained(task, 1)


def test_a_scheduler_that_asks_how_long_the_run_is_may_be_built_and_is_left_out() -> None:
    class Long(Plain):
        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.SGD(self.parameters(), lr=0.5)
            steps = int(self.trainer.estimated_stepping_batches)
            return [optimizer], [lr_scheduler.LinearLR(optimizer, total_iters=steps)]

    assert made(Long()).optimizer.param_groups[0]["lr"] == 0.5


def test_a_module_within_the_module_logs_and_asks_too() -> None:
    class Inner(pl.LightningModule):
        def forward(self, x: Any) -> Any:
            self.log("inner", 7.0)
            return x * (1 + self.trainer.current_epoch)

    class Outer(Plain):
        def __init__(self) -> None:
            super().__init__()
            self.network.append(Inner())

    class Late(Plain):
        def setup(self, stage: str) -> None:
            self.network.append(Inner())

    for module in (Outer(), Late()):
        _, found = trained(made(module), 1)
        assert found["inner"] == 7.0


@pytest.mark.parametrize(
    ("name", "returned", "words"),
    [
        ("training_step", None, "training_step returned None: return the loss"),
        ("training_step", {"lose": 1}, "training_step returned .'lose': 1.: return the loss"),
        ("training_step", 2.5, "training_step returned 2.5"),
        ("on_train_batch_start", -1, "on_train_batch_start returned -1"),
        ("validation_step", None, "validation_step logs nothing, not val_loss, and returns no loss"),
    ],
)
def test_a_step_that_returns_no_loss_is_told(name: str, returned: Any, words: str) -> None:
    odd = type("Odd", (Plain,), {name: lambda self, batch, batch_idx: returned})()
    with pytest.raises(TaskError, match=words):
        trained(made(odd), 1)


def test_a_metric_that_is_reduced_in_a_way_of_its_own_is_refused() -> None:
    class Odd(Plain):
        def validation_step(self, batch: Any, batch_idx: int) -> None:
            self.log("val_loss", 1.0, reduce_fx=sorted)

    with pytest.raises(TaskError, match="reduced by mean, sum, max or min, not by <built-in function sorted>"):
        trained(made(Odd()), 1)


def test_a_metric_of_training_does_not_grow_from_epoch_to_epoch() -> None:
    class Counts(Plain):
        def __init__(self) -> None:
            super().__init__()
            self.counted = MeanMetric()

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            self.counted(1.0)
            self.log("counted", self.counted)
            return super().training_step(batch, batch_idx)

    module, _ = trained(made(Counts()), 14)
    assert module.counted.weight == 2  # of 6 batches an epoch


# --- compared by the command ---

TASKS = """
import random

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch.utils.data import DataLoader, IterableDataset

from glidepath.tasks.lightning import from_module


class Line(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer, self.dropout = torch.nn.Linear(3, 1), torch.nn.Dropout(0.2)

    def training_step(self, batch):
        return (self.layer(self.dropout(batch)) - batch.sum(1, keepdim=True)).square().mean()

    validation_step = training_step

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9)


class Noisy:
    calls = 0

    def __len__(self):
        return 24

    def __getitem__(self, row):
        self.calls += self.counts
        return torch.tensor([random.random(), np.random.rand(), self.calls]) + torch.rand(3)


class Stream(IterableDataset):
    def __iter__(self):
        yield from torch.arange(60.0).reshape(20, 3) / 60


def task(train, seed):
    return from_module(Line(), train, DataLoader(torch.linspace(-1, 1, 12).reshape(4, 3)), seed=seed)


def noisy(seed):
    data = Noisy()
    data.counts = 0
    return task(DataLoader(data, batch_size=4, shuffle=True), seed)


def counting(seed):
    data = Noisy()
    data.counts = 1
    return task(DataLoader(data, batch_size=4, shuffle=True), seed)


def stream(seed):
    return task(DataLoader(Stream(), batch_size=4), seed)
"""

BRANCHES = ("--schedule", "a=warmup(8) >> linear(4)", "--schedule", "b=warmup(8) >> cosine(4)", "--seed", "0")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "mine.py").write_text(textwrap.dedent(TASKS))
    return tmp_path


def test_the_example_is_compared_with_sharing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(EXAMPLES / "lightning_module.py", here)
    assert main(["compare", "lightning_module.py:lightning_module", *BRANCHES, "--verify"]) == 0
    told = capsys.readouterr()
    assert "24 updates in 2 runs, 15 of them different" in told.out
    assert "every loss, metric and last bit is the same" in told.out
    assert "one seed, number 0, shows no difference" in told.err
    assert told.err.count("\n") == 1
    assert "val accuracy" in told.out


def test_a_dataset_that_draws_at_random_is_shared(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "mine.py:noisy", *BRANCHES, "--verify"]) == 0
    told = capsys.readouterr().out
    assert "15 of them different" in told
    assert "every loss, metric and last bit is the same" in told


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("counting", "mine.py:counting cannot be reproduced: update 3 had the loss"),
        ("stream", "training cannot resume at update 3: Stream is an IterableDataset"),
    ],
)
def test_what_cannot_be_shared_is_told_so_and_is_compared_without(
    here: Path, capsys: pytest.CaptureFixture[str], task: str, words: str
) -> None:
    assert main(["compare", f"mine.py:{task}", *BRANCHES]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert words in told
    assert "without sharing, --no-share" in told
    assert main(["compare", f"mine.py:{task}", *BRANCHES, "--no-share"]) == 0
    assert "24 of them different" in capsys.readouterr().out
