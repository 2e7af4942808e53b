"""Handwritten digits, small enough for any machine: the task `digits`.

1797 images of 8 x 8 pixels that ship inside scikit-learn; a convolutional network of 6,090 parameters; SGD with
momentum.
"""

import functools

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional

from .task import Task

HELD_OUT = 4  # every fourth image is for validation: 450 of them, and 1347 to train on
BATCH = 16

Images = tuple[Tensor, Tensor]  # pixels (n, 1, 8, 8) from 0 to 1, and labels (n,)


def digits(seed: int) -> Task:
    """Ten classes, SGD at rate 0.05 with momentum 0.9, batches of 16, each epoch of 84 updates a new order.

    Metrics: `validation_loss` (mean cross-entropy) and `validation_accuracy`, over every fourth image.

    Sources:
        Alpaydin and Kaynak, 1998, Optical recognition of handwritten digits, UCI, https://doi.org/10.24432/C50P49.
    """
    training, validation = _images()
    torch.manual_seed(seed)
    model = network()
    return Task(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
        batch=lambda step: _batch(training, seed, step),
        loss=_loss,
        evaluate=lambda model: _evaluate(model, validation),
    )


def network() -> nn.Module:
    """Two convolutions (16 and 32 channels), each halving the image, and a linear layer."""
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(128, 10)),
    )


@functools.cache
def _images() -> tuple[Images, Images]:
    """Return the training images and the validation images."""
    pixels, labels = load_digits(return_X_y=True)
    x = torch.tensor(pixels / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    y = torch.tensor(labels)
    held_out = torch.arange(len(y)) % HELD_OUT == 0
    return (x[~held_out], y[~held_out]), (x[held_out], y[held_out])


def _batch(images: Images, seed: int, step: int) -> Images:
    """Batch `step` of a run: every epoch is a new order, drawn from (seed, epoch)."""
    size = len(images[1])
    epoch, place = divmod(step, size // BATCH)
    order = np.random.default_rng((seed, epoch)).permutation(size)
    chosen = torch.from_numpy(order[place * BATCH : (place + 1) * BATCH])
    return images[0][chosen], images[1][chosen]


def _loss(model: nn.Module, batch: Images) -> Tensor:
    return functional.cross_entropy(model(batch[0]), batch[1])


def _evaluate(model: nn.Module, images: Images) -> dict[str, float]:
    scores = model(images[0])
    return {
        "validation_loss": functional.cross_entropy(scores, images[1]).item(),
        "validation_accuracy": (scores.argmax(1) == images[1]).double().mean().item(),
    }
