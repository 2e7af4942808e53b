#!/usr/bin/env bash
# Rprop reads the learning rate once, at its first update.
#
# Version: torch 2.13.0, CPU.
# Expected: a scheduler on Rprop scales its updates, as on every other optimizer that has an `lr`.
# Seen: `lr` is the initial step size of each parameter and is never read again; the step sizes follow the signs of the
#   gradients alone. Two runs whose rates differ by a factor of 1,000 after the first update are equal, bit for bit.
# Why it matters: every scheduler runs, logs the planned rate, and does nothing. A comparison of schedules on Rprop
#   compares a run with itself.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'PYTHON'
import torch


def train(rates):
    generator = torch.Generator().manual_seed(0)
    parameter = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64))
    optimizer = torch.optim.Rprop([parameter], lr=rates[0])
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        parameter.grad = torch.randn(4, dtype=torch.float64, generator=generator)
        optimizer.step()
    return parameter.detach()


level = train([1e-2] * 20)
decayed = train([1e-2] + [1e-5] * 19)
other_start = train([1e-3] + [1e-5] * 19)
print("rates level at 1e-2:           ", level.tolist())
print("1e-2, then 1e-5 for 19 updates:", decayed.tolist())
print("1e-3, then 1e-5 for 19 updates:", other_start.tolist())
raise SystemExit(not (torch.equal(level, decayed) and not torch.equal(level, other_start)))
PYTHON
