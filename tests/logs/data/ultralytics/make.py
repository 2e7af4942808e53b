"""Train tiny networks by Ultralytics, which writes results.csv with a row for each epoch: 8.4.190, and 8.2.103.

The latter is in the folder `padded`: names and numbers have blanks before them, and there is no time.
"""

import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from ultralytics import YOLO

from ..truth import write_truth

HERE = Path(__file__).parent
IMAGES = 12
NOTE = (
    "epoch e, from 1, is written after its last update; lr/pgI is the rate of group I then (in few digits), "
    "losses are means of the epoch, each component by itself"
)


def draw(data: Path) -> None:
    """Draw squares on noise, with their boxes, for detection and for classification."""
    random = np.random.default_rng(1)
    for number in range(IMAGES):
        kind = number % 2
        image = random.integers(0, 80, (64, 64, 3), dtype=np.uint8)
        x, y = random.integers(4, 30, 2)
        image[y : y + 24, x : x + 24] = (255, 40, 40) if kind else (40, 255, 40)
        box = f"{kind} {(x + 12) / 64} {(y + 12) / 64} {24 / 64} {24 / 64}\n"
        for part in ("train", "val"):
            for folder in (data / "images" / part, data / "labels" / part, data / "classes" / part / "ab"[kind]):
                folder.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(data / "images" / part / f"{number}.png"), image)
            cv2.imwrite(str(data / "classes" / part / "ab"[kind] / f"{number}.png"), image)
            (data / "labels" / part / f"{number}.txt").write_text(box)
    (data / "data.yaml").write_text(f"path: {data}\ntrain: images/train\nval: images/val\nnames: [a, b]\n")


def train(work: Path, model: str, **more: Any) -> tuple[Path, list[list[float]]]:
    """Train 6 epochs of 6 batches; the file of results and the rates of every update, a list for each group."""
    rates: list[list[float]] = []

    def watch(trainer: Any) -> None:
        groups = trainer.optimizer.param_groups
        rates.extend([] for _ in groups)

        def note(*_: Any) -> None:
            for group, its_rates in zip(groups, rates, strict=True):
                its_rates.append(float(group["lr"]))

        trainer.optimizer.register_step_pre_hook(note)

    yolo = YOLO(model)
    yolo.add_callback("on_train_start", watch)
    settings = {"epochs": 6, "imgsz": 64, "batch": 2, "nbs": 2, "optimizer": "SGD", "lr0": 0.02, **more}
    fixed = {"plots": False, "amp": False, "workers": 0, "device": "cpu", "verbose": False, "pretrained": False}
    yolo.train(project=str(work), name="run", exist_ok=False, **settings, **fixed)
    return Path(yolo.trainer.save_dir) / "results.csv", rates


def case(work: Path, name: str, model: str, note: str = "", **more: Any) -> None:
    """Make the folder of a case; the truth is that of group 0, beside those of all groups."""
    results, rates = train(work / name, model, **more)
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    shutil.copyfile(results, folder / "results.csv")
    regular = {"updates_per_epoch": 6} if len(rates[0]) == 36 else {}
    write_truth(folder, "ultralytics", rates[0], None, NOTE + note, groups=rates, **regular)


def main() -> None:
    """Make all cases anew."""
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        draw(work)
        data, classes = str(work / "data.yaml"), str(work / "classes")
        if version("ultralytics").startswith("8.2"):
            case(work, "padded", "yolov8n.yaml", data=data)
            return
        case(work, "detect", "yolo11n.yaml", data=data)
        case(work, "cosine", "yolo11n.yaml", data=data, cos_lr=True, warmup_epochs=1.0, lrf=0.1)
        case(work, "classify", "yolo11n-cls.yaml", data=classes, warmup_epochs=0.0)
        slow = "; four batches make an update once the warmup is over, so there are fewer updates than batches"
        case(work, "gathered", "yolo11n-cls.yaml", slow, data=classes, nbs=8)


if __name__ == "__main__":
    main()
