"""Train a line in the loop of torchtune's recipes with torchtune 0.6.1, whose DiskLogger writes lines of text."""

from pathlib import Path

import torch
from torchtune.training.lr_schedulers import get_cosine_schedule_with_warmup, get_lr
from torchtune.training.metric_logging import DiskLogger

from ..truth import POINTS, note_rates, write_truth

HERE = Path(__file__).parent
NOTE = "step s counts the updates made; lr is read after the schedule's step: that of update s; loss is of update s - 1"


def train(folder: Path, every: int) -> tuple[list[float], list[float]]:
    """Train 20 updates; their rates and losses."""
    layer = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    schedule = get_cosine_schedule_with_warmup(optimizer, num_warmup_steps=4, num_training_steps=20)
    logger, rates, losses = DiskLogger(str(folder), "log.txt"), note_rates(optimizer), []
    for updates in range(1, 21):
        batch = POINTS[4 * (updates % 10) :][:4]
        loss = ((layer(batch) - 1) ** 2).mean() + 0.1
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(layer.parameters(), max_norm=1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        losses.append(loss.item())
        if updates % every == 0:
            speed = {"tokens_per_second_per_gpu": 1000.0}
            logger.log_dict({"loss": losses[-1], "lr": get_lr(optimizer), **speed, "grad_norm": norm}, step=updates)
    logger.close()
    return rates, losses


def main() -> None:
    """Make all cases anew."""
    torch.manual_seed(1)
    for name, every in (("every_1", 1), ("every_5", 5)):
        folder = HERE / name
        (folder / "log.txt").unlink(missing_ok=True)
        rates, losses = train(folder, every)
        write_truth(folder, "torchtune", rates, losses, NOTE)


if __name__ == "__main__":
    main()
