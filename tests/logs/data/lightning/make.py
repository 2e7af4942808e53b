"""Train a line with Lightning 2.6.6, whose CSVLogger and LearningRateMonitor write the logs of this folder."""

import logging
import shutil
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset

from ..truth import POINTS, note_rates, warmup_cosine, write_truth

HERE = Path(__file__).parent
MONITOR = "LearningRateMonitor writes the rate of the coming update with the number of updates made before it"
PER_STEP = warmup_cosine(5, 40)


def per_epoch(epoch: int) -> float:
    """Return a warmup of two epochs, then a decay by 10 in each."""
    return 0.5 if epoch == 0 else 10.0 ** (1 - epoch)


class Line(LightningModule):
    """A line to be learned, whose updates are noted."""

    def __init__(self, schedule: Any, interval: str = "step", *, groups: int = 1, logs_loss: bool = True) -> None:
        super().__init__()
        self.save_hyperparameters({"learning_rate": 0.1, "batch_size": 4})
        self.layer = torch.nn.Linear(2, 1)
        self.schedule, self.interval, self.groups, self.logs_loss = schedule, interval, groups, logs_loss
        self.losses: list[float] = []

    def loss(self, batch: Any) -> torch.Tensor:
        return ((self.layer(batch[0]) - 1) ** 2).mean() + 0.1

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        loss = self.loss(batch)
        self.losses.append(float(loss))
        if self.logs_loss:
            self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: Any, _: int) -> None:
        if self.logs_loss:
            self.log("val_loss", self.loss(batch))

    def configure_optimizers(self) -> Any:
        parts = [list(self.layer.parameters())] if self.groups == 1 else [[self.layer.weight], [self.layer.bias]]
        optimizer = torch.optim.SGD([{"params": part, "lr": 0.1 / (i + 1)} for i, part in enumerate(parts)])
        self.rates = note_rates(optimizer)
        return [optimizer], [{"scheduler": LambdaLR(optimizer, self.schedule), "interval": self.interval}]


def train(folder: Path, line: Line, *, monitor: str | None = None, resume: Path | None = None, **more: Any) -> Line:
    """Train epochs of 10 batches, logged into the folder's next lightning_logs/version_n."""
    arguments = {"max_epochs": 4, "log_every_n_steps": 5, "enable_checkpointing": False, **more}
    trainer = Trainer(
        logger=CSVLogger(folder),
        callbacks=[LearningRateMonitor(logging_interval=monitor), *arguments.pop("callbacks", [])],
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
        **arguments,
    )
    loader = DataLoader(TensorDataset(POINTS), batch_size=4)
    trainer.fit(line, loader, loader if line.logs_loss else None, ckpt_path=resume)
    return line


def case(name: str, line: Line, note: str = MONITOR, **more: Any) -> None:
    """Make the folder of a case that is one run."""
    folder = HERE / name
    train(folder, line, **more)
    write_truth(folder, "lightning", line.rates, line.losses if len(line.losses) == len(line.rates) else None, note)


def stop_and_resume() -> None:
    """Stop a run after 25 updates and go on from its checkpoint of update 20: version_0, then version_1."""
    folder = HERE / "resumed"
    saving = ModelCheckpoint(folder, filename="{step}", every_n_train_steps=10, save_top_k=-1)
    saves = {"callbacks": [saving], "enable_checkpointing": True}
    first = train(folder, Line(PER_STEP), monitor="step", max_epochs=-1, max_steps=25, **saves)
    second = train(folder, Line(PER_STEP), monitor="step", resume=folder / "step=20.ckpt")
    note = f"{MONITOR}; version_0 ended after 25 updates, version_1 went on from update 20"
    write_truth(folder, "lightning", first.rates[:20] + second.rates, first.losses[:20] + second.losses, note)
    for checkpoint in folder.glob("*.ckpt"):
        checkpoint.unlink()


def main() -> None:
    """Make all cases anew."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    torch.manual_seed(1)
    for old in HERE.glob("*/lightning_logs"):
        shutil.rmtree(old)
    holds = f"{MONITOR}; with a schedule per epoch it writes once an epoch, and the rate holds until the next row"
    case("epoch", Line(per_epoch, "epoch"), holds)
    case("step", Line(PER_STEP), monitor="step")
    case("every_epoch", Line(PER_STEP), f"{MONITOR}; once an epoch, while the rate moves", monitor="epoch")
    case("groups", Line(PER_STEP, groups=2), f"{MONITOR}; truth is of group 1", monitor="step")
    case("fifty", Line(warmup_cosine(10, 120)), f"{MONITOR}; first at 49", max_epochs=12, log_every_n_steps=50)
    case("short", Line(per_epoch, "epoch"), f"{holds}; no loss is written before update 49", log_every_n_steps=50)
    case("no_loss", Line(PER_STEP, logs_loss=False))
    case("accumulated", Line(PER_STEP), f"{MONITOR}; 2 batches make an update", accumulate_grad_batches=2, max_epochs=8)
    stop_and_resume()


if __name__ == "__main__":
    main()
