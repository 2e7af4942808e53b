"""Write the logs of mmengine 0.10.7: a schedule per iteration and one per epoch, both with validation.

pip install mmengine==0.10.7 torch
python make.py
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from tests.logs.data.truth import POINTS, note_rates, write_truth
from torch.utils.data import DataLoader, TensorDataset

HERE = Path(__file__).parent
START = "20260101_000000"  # in place of the time of the run
NOTES = {
    "by_iteration": "`step` and `iter` count the updates made, so the row at s holds the rate of update s-1 and the "
    "mean loss of the last 5 updates; rows of validation have neither rate nor `iter`, and their `step` is an epoch.",
    "by_epoch": "`step` and `iter` count the updates made; the scheduler steps after the last row of an epoch, so the "
    "row at s holds the rate of update s-1; rows of validation have an epoch as their `step`.",
}
SCHEDULES: dict[str, list[dict[str, Any]]] = {
    "by_iteration": [
        {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "begin": 0, "end": 8},
        {"type": "CosineAnnealingLR", "T_max": 32, "eta_min": 1e-3, "by_epoch": False, "begin": 8, "end": 40},
    ],
    "by_epoch": [{"type": "MultiStepLR", "milestones": [2, 3], "gamma": 0.1, "by_epoch": True}],
}


class Line(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, x: torch.Tensor, y: torch.Tensor, mode: str = "tensor") -> Any:
        loss = ((self.layer(x) - y) ** 2).mean()
        return {"loss": loss} if mode == "loss" else [loss.detach()]


class Error(BaseMetric):
    def process(self, _batch: Any, samples: Any) -> None:
        self.results.extend(loss.item() for loss in samples)

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return {"error": sum(results) / len(results)}


class Record(Hook):
    """Keep the rate and the loss of every update."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def before_train(self, runner: Runner) -> None:
        self.rates = note_rates(runner.optim_wrapper.optimizer)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self.losses.append(outputs["loss"].item())


def train(name: str, folder: Path) -> None:
    """Train by mmengine's Runner and keep its two JSON files."""
    data = TensorDataset(POINTS, POINTS.sum(1, keepdim=True) + 0.1 * torch.sin(40 * POINTS[:, :1]))
    torch.manual_seed(0)
    record = Record()
    runner = Runner(
        model=Line(),
        work_dir=str(folder),
        train_dataloader=DataLoader(data, batch_size=4),
        optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.1}},
        param_scheduler=SCHEDULES[name],
        train_cfg={"by_epoch": True, "max_epochs": 4, "val_interval": 2},
        val_dataloader=DataLoader(data, batch_size=20),
        val_cfg={},
        val_evaluator=Evaluator(Error()),
        default_hooks={"logger": {"type": "LoggerHook", "interval": 5}, "checkpoint": None},
        log_processor={"window_size": 5},
        custom_hooks=[record],
        randomness={"seed": 0},
        experiment_name=name,
        log_level="WARNING",
    )
    runner.train()
    target = HERE / name / START / "vis_data"
    target.mkdir(parents=True, exist_ok=True)
    for written in folder.glob("*/vis_data/*.json"):
        shutil.copy(written, target / ("scalars.json" if written.name == "scalars.json" else f"{START}.json"))
    write_truth(HERE / name, "mmengine", record.rates, record.losses, NOTES[name])


if __name__ == "__main__":
    for name in SCHEDULES:
        with tempfile.TemporaryDirectory() as folder:
            train(name, Path(folder))
