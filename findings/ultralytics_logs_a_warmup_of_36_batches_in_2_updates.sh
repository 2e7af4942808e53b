#!/usr/bin/env bash
# Ultralytics gathers batches up to nbs=64 for an update, while the schedule and its log go on by batches.
#
# Version: ultralytics 8.4.190, torch 2.13.0, torchvision 0.28.0, CPU.
# Expected: 6 epochs of 6 batches make 36 updates; if they make fewer, warmup and log are of those: a rate in results.csv is one
#   that an update used.
# Seen: 2 updates, at rates 0 and 0.0035. The first batch makes one; then the number to gather grows through the warmup as fast as
#   the batches come, up to 32. lr/pg0 in results.csv goes up to 0.0127 and down to 0.0035, digit for digit as with nbs=2,
#   where 36 updates used those rates.
# Why it matters: a first try on a small data set hardly changes the weights, and every file says that it was trained by the
#   plan. Those who see a flat loss look at lr0 and cos_lr, where it does not lie; nbs is the cure.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet ultralytics==8.4.190 torch==2.13.0 torchvision==0.28.0
cd "$folder"
# a torch for the CPU alone cannot load PyPI's operators of torchvision: they are declared then, as a classifier calls none
"$folder/venv/bin/python" -c "import torchvision" 2> /dev/null || export DECLARE=1
export YOLO_CONFIG_DIR="$folder" YOLO_OFFLINE=true YOLO_AUTOINSTALL=false YOLO_VERBOSE=false
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import csv
import os
from pathlib import Path

import torch

if "DECLARE" in os.environ:
    operators = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import cv2
import numpy
from ultralytics import YOLO

for number in range(12):
    for part in ("train", "val"):
        images = Path("data", part, "ab"[number % 2])
        images.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(images / f"{number}.png"), numpy.full((64, 64, 3), number % 2 * 200, dtype=numpy.uint8))


def train(**options):
    """Train a small classifier; return the rate of every update and the column of rates in results.csv."""
    rates, yolo = [], YOLO("yolo11n-cls.yaml")

    def watch(trainer):
        group = trainer.optimizer.param_groups[0]
        trainer.optimizer.register_step_pre_hook(lambda *_: rates.append(group["lr"]))

    yolo.add_callback("on_train_start", watch)
    yolo.train(
        data="data", epochs=6, imgsz=64, batch=2, optimizer="SGD", lr0=0.02, plots=False, amp=False, workers=0,
        device="cpu", verbose=False, pretrained=False, project=str(Path("runs").resolve()), **options,
    )
    with open(Path(yolo.trainer.save_dir) / "results.csv") as file:
        return rates, [float(row["lr/pg0"]) for row in csv.DictReader(file)]


default, logged = train()
each, logged_each = train(nbs=2)
print(f"nbs=64 (default): {len(default)} updates, at", *(f"{rate:g}" for rate in default))
print(f"nbs=2:            {len(each)} updates, at {min(each):g} to {max(each):g}")
print("lr/pg0 of both:  ", *logged)
same = len(default) == 2 and len(each) == 36 and logged == logged_each
raise SystemExit(not (same and default[0] == 0 and abs(default[1] - 0.0035) < 1e-6 and max(logged) > 0.0126))
PYTHON
