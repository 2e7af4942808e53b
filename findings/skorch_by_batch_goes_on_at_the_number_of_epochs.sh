#!/usr/bin/env bash
# With step_every="batch" skorch's LRScheduler goes on, in a second partial_fit, at the number of epochs made, not of batches.
#
# Version: skorch 1.4.0, torch 2.13.0, CPU.
# Expected: partial_fit goes on with the schedule where the last one has stopped, whatever its steps are.
# Seen: the callback builds the scheduler again with last_epoch = len(net.history) - 1, which counts epochs. With 50 batches in
#   an epoch a LambdaLR over 300 batches that has made 150 steps begins again at step 3; ExponentialLR ignores last_epoch for
#   its rate, and goes on.
# Why it matters: nets that are trained by partial_fit (online, or epoch by epoch under a search) with a warmup or a decay by batch
#   repeat the beginning of the schedule in every call, and never come to its end.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet skorch==1.4.0 torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import torch
from skorch import NeuralNetRegressor
from skorch.callbacks import LRScheduler
from torch.optim import lr_scheduler

X, Y = np.zeros((200, 4), dtype=np.float32), np.zeros((200, 1), dtype=np.float32)


def rates(policy, **options):
    """The rate of each batch in two calls of partial_fit, of 3 epochs with 50 batches."""
    net = NeuralNetRegressor(
        torch.nn.Linear, module__in_features=4, module__out_features=1, train_split=None, verbose=0, batch_size=4,
        max_epochs=3, lr=0.1, callbacks=[LRScheduler(policy=policy, step_every="batch", **options)],
    )
    net.partial_fit(X, Y)
    net.partial_fit(X, Y)
    return [batch["event_lr"] for epoch in net.history[:, "batches"] for batch in epoch]


linear = rates(lr_scheduler.LambdaLR, lr_lambda=lambda k: max(0.0, 1 - k / 300))
decay = rates(lr_scheduler.ExponentialLR, gamma=0.99)
print(f"LambdaLR, 1 - k / 300:  batch 149 {linear[149]:.5f}, batch 150 {linear[150]:.5f} (0.05 expected), batch 299 {linear[299]:.5f}")
print(f"ExponentialLR, 0.99^k:  batch 149 {decay[149]:.5f}, batch 150 {decay[150]:.5f} ({0.1 * 0.99**150:.5f} expected)")
same = abs(linear[150] - 0.1 * (1 - 3 / 300)) < 1e-9 and abs(decay[150] - 0.1 * 0.99**150) < 1e-9
raise SystemExit(not same)
PYTHON
