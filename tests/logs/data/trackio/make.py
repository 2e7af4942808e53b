"""Write a project of trackio 0.43.0, one SQLite file, with two runs of 20 updates.

From the repository's root: `python -m tests.logs.data.trackio.make`.
"""

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import torch
from tests.logs.data.truth import POINTS, note_rates, warmup_cosine, write_truth

HERE = Path(__file__).parent
DAY = "2026-01-01T00:00:00+00:00"
NOTES = {
    "every": "Step k is that of trackio, which counts calls from 0: the row k holds the rate and loss of update k.",
    "fifth": "Step is given by the loop: the updates made, every fifth; its row holds the rate and the loss of update "
    "step-1, and `val_loss` has rows of its own at the same steps.",
}


def train(name: str) -> None:
    """Train a line and log every update, or every fifth."""
    import trackio  # reads TRACKIO_DIR when imported

    torch.manual_seed(0)
    layer = torch.nn.Linear(2, 1)
    sgd = torch.optim.SGD(layer.parameters(), lr=0.1)
    rates, losses = note_rates(sgd), list[float]()
    schedule = torch.optim.lr_scheduler.LambdaLR(sgd, warmup_cosine(5, 20 if name == "every" else 25))
    trackio.init("lines", name=name, config={"peak": 0.1}, embed=False, auto_log_gpu=False, auto_log_cpu=False)
    for step in range(20):
        loss = (layer(POINTS) - 1).square().mean()
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        losses.append(loss.item())
        if name == "every":
            trackio.log({"train/loss": losses[-1], "train/lr": rates[-1]})
        elif step % 5 == 4:
            trackio.log({"loss": losses[-1], "lr": rates[-1]}, step=step + 1)
            trackio.log({"val_loss": losses[-1] + 0.1}, step=step + 1)
        schedule.step()
    trackio.finish()
    (HERE / name).mkdir(exist_ok=True)
    write_truth(HERE / name, "trackio", rates, losses, NOTES[name])


def neutralize(file: Path) -> None:
    """Replace the times of the run, and store the rows in small pages: 200 kB become 40."""
    base = sqlite3.connect(file, isolation_level=None)
    base.execute("UPDATE metrics SET timestamp = ?", [DAY])
    base.execute("UPDATE configs SET created_at = ?1, config = CAST(json_set(config, '$._Created', ?1) AS BLOB)", [DAY])
    for statement in ("PRAGMA journal_mode = DELETE", "PRAGMA page_size = 512", "VACUUM", "PRAGMA journal_mode = WAL"):
        base.execute(statement)
    base.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRACKIO_DIR"] = folder
        for name in NOTES:
            train(name)
        neutralize(Path(folder, "lines.db"))
        shutil.copy(Path(folder, "lines.db"), HERE)
