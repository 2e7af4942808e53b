"""Train a line with Transformers' Trainer, which writes trainer_state.json and prints its logs: 5.24.0 and 4.45.2.

Each version has a folder, since those before 4.51 logged the rate of the update to come.
"""

import contextlib
import io
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from accelerate.optimizer import AcceleratedOptimizer
from transformers import Trainer, TrainerCallback, TrainingArguments

from ..truth import POINTS, note_rates, write_truth

VERSION = version("transformers")
NEW = int(VERSION.split(".")[0]) >= 5
HERE = Path(__file__).parent / VERSION
DATA = [{"x": x, "labels": x.sum(0, keepdim=True)} for x in POINTS]
NOTE = "step s counts the updates made; its row has the rate of " + (
    "update s - 1, the last that was made" if NEW else "update s, which is to come"
)
LOSS = "and the mean of the losses since the row before"


class Line(torch.nn.Module):
    """A line to be learned, which notes its losses."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)
        self.losses: list[float] = []

    def forward(self, x: torch.Tensor | None = None, labels: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        out = self.layer(x)
        loss = ((out - labels) ** 2).mean() + 0.1
        if self.training:
            self.losses.append(float(loss))
        return {"loss": loss, "logits": out}


class Stop(TrainerCallback):
    """Stop a run after a number of updates."""

    def __init__(self, after: int) -> None:
        self.after = after

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        control.should_training_stop = state.global_step >= self.after


def train(folder: Path, *, resume: Path | None = None, stop: int | None = None, **more: Any) -> tuple[list, list, str]:
    """Train and save the state; return the rates and losses of all updates, and what was printed."""
    settings = {"max_steps": 40, "logging_steps": 5, "learning_rate": 0.1, "save_strategy": "no", **more}
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=4,
        use_cpu=True,
        disable_tqdm=True,
        report_to=[],
        dataloader_pin_memory=False,
        **settings,
    )
    line = Line()
    callbacks = [Stop(stop)] if stop else []
    trainer = Trainer(line, arguments, train_dataset=DATA, eval_dataset=DATA, callbacks=callbacks)
    rates = note_rates(trainer.create_optimizer())
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        trainer.train(resume_from_checkpoint=None if resume is None else str(resume))
    trainer.save_state()
    return rates, line.losses, printed.getvalue()


def case(name: str, note: str = f"{NOTE}, {LOSS}", **more: Any) -> None:
    """Make the folder of a case that is one run: the state and what was printed."""
    folder = HERE / name
    rates, losses, printed = train(folder, **more)
    (folder / "printed.txt").write_text(printed, encoding="utf-8")
    write_truth(folder, "transformers", rates, losses if len(losses) == len(rates) else None, note)


def stop_and_resume() -> None:
    """Stop a run after 25 updates and go on from its checkpoint of update 20, which keeps the first rows."""
    folder = HERE / "resumed"
    plan = {"lr_scheduler_type": "cosine", "warmup_steps": 5, "save_strategy": "steps", "save_steps": 20}
    rates, losses, _ = train(folder, stop=25, **plan)
    (folder / "checkpoint-20" / "rng_state.pth").unlink()  # 4.45 cannot load it under a PyTorch of today
    again = train(folder, resume=folder / "checkpoint-20", **plan)
    note = f"{NOTE}, {LOSS}; stopped after 25 updates, gone on from 20"
    write_truth(folder, "transformers", rates[:20] + again[0], losses[:20] + again[1], note)
    for checkpoint in folder.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)


@contextlib.contextmanager
def overflows(steps: set[int], rates: list[float]) -> Any:
    """Let some updates be skipped as mixed precision skips them, since float16 needs a GPU."""
    count = iter(range(10**6))
    real: Callable[..., Any] = AcceleratedOptimizer.step

    def step(self: AcceleratedOptimizer, closure: Any = None) -> None:
        rates.append(float(self.optimizer.param_groups[0]["lr"]))
        self._is_overflow = next(count) in steps
        if not self._is_overflow:
            real(self, closure)

    AcceleratedOptimizer.step = step
    try:
        yield
    finally:
        AcceleratedOptimizer.step = real


def skip_updates() -> None:
    """Skip updates 0, 1 and 17: the schedule waits, while the count of steps goes on."""
    folder, attempts, steps = HERE / "skipped", [], {0, 1, 17}
    with overflows(steps, attempts):
        _, losses, _ = train(folder, lr_scheduler_type="linear", warmup_steps=8)
    note = f"{NOTE}; skipped updates are counted too, and rates has the rate that they would have used"
    write_truth(folder, "transformers", attempts, losses, note, skipped=sorted(steps))


def main() -> None:
    """Make all cases of the version that is installed."""
    shutil.rmtree(HERE, ignore_errors=True)
    torch.manual_seed(1)
    case("linear", logging_steps=1, max_steps=20)
    case("linear_warmup", warmup_steps=5, logging_first_step=True)
    case("cosine_warmup", warmup_steps=5, lr_scheduler_type="cosine", eval_strategy="steps", eval_steps=10)
    case("sparse", logging_steps=50, max_steps=260)
    case("sparse_warmup", logging_steps=50, max_steps=130, warmup_steps=60)
    case("constant", lr_scheduler_type="constant", logging_steps=15)
    case("epochs", logging_strategy="epoch", max_steps=-1, num_train_epochs=4, lr_scheduler_type="cosine")
    case("accumulated", lr_scheduler_type="cosine", warmup_steps=5, gradient_accumulation_steps=2)
    stop_and_resume()
    skip_updates()


if __name__ == "__main__":
    main()
