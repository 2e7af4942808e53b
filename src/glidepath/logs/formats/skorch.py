"""The history of skorch, `history.json`: an entry for every epoch, with those of its batches.

A batch with a training loss is an update. What a batch keeps stands at the index of its update; what an epoch keeps
stands at the updates that were made by its end, but its rate, which all its updates used, at the first of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from glidepath.errors import Place, RunError

from ..dialects import SKORCH
from ..names import short_repr
from ..series import Number, Scalars, Spot, gather_scalars
from .objects import is_needed

BATCHES, UPDATE, COUNT = "batches", "train_loss", "train_batch_count"


def is_history(content: Any) -> bool:
    """Return whether JSON is a history of skorch."""
    return isinstance(content, list) and bool(content) and isinstance(content[0], dict) and BATCHES in content[0]


def scalars_of_history(file: str, name: str, epochs: Sequence[Any], columns: Mapping[str, str]) -> Scalars:
    """Return the numbers of a history.

    Args:
        file: for messages.
        name: of the run.
        epochs: the entries.
        columns: may name the rate, if it is not called event_lr.

    Raises:
        RunError: if an entry is damaged, or there are no updates.
    """
    if "step" in columns:
        raise RunError("skorch counts its batches, of which each is an update: leave the step out", place=file)
    rates = {*SKORCH.rates, *(columns[role] for role in ("rate",) if role in columns)}
    return gather_scalars(Place(file), name, _numbers(file, epochs, rates), None, SKORCH)


def _numbers(file: str, epochs: Sequence[Any], rates: set[str]) -> Iterator[Number]:
    count = 0
    by_update: set[str] = set()
    for i, epoch in enumerate(epochs):
        spot = (file, None, f"epoch {i + 1}")
        first, updates = count, _updates(epoch, spot)
        for update in updates:
            by_update |= update.keys()
            yield from _numbers_at(update, count, spot, rates)
            count += 1
        count += 0 if updates else _count(epoch, spot)
        of_epoch = {name: value for name, value in epoch.items() if name not in by_update}
        for number in _numbers_at(of_epoch, count, spot, rates):
            yield number if number[0] not in rates else (number[0], float(first), *number[2:])


def _updates(epoch: Any, spot: Spot) -> list[Mapping[str, Any]]:
    """Return the batches that were trained on."""
    batches = epoch.get(BATCHES) if isinstance(epoch, dict) else None
    if not isinstance(batches, list) or not all(isinstance(batch, dict) for batch in batches):
        raise RunError(f"{short_repr(epoch)} is not an epoch of skorch with its batches", place=Place(*spot))
    return [batch for batch in batches if UPDATE in batch]


def _count(epoch: Mapping[str, Any], spot: Spot) -> int:
    """Return the updates of an epoch whose batches were not kept."""
    count = epoch.get(COUNT)
    if type(count) is not int or not 0 <= count < 2**32:
        problem = f"an epoch without batches, and {COUNT} is {short_repr(count)}, not a number of updates"
        raise RunError(problem, place=Place(*spot))
    return count


def _numbers_at(entry: Mapping[str, Any], step: int, spot: Spot, rates: set[str]) -> Iterator[Number]:
    for name, value in entry.items():
        if type(value) is float or (type(value) is int and abs(value) < 2**63):
            yield name, float(step), float(value), spot
        elif value is not None and (name in rates or is_needed(name)):
            raise RunError(f"{name} is {short_repr(value)}, not a number", place=Place(*spot))
