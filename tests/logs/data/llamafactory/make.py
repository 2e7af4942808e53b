"""Write trainer_log.jsonl in the form of LLaMA-Factory's LogCallback, as read at commit ff6d4d12e.

The Trainer is the real one (Transformers 5.24.0); the callback writes the same names in the same order as that of
src/llamafactory/train/callbacks.py. From the repository's root: `python -m tests.logs.data.llamafactory.make`.
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from tests.logs.data.truth import POINTS, note_rates, write_truth
from tests.logs.trained import Line
from transformers import Trainer, TrainerCallback, TrainingArguments

HERE = Path(__file__).parent
NAMES = {"loss": "loss", "eval_loss": "eval_loss", "lr": "learning_rate", "epoch": "epoch"}
NOTE = (
    "The form of LLaMA-Factory's trainer_log.jsonl, written by a callback of this script's under Transformers' "
    "Trainer: current_steps counts updates made, and its row holds the rate of the update before and the mean of the "
    "losses since the row before; the last row has neither."
)


class Log(TrainerCallback):
    """Append a line for each log of the Trainer, without what is None."""

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        last = state.log_history[-1]
        line = {"current_steps": state.global_step, "total_steps": state.max_steps}
        line |= {name: last.get(key) for name, key in NAMES.items()}
        line["percentage"] = round(state.global_step / state.max_steps * 100, 2)
        line |= {"elapsed_time": "0:00:00", "remaining_time": "0:00:00"}
        with Path(args.output_dir, "trainer_log.jsonl").open("a") as file:
            file.write(json.dumps({name: value for name, value in line.items() if value is not None}) + "\n")


class NotedLine(Line):
    """A line that notes the losses of its training."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []

    def forward(self, x: torch.Tensor | None = None, labels: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        result = super().forward(x, labels)
        if self.training:
            self.losses.append(result["loss"].item())
        return result


def train(folder: str) -> tuple[list[float], list[float]]:
    """Train a line for 30 updates, evaluated twice; return the rates and losses of every update."""
    arguments = TrainingArguments(
        output_dir=folder,
        max_steps=30,
        logging_steps=5,
        eval_strategy="steps",
        eval_steps=15,
        save_strategy="no",
        learning_rate=0.1,
        lr_scheduler_type="cosine",
        warmup_steps=6,
        per_device_train_batch_size=4,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    data = [{"x": x, "labels": x.sum(0, keepdim=True)} for x in POINTS]
    model = NotedLine()
    trainer = Trainer(model, arguments, train_dataset=data, eval_dataset=data, callbacks=[Log()])
    rates = note_rates(trainer.create_optimizer())
    trainer.train()
    return rates, model.losses


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        rates, losses = train(folder)
        shutil.copy(Path(folder, "trainer_log.jsonl"), HERE)
    write_truth(HERE, "llamafactory", rates, losses, NOTE, version="ff6d4d12e")
