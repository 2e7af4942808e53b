"""Batches of a DataLoader by number: what the loader would give, in any order; or one after the other, and no other."""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    Sampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

from glidepath.errors import TaskError
from glidepath.tasks.batches import IndexedBatches, SequentialBatches, batches_of, whole_epoch


class Rows(Dataset[Any]):
    """Its items are their own numbers."""

    def __init__(self, length: int = 10) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, row: int) -> int:
        return row


class Noisy(Rows):
    """Every item is drawn from three global sources."""

    def __getitem__(self, row: int) -> Any:
        return torch.tensor([row, random.random(), np.random.rand(), torch.rand(()).item()])


class Stream(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        return iter(range(10))


def rows(batches: Any, steps: Any) -> list[list[list[int]]]:
    """The rows of every batch of these updates."""
    return [[part.batch.tolist() for part in batches(step)] for step in steps]


def epoch_of(loader: DataLoader[Any]) -> list[list[int]]:
    return [batch.tolist() for batch in loader]


# --- by number ---


@pytest.mark.parametrize("drop_last", [False, True])
def test_a_loader_that_does_not_shuffle_gives_what_it_gives_when_it_is_iterated(drop_last: bool) -> None:
    loader = DataLoader(Rows(), batch_size=4, drop_last=drop_last)
    epoch = epoch_of(loader)
    found = rows(batches_of(loader, seed=5), range(2 * len(epoch)))
    assert found == [[batch] for batch in epoch * 2]


def test_a_sampler_that_is_told_the_epoch_gives_what_it_gives_when_it_is_iterated() -> None:
    sampler = DistributedSampler(Rows(), num_replicas=1, rank=0, seed=4)
    loader = DataLoader(Rows(), batch_size=4, sampler=sampler)
    found = rows(batches_of(loader, seed=5), range(9))
    expected = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        expected += [[batch] for batch in epoch_of(loader)]
    assert found == expected
    assert found[:3] != found[3:6]


def test_every_epoch_of_a_loader_that_shuffles_is_another_order_of_all_rows() -> None:
    found = rows(batches_of(DataLoader(Rows(), batch_size=3, shuffle=True), seed=0), range(12))
    epochs = [[row for (batch,) in found[first : first + 4] for row in batch] for first in (0, 4, 8)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(10))] * 3
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert [len(batch) for (batch,) in found] == [3, 3, 3, 1] * 3


def test_the_order_depends_on_the_seed_and_on_nothing_else() -> None:
    loader = DataLoader(Rows(), batch_size=3, shuffle=True, generator=torch.Generator().manual_seed(8))
    batches, later = batches_of(loader, seed=1), batches_of(loader, seed=1)
    forward = rows(batches, range(12))
    torch.rand(7)
    epoch_of(loader)  # somebody else iterates it
    assert rows(later, reversed(range(12))) == forward[::-1]
    assert rows(batches_of(loader, seed=2), range(12)) != forward


@pytest.mark.parametrize(
    ("sampler", "allowed", "length"),
    [
        (SubsetRandomSampler([1, 3, 5, 7]), {1, 3, 5, 7}, 4),
        (WeightedRandomSampler([0.0, 1.0, 1.0] + [0.0] * 7, 8), {1, 2}, 8),
        (RandomSampler(Rows(), replacement=True, num_samples=6), set(range(10)), 6),
    ],
)
def test_other_samplers_of_pytorch_draw_from_the_seed_and_the_epoch(
    sampler: Any, allowed: set[int], length: int
) -> None:
    batches = batches_of(DataLoader(Rows(), batch_size=2, sampler=sampler), seed=0)
    assert isinstance(batches, IndexedBatches)
    assert len(batches) == length // 2
    found = rows(batches, range(6 * len(batches)))
    assert {row for (batch,) in found for row in batch} <= allowed
    assert rows(batches, [len(batches)]) == [found[len(batches)]]
    assert found[: len(batches)] != found[len(batches) : 2 * len(batches)]


def test_several_batches_make_an_update_and_none_reaches_into_the_next_epoch() -> None:
    batches = batches_of(DataLoader(Rows(), batch_size=2), seed=0, together=3)
    assert [[(part.epoch, part.index) for part in batches(step)] for step in range(4)] == [
        [(0, 0), (0, 1), (0, 2)],
        [(0, 3), (0, 4)],
        [(1, 0), (1, 1), (1, 2)],
        [(1, 3), (1, 4)],
    ]
    assert {part.epoch_length for part in batches(3)} == {5}


def test_the_loaders_own_collate_is_used_and_a_dataset_may_be_asked_for_a_batch_at_once() -> None:
    class AtOnce(Rows):
        def __getitems__(self, rows: list[int]) -> list[int]:
            return [10 * row for row in rows]

    batches = batches_of(DataLoader(AtOnce(), batch_size=4, collate_fn=lambda items: tuple(items)), seed=0)
    assert batches(1)[0].batch == (40, 50, 60, 70)


def test_what_a_dataset_draws_depends_on_seed_and_step_and_disturbs_nobody() -> None:
    batches = batches_of(DataLoader(Noisy(), batch_size=5), seed=3)
    first = batches(1)[0].batch
    torch.manual_seed(7)
    random.seed(7)
    np.random.seed(7)
    before = (torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy())
    assert torch.equal(batches(1)[0].batch, first)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert (np.random.get_state()[1] == before[2]).all()
    others = [batches(3)[0].batch, batches(0)[0].batch, batches_of(DataLoader(Noisy(), batch_size=5), 4)(1)[0].batch]
    for other in others:
        assert not (other[:, 1:] == first[:, 1:]).any()


def test_a_dataset_that_changes_with_the_epoch_is_told_which_it_is() -> None:
    class ByEpoch(Rows):
        def set_epoch(self, epoch: int) -> None:
            self.epoch = epoch

        def __getitem__(self, row: int) -> int:
            return 100 * self.epoch + row

    found = rows(batches_of(DataLoader(ByEpoch(), batch_size=10), seed=0), [2, 0, 1])
    assert [batch[0] for (batch,) in found] == [200, 0, 100]


def test_an_epoch_to_evaluate_on_is_the_same_each_time() -> None:
    shuffled, stream = DataLoader(Noisy(), batch_size=4, shuffle=True), DataLoader(Stream(), batch_size=4)
    once, again = list(whole_epoch(shuffled, 1)), list(whole_epoch(shuffled, 1))
    assert all(map(torch.equal, once, again))
    assert [len(batch) for batch in once] == [4, 4, 2]
    assert [batch.tolist() for batch in whole_epoch(stream, 1)] == epoch_of(stream)


# --- one after the other ---


def test_a_stream_gives_its_batches_epoch_after_epoch() -> None:
    loader = DataLoader(Stream(), batch_size=4)
    batches = batches_of(loader, seed=0, together=2)
    assert isinstance(batches, SequentialBatches)
    one, two, three = epoch_of(loader)
    assert rows(batches, range(4)) == [[one, two], [three], [one, two], [three]]


def test_a_stream_goes_nowhere_but_on() -> None:
    batches = batches_of(DataLoader(Stream(), batch_size=4), seed=0)
    assert isinstance(batches, SequentialBatches)
    batches(0)
    with pytest.raises(TaskError, match=r"cannot resume at update 0: Stream is an IterableDataset, .* at update 1"):
        batches(0)
    with pytest.raises(TaskError, match=r"cannot resume at update 2: .*compare without sharing, share=False"):
        batches(2)
    assert batches(1)[0].index == 1


class Own(Sampler[int]):
    def __init__(self) -> None:
        self.calls = 0

    def __iter__(self) -> Iterator[int]:
        self.calls += 1
        return iter([self.calls % 10, 3])


class Fickle(Own):
    def set_epoch(self, epoch: int) -> None:
        self.calls = self.calls  # it does not care

    def __iter__(self) -> Iterator[int]:
        return iter([torch.randint(10, (), generator=GENERATOR).item()])


GENERATOR = torch.Generator().manual_seed(0)


class OwnBatches(BatchSampler):
    pass


@pytest.mark.parametrize(
    ("loader", "why"),
    [
        (DataLoader(Rows(), sampler=Own()), "it is unknown what the order of Own depends on"),
        (DataLoader(Rows(), sampler=Fickle()), "Fickle.set_epoch.0. does not give the same order each time"),
        (DataLoader(Rows(), batch_size=None), "batch_size=None"),
        (DataLoader(Rows(), batch_sampler=OwnBatches(range(10), 2, False)), "the order of OwnBatches"),
    ],
)
def test_why_a_loader_only_goes_on_is_told(loader: DataLoader[Any], why: str) -> None:
    batches = batches_of(loader, seed=0)
    with pytest.raises(TaskError, match=why):
        batches(1)


def test_batches_of_ones_own_that_are_told_the_epoch_come_in_any_order() -> None:
    class Told(OwnBatches):
        def set_epoch(self, epoch: int) -> None:
            self.sampler = [epoch, 9]

    batches = batches_of(DataLoader(Rows(), batch_sampler=Told([0], 1, False)), seed=0)
    assert rows(batches, [5, 0]) == [[[9]], [[0]]]
    assert rows(batches, [4]) == [[[2]]]


# --- broken input ---


def test_epochs_of_other_lengths_are_refused() -> None:
    class Growing(OwnBatches):
        def set_epoch(self, epoch: int) -> None:
            self.sampler = range(3 + epoch)

    batches = batches_of(DataLoader(Rows(), batch_sampler=Growing([0], 1, False)), seed=0)
    assert rows(batches, [2]) == [[[2]]]
    with pytest.raises(TaskError, match="epoch 1 has 4 batches and epoch 0 has 3"):
        batches(3)


@pytest.mark.parametrize(
    ("loader", "together", "words"),
    [
        ([1, 2, 3], 1, "batches come from one torch.utils.data.DataLoader, not"),
        (None, 1, "not None"),
        (DataLoader(Rows()), 0, "at least 1 batch, not 0"),
        (DataLoader(Rows()), 1.5, "at least 1 batch, not 1.5"),
        (DataLoader(Rows(3), batch_size=4, drop_last=True), 1, "the loader has no batch"),
        (DataLoader(Rows(0)), 1, "the loader has no batch"),
    ],
)
def test_what_is_no_source_of_batches_is_refused(loader: Any, together: Any, words: str) -> None:
    with pytest.raises(TaskError, match=words):
        batches_of(loader, 0, together)


def test_a_stream_that_is_empty_is_told_and_does_not_go_on_for_ever() -> None:
    class Empty(IterableDataset[int]):
        def __iter__(self) -> Iterator[int]:
            return iter(())

    with pytest.raises(TaskError, match="gave no batch in epoch 0"):
        batches_of(DataLoader(Empty(), batch_size=2), seed=0)(0)
