"""Write a folder of dvclive 3.49.1 for a run of 20 updates.

From the repository's root: `python -m tests.logs.data.dvclive.make`.
"""

import contextlib
import shutil
import tempfile
from pathlib import Path

import torch
from dvclive import Live
from tests.logs.data.truth import POINTS, note_rates, warmup_cosine, write_truth

HERE = Path(__file__).resolve().parent
NOTE = (
    "`step` is counted by next_step() from 0, so the row k of a metric's file holds the rate or the loss of update k; "
    "val/loss has every fifth step alone."
)


def train(folder: str) -> tuple[list[float], list[float]]:
    """Train a line for 20 updates under a Live; return their rates and losses."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(2, 1)
    sgd = torch.optim.SGD(layer.parameters(), lr=0.1)
    rates, losses = note_rates(sgd), list[float]()
    schedule = torch.optim.lr_scheduler.LambdaLR(sgd, warmup_cosine(5, 20))
    with Live(folder, save_dvc_exp=False, dvcyaml=None) as live:
        for step in range(20):
            loss = (layer(POINTS) - 1).square().mean()
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            losses.append(loss.item())
            live.log_metric("train/loss", losses[-1])
            live.log_metric("lr", rates[-1])
            if step % 5 == 4:
                live.log_metric("val/loss", losses[-1] + 0.1)
            schedule.step()
            live.next_step()
    return rates, losses


if __name__ == "__main__":
    # outside of any repository: in one, Live begins DVC's own beside it and stages its files
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        rates, losses = train("dvclive")
        shutil.copytree("dvclive", HERE / "dvclive", dirs_exist_ok=True)
    write_truth(HERE, "dvclive", rates, losses, NOTE)
