"""Which snapshots to give up when they take more room than they may.

Dead ends go first, the oldest of them first: no stored segment begins there, so giving one up costs nothing unless a
later study goes on past the end of a run. Then those go that are cheapest to train again for the room they take,

    (updates since the nearest snapshot that stays) / bytes,

and of equals the oldest. Never those that are needed now. Numbers in, keys out: no disk here.
"""

import heapq
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

FILLED = 0.9  # of the budget, so that not every new snapshot has to look for another's place


@final
@dataclass(frozen=True)
class EvictionCandidate:
    """A snapshot.

    Args:
        key: of its state.
        step: the update that would come next.
        bytes: of its file, at least 1.
    """

    key: str
    step: int
    bytes: int


def choose_evictions(
    kept: Sequence[EvictionCandidate],
    before: Mapping[str, str],
    needed: Container[str],
    budget: int,
) -> list[str]:
    """The snapshots to delete, in that order, so that the rest takes at most 90% of the budget; none if all fit it.

    Args:
        kept: every snapshot, the oldest first.
        before: for a state, the state where the stored segment that ends in it begins.
        needed: keys that have to stay, whatever room they take.
        budget: in bytes.

    Examples:
        >>> trunk = [EvictionCandidate("a", 10, 50), EvictionCandidate("b", 20, 50), EvictionCandidate("end", 30, 50)]
        >>> choose_evictions(trunk, {"a": "", "b": "a", "end": "b"}, needed={"b"}, budget=100)
        ['end', 'a']
        >>> choose_evictions(trunk, {"a": "", "b": "a", "end": "b"}, needed={"b"}, budget=150)
        []
    """
    room = sum(one.bytes for one in kept)
    if room <= budget:
        return []
    size = {one.key: one.bytes for one in kept}
    gone = []
    for key in _in_order([one for one in kept if one.key not in needed], kept, before):
        if room <= FILLED * budget:
            break
        gone.append(key)
        room -= size[key]
    return gone


def _in_order(
    free: Sequence[EvictionCandidate], kept: Sequence[EvictionCandidate], before: Mapping[str, str]
) -> Iterator[str]:
    """Every snapshot that may go, the one to miss least first; each is given up as it is named."""
    beginnings = set(before.values())
    steps = {one.key: one.step for one in kept}
    for one in free:
        if one.key not in beginnings:
            del steps[one.key]
            yield one.key
    yield from _cheapest_first(((i, one) for i, one in enumerate(free) if one.key in beginnings), steps, before)


def _cheapest_first(
    free: Iterable[tuple[int, EvictionCandidate]], steps: dict[str, int], before: Mapping[str, str]
) -> Iterator[str]:
    """By updates for a byte; giving one up makes those after it dearer, never cheaper, so old prices wait in a heap."""
    heap = [(_price(one, steps, before), place, one) for place, one in free]
    heapq.heapify(heap)
    while heap:
        price, place, one = heapq.heappop(heap)
        now = _price(one, steps, before)
        if now > price:
            heapq.heappush(heap, (now, place, one))
        else:
            del steps[one.key]
            yield one.key


def _price(one: EvictionCandidate, steps: Mapping[str, int], before: Mapping[str, str]) -> float:
    """Updates that training it again would take, from the nearest snapshot that stays, for each byte."""
    key = before.get(one.key, "")
    while key and key not in steps:
        key = before.get(key, "")
    return (one.step - steps.get(key, 0)) / one.bytes
