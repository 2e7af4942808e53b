#!/usr/bin/env bash
# Lightning's estimated_stepping_batches leaves the accumulation of GradientAccumulationScheduler out.
#
# Version: lightning 2.6.6, torch 2.13.0, CPU.
# Expected: the number of updates that will be made; where the factor changes between epochs, the exception that the property
#   promises.
# Seen: neither. The property divides by the factor that the Trainer has at that time, and the callback sets its own only when an
#   epoch begins: 24 for a run of 9 updates with {0: 4, 1: 2}, and also with {0: 4}, which never changes and makes 6.
# Why it matters: a OneCycleLR of that length, the documented use, is still near its peak when the run ends, and nothing says so.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet lightning==2.6.6 torch==2.13.0 numpy
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import logging

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import GradientAccumulationScheduler
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Line(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer, self.rates = torch.nn.Linear(2, 1), []

    def training_step(self, batch, _):
        return self.layer(batch[0]).square().mean()

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        optimizer.register_step_pre_hook(lambda *_: self.rates.append(optimizer.param_groups[0]["lr"]))
        self.planned = self.trainer.estimated_stepping_batches
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=self.planned)
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]


def plan(**options):
    """The updates that were planned and made in two epochs of 12 batches, and the last rate."""
    trainer = Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, **options,
    )
    line = Line()
    trainer.fit(line, DataLoader(TensorDataset(torch.randn(48, 2)), batch_size=4))
    return line.planned, len(line.rates), line.rates[-1]


changes = plan(callbacks=[GradientAccumulationScheduler({0: 4, 1: 2})])
callback = plan(callbacks=[GradientAccumulationScheduler({0: 4})])
argument = plan(accumulate_grad_batches=4)
for name, numbers in (("{0: 4, 1: 2}", changes), ("{0: 4}", callback), ("accumulate_grad_batches=4", argument)):
    print("{:25}  planned {}, made {}, last rate {:g} of a peak of 0.1".format(name, *numbers))
same = changes[:2] == (24, 9) and callback[:2] == (24, 6) and argument[:2] == (6, 6)
raise SystemExit(not (same and changes[2] > 0.09 and callback[2] > 0.09 and argument[2] < 0.001))
PYTHON
