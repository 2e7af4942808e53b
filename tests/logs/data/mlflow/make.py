"""Train a line by Lightning 2.6.6 and by Transformers 5.24.0, logged into folders (mlruns) by MLflow 3.17.2.

The folders have a run's metrics in a file each, with lines of time, value and step. MLflow asks for its database
instead by now, so `MLFLOW_ALLOW_FILE_STORE=true` is set.
"""

import os

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import mlflow
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import MLFlowLogger
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset
from transformers import Trainer as HuggingFaceTrainer
from transformers import TrainingArguments

from ..truth import POINTS, note_rates, warmup_cosine, write_truth

HERE = Path(__file__).parent
KEPT = re.compile(r"loss|lr-|learning_rate")
PERSONAL = re.compile(r"^(user_id|artifact_uri|artifact_location):.*$", re.MULTILINE)
DATE = re.compile(r"\b1\d{6}(?=\d{6}\b)")  # all but the last thousand seconds of a time


class Line(LightningModule):
    """A line to be learned by both, whose losses are noted."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)
        self.losses: list[float] = []

    def forward(self, x: torch.Tensor, labels: Any = None) -> dict[str, torch.Tensor]:
        loss = ((self.layer(x) - 1) ** 2).mean() + 0.1
        self.losses.append(float(loss))
        return {"loss": loss}

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        loss = self(batch[0])["loss"]
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        self.rates = note_rates(optimizer)
        return [optimizer], [{"scheduler": LambdaLR(optimizer, warmup_cosine(4, 20)), "interval": "step"}]


def by_lightning(store: Path) -> Line:
    """Train 20 updates by Lightning, every fourth written."""
    logger = MLFlowLogger("lines", run_name="line", tracking_uri=store.as_uri())
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    watch = LearningRateMonitor("step")
    trainer = Trainer(logger=logger, callbacks=[watch], max_epochs=2, log_every_n_steps=4, accelerator="cpu", **quiet)
    trainer.fit(line := Line(), DataLoader(TensorDataset(POINTS), batch_size=4))
    return line


def by_transformers(store: Path) -> Line:
    """Train 20 updates by the Trainer, every fourth written."""
    mlflow.set_tracking_uri(store.as_uri())
    arguments = TrainingArguments(
        output_dir=str(store.parent / "out"),
        run_name="line",
        max_steps=20,
        logging_steps=4,
        warmup_steps=4,
        learning_rate=0.1,
        lr_scheduler_type="cosine",
        per_device_train_batch_size=4,
        use_cpu=True,
        report_to=["mlflow"],
        disable_tqdm=True,
        save_strategy="no",
        dataloader_pin_memory=False,
    )
    line = Line()
    trainer = HuggingFaceTrainer(line, arguments, train_dataset=[{"x": x, "labels": x[0]} for x in POINTS])
    line.rates = note_rates(trainer.create_optimizer())
    trainer.train()
    mlflow.end_run()
    return line


def keep(store: Path, folder: Path) -> None:
    """Copy the metrics and descriptions of the runs, without what is personal and without the settings."""
    shutil.rmtree(folder, ignore_errors=True)
    for file in [*store.glob("*/*/metrics/*"), *store.glob("*/meta.yaml"), *store.glob("*/*/meta.yaml")]:
        if file.name == "meta.yaml" or KEPT.search(file.name):
            target = folder / "mlruns" / file.relative_to(store)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = DATE.sub("1700000", PERSONAL.sub(r"\1: none", file.read_text()))
            target.write_text(text, encoding="utf-8")


def main() -> None:
    """Make both cases anew."""
    torch.manual_seed(1)
    of_lightning = "step s, from 0, has the rate and the loss of update s"
    of_trainer = (
        "step s counts the updates made; it has the rate of update s - 1 and the mean loss since the row before"
    )
    for make, package, note in (
        (by_lightning, "lightning", of_lightning),
        (by_transformers, "transformers", of_trainer),
    ):
        with tempfile.TemporaryDirectory() as work:
            line = make(Path(work) / "mlruns")
            keep(Path(work) / "mlruns", HERE / package)
        write_truth(HERE / package, package, line.rates, line.losses, note)


if __name__ == "__main__":
    main()
