"""Lightning: the schedule at every update of a real fit, with accumulation, through a resume, and as logged."""

import csv
from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer, callbacks
from lightning.pytorch.cli import LightningCLI, LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.loggers import CSVLogger

import glidepath as gp
import glidepath.integrations.lightning
from glidepath.integrations.lightning import LearningRateMonitor, configure_scheduler
from glidepath.torch import Scheduler, Set

from .page import blocks, example
from .seen import DRAFT, PLAN, Seen, expected

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning"),  # Lightning's own use of PyTorch's trees
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:You are trying to `self.log.. but"),
    pytest.mark.filterwarnings("ignore:.*Checkpoint directory .* exists"),
    pytest.mark.filterwarnings("ignore:The number of training batches"),
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),  # LightningCLI's own
]

TWELVE = gp.parse(DRAFT).over(12)


class Model(LightningModule):
    """Made of one layer; what configures its optimizer is given."""

    def __init__(self, configure=lambda module: configure_scheduler(module, Seen(module.parameters()), DRAFT)):
        super().__init__()
        self.layer, self.configure = torch.nn.Linear(4, 2), configure

    def training_step(self, batch, number):
        return self.layer(batch).square().mean()

    def train_dataloader(self):
        return torch.utils.data.DataLoader(torch.randn(24, 4), batch_size=2)

    def configure_optimizers(self):
        configured = self.configure(self)
        self.seen = configured["optimizer"] if isinstance(configured, dict) else configured[0][0]
        return configured


def trainer(**options):
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    return Trainer(accelerator="cpu", **{"enable_checkpointing": False, **quiet, **options})


@pytest.mark.parametrize(
    "options",
    [
        {"max_epochs": 1},
        {"max_epochs": 2, "accumulate_grad_batches": 2},
        {"max_epochs": 9, "max_steps": 12},
        {"max_epochs": 3, "limit_train_batches": 4},
    ],
)
def test_a_draft_takes_its_length_from_the_trainer(options):
    model = Model()
    trainer(**options).fit(model)
    assert model.seen.used == expected(TWELVE, 0, 12)


def test_epochs_are_those_of_the_trainer():
    model = Model(lambda module: configure_scheduler(module, Seen(module.parameters()), "warmup(1ep) >> cosine(1ep)"))
    trainer(max_epochs=2, accumulate_grad_batches=5).fit(model)  # 12 batches: 3 updates in each epoch
    assert model.seen.used == expected(gp.warmup(3) >> gp.cosine(3), 0, 6)


def test_everything_that_the_driver_takes_is_handed_on():
    def configure(module):
        optimizer = Seen(module.parameters(), momentum=0.9)
        return configure_scheduler(
            module, optimizer, "cosine(100%)", momentum=Set("linear(50%, start=0.5)"), minimum=0.05
        )

    model = Model(configure)
    trainer(max_steps=12).fit(model)
    assert model.seen.used == [[max(0.1 * gp.cosine(12)(k), 0.05)] for k in range(12)]
    assert model.seen.param_groups[0]["momentum"] == 0.0  # a ramp of 6 updates from 0.5 to 0, long over


def test_the_rate_may_be_left_alone():
    model = Model(
        lambda module: configure_scheduler(module, Seen(module.parameters(), momentum=0.9), momentum="linear(100%)")
    )
    trainer(max_steps=4).fit(model)
    assert model.seen.used == [[0.1]] * 4
    assert model.seen.param_groups[0]["momentum"] == 0.9 * gp.linear(4)(4)


@pytest.mark.parametrize("plan", [DRAFT, Set(DRAFT), {"all": DRAFT}, (DRAFT, None)])
def test_a_trainer_without_an_end_refuses_a_draft(plan):
    model = Model(lambda module: configure_scheduler(module, Seen(module.parameters()), PLAN, momentum=plan))
    with pytest.raises(gp.HorizonError, match=r"this trainer has no end.*give it max_steps, or horizon="):
        trainer(max_epochs=-1).fit(model)


class Stream(torch.utils.data.IterableDataset):
    def __iter__(self):
        return iter(torch.randn(24, 4))


class StreamModel(Model):
    def train_dataloader(self):
        return torch.utils.data.DataLoader(Stream(), batch_size=2)


def test_a_stream_of_data_has_an_end_only_by_max_steps():
    model = StreamModel()
    with pytest.raises(gp.HorizonError, match="no end"):
        trainer(max_epochs=2).fit(model)
    trainer(max_epochs=2, max_steps=12).fit(model)
    assert model.seen.used == expected(TWELVE, 0, 12)
    by_epochs = StreamModel(lambda module: configure_scheduler(module, Seen(module.parameters()), "cosine(1ep)"))
    with pytest.raises(gp.HorizonError, match="steps_per_epoch"):
        trainer(max_steps=12).fit(by_epochs)


def test_a_horizon_of_your_own_or_a_plan_with_lengths_asks_the_trainer_nothing():
    for plan, horizon in ((PLAN, None), (DRAFT, 12)):
        model = Model(
            lambda module, p=plan, h=horizon: configure_scheduler(module, Seen(module.parameters()), p, horizon=h)
        )
        limit = callbacks.LambdaCallback(on_train_batch_end=lambda t, *rest: setattr(t, "should_stop", True))
        trainer(max_epochs=-1, callbacks=[limit]).fit(model)
        assert model.seen.used == expected(gp.parse(plan).over(12) if isinstance(plan, str) else plan, 0, 1)


@pytest.mark.filterwarnings("ignore:You're resuming from a checkpoint that ended before")  # the data, not the schedule
def test_a_fit_goes_on_exactly_from_a_checkpoint_in_the_middle(tmp_path):
    def fit(model, **options):
        every_five = callbacks.ModelCheckpoint(tmp_path, filename="{step}", every_n_train_steps=5, save_top_k=-1)
        made = trainer(max_epochs=2, accumulate_grad_batches=2, enable_checkpointing=True, callbacks=[every_five])
        made.fit(model, **options)

    whole, resumed = Model(), Model()
    fit(whole)
    assert whole.seen.used == expected(TWELVE, 0, 12)
    assert torch.load(tmp_path / "step=5.ckpt", weights_only=True)["lr_schedulers"][0]["position"] == 5
    fit(resumed, ckpt_path=tmp_path / "step=5.ckpt", weights_only=True)
    assert resumed.seen.used == expected(TWELVE, 5, 12)


# --- what is logged ---


def logged(monitor, rate, folder):
    """A fit with this monitor; what the monitor kept, and what the logger wrote."""
    model = Model(lambda module: configure_scheduler(module, Seen(module.parameters(), lr=rate, momentum=0.9), DRAFT))
    logger = CSVLogger(folder)
    trainer(max_epochs=1, logger=logger, log_every_n_steps=1, callbacks=[monitor]).fit(model)
    with (folder / "lightning_logs/version_0/metrics.csv").open() as file:
        return monitor.lrs["lr-Seen"], [float(row["lr-Seen"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("rate", [0.1, torch.tensor(0.1, dtype=torch.float64)])
def test_our_monitor_logs_the_rate_that_each_update_used(rate, tmp_path):
    kept, written = logged(LearningRateMonitor(logging_interval="step"), rate, tmp_path)
    assert kept == written == [0.1 * TWELVE(k) for k in range(12)]
    assert {type(number) for number in kept} == {float}


def test_lightnings_monitor_is_right_for_floats(tmp_path):
    kept, written = logged(callbacks.LearningRateMonitor(logging_interval="step"), 0.1, tmp_path)
    assert kept == written == [0.1 * TWELVE(k) for k in range(12)]


@pytest.mark.filterwarnings("ignore:To copy construct from a tensor:UserWarning")
def test_lightnings_monitor_keeps_one_tensor_again_and_again(tmp_path):
    """Why ours is there. When this fails, Lightning has mended it, and ours can go."""
    rate = torch.tensor(0.1, dtype=torch.float64)
    kept, _ = logged(callbacks.LearningRateMonitor(logging_interval="step"), rate, tmp_path)
    assert len({id(number) for number in kept}) == 1
    assert [float(number) for number in kept] != [0.1 * TWELVE(k) for k in range(12)]


def test_our_monitor_keeps_lightnings_options(tmp_path):
    monitor = LearningRateMonitor(logging_interval="step", log_momentum=True)
    logged(monitor, torch.tensor(0.1), tmp_path)
    assert monitor.last_momentum_values == {"lr-Seen-momentum": 0.9}


# --- without the helper ---


def test_the_bare_driver_is_right_too_whatever_interval_lightning_steps_at():
    """The pitfall is only what is logged, for Lightning steps per epoch."""

    def configure(module):
        optimizer = Seen(module.parameters())
        return [optimizer], [Scheduler(optimizer, PLAN)]

    model = Model(configure)
    trainer(max_epochs=3, limit_train_batches=4).fit(model)
    assert model.seen.used == expected(PLAN, 0, 12)


# --- the page ---


def test_what_the_page_shows_trains_at_the_right_rates():
    shown = example("Lightning", LightningModule=Model, configure_scheduler=configure_scheduler)["Model"]
    used = []
    trainer(max_steps=12, callbacks=[Recorder(used)]).fit(shown())
    assert used == [3e-4 * TWELVE(k) for k in range(12)]


class Recorder(callbacks.Callback):
    """Reads the rate within the update, in a hook that comes after the driver's."""

    def __init__(self, used):
        self.used = used

    def on_train_start(self, trainer, module):
        (optimizer,) = trainer.optimizers
        optimizer.register_step_pre_hook(lambda o, *rest: self.used.append(o.param_groups[0]["lr"]))


def run_by_cli(model_class, config, folder, monkeypatch):
    used = []
    (folder / "config.yaml").write_text(config)
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["train.py", "fit", "--config", "config.yaml"])
    quiet = {"accelerator": "cpu", "max_steps": 12, "logger": False, "enable_progress_bar": False}
    more = {"enable_model_summary": False, "enable_checkpointing": False, "callbacks": [Recorder(used)]}
    LightningCLI(
        model_class,
        trainer_defaults={**quiet, **more},
        save_config_callback=None,
        seed_everything_default=0,
        auto_configure_optimizers=False,
    )
    return used


def test_the_cli_of_the_page_trains_at_the_right_rates(tmp_path, monkeypatch):
    names = {
        "LightningModule": Model,
        "configure_scheduler": configure_scheduler,
        "OptimizerCallable": OptimizerCallable,
    }
    shown = example("LightningCLI", **names)["Model"]
    (config,) = blocks("LightningCLI", "yaml")
    assert run_by_cli(shown, config, tmp_path, monkeypatch) == [3e-4 * TWELVE(k) for k in range(12)]


class Called(Model):
    """A module that takes any scheduler of the command line."""

    def __init__(self, scheduler: LRSchedulerCallable):
        super().__init__()
        self.scheduler = scheduler

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": self.scheduler(optimizer), "interval": "step"}}


CALLED = """
model:
  scheduler:
    class_path: glidepath.torch.Scheduler
    init_args:
      lr: warmup(25%) >> constant() >> cosine(50%, to=0.1)
      horizon: 12
"""


def test_the_driver_itself_is_a_scheduler_of_the_cli(tmp_path, monkeypatch):
    assert run_by_cli(Called, CALLED, tmp_path, monkeypatch) == [0.1 * TWELVE(k) for k in range(12)]


def test_a_mistake_in_the_config_is_told_with_its_place(tmp_path, monkeypatch):
    with pytest.raises(gp.TextError, match="did you mean cosine"):
        run_by_cli(Called, CALLED.replace("cosine", "cosin"), tmp_path, monkeypatch)


@pytest.mark.parametrize(("batches", "per_epoch"), [(10, 4), (float("inf"), None)])
def test_the_horizon_of_a_trainer_counts_updates_and_not_batches(batches, per_epoch):
    options = {"max_epochs": 3, "max_steps": -1, "callbacks": []}
    trainer = SimpleNamespace(
        estimated_stepping_batches=12, num_training_batches=batches, accumulate_grad_batches=3, **options
    )
    assert glidepath.integrations.lightning.horizon_of(trainer) == glidepath.Horizon(12, steps_per_epoch=per_epoch)
