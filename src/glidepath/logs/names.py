"""Names under which loggers keep the step, the rate and the loss, and how names and cells are shown in messages."""

from collections.abc import Sequence
from typing import Any

from glidepath.errors import Argument, Cure, Place, RunError

STEPS = (
    *("train_global_step", "trainer_global_step", "global_step", "step", "steps", "update", "updates", "num_updates"),
    *("iteration", "iterations", "iter", "it", "current_steps", "train_step", "_step"),
)  # the first that is there holds: integrations of W&B keep the updates beside its own count of calls, _step
RATE = ("rate", "lr", "learning_rate")
ENOUGH = 20  # values of a validation loss, so that it is read where no loss is named
TRAINING_LOSS = "loss"  # what `metric` calls the training loss, whatever the logger calls it
LOSSES = ("loss", "train_loss", "training_loss", "train_loss_step", "loss_train")
EVALUATIONS = {"eval", "val", "valid", "validation", "test"}
VALIDATIONS = tuple(f"{front}_loss" for front in ("eval", "val", "valid", "validation"))
RATES = (*RATE, *(f"{front}_{rate}" for front in ("train", "optimizer") for rate in RATE))
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
    """Return those that are called like a rate, or else like that of a group, as Lightning's LearningRateMonitor does.

    >>> rate_names(["lr-SGD/pg1", "lr-SGD-momentum", "lr/head", "loss"])
    ['lr-SGD/pg1', 'lr/head']
    >>> rate_names(["lr/head", "train/learning_rate"])
    ['train/learning_rate']
    """
    whole = [name for name in names if normalize(name) in RATES]
    groups = [name for name in names if name.startswith(("lr-", "lr/")) and not name.endswith(BESIDE_RATES)]
    return whole or groups


def is_evaluation(name: str) -> bool:
    """Return whether a number with this name was measured between updates, on other data.

    >>> [is_evaluation(name) for name in ("eval_loss", "val/loss", "train_loss", "value")]
    [True, True, False, False]
    """
    return bool(EVALUATIONS & set(normalize(name).split("_")))


def validation_names(names: Sequence[str]) -> list[str]:
    """Return those that are called like the loss on data that is not trained on.

    >>> validation_names(["train_loss", "val/loss", "eval_accuracy"])
    ['val/loss']
    """
    return [name for name in names if normalize(name) in VALIDATIONS]


def ambiguous(place: Place, names: Sequence[str], role: str) -> RunError:
    """Return the error about several names that could each be the step, the rate or the loss."""
    cure = Cure("choose one", Argument("columns", names[0], key=role))
    return RunError(f"{join_names(names)} could each be the {role}", place=place, cures=[cure])


def name_it(role: str) -> Cure:
    """Return the cure that names the column of the step, the rate or the loss."""
    return Cure("name it", Argument("columns", key=role))


LOG_THE_RATE = Cure('to compare it with a plan, log optimizer.param_groups[0]["lr"] with every step')
EPOCHS = ("epoch", "epochs", "train_epoch", "train_epochs")


def is_epoch(name: str) -> bool:
    """Return whether a column counts epochs, of which each is many updates.

    >>> is_epoch("Epoch"), is_epoch("train/epoch"), is_epoch("step")
    (True, True, False)
    """
    return normalize(name) in EPOCHS


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
