#!/usr/bin/env bash
# ASGD uses each learning rate one update late.
#
# Version: torch 2.13.0, CPU.
# Expected: update k moves the parameter by the rate that its group holds when step() is called, as in SGD; with
#   lambd=0 and alpha=0 ASGD is then SGD.
# Seen: the update moves by the rate of the update before it. The state holds `eta`, which is computed from the group's
#   rate at the end of each step and used by the next one; the first update uses the rate at the time the state is made.
# Why it matters: with any scheduler, of PyTorch or not, the logged rate is right and the used rate is that of the update
#   before. The last rate of a decay is never used; where a cooldown begins, one update more runs at the peak.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'PYTHON'
import torch

rates = [1e-3, 1e-2, 1e-1, 1e-3]
parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
optimizer = torch.optim.ASGD([parameter], lr=rates[0], lambd=0, alpha=0)
moves = []
for rate in rates:
    optimizer.param_groups[0]["lr"] = rate
    before = parameter.item()
    parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    moves.append(before - parameter.item())

print("set: ", *(f"{rate:.3g}" for rate in rates))
print("used:", *(f"{move:.3g}" for move in moves))
late = [rates[0], *rates[:-1]]
raise SystemExit(not all(abs(move - rate) < 1e-6 * rate for move, rate in zip(moves, late, strict=True)))
PYTHON
