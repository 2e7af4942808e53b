#!/usr/bin/env bash
# A Trainer that has made max_steps updates makes another one each time it is resumed.
#
# Version: transformers 5.24.0 with accelerate 1.15.0, torch 2.13.0, CPU.
# Expected: a job that is started again after it has finished changes nothing.
# Seen: where max_steps ends within an epoch, the loop asks whether it is done only after an update: 13 updates with
#   max_steps=12, and other weights.
# Why it matters: scripts that resume "if there is a checkpoint" change the final model, at a schedule's last value, or,
#   with one that is periodic or was written for a fixed number of steps, at whatever comes after its end.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy transformers==5.24.0 accelerate==1.15.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import tempfile

import torch
from transformers import Trainer, TrainingArguments


class Model(torch.nn.Linear):
    def forward(self, x):
        return {"loss": super().forward(x).square().mean()}


def train(folder, resume_from_checkpoint=None):
    """Train for 12 updates in all, half an epoch, and return the final count and the weights."""
    torch.manual_seed(0)
    data = [{"x": torch.randn(4)} for _ in range(48)]
    arguments = TrainingArguments(
        folder, max_steps=12, per_device_train_batch_size=2, save_strategy="steps", save_steps=12, report_to=[],
        disable_tqdm=True, use_cpu=True, lr_scheduler_type="constant", learning_rate=0.1,
    )
    trainer = Trainer(Model(4, 2), arguments, train_dataset=data)
    trainer.train(resume_from_checkpoint)
    return trainer.state.global_step, trainer.model.weight.detach().clone()


folder = tempfile.mkdtemp()
updates, weight = train(folder)
again, moved = train(folder, f"{folder}/checkpoint-12")
print(f"max_steps=12: {updates} updates; the same from its last checkpoint: {again}, weights moved by {(moved - weight).abs().max():g}")
raise SystemExit(not (updates == 12 and again == 13 and (moved != weight).any()))
PYTHON
