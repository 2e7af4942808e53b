#!/usr/bin/env bash
# DeepSpeed's WarmupDecayLR ignores the optimizer's rate, which WarmupLR takes, and both make two updates at zero.
#
# Version: deepspeed 0.19.8, torch 2.13.0, CPU.
# Expected: a schedule without warmup_max_lr peaks at the optimizer's rate, in both classes of one family; a linear warmup
#   over 4 updates has at most one at zero.
# Seen: with lr=0.1 WarmupLR peaks at 0.1 and WarmupDecayLR at 0.001. Updates 0 and 1 are both at 0: the constructor writes
#   the rate of step 0, and the first step() writes it again.
# Why it matters: "the same, and then decay" trains at a hundredth of the rate; two updates are lost.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy setuptools==80.9.0 wheel
"$folder/venv/bin/python" -m pip install --quiet einops hjson msgpack ninja packaging psutil py-cpuinfo pydantic tqdm
DS_BUILD_OPS=0 "$folder/venv/bin/python" -m pip install --quiet --no-build-isolation deepspeed==0.19.8
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import torch
from deepspeed.runtime.lr_schedules import WarmupDecayLR, WarmupLR

LR, WARMUP, STEPS = 0.1, 4, 10


def rates(kind, **options):
    """The rate of every update, with the scheduler stepped after each."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler = kind(optimizer, warmup_num_steps=WARMUP, warmup_type="linear", **options)
    used = []
    for _ in range(STEPS):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    print(f"{kind.__name__}:", *(f"{rate:g}" for rate in used))
    return used


decay, warmup = rates(WarmupDecayLR, total_num_steps=STEPS), rates(WarmupLR)
same = decay[:2] == [0, 0] and warmup[:2] == [0, 0] and max(decay) == 0.001 and max(warmup) == LR
print(f"optimizer's rate {LR}; peaks {max(decay):g} and {max(warmup):g}; the first two updates at 0: {same}")
raise SystemExit(not same)
PYTHON
