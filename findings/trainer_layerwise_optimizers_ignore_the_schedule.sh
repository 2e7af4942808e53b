#!/usr/bin/env bash
# The Trainer's layer-wise optimizers train at a constant rate, whatever lr_scheduler_type says, and log another one.
#
# Version: transformers 5.24.0 with accelerate 1.15.0, apollo-torch 1.0.3, torch 2.13.0, CPU. (GaLore's alike.)
# Expected: optim="apollo_adamw_layerwise" follows lr_scheduler_type, as optim="apollo_adamw" does.
# Seen: the weights are bit for bit those of a constant rate. get_scheduler() looks for LayerWiseDummyOptimizer, but gets
#   Accelerate's wrapper of it, so the schedule drives the dummy, whose rate is what the log shows.
# Why it matters: no warmup and no decay in a long run, and the log shows both.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy transformers==5.24.0 accelerate==1.15.0
"$folder/venv/bin/python" -m pip install --quiet bitsandbytes==0.50.2
"$folder/venv/bin/python" -m pip install --quiet --no-deps apollo-torch==1.0.3
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import tempfile

import torch
from transformers import Trainer, TrainingArguments


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.mlp, self.head = torch.nn.Linear(8, 8), torch.nn.Linear(8, 2)

    def forward(self, x):
        return {"loss": self.head(self.mlp(x)).square().mean()}


def train(optim, lr_scheduler_type):
    """The rates in the log, and the weights after 12 updates."""
    torch.manual_seed(0)
    data = [{"x": torch.randn(8)} for _ in range(24)]
    layers = {"optim_target_modules": ["mlp"], "optim_args": "rank=4,scale=1.0"} if "apollo" in optim else {}
    arguments = TrainingArguments(
        tempfile.mkdtemp(), optim=optim, **layers, lr_scheduler_type=lr_scheduler_type, learning_rate=0.01, max_steps=12,
        per_device_train_batch_size=2, logging_steps=1, report_to=[], disable_tqdm=True, use_cpu=True, save_strategy="no",
    )
    trainer = Trainer(Model(), arguments, train_dataset=data)
    trainer.train()
    rates = [entry["learning_rate"] for entry in trainer.state.log_history if "learning_rate" in entry]
    return rates, torch.cat([p.detach().flatten() for p in trainer.model.parameters()])


def compare(optim):
    """Whether the weights are those of a constant rate, although the log shows a linear decay."""
    (_, constant), (rates, linear) = train(optim, "constant"), train(optim, "linear")
    apart = (constant - linear).abs().max().item()
    print(f"{optim}: the log goes from {rates[0]:g} to {rates[-1]:g}; weights differ from a constant rate's by {apart:g}")
    return rates[-1] < rates[0] / 10 and apart == 0


layerwise, whole = compare("apollo_adamw_layerwise"), compare("apollo_adamw")
raise SystemExit(not (layerwise and not whole))
PYTHON
