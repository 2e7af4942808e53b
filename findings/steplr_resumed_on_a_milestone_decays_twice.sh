#!/usr/bin/env bash
# Resumed with last_epoch on a milestone, StepLR and MultiStepLR decay a second time, and ConstantLR ends its warmup twice.
#
# Version: torch 2.13.0, CPU.
# Expected: an optimizer that was saved after step k, loaded, and given a scheduler with last_epoch=k-1 goes on as if the
#   run had not been interrupted, as ExponentialLR, LinearLR, PolynomialLR and CosineAnnealingLR do since they leave the
#   rate alone when they are built.
# Seen: if k is a milestone, building StepLR or MultiStepLR multiplies the loaded rate by gamma once more, for the rest of the run;
#   ConstantLR(factor=1/4) that is resumed where its warmup ends goes on at 4 times the base rate.
# Why it matters: jobs are saved at the end of an epoch, and milestones are epochs. Nothing fails; the resumed run has a
#   tenth of its rate, or a multiple of its peak.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'PYTHON'
import copy

import torch
from torch.optim import lr_scheduler

CASES = [
    ("StepLR", dict(step_size=5, gamma=0.1), 5, 0.1),
    ("MultiStepLR", dict(milestones=[5], gamma=0.1), 5, 0.1),
    ("ConstantLR", dict(factor=0.25, total_iters=5), 5, 4.0),
    ("StepLR", dict(step_size=5, gamma=0.1), 6, 1.0),  # not on a milestone: right
    ("ExponentialLR", dict(gamma=0.9), 5, 1.0),
]


def sgd():
    parameter = torch.nn.Parameter(torch.ones(1))
    parameter.grad = torch.ones(1)
    return torch.optim.SGD([parameter], lr=0.1)


same = True
for name, options, steps, expected in CASES:
    first, resumed = sgd(), sgd()
    scheduler = getattr(lr_scheduler, name)(first, **options)
    for _ in range(steps):
        first.step()
        scheduler.step()
    resumed.load_state_dict(copy.deepcopy(first.state_dict()))
    again = getattr(lr_scheduler, name)(resumed, last_epoch=steps - 1, **options)
    for optimizer, schedule in ((first, scheduler), (resumed, again)):
        for _ in range(2):
            optimizer.step()
            schedule.step()
    straight, rate = first.param_groups[0]["lr"], resumed.param_groups[0]["lr"]
    print(f"{name:>14} saved after step {steps}: two steps later {straight:.4f}, resumed {rate:.4f}, {rate / straight:.2f} times")
    same &= abs(rate / straight - expected) < 1e-9
raise SystemExit(not same)
PYTHON
