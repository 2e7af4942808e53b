"""Write the .log.json files of mmcv 1.7.2: a runner by epochs and one by iterations.

It needs torchvision beside it. From the repository's root: `python -m tests.logs.data.mmcv.make`.
"""

import logging
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from mmcv.runner import EpochBasedRunner, IterBasedRunner
from tests.logs.data.truth import POINTS, note_rates, write_truth
from torch.utils.data import DataLoader

HERE = Path(__file__).parent
SHARED = (
    "The first line is no row; `lr` is that of the update just made, rounded to five decimals like the losses, which "
    "are means of the last 4."
)
NOTES = {
    "by_epoch": "`iter` counts an epoch's updates made, from 1, and begins again in each of `epoch` (10 updates), "
    f"whose last 2 are in no row; the rows of mode val have the rate too, and count their batches. {SHARED}",
    "by_iteration": f"`iter` counts updates made, from 1, over all epochs; validation writes no row. {SHARED}",
}
RUNNERS = {"by_epoch": EpochBasedRunner, "by_iteration": IterBasedRunner}
LENGTHS = {"by_epoch": {"max_epochs": 3}, "by_iteration": {"max_iters": 30}}
WORKFLOWS = {"by_epoch": [("train", 1), ("val", 1)], "by_iteration": [("train", 10), ("val", 2)]}
RATES = {
    "by_epoch": {"policy": "step", "step": [1, 2], "warmup": "linear", "warmup_iters": 5, "warmup_ratio": 0.001},
    "by_iteration": {"policy": "poly", "power": 0.9, "min_lr": 1e-4, "by_epoch": False},
}


class Line(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)
        self.losses: list[float] = []

    def val_step(self, batch: torch.Tensor, optimizer: Any = None) -> dict[str, Any]:
        loss = (self.layer(batch) - 1).square().mean()
        return {"loss": loss, "log_vars": {"loss": loss.item()}, "num_samples": len(batch)}

    def train_step(self, batch: torch.Tensor, optimizer: Any) -> dict[str, Any]:
        step = self.val_step(batch, optimizer)
        self.losses.append(step["loss"].item())
        return step


def train(name: str, folder: Path) -> None:
    """Train by one of mmcv's runners and keep its JSON lines."""
    torch.manual_seed(0)
    model = Line()
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    rates = note_rates(sgd)
    runner = RUNNERS[name](
        model,
        optimizer=sgd,
        work_dir=str(folder),
        logger=logging.getLogger(name),
        meta={"env_info": "sys.platform: linux", "seed": 0, "exp_name": "line.py"},
        **LENGTHS[name],
    )
    hooks = [{"type": "TextLoggerHook", "by_epoch": name == "by_epoch"}]
    runner.register_training_hooks(
        lr_config=RATES[name], optimizer_config={"grad_clip": None}, log_config={"interval": 4, "hooks": hooks}
    )
    loaders = [DataLoader(POINTS, batch_size=4), DataLoader(POINTS, batch_size=20)]
    runner.run(loaders, WORKFLOWS[name])
    (HERE / name).mkdir(exist_ok=True)
    shutil.copy(next(folder.glob("*.log.json")), HERE / name / "20260101_000000.log.json")
    write_truth(HERE / name, "mmcv", rates, model.losses, NOTES[name])


if __name__ == "__main__":
    for name in NOTES:
        with tempfile.TemporaryDirectory() as folder:
            train(name, Path(folder))
