"""Which snapshots go when there is no room."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from glidepath.study.store.eviction import FILLED, EvictionCandidate, choose_evictions


@st.composite
def trees(draw: Any) -> tuple[list[EvictionCandidate], dict[str, str]]:
    """States that each follow an earlier one; some have a snapshot."""
    steps, before = {"": 0}, {}
    for number in range(draw(st.integers(0, 14))):
        key = f"s{number}"
        before[key] = draw(st.sampled_from(sorted(steps)))
        steps[key] = steps[before[key]] + draw(st.integers(1, 50))
    saved = [key for key in before if draw(st.booleans())]
    return [
        EvictionCandidate(key, steps[key], draw(st.integers(1, 100))) for key in draw(st.permutations(saved))
    ], before


def room(kept: list[EvictionCandidate], gone: list[str]) -> int:
    return sum(one.bytes for one in kept if one.key not in gone)


keys = st.sets(st.integers(0, 14).map(lambda number: f"s{number}"))


@given(trees(), keys, st.integers(0, 800))
def test_the_rest_fits_unless_all_of_it_is_needed(tree: Any, needed: set[str], budget: int) -> None:
    kept, before = tree
    gone = choose_evictions(kept, before, needed, budget)
    assert len(set(gone)) == len(gone)
    assert needed.isdisjoint(gone)
    assert set(gone) <= {one.key for one in kept}
    rest = [one for one in kept if one.key not in gone]
    assert room(kept, gone) <= (FILLED * budget if gone else budget) or needed.issuperset(one.key for one in rest)


@given(trees(), keys, st.integers(0, 800))
def test_nothing_goes_without_need(tree: Any, needed: set[str], budget: int) -> None:
    kept, before = tree
    gone = choose_evictions(kept, before, needed, budget)
    assert not gone or room(kept, []) > budget
    assert not gone or room(kept, gone[:-1]) > FILLED * budget


@given(trees(), keys, st.integers(0, 800))
def test_every_next_one_is_the_one_to_miss_least(tree: Any, needed: set[str], budget: int) -> None:
    """By hand: of what may still go the first dead end; without one, the cheapest to train again for its bytes."""
    kept, before = tree
    rest = {one.key: one for one in kept}
    for key in choose_evictions(kept, before, needed, budget):
        free = [one for one in rest.values() if one.key not in needed]
        dead = [one.key for one in free if one.key not in before.values()]
        assert key == (dead[0] if dead else min(free, key=lambda one: again(one, rest, before) / one.bytes).key)
        del rest[key]


def again(one: EvictionCandidate, rest: dict[str, EvictionCandidate], before: dict[str, str]) -> int:
    key = before[one.key]
    return one.step if key == "" else one.step - rest[key].step if key in rest else again_from(one, key, rest, before)


def again_from(one: EvictionCandidate, key: str, rest: dict[str, EvictionCandidate], before: dict[str, str]) -> int:
    while key not in rest and key != "":
        key = before[key]
    return one.step - (rest[key].step if key else 0)


def test_a_state_of_which_nobody_knows_what_came_before_counts_from_the_first_update() -> None:
    kept = [EvictionCandidate("far", 100, 10), EvictionCandidate("near", 90, 10), EvictionCandidate("end", 110, 10)]
    assert choose_evictions(kept, {"near": "lost", "end": "far", "x": "near"}, set(), 20) == ["end", "near"]
