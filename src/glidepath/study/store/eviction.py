"""Choose which snapshots to evict when they take more disk space than the budget.

Dead ends go first, the oldest of them first: no stored segment begins there, so evicting one costs nothing unless a
later study continues past the end of a run. Then those go that are cheapest to train again for the space they take,

    (updates since the nearest snapshot that stays) / bytes,

and of equals the oldest. Never those that are needed now. Numbers in, keys out: no I/O here.
"""

import heapq
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

FILLED = 0.9  # of the budget, so that not every new snapshot needs an eviction


@final
@dataclass(frozen=True)
class EvictionCandidate:
    """A snapshot that may be evicted.

    Args:
        key: of its state.
        step: the update that would come next.
        bytes: of its file, at least 1.
    """

    key: str
    step: int
    bytes: int


def choose_evictions(
    candidates: Sequence[EvictionCandidate],
    before: Mapping[str, str],
    needed: Container[str],
    budget: int,
) -> list[str]:
    """Return the snapshots to delete, in that order, so that the rest takes at most 90% of the budget; none if all fit.

    Args:
        candidates: every snapshot, the oldest first.
        before: for a state, the state where the stored segment that ends in it begins.
        needed: keys that have to stay, whatever space they take.
        budget: in bytes.

    Examples:
        >>> trunk = [EvictionCandidate("a", 10, 50), EvictionCandidate("b", 20, 50), EvictionCandidate("end", 30, 50)]
        >>> choose_evictions(trunk, {"a": "", "b": "a", "end": "b"}, needed={"b"}, budget=100)
        ['end', 'a']
        >>> choose_evictions(trunk, {"a": "", "b": "a", "end": "b"}, needed={"b"}, budget=150)
        []
    """
    total = sum(candidate.bytes for candidate in candidates)
    if total <= budget:
        return []
    size = {candidate.key: candidate.bytes for candidate in candidates}
    evicted = []
    for key in _in_order([candidate for candidate in candidates if candidate.key not in needed], candidates, before):
        if total <= FILLED * budget:
            break
        evicted.append(key)
        total -= size[key]
    return evicted


def _in_order(
    evictable: Sequence[EvictionCandidate], candidates: Sequence[EvictionCandidate], before: Mapping[str, str]
) -> Iterator[str]:
    """Yield every snapshot that may go, the cheapest to lose first; each counts as evicted once it is yielded."""
    beginnings = set(before.values())
    steps = {candidate.key: candidate.step for candidate in candidates}
    for candidate in evictable:
        if candidate.key not in beginnings:
            del steps[candidate.key]
            yield candidate.key
    yield from _cheapest_first(
        ((i, candidate) for i, candidate in enumerate(evictable) if candidate.key in beginnings), steps, before
    )


def _cheapest_first(
    evictable: Iterable[tuple[int, EvictionCandidate]], steps: dict[str, int], before: Mapping[str, str]
) -> Iterator[str]:
    """Yield keys by updates per byte; an eviction only raises later prices, so old ones can wait in a heap."""
    heap = [(_price(candidate, steps, before), place, candidate) for place, candidate in evictable]
    heapq.heapify(heap)
    while heap:
        price, place, candidate = heapq.heappop(heap)
        now = _price(candidate, steps, before)
        if now > price:
            heapq.heappush(heap, (now, place, candidate))
        else:
            del steps[candidate.key]
            yield candidate.key


def _price(candidate: EvictionCandidate, steps: Mapping[str, int], before: Mapping[str, str]) -> float:
    """Return the updates that training it again would take, from the nearest snapshot that stays, for each byte."""
    key = before.get(candidate.key, "")
    while key and key not in steps:
        key = before.get(key, "")
    return (candidate.step - steps.get(key, 0)) / candidate.bytes
