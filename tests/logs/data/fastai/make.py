"""Train a line with fastai 2.8.12, whose CSVLogger writes a row for each epoch of 5 updates, without a rate."""

from pathlib import Path
from typing import Any

import torch
from fastai.callback.core import Callback
from fastai.callback.progress import CSVLogger
from fastai.callback.schedule import Learner  # with fit_one_cycle
from fastai.data.core import DataLoaders
from fastai.optimizer import SGD
from torch.utils.data import DataLoader, TensorDataset

from ..truth import POINTS, write_truth

HERE = Path(__file__).parent
NOTE = "epoch e, from 0, is written after its 5 updates; train_loss is a moving mean; there is no rate in the file"


class Note(Callback):
    """Note the rate and the loss of every update."""

    def before_fit(self) -> None:
        self.rates, self.losses = [], []

    def before_step(self) -> None:
        self.rates.append(float(self.opt.hypers[-1]["lr"]))
        self.losses.append(float(self.loss))


def main() -> None:
    """Make all cases anew."""
    torch.manual_seed(1)
    data = DataLoader(TensorDataset(POINTS, POINTS.sum(1, keepdim=True)), batch_size=8)
    kinds: dict[str, Any] = {"one_cycle": lambda learner: learner.fit_one_cycle(6, 0.1)}
    kinds["flat"] = lambda learner: learner.fit(6, 0.1)
    for name, fit in kinds.items():
        folder, note = HERE / name, Note()
        folder.mkdir(exist_ok=True)
        callbacks = [note, CSVLogger("history.csv")]
        line, loss = torch.nn.Linear(2, 1), torch.nn.MSELoss()
        learner = Learner(DataLoaders(data, data), line, loss, opt_func=SGD, cbs=callbacks, path=folder)
        with learner.no_bar():
            fit(learner)
        write_truth(folder, "fastai", note.rates, note.losses, NOTE, updates_per_epoch=5)


if __name__ == "__main__":
    main()
