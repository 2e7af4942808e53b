#!/usr/bin/env bash
# With accumulate_grad_batches a short run of Lightning's logs nothing at all, and what a longer one logs is there many times.
#
# Version: lightning 2.6.6, torch 2.13.0, CPU.
# Expected: log_every_n_steps=50 gives three rows in 180 batches; where it gives none, the warning that Lightning has for that.
# Seen: the interval counts updates, and the warning counts batches of an epoch. With 60 batches an epoch and
#   accumulate_grad_batches=4, three epochs are 45 updates: CSVLogger writes no file, neither training loss nor rate is kept, and
#   no word is said. In seven epochs LearningRateMonitor writes each of its rows four times, once a batch of the same update.
# Why it matters: fine-tuning with large accumulation is where runs are of a few dozen updates, and the log is lost for good. A reader
#   that counts rows takes four times as many updates.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet lightning==2.6.6 torch==2.13.0 numpy
cd "$folder"
"$folder/venv/bin/python" - 2> /dev/null <<'PYTHON'
import csv
import warnings
from pathlib import Path

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, TensorDataset


class Line(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def training_step(self, batch, _):
        loss = self.layer(batch[0]).square().mean()
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, self.trainer.estimated_stepping_batches)
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]


def train(name, batches, epochs, **options):
    """Train; return the number of updates, the steps of the rates and losses that were written, and if it warned."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trainer = Trainer(
            max_epochs=epochs, accelerator="cpu", logger=CSVLogger(name), callbacks=[LearningRateMonitor("step")],
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False, **options,
        )
        trainer.fit(Line(), DataLoader(TensorDataset(torch.randn(4 * batches, 2)), batch_size=4))
    rows = [row for path in Path(name).rglob("metrics.csv") for row in csv.DictReader(path.open())]
    rates, losses = ([int(row["step"]) for row in rows if row[key]] for key in ("lr-SGD", "train_loss"))
    warned = any("logging interval" in str(warning.message) for warning in caught)
    print(f"{name}: {trainer.global_step} updates; rates at {rates}, losses at {losses}, warned: {warned}")
    return trainer.global_step, rates, losses, warned


plain = train("45 batches an epoch      ", 45, 1)
short = train("60, 4 an update, 3 epochs", 60, 3, accumulate_grad_batches=4)
longer = train("60, 4 an update, 7 epochs", 60, 7, accumulate_grad_batches=4)
same = plain == (45, [], [], True) and short == (45, [], [], False)
raise SystemExit(not (same and longer == (105, [49] * 4 + [99] * 4, [49, 99], False)))
PYTHON
