"""Write the TensorBoard folder that the trackers of accelerate 1.15.0 make, with its settings in a second file.

From the repository's root: `python -m tests.logs.data.accelerate.make`.
"""

import shutil
import tempfile
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import ProjectConfiguration
from tests.logs.data.truth import POINTS, note_rates, warmup_cosine, write_truth
from torch.utils.data import DataLoader, TensorDataset

HERE = Path(__file__).parent
NOTE = (
    "`step` is the loop's, from 1, and counts the updates made: the scheduler has stepped before the row is written, "
    "so `lr` at s is the rate of the update to come, s, and `train_loss` the mean of the two losses of update s-1."
)


def train(folder: str) -> tuple[list[float], list[float]]:
    """Train a line for 20 updates of two batches, as accelerate's examples do; return rates and losses."""
    settings = ProjectConfiguration(project_dir=folder, logging_dir=folder)
    accelerator = Accelerator(cpu=True, log_with="tensorboard", gradient_accumulation_steps=2, project_config=settings)
    accelerator.init_trackers("lines", config={"lr": 0.1, "warmup": 5, "name": "line"})
    torch.manual_seed(0)
    layer = torch.nn.Linear(2, 1)
    sgd = torch.optim.SGD(layer.parameters(), lr=0.1)
    rates, losses = note_rates(sgd), list[float]()
    schedule = torch.optim.lr_scheduler.LambdaLR(sgd, warmup_cosine(5, 20))
    loader = DataLoader(TensorDataset(POINTS), batch_size=1)
    layer, optimizer, loader, schedule = accelerator.prepare(layer, sgd, loader, schedule)
    step, total = 0, 0.0
    for (x,) in loader:
        with accelerator.accumulate(layer):
            loss = (layer(x) - 1).square().mean()
            total += loss.item() / 2
            accelerator.backward(loss)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        if accelerator.sync_gradients:
            step += 1
            accelerator.log({"train_loss": total, "lr": schedule.get_last_lr()[0]}, step=step)
            losses.append(total)
            total = 0.0
    accelerator.end_training()
    return rates, losses


def keep(written: Path, folder: Path) -> None:
    """Copy a file under a name without time and host."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(written, folder / ("events.out.tfevents.0.host" if "tfevents" in written.name else written.name))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        rates, losses = train(folder)
        for written in Path(folder, "lines").rglob("*.*"):
            if written.is_file():
                keep(written, HERE / "lines" / ("" if written.parent.name == "lines" else "1767225600.0"))
    write_truth(HERE, "accelerate", rates, losses, NOTE)
