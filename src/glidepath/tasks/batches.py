"""The batches of a `DataLoader` by the number of the update: it is not iterated, so any may come next.

The order of an epoch is drawn from (seed, epoch), and what the dataset draws for a batch (augmentation) from (seed,
epoch, number), so a batch depends on the seed and the step alone. Where a loader only goes forward, `SequentialBatches`
gives its batches one after the other, and raises for any other: such a task is compared without sharing.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, IterableDataset

from glidepath.errors import Cure, TaskError
from glidepath.torch.randomness import preserve_rng_state, seed_everything

from .failures import WITHOUT_SHARING

# Samplers that draw from their `generator` and from nothing else, and one that draws nothing.
KNOWN = frozenset(
    {
        "torch.utils.data.sampler.SequentialSampler",
        "torch.utils.data.sampler.RandomSampler",
        "torch.utils.data.sampler.SubsetRandomSampler",
        "torch.utils.data.sampler.WeightedRandomSampler",
        "transformers.trainer_pt_utils.LengthGroupedSampler",
    }
)


@final
@dataclass(frozen=True)
class EpochBatch:
    """One batch, and where in its epoch it stands.

    Args:
        batch: what the loader's `collate_fn` made.
        epoch: from 0.
        index: in the epoch, from 0.
        epoch_length: batches of an epoch; None if unknown.
    """

    batch: Any
    epoch: int
    index: int
    epoch_length: int | None


@final
class IndexedBatches:
    """The batches of an update by its number alone. Keeps the order of the last epoch that was asked for.

    Args:
        loader: whose dataset, sampler, batch size and `collate_fn` are used; its worker processes are not.
        seed: of the task.
        together: batches of an update; the last update of an epoch may have fewer.
    """

    def __init__(self, loader: DataLoader[Any], seed: int, together: int = 1) -> None:
        self.loader, self.seed, self.together = loader, seed, together
        self._epoch, self._order = 0, epoch_order(loader, seed, 0)
        self.epoch_length = len(self._order)
        if not self._order:
            raise TaskError("the loader has no batch: is its dataset smaller than a batch, with drop_last?")

    def __call__(self, step: int) -> list[EpochBatch]:
        """Return the batches of update `step`."""
        epoch, place = divmod(step, len(self))
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._order_of(epoch)
        first = place * self.together
        last = min(first + self.together, self.epoch_length)
        return [self._part(epoch, index) for index in range(first, last)]

    def __len__(self) -> int:
        """Return the number of updates in an epoch."""
        return -(-self.epoch_length // self.together)

    def _order_of(self, epoch: int) -> list[list[int]]:
        order = epoch_order(self.loader, self.seed, epoch)
        if len(order) != self.epoch_length:
            raise TaskError(
                f"epoch {epoch} has {len(order)} batches and epoch 0 has {self.epoch_length}, so the place of an "
                "update is unknown: let the sampler give every epoch as many"
            )
        return order

    def _part(self, epoch: int, index: int) -> EpochBatch:
        dataset: Any = self.loader.dataset
        if hasattr(dataset, "set_epoch"):
            dataset.set_epoch(epoch)
        with random_numbers_from(self.seed, epoch, index):
            return EpochBatch(fetch(self.loader, self._order[index]), epoch, index, self.epoch_length)


@final
class SequentialBatches:
    """The batches of an update as the loader gives them: only the next ones. Mutable.

    Args:
        loader: iterated anew for every epoch.
        why: it only goes forward.
        together: batches of an update; the last update of an epoch may have fewer.
    """

    def __init__(self, loader: DataLoader[Any], why: str, together: int = 1) -> None:
        self.loader, self.why, self.together = loader, why, together
        self.position = 0
        self._epoch = -1
        self._rest: Iterator[EpochBatch] = iter(())

    def __call__(self, step: int) -> list[EpochBatch]:
        """Return the batches of update `step`, which must be the next one."""
        if step != self.position:
            raise TaskError(
                f"training cannot resume at update {step}: {self.why}, and its loader is at update {self.position}",
                cures=[
                    Cure("use a map-style dataset and a sampler that has set_epoch(epoch)"),
                    WITHOUT_SHARING,
                ],
            )
        parts = self._next() or self._next_epoch()
        self.position += 1
        return parts

    def _next(self) -> list[EpochBatch]:
        return [part for _, part in zip(range(self.together), self._rest, strict=False)]

    def _next_epoch(self) -> list[EpochBatch]:
        self._epoch += 1
        epoch = self._epoch
        self._rest = (EpochBatch(batch, epoch, index, None) for index, batch in enumerate(self.loader))
        parts = self._next()
        if not parts:
            raise TaskError(f"the training loader gave no batch in epoch {epoch}")
        return parts


def batches_of(loader: Any, seed: int, together: int = 1) -> IndexedBatches | SequentialBatches:
    """Return the batches of a loader's updates, in any order if it allows that.

    Args:
        loader: a `torch.utils.data.DataLoader`.
        seed: decides the order of every epoch, and what the dataset draws.
        together: batches of an update, at least 1.

    Raises:
        TaskError: if it is not such a loader, or has no batch.

    Examples:
        >>> from torch.utils.data import DataLoader
        >>> batches = batches_of(DataLoader(range(10), batch_size=4, shuffle=True), seed=0)
        >>> [(part.epoch, part.index) for part in batches(7)]
        [(2, 1)]
        >>> (batches(7)[0].batch == batches(7)[0].batch).all().item()
        True
    """
    if not isinstance(loader, DataLoader):
        raise TaskError(f"batches come from one torch.utils.data.DataLoader, not {loader!r:.80}")
    if not isinstance(together, int) or together < 1:
        raise TaskError(f"an update has at least 1 batch, not {together!r}")
    why = _why_sequential(loader)
    return IndexedBatches(loader, seed, together) if why is None else SequentialBatches(loader, why, together)


def whole_epoch(loader: DataLoader[Any], seed: int) -> Iterator[Any]:
    """Yield every batch of one epoch, to evaluate on: the same ones each time, if the loader allows it."""
    batches = batches_of(loader, seed)
    if isinstance(batches, SequentialBatches):
        yield from loader
        return
    for step in range(len(batches)):
        yield batches(step)[0].batch


def epoch_order(loader: DataLoader[Any], seed: int, epoch: int) -> list[list[int]]:
    """Return the rows of every batch of an epoch.

    A sampler with `set_epoch` decides it from the epoch; another draws it from a generator seeded with (seed, epoch).
    """
    batches = copy.copy(loader.batch_sampler)
    if type(batches) is BatchSampler:
        batches.sampler = _sampler_at(batches.sampler, seed, epoch)
    else:
        batches = _sampler_at(batches, seed, epoch)
    with random_numbers_from(seed, epoch):
        return [list(rows) for rows in batches]


def fetch(loader: DataLoader[Any], rows: list[int]) -> Any:
    """Load the batch of these rows."""
    dataset = loader.dataset
    at_once = getattr(dataset, "__getitems__", None)
    return loader.collate_fn(at_once(rows) if at_once else [dataset[row] for row in rows])


@contextmanager
def random_numbers_from(*numbers: int) -> Iterator[None]:
    """Seed the global random numbers from these inside; afterwards they continue as if nothing had been drawn."""
    with preserve_rng_state():
        seed_everything(mix_seeds(*numbers))
        yield


def mix_seeds(*numbers: int) -> int:
    """Return one number below 2**63 from several, so that neighbors have nothing in common."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def _sampler_at(sampler: Any, seed: int, epoch: int) -> Any:
    """Return a copy of a sampler that is about to give this epoch."""
    sampler_at_epoch = copy.copy(sampler)
    if hasattr(sampler_at_epoch, "set_epoch"):
        sampler_at_epoch.set_epoch(epoch)
    elif hasattr(sampler_at_epoch, "generator"):
        sampler_at_epoch.generator = torch.Generator().manual_seed(mix_seeds(seed, epoch))
    return sampler_at_epoch


def _why_sequential(loader: DataLoader[Any]) -> str | None:
    """Return why a loader can only give its next batch; None if it can give any."""
    if isinstance(loader.dataset, IterableDataset):
        return f"{_name(loader.dataset)} is an IterableDataset"
    batches = loader.batch_sampler
    if batches is None:
        return "a loader with batch_size=None has no batches of rows"
    sampler = getattr(batches, "sampler", None) if type(batches) is BatchSampler else batches
    if hasattr(sampler, "set_epoch"):
        return _why_unstable(loader, sampler)
    if f"{type(sampler).__module__}.{_name(sampler)}" in KNOWN:
        return None
    return f"it is unknown what the order of {_name(sampler)} depends on"


def _why_unstable(loader: DataLoader[Any], sampler: Any) -> str | None:
    """Return why a sampler breaks the promise of `set_epoch`, that the epoch alone decides its order; None if not."""
    first, _, again = (epoch_order(loader, 0, epoch) for epoch in (0, 1, 0))
    if first == again:
        return None
    return f"{_name(sampler)}.set_epoch(0) does not give the same order each time"


def _name(thing: Any) -> str:
    return type(thing).__name__
