#!/usr/bin/env bash
# A Trainer that is resumed half-way with twice the batch is finished at once.
#
# Version: transformers 5.24.0 with accelerate 1.15.0, torch 2.13.0, CPU.
# Expected: after 2 of 4 epochs, num_train_epochs=4 trains the other 2, at whatever batch.
# Seen: the count of updates is kept, but their number in all is computed from the new batch: 48 made, 48 in all. train()
#   returns without one update, and without a warning; only a line of the log names the arguments that differ.
# Why it matters: a job that is moved to a larger machine trains half of what was asked.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy transformers==5.24.0 accelerate==1.15.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import tempfile

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments


class Model(torch.nn.Linear):
    def forward(self, x):
        return {"loss": super().forward(x).square().mean()}


class Counter(TrainerCallback):
    updates = 0

    def on_optimizer_step(self, *arguments, **others):
        self.updates += 1


def train(folder, batch, resume_from_checkpoint=None):
    """Train to the end of 4 epochs of 48 samples, and return the number of updates that this call made."""
    torch.manual_seed(0)
    counter, data = Counter(), [{"x": torch.randn(4)} for _ in range(48)]
    arguments = TrainingArguments(
        folder, num_train_epochs=4, per_device_train_batch_size=batch, save_strategy="epoch", report_to=[],
        disable_tqdm=True, use_cpu=True,
    )
    Trainer(Model(4, 2), arguments, train_dataset=data, callbacks=[counter]).train(resume_from_checkpoint)
    return counter.updates


folder = tempfile.mkdtemp()
whole = train(folder, 2)
half = f"{folder}/checkpoint-48"
same, twice = train(tempfile.mkdtemp(), 2, half), train(tempfile.mkdtemp(), 4, half)
print(f"4 epochs, batch 2: {whole} updates; from the checkpoint after 2 of 4 epochs: {same} with batch 2, {twice} with batch 4")
raise SystemExit((whole, same, twice) != (96, 48, 0))
PYTHON
