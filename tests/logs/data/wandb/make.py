"""Write offline runs of Weights & Biases 0.31.0 and 0.16.6, without what tells the machine or the user.

From an empty folder: `PYTHONPATH=REPOSITORY python -m tests.logs.data.wandb.make`.

0.16.6 has other records: `key` with an object of JSON instead of `nested_key`, the step as the item `_step` alone.
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import wandb
from tests.logs.data.truth import POINTS, note_rates, warmup_cosine, write_truth
from tests.logs.trained import by_trainer

HERE = Path(__file__).parent
OLD = wandb.__version__.startswith("0.16.")
NOTES = {
    "nested": "The loop's own step, from 0, is the history's: row k holds the rate and the loss of update k under "
    "`train`; every fifth row has `val` too.",
    "calls": "No step was given, so the history counts calls: two an update, the loss in one and the rate in the next.",
    "long": "The loop's own step as in nested, with a text of 20,000 letters in row 3 that goes on in a second block.",
    "trainer": "The history's step counts the Trainer's calls; train/global_step counts updates made, whose row holds "
    "the rate of the update before and the mean of the losses since the row before.",
}


def begin(name: str, folder: str, *, metrics: bool) -> Any:
    """Begin an offline run that notes nothing about where it runs, or system metrics alone."""
    hidden = {"disable_meta": True, "save_requirements": False, "disable_stats": not metrics}
    settings = wandb.Settings(
        host="host",
        username="user",
        email="user@example.org",
        program="train.py",
        console="off",
        silent=True,
        disable_code=True,
        disable_git=True,
        disable_job_creation=True,
        **{("_" if OLD else "x_") + name: value for name, value in hidden.items()},
        **({} if OLD or metrics else {"x_disable_machine_info": True}),
    )
    return wandb.init(mode="offline", project="lines", id=name, dir=folder, config={"lr": 0.1}, settings=settings)


def train(log: Callable[[int, float, float], None]) -> tuple[list[float], list[float]]:
    """Train a line for 20 updates, which `log` hears of; return their rates and losses."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(2, 1)
    sgd = torch.optim.SGD(layer.parameters(), lr=0.1)
    rates, losses = note_rates(sgd), list[float]()
    schedule = torch.optim.lr_scheduler.LambdaLR(sgd, warmup_cosine(5, 20))
    for step in range(20):
        loss = (layer(POINTS) - 1).square().mean()
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        losses.append(loss.item())
        log(step, losses[-1], rates[-1])
        schedule.step()
    return rates, losses


def nested(run: Any) -> tuple[list[float], list[float]]:
    def log(step: int, loss: float, rate: float) -> None:
        run.log({"train": {"loss": loss, "lr": rate}}, step=step)
        if step % 5 == 4:
            run.log({"val": {"loss": loss + 0.1}}, step=step)

    return train(log)


def calls(run: Any) -> tuple[list[float], list[float]]:
    def log(_step: int, loss: float, rate: float) -> None:
        run.log({"loss": loss})
        run.log({"lr": rate})

    return train(log)


def long(run: Any) -> tuple[list[float], list[float]]:
    def log(step: int, loss: float, rate: float) -> None:
        run.log({"loss": loss, "lr": rate, **({"text": "a" * 20_000} if step == 3 else {})}, step=step)

    return train(log)


def trainer(_run: Any) -> tuple[list[float], None]:
    return by_trainer(Path("out"), report_to=["wandb"], save_strategy="no"), None


if __name__ == "__main__":
    for log in (nested,) if OLD else (nested, calls, long, trainer):
        name = log.__name__
        kept = HERE / (f"{name}_{wandb.__version__}" if OLD else name)
        with tempfile.TemporaryDirectory() as folder:
            run = begin(name, folder, metrics=name == "nested" and not OLD)
            rates, losses = log(run)
            run.finish()
            wandb.teardown()  # without it the last block may not be written yet
            kept.mkdir(exist_ok=True)
            shutil.copy(next(Path(folder).rglob("run-*.wandb")), kept)
        write_truth(kept, "wandb", rates, losses, NOTES[name])
