"""What loggers call the step, the rate and the loss."""

from collections.abc import Sequence
from typing import Any

COMMON = {
    "step": ("step", "steps", "iteration", "update", "global_step"),
    "rate": ("rate", "lr", "learning_rate"),
    "loss": ("loss", "train_loss", "training_loss", "val_loss", "eval_loss", "validation_loss"),
}
LOSSES = ("loss", "train_loss", "training_loss", "train_loss_step", "loss_train")
RATES = (*COMMON["rate"], *(f"{front}_{rate}" for front in ("train", "optimizer") for rate in COMMON["rate"]))
BESIDE_RATES = ("-momentum", "-weight_decay")  # Lightning's LearningRateMonitor logs them under the names of rates


def plain(name: str) -> str:
    """A name without the ways in which loggers write it.

    >>> plain("Train/Loss")
    'train_loss'
    """
    return name.lower().replace("/", "_").replace(" ", "_").replace("-", "_")


def training_losses(names: Sequence[str]) -> list[str]:
    """Those that are called like the loss of a batch in training."""
    return [name for name in names if plain(name) in LOSSES]


def rates(names: Sequence[str]) -> list[str]:
    """Those that are called like a rate, also as Lightning's LearningRateMonitor calls them.

    >>> rates(["lr-SGD/pg1", "lr-SGD-momentum", "train/learning_rate", "loss"])
    ['lr-SGD/pg1', 'train/learning_rate']
    """
    return [
        name for name in names if plain(name) in RATES or (name.startswith("lr-") and not name.endswith(BESIDE_RATES))
    ]


def several(names: Sequence[str], what: str) -> str:
    """What is said where more than one could be meant."""
    return f'{listed(names)} could each be the {what}: choose one, columns={{"{what}": "{names[0]}"}}'


def listed(names: Sequence[str], most: int = 20) -> str:
    """Names for a message: not too many, and each safe to print."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(name if name.isprintable() and len(name) <= 40 else shown(name) for name in names[:most]) + more


def shown(cell: Any) -> str:
    """A cell for a message: short, and without letters that a terminal would obey."""
    text = repr(cell)
    return text if len(text) <= 40 else f"{text[:40]}..."
