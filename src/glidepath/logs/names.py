"""Names under which loggers keep the step, the rate and the loss, and how names and cells are shown in messages."""

from collections.abc import Sequence
from typing import Any

from glidepath.errors import Argument, Cure, Place, RunError

COMMON = {
    "step": ("step", "steps", "iteration", "update", "global_step"),
    "rate": ("rate", "lr", "learning_rate"),
    "loss": ("loss", "train_loss", "training_loss", "val_loss", "eval_loss", "validation_loss"),
}
TRAINING_LOSS = "loss"  # what `metric` calls the training loss, whatever the logger calls it
LOSSES = ("loss", "train_loss", "training_loss", "train_loss_step", "loss_train")
RATES = (*COMMON["rate"], *(f"{front}_{rate}" for front in ("train", "optimizer") for rate in COMMON["rate"]))
BESIDE_RATES = ("-momentum", "-weight_decay")  # Lightning's LearningRateMonitor logs them under the names of rates


def normalize(name: str) -> str:
    """Return a name without the differences in how loggers write it.

    >>> normalize("Train/Loss")
    'train_loss'
    """
    return name.lower().replace("/", "_").replace(" ", "_").replace("-", "_")


def loss_names(names: Sequence[str]) -> list[str]:
    """Return those that are called like the loss of a batch in training."""
    return [name for name in names if normalize(name) in LOSSES]


def rate_names(names: Sequence[str]) -> list[str]:
    """Return those that are called like a rate, also as Lightning's LearningRateMonitor calls them.

    >>> rate_names(["lr-SGD/pg1", "lr-SGD-momentum", "train/learning_rate", "loss"])
    ['lr-SGD/pg1', 'train/learning_rate']
    """
    return [
        name
        for name in names
        if normalize(name) in RATES or (name.startswith("lr-") and not name.endswith(BESIDE_RATES))
    ]


def ambiguous(place: Place, names: Sequence[str], role: str) -> RunError:
    """Return the error about several names that could each be the step, the rate or the loss."""
    cure = Cure("choose one", Argument("columns", names[0], key=role))
    return RunError(f"{join_names(names)} could each be the {role}", place=place, cures=[cure])


def name_it(role: str) -> Cure:
    """Return the cure that names the column of the step, the rate or the loss."""
    return Cure("name it", Argument("columns", key=role))


LOG_THE_RATE = Cure('to compare it with a plan, log optimizer.param_groups[0]["lr"] with every step')
GIVE_UPDATES = Cure("give updates: the epochs times the updates in an epoch")
EPOCHS = ("epoch", "epochs", "train_epoch", "train_epochs")


def is_epoch(name: str) -> bool:
    """Return whether a column counts epochs, of which each is many updates.

    >>> is_epoch("Epoch"), is_epoch("train/epoch"), is_epoch("step")
    (True, True, False)
    """
    return normalize(name) in EPOCHS


def refuse_epochs(place: Place, name: str) -> None:
    """Check that the column given for the step does not count epochs.

    Raises:
        RunError: if it does.
    """
    if is_epoch(name):
        raise RunError(f"{name} counts epochs, and a step is an update", place=place, cures=[GIVE_UPDATES])


def shorten(names: Sequence[str], most: int = 20) -> list[str]:
    """Return names for a message: not too many, and each safe to print."""
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return [name if name.isprintable() and len(name) <= 40 else short_repr(name) for name in names[:most]] + more


def join_names(names: Sequence[str]) -> str:
    """Return names for a message as one text."""
    return ", ".join(shorten(names))


def short_repr(cell: Any) -> str:
    """Return a cell for a message: short, and without characters that a terminal would obey."""
    text = repr(cell)
    return text if len(text) <= 40 else f"{text[:40]}..."
