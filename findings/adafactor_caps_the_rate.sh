#!/usr/bin/env bash
# Adafactor uses at most 1 / sqrt(updates made), whatever a schedule says.
#
# Version: torch 2.13.0, CPU.
# Expected: `lr` is the rate (relative to the scale of the parameter), so a constant schedule stays constant.
# Seen: the relative step is min(lr, 1 / sqrt(t)) at update t, counted from 1. With lr=0.1 a constant schedule is constant for 100
#   updates and then decays; with the default lr=0.01 that begins after 10,000 updates.
# Why it matters: in a long run the plateau of warmup-stable-decay is no plateau, a cosine is cut off at the top, and the
#   logged rate shows neither. Two peaks above the cap are the same run.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'PYTHON'
import torch

LR = 0.1


def relative_move(updates):
    """The last of some updates with gradients +1, -1, ..., over the root mean square of the parameter."""
    parameter = torch.nn.Parameter(torch.ones(4, 4, dtype=torch.float64))
    optimizer = torch.optim.Adafactor([parameter], lr=LR, weight_decay=0.0)
    for k in range(updates):
        before = parameter.detach().clone()
        parameter.grad = torch.full_like(parameter, (-1.0) ** k)
        optimizer.step()
    return ((before - parameter).abs().mean() / before.square().mean().sqrt()).item()


same = True
for updates in (50, 100, 400, 1600):
    used, capped = relative_move(updates), min(LR, updates**-0.5)
    print(f"update {updates:>4}: lr {LR}, used {used:.4f}, min(lr, 1 / sqrt(t)) {capped:.4f}")
    same &= abs(used - capped) < 1e-6
raise SystemExit(not same)
PYTHON
