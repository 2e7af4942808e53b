#!/usr/bin/env bash
# Between Transformers 4.50.3 and 4.51.0 the learning_rate in the Trainer's log changed its meaning.
#
# Version: transformers 4.50.3 and 4.51.0 with accelerate 1.15.0, torch 2.13.0, CPU.
# Expected: one run, logged by two releases that follow each other, has one learning_rate at each step.
# Seen: at step s (s updates made) 4.50.3 logs the rate of the update to come, and 4.51.0 the rate of the last one. The weights
#   are the same. The older log ends with a 0 that no update used, and neither says which of the two it is.
# Why it matters: a run that is resumed after an upgrade, or laid over an older one, seems to be one update late; at a warmup's start
#   and at a milestone that is a large factor, and a loss spike is traced to the wrong rate.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
pip() { "$folder/venv/bin/python" -m pip install --quiet "$@"; }
pip transformers==4.50.3 accelerate==1.15.0 torch==2.13.0 numpy
pip --no-deps --target "$folder/newer" transformers==4.51.0
cat > "$folder/train.py" <<'PYTHON'
import json
import sys
import tempfile

import torch
from transformers import Trainer, TrainingArguments, __version__


class Model(torch.nn.Linear):
    def forward(self, x):
        return {"loss": super().forward(x).square().mean()}


torch.manual_seed(0)
arguments = TrainingArguments(
    tempfile.mkdtemp(), max_steps=6, warmup_steps=2, learning_rate=0.1, optim="sgd", logging_steps=1, report_to=[],
    save_strategy="no", disable_tqdm=True, use_cpu=True,
)
trainer = Trainer(Model(4, 2), arguments, train_dataset=[{"x": torch.randn(4)} for _ in range(48)])
used = []
optimizer = trainer.create_optimizer()
optimizer.register_step_pre_hook(lambda *_: used.append(optimizer.param_groups[0]["lr"]))
trainer.train()
logged = [row["learning_rate"] for row in trainer.state.log_history if "learning_rate" in row]
weights = [number for weight in trainer.model.parameters() for number in weight.flatten().tolist()]
json.dump({"version": __version__, "used": used, "logged": logged, "weights": weights}, open(sys.argv[1], "w"))
PYTHON
cd "$folder"
"$folder/venv/bin/python" train.py older.json > /dev/null
PYTHONPATH="$folder/newer" "$folder/venv/bin/python" train.py newer.json > /dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import json

older, newer = (json.load(open(f"{name}.json")) for name in ("older", "newer"))
print("used by both: ", *(f"{rate:g}" for rate in newer["used"]))
for run in (older, newer):
    print(f"logged, {run['version']}:", *(f"{rate:g}" for rate in run["logged"]))
versions = older["version"], newer["version"]
one = older["used"] == newer["used"] and older["weights"] == newer["weights"] and versions == ("4.50.3", "4.51.0")
raise SystemExit(not (one and newer["logged"] == newer["used"] and older["logged"] == [*older["used"][1:], 0.0]))
PYTHON
