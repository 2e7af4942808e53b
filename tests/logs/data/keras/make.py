"""Train a line with Keras 3.15.1 on PyTorch, whose CSVLogger writes a row for each epoch of 5 updates."""

import os

os.environ["KERAS_BACKEND"] = "torch"

from pathlib import Path
from typing import Any

import keras

from ..truth import POINTS, write_truth

HERE = Path(__file__).parent
NOTE = "epoch e, from 0, is written after its 5 updates, with their mean loss"


class Note(keras.callbacks.Callback):
    """Note the rate and the loss of every update."""

    def __init__(self) -> None:
        super().__init__()
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.sum = 0.0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.rates.append(float(self.model.optimizer.learning_rate))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        whole = float(logs["loss"]) * (batch + 1)  # Keras gives the mean of the epoch so far
        self.losses.append(whole - (self.sum if batch else 0.0))
        self.sum = whole


class OwnRate(keras.callbacks.Callback):
    """Set the rate of an epoch by hand and write it, as many do."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.model.optimizer.learning_rate = step_decay(epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["lr"] = float(self.model.optimizer.learning_rate)


def step_decay(epoch: int, _: float = 0.0) -> float:
    """Return half the peak in the first epoch, the peak in two, then a tenth in each."""
    return 0.05 if epoch == 0 else 0.1 if epoch < 3 else 0.1 * 0.1 ** (epoch - 2)


def case(name: str, note: str, *callbacks: Any, rate: Any = 0.1, **more: Any) -> None:
    """Make the folder of a case: 6 epochs, or fewer if a callback ends them."""
    folder, noted = HERE / name, Note()
    folder.mkdir(exist_ok=True)
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), loss="mse", metrics=["mae"])
    x = POINTS.numpy()
    writes = keras.callbacks.CSVLogger(folder / "training.csv")
    model.fit(x, x.sum(1), batch_size=8, epochs=6, verbose=0, callbacks=[noted, *callbacks, writes], **more)
    write_truth(folder, "keras", noted.rates, noted.losses, f"{NOTE}; {note}", updates_per_epoch=5)


def main() -> None:
    """Make all cases anew."""
    keras.utils.set_random_seed(1)
    own = "a callback of one's own sets the rate of the epoch and writes it"
    case("own_callback", own, OwnRate())
    scheduler = keras.callbacks.LearningRateScheduler(step_decay)
    case("learning_rate_scheduler", "the rate is the epoch's", scheduler, validation_data=(POINTS[:8], POINTS[:8, 0]))
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.05)
    case("reduce_on_plateau", "the rate is the one that the epoch used, not what is next", plateau)
    cosine = keras.optimizers.schedules.CosineDecay(0.0, 24, warmup_target=0.1, warmup_steps=6)
    case("schedule", "a schedule in the optimizer is not written: the file has no rate", rate=cosine)


if __name__ == "__main__":
    main()
