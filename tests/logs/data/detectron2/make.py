"""Write metrics.json in the form of Detectron2's JSONWriter (read at commit 02b5c4e2), from a loop of PyTorch's.

A row has every scalar that was put since the last one, as in detectron2/utils/events.py: losses as the median of the
last 20 iterations, the rate as it is. From the repository's root: `python -m tests.logs.data.detectron2.make`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import torch
from tests.logs.data.truth import POINTS, note_rates, write_truth

HERE = Path(__file__).parent
PERIOD = WINDOW = 20
NOTE = (
    "The form of Detectron2's metrics.json, written by a loop of this script's: `iteration` counts from 0, `lr` is the "
    "rate of that very update, and losses are the medians of the last 20; rows are written every 20 updates and at the "
    "last, and the row of an evaluation has neither rate nor loss."
)
AGAIN = (
    " The file was added to: a run of 30 updates comes before the one whose rates these are, which began again at 0."
)


def factor(step: int) -> float:
    """Return WarmupMultiStepLR's factor: a linear warmup of 10 updates from 0.001, then a tenth from 30 on."""
    warmup = 1.0 if step >= 10 else 0.001 + 0.999 * step / 10
    return warmup * 0.1 ** (step >= 30)


def rows(rates: list[float], losses: list[dict[str, float]]) -> Iterator[dict[str, float]]:
    """Yield the rows of a run of which every update's rate and losses are known."""
    for step, rate in enumerate(rates):
        if (step + 1) % PERIOD and step + 1 < len(rates):
            continue
        recent = losses[max(0, step + 1 - WINDOW) : step + 1]
        row = {name: median(each[name] for each in recent) for name in recent[0]}
        eta = 0.01 * (len(rates) - 1 - step)
        times = {"data_time": 0.001, "rank_data_time": 0.001, "time": 0.01, "eta_seconds": eta}
        yield {**row, **times, "lr": rate, "iteration": step}
    yield {"bbox/AP": 12.5, "bbox/AP50": 25.0, "iteration": len(rates)}


def train(updates: int) -> tuple[list[float], list[dict[str, float]]]:
    """Train a line of two losses; return the rate and the losses of every update."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(2, 2)
    sgd = torch.optim.SGD(layer.parameters(), lr=0.05)
    rates, losses = note_rates(sgd), list[dict[str, float]]()
    schedule = torch.optim.lr_scheduler.LambdaLR(sgd, factor)
    for batch in (POINTS[k % 10 * 4 :][:4] for k in range(updates)):
        first, second = (layer(batch) - 1).square().mean(0)
        sgd.zero_grad()
        (first + second).backward()
        sgd.step()
        schedule.step()
        parts = {"loss_box_reg": first.item(), "loss_cls": second.item()}
        losses.append({"total_loss": sum(parts.values()), **parts})
    return rates, losses


def write(name: str, note: str, *runs: tuple[list[float], list[dict[str, float]]]) -> None:
    """Write a file of some runs, one after the other, and the truth of the last."""
    (HERE / name).mkdir(exist_ok=True)
    lines = (json.dumps(row, sort_keys=True) + "\n" for run in runs for row in rows(*run))
    (HERE / name / "metrics.json").write_text("".join(lines))
    rates, losses = runs[-1]
    write_truth(HERE / name, "detectron2", rates, [each["total_loss"] for each in losses], note, version="02b5c4e2")


if __name__ == "__main__":
    write("once", NOTE, train(50))
    write("again", NOTE + AGAIN, train(30), train(50))
