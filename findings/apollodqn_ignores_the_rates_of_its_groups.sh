#!/usr/bin/env bash
# ApolloDQN ignores the rates of its groups, and every schedule, before update 500.
#
# Version: pytorch_optimizer 4.1.0 with torch 2.13.0, CPU.
# Expected: a built-in warmup multiplies the rate of each group, so a group with a hundredth of the rate moves a hundredth
#   as far, and a schedule shows.
# Seen: before update warmup_steps (500 by default) the rate is a line from init_lr to the lr that the constructor was
#   given, for all groups alike: group["lr"] is not read. A group with lr=1e-4 beside lr=1e-2 moves exactly as far as that
#   one, and a rate that was set to 0 still moves. At update 500 the rate jumps to what the group holds.
# Why it matters: layer-wise rates, a frozen head (lr=0) and a warmup or a decay of one's own are without effect where
#   they matter most, and what is logged (group["lr"]) is not what is used. A short run never sees its schedule.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy pytorch_optimizer==4.1.0
"$folder/venv/bin/python" - <<'PYTHON'
import torch
from pytorch_optimizer import ApolloDQN

RATES = [1e-2, 1e-4, 0.0]
parameters = [torch.nn.Parameter(torch.zeros(4, 4)) for _ in RATES]
groups = [{"params": [p], "lr": rate} for p, rate in zip(parameters, RATES, strict=True)]
optimizer = ApolloDQN(groups, lr=1e-2)


def moves():
    """How far one update moves each group, all with the same gradients."""
    before = [p.detach().clone() for p in parameters]
    for p in parameters:
        p.grad = torch.ones_like(p)
    optimizer.step()
    return [(old - p.detach()).mean().item() for old, p in zip(before, parameters, strict=True)]


history = [moves() for _ in range(501)]
print("rates of the groups:", RATES)
for update in (1, 250, 499, 500):
    print(f"update {update:>3} moves:", [f"{move:.3g}" for move in history[update - 1]])
early, late = history[:499], history[499]
same = all(len(set(row)) == 1 and row[0] > 0 for row in early) and late[0] > 50 * late[1] and late[2] == 0
raise SystemExit(not same)
PYTHON
