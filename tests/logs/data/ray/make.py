"""Write the logs of a trial of Ray Tune 2.60.0 (result.json, progress.csv, TensorBoard), from a loop of PyTorch's.

From the repository's root: `PYTHONPATH=. python -m tests.logs.data.ray.make`.
"""

import csv
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import ray
import torch
from ray import tune
from tests.logs.data.truth import POINTS, note_rates, warmup_cosine, write_truth

HERE = Path(__file__).parent
NOTES = {
    "by_update": "One report an update, so training_iteration k (from 1) and the event's step k hold the rate and the "
    "loss of update k-1.",
    "by_epoch": "One report an epoch of 4 updates, after its scheduler's step, so training_iteration k (from 1) counts "
    "epochs and `lr` is the rate of epoch k+1; `loss` is the mean of epoch k.",
}
NEUTRAL = {"date": "2026-01-01_00-00-00", "timestamp": 0, "pid": 1, "hostname": "host", "node_ip": "127.0.0.1"}


def descend(config: dict[str, Any]) -> None:
    """Train a line and report every update or every epoch, as the trial asks."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(2, 1)
    sgd = torch.optim.SGD(layer.parameters(), lr=config["lr"])
    rates, losses = note_rates(sgd), list[float]()
    by_epoch = config["report"] == "by_epoch"
    factor = (lambda epoch: 0.5**epoch) if by_epoch else warmup_cosine(4, 16)
    schedule = torch.optim.lr_scheduler.LambdaLR(sgd, factor)
    for step in range(16):
        loss = (layer(POINTS) - 1).square().mean()
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        losses.append(loss.item())
        if not by_epoch:
            tune.report({"loss": losses[-1], "lr": rates[-1]})
            schedule.step()
        elif step % 4 == 3:
            schedule.step()
            tune.report({"loss": sum(losses[-4:]) / 4, "lr": schedule.get_last_lr()[0]})
    write_truth(Path(tune.get_context().get_trial_dir()), "ray", rates, losses, NOTES[config["report"]])


def keep(trial: Path, folder: Path) -> None:
    """Copy the logs of a trial, with neutral values for what tells the machine."""
    folder.mkdir(exist_ok=True)
    for name in ("params.json", "truth.json"):
        shutil.copy(trial / name, folder)
    shutil.copy(next(trial.glob("events*")), folder / "events.out.tfevents.0.host")
    rows = [json.loads(line) | NEUTRAL for line in (trial / "result.json").read_text().splitlines()]
    (folder / "result.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (trial / "progress.csv").open(newline="") as source, (folder / "progress.csv").open("w", newline="") as target:
        table = csv.DictReader(source)
        writer = csv.DictWriter(target, table.fieldnames or [])
        writer.writeheader()
        writer.writerows(row | NEUTRAL for row in table)


if __name__ == "__main__":
    ray.init(num_cpus=1, include_dashboard=False)
    for name in NOTES:
        with tempfile.TemporaryDirectory() as folder:
            run = tune.RunConfig(storage_path=folder, name="run")
            result = tune.Tuner(descend, param_space={"lr": 0.1, "report": name}, run_config=run).fit()[0]
            keep(Path(result.path), HERE / name)
