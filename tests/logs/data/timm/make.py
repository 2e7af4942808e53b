"""Train a line in the loop of timm's train.py with timm 1.0.31, whose update_summary writes a row for each epoch."""

from pathlib import Path
from typing import Any

import torch
from timm.scheduler import create_scheduler_v2
from timm.utils.summary import update_summary

from ..truth import POINTS, note_rates, write_truth

HERE = Path(__file__).parent
UPDATES = 5
NOTE = "epoch e, from 0, is written after its 5 updates; lr is the mean over the groups,"


def train(folder: Path, *, by_updates: bool, groups: int = 1, validates: bool = True, **more: Any) -> Any:
    """Train 8 epochs; the rates of the first group and the losses of all updates."""
    layer = torch.nn.Linear(2, 1)
    parts = [list(layer.parameters())] if groups == 1 else [[layer.weight], [layer.bias]]
    optimizer = torch.optim.SGD([{"params": part, "lr_scale": 0.5**i} for i, part in enumerate(parts)], lr=0.1)
    rates, losses = note_rates(optimizer), []
    kind = {"sched": "cosine", "num_epochs": 8, "warmup_epochs": 2, "warmup_lr": 1e-5, "min_lr": 1e-6, **more}
    schedule, epochs = create_scheduler_v2(
        optimizer, step_on_epochs=not by_updates, updates_per_epoch=UPDATES, warmup_prefix=False, **kind
    )
    schedule.step_update(0) if by_updates else schedule.step(0)
    for epoch in range(epochs):
        for index, batch in enumerate(POINTS.split(8)):
            loss = ((layer(batch) - 1) ** 2).mean() + 0.1
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
            schedule.step_update(epoch * UPDATES + index + 1)
        train_loss = sum(losses[-UPDATES:]) / UPDATES
        validation = {"loss": train_loss, "top1": 10.0 * epoch, "top5": 90.0} if validates else None
        now = [group["lr"] for group in optimizer.param_groups]
        update_summary(epoch, {"loss": train_loss}, validation, folder / "summary.csv", lr=sum(now) / len(now))
        schedule.step(epoch + 1)
    return rates, losses


def case(name: str, note: str, **more: Any) -> None:
    """Make the folder of a case."""
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    (folder / "summary.csv").unlink(missing_ok=True)
    rates, losses = train(folder, **more)
    write_truth(folder, "timm", rates, losses, f"{NOTE} {note}", updates_per_epoch=UPDATES)


def main() -> None:
    """Make all cases anew."""
    torch.manual_seed(1)
    used = "before the schedule's step: what the epoch used"
    case("epoch", used, by_updates=False)
    case("step_decay", used, by_updates=False, validates=False, sched="step", decay_milestones=[], decay_epochs=3)
    case("by_updates", "after the step of the last update: what comes next", by_updates=True)
    case("groups", f"{used}; truth is of the first group, the second has half of it", by_updates=False, groups=2)


if __name__ == "__main__":
    main()
