#!/usr/bin/env bash
# After loading a state PostLocalSGDOptimizer no longer follows its learning-rate schedule.
#
# Version: torch 2.13.0, CPU, one process.
# Expected: a run that is resumed (load_state_dict of the optimizer and of the scheduler) goes on with the schedule.
# Seen: until the state is loaded the rate that updates use is the schedule's. Loading gives the wrapped optimizer a new
#   list of groups; the wrapper keeps the old one, and the scheduler writes into that. The rate stays what it was in the
#   checkpoint for the rest of the run, while get_last_lr() and optimizer.param_groups show the schedule.
# Why it matters: every resumed run trains at a constant rate, and its log looks perfect.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy
"$folder/venv/bin/python" -W ignore::DeprecationWarning - <<'PYTHON'
import torch
import torch.distributed as dist
from torch.distributed.algorithms.model_averaging.averagers import PeriodicModelAverager
from torch.distributed.optim import PostLocalSGDOptimizer

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
local = torch.optim.SGD([parameter], lr=0.1)
optimizer = PostLocalSGDOptimizer(local, PeriodicModelAverager(period=4, warmup_steps=100))
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)


def used_rates(updates):
    """The moves of some updates with a gradient of 1, and what the scheduler shows for them."""
    used, shown = [], []
    for _ in range(updates):
        before = parameter.item()
        parameter.grad = torch.ones_like(parameter)
        shown.append(scheduler.get_last_lr()[0])
        optimizer.step()
        used.append(before - parameter.item())
        scheduler.step()
    return [round(rate, 9) for rate in used], [round(rate, 9) for rate in shown]


before = used_rates(3)
optimizer.load_state_dict(optimizer.state_dict())
scheduler.load_state_dict(scheduler.state_dict())
after = used_rates(3)
for name, (used, shown) in (("before loading", before), ("after loading", after)):
    print(f"{name:>14}: used {used}, shown {shown}")
dist.destroy_process_group()
same = before[0] == before[1] and after[0] == [after[1][0]] * 3 and after[0] != after[1]
raise SystemExit(not same)
PYTHON
