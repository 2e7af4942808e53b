#!/usr/bin/env bash
# FTRL multiplies every weight by the learning rate, so a decay takes back what was learned.
#
# Version: pytorch_optimizer 4.1.0 with torch 2.13.0, CPU.
# Expected: the rate scales the next move, as in other optimizers; a decay to zero ends at the minimum.
# Seen: each update computes the weight anew from the sum of all gradients, -z / ((beta + sqrt(n)) / lr + lambda_2), and
#   z was built with the rates of then. Halve the rate, and the next update halves every weight; let it fall to zero, and
#   the weights go to zero with it. That is so without any regularization (lambda_1 = lambda_2 = 0, the defaults).
# Why it matters: under a cosine or a linear decay the run looks well for most of its length, and ends far from the
#   minimum that it had reached. A constant rate ends at it.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy pytorch_optimizer==4.1.0
"$folder/venv/bin/python" - <<'PYTHON'
import torch
from pytorch_optimizer import FTRL

UPDATES, LR = 200, 0.5


def train(rates):
    """The weight after each update on the loss (weight - 1)**2, from 0."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = FTRL([weight], lr=rates[0])
    weights = []
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        (weight - 1).square().sum().backward()
        optimizer.step()
        weights.append(weight.item())
    return weights


constant = train([LR] * UPDATES)
halved = train([LR] * 100 + [LR / 2] * 100)
linear = train([LR * (1 - k / UPDATES) for k in range(UPDATES)])
print("the minimum is at 1")
print(f"constant rate:      ends at {constant[-1]:.4f}")
print(f"halved at 100:      {halved[99]:.4f} before, {halved[100]:.4f} after one update")
print(f"linear decay to 0:  {linear[99]:.4f} halfway, ends at {linear[-1]:.4f}")
same = abs(constant[-1] - 1) < 1e-3 and abs(halved[100] / halved[99] - 0.5) < 0.01 and linear[-1] < 0.1 < 0.9 < linear[99]
raise SystemExit(not same)
PYTHON
