"""Write `add_scalars("lr", ...)` of two groups, by PyTorch 2.13.0's SummaryWriter and by tensorboardX 2.6.5.

Each name gets an event file in a folder of its own: PyTorch's is RUN/lr_backbone, tensorboardX's RUN/lr/backbone.
"""

import shutil
from pathlib import Path
from typing import Any

import tensorboardX
import torch
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.tensorboard import SummaryWriter

from ..truth import POINTS, note_rates, warmup_cosine, write_truth

HERE = Path(__file__).parent
NOTE = "step s, from 0, has the rates of update s, read before the schedule's step, and its loss; truth is of the head"


def train(writer: Any, every: int) -> tuple[list[float], list[float], list[float]]:
    """Train 20 updates, written in the usual loop; the rates of head and backbone, and the losses."""
    backbone, head = torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)
    groups = [{"params": backbone.parameters(), "lr": 0.01}, {"params": head.parameters(), "lr": 0.1}]
    optimizer = torch.optim.SGD(groups)
    schedule = LambdaLR(optimizer, warmup_cosine(4, 20))
    backbone_rates, head_rates, losses = note_rates(optimizer, 0), note_rates(optimizer, 1), []
    for step in range(20):
        batch = POINTS[4 * (step % 10) :][:4]
        loss = ((head(backbone(batch)) - 1) ** 2).mean() + 0.1
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        if step % every == 0:
            writer.add_scalar("loss/train", losses[-1], step)
            rates = [group["lr"] for group in optimizer.param_groups]
            writer.add_scalars("lr", dict(zip(("backbone", "head"), rates, strict=True)), step)
        schedule.step()
    writer.close()
    return head_rates, backbone_rates, losses


def case(name: str, package: str, make_writer: Any, every: int) -> None:
    """Make the folder of a case."""
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    head, backbone, losses = train(make_writer(str(folder / "run")), every)
    for number, file in enumerate(sorted(folder.rglob("events.out.*"))):
        file.rename(file.with_name(f"events.out.tfevents.{1700000000 + number}.host.1.{number}"))
    write_truth(folder, package, head, losses, f"{NOTE}, backbone beside it", backbone=backbone)


def main() -> None:
    """Make all cases anew."""
    torch.manual_seed(1)
    case("torch", "torch", SummaryWriter, 1)
    case("torch_every_4", "torch", SummaryWriter, 4)
    case("tensorboardx", "tensorboardX", tensorboardX.SummaryWriter, 1)


if __name__ == "__main__":
    main()
