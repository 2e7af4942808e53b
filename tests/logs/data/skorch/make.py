"""Write the histories of skorch 1.4.0, with the scheduler stepped per batch and per epoch.

From the repository's root: `python -m tests.logs.data.skorch.make`.
"""

from pathlib import Path
from typing import Any

import torch
from skorch import NeuralNetRegressor
from skorch.callbacks import LRScheduler
from tests.logs.data.truth import POINTS, note_rates, warmup_cosine, write_truth
from torch.optim.lr_scheduler import LambdaLR

HERE = Path(__file__).parent
NOTES = {
    "by_batch": "There is no step: the entries of an epoch have a list of batches, those of validation among them "
    "(valid_loss); the n-th batch with a train_loss holds the loss and, as event_lr, the rate of update n.",
    "by_epoch": "There is no step: an epoch's event_lr is the rate of all its train_batch_count updates, and its "
    "train_loss the mean of their losses; the batches have the loss of every update.",
}
FACTORS = {"by_batch": warmup_cosine(4, 16), "by_epoch": lambda epoch: 0.5**epoch}


class Noting(NeuralNetRegressor):
    """A net that notes the rate and the loss of every update."""

    def initialize_optimizer(self, *more: Any, **named: Any) -> Any:
        net = super().initialize_optimizer(*more, **named)
        self.rates_, self.losses_ = note_rates(self.optimizer_), list[float]()
        return net

    def train_step(self, *more: Any, **named: Any) -> Any:
        step = super().train_step(*more, **named)
        self.losses_.append(step["loss"].item())
        return step


def train(name: str) -> None:
    """Train a line for 4 epochs of 4 updates and keep its history."""
    torch.manual_seed(0)
    schedule = LRScheduler(LambdaLR, lr_lambda=FACTORS[name], step_every=name.removeprefix("by_"))
    net = Noting(
        torch.nn.Linear,
        module__in_features=2,
        module__out_features=1,
        lr=0.1,
        batch_size=8,
        max_epochs=4,
        callbacks=[schedule],
        verbose=0,
    )
    net.fit(POINTS.numpy(), POINTS.sum(1, keepdim=True).numpy())
    (HERE / name).mkdir(exist_ok=True)
    net.history.to_file(str(HERE / name / "history.json"))
    write_truth(HERE / name, "skorch", net.rates_, net.losses_, NOTES[name])


if __name__ == "__main__":
    for name in NOTES:
        train(name)
