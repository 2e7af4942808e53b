"""Train a line under Megatron-core 0.16.1's OptimizerParamScheduler, printed as Megatron-LM's training log prints.

The training loop of Megatron-LM needs GPUs: the form of its line and the order of its calls were read in its source.
"""

from collections.abc import Collection
from pathlib import Path

import torch
from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler

from ..truth import POINTS, write_truth

HERE = Path(__file__).parent
BATCH = 4
NOTE = (
    "the form of the line was read in the source, the rates are by Megatron-core; iteration s counts the iterations "
    "made, skipped ones too; its rate is read after the schedule's step: that of update s, which is to come; the loss "
    "is the mean since the line before"
)


def line(iteration: int, total: int, rate: float, losses: list[float], skipped: int, stamp: str) -> str:
    """Return a line of the training log; skipped iterations have no part in the mean loss."""
    parts = [f"{stamp} iteration {iteration:8d}/{total:8d}", f"consumed samples: {iteration * BATCH:12d}"]
    parts += ["elapsed time per iteration (ms): 12.3", f"learning rate: {rate:.6E}", f"global batch size: {BATCH:5d}"]
    parts += [f"lm loss: {sum(losses) / len(losses):.6E}"] if losses else []
    parts += ["loss scale: 1.0", "grad norm: 1.234", f"number of skipped iterations: {skipped:3d}"]
    return " | ".join([*parts, "number of nan iterations:   0"]) + " |\n"


def train(total: int, every: int, skip: Collection[int], stamp: str) -> tuple[list[float], list[float], str]:
    """Train some iterations; the rates and losses of all, and what was printed."""
    layer = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    schedule = OptimizerParamScheduler(
        optimizer, 0.0, 0.1, 0.001, 8 * BATCH, total * BATCH, "cosine", 0.0, 0.0, total * BATCH, "constant"
    )
    rates, losses, window, text = [], [], [], ""
    for index in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        loss = ((layer(POINTS[4 * (index % 10) :][:BATCH]) - 1) ** 2).mean() + 0.1
        losses.append(float(loss.detach()))
        if index not in skip:
            window.append(losses[-1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step(increment=BATCH)
        if (index + 1) % every == 0:
            skipped = len({*range(index + 1 - every, index + 1)} & set(skip))
            text += line(index + 1, total, optimizer.param_groups[0]["lr"], window, skipped, stamp)
            window = []
    return rates, losses, text


def case(name: str, total: int, every: int, skip: Collection[int] = (), stamp: str = " [2026-01-01 00:00:00]") -> None:
    """Make the folder of a case; older versions print no time."""
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    rates, losses, text = train(total, every, skip, stamp)
    head = "> building train, validation, and test datasets ...\ntraining ...\n"
    around = "-" * 100 + f"\n validation loss at iteration {total} | lm loss value: 1.2E-01 | lm loss PPL: 1.1E+00 | \n"
    (folder / "log.txt").write_text(head + text + around, encoding="utf-8")
    write_truth(folder, "Megatron-LM", rates, losses, NOTE, version="core 0.16.1", skipped=sorted(skip))


def main() -> None:
    """Make all cases anew."""
    torch.manual_seed(1)
    case("every_1", 24, 1)
    case("every_10", 100, 10, stamp="")
    case("skipped", 40, 5, skip={0, 1, 17})


if __name__ == "__main__":
    main()
