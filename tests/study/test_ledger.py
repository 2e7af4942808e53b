"""Whatever studies come to a store, in whatever order, and whatever goes wrong: the curves are those of runs alone."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Condition
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from toy import Faults, Killed, Plan, World, by_hand, same, states_of

from glidepath.study.sharing.state_key import StateKeys
from glidepath.study.sharing.tree import UpdatePath as Way

LETTERS = st.text("ab", min_size=1, max_size=20)


@st.composite
def pools(draw: Any) -> list[Plan]:
    """Runs that share much: a few stems, each cut somewhere and continued; some fed back."""
    stems = draw(st.lists(LETTERS, min_size=1, max_size=3))
    branch = st.builds(
        lambda stem, cut, rest: (stem[:cut] + rest) or "a",
        st.sampled_from(stems),
        st.integers(0, 20),
        st.text("abc", max_size=8),
    )
    origins = st.sampled_from("oop")
    plain = st.builds(Plan, origins, branch)
    fed_back = st.builds(
        lambda origin, pair, steps: Plan(origin, pair, True, steps),
        origins,
        st.sampled_from(["ab", "ba", "aa"]),
        st.integers(1, 20),
    )
    return draw(st.lists(st.one_of(plain, plain, fed_back), min_size=1, max_size=7))


studies = st.tuples(
    st.lists(st.integers(0, 6), min_size=1, max_size=5),  # which runs
    st.sampled_from([1, 2, 3, 5, 100]),  # updates between evaluations
    st.sampled_from([1, 2, 4, 8, 64]),  # between snapshots
    st.integers(1, 3),  # slots
    st.booleans(),  # whether the executor leaves writing to the coordinator
)


def chosen(pool: list[Plan], numbers: list[int]) -> list[Plan]:
    return [pool[number % len(pool)] for number in numbers]


def alone(plans: list[Plan], every: int) -> list[Any]:
    return [by_hand(plan, every) for plan in plans]


def all_states(plans: list[Plan], every: int) -> set[str]:
    return {state for plan in plans for state in states_of(plan, every)}


@settings(max_examples=150)
@given(pools(), st.lists(studies, min_size=1, max_size=5), st.integers(0, 2**32))
def test_every_curve_of_every_study_is_that_of_the_run_alone(pool: list[Plan], wanted: list[Any], seed: int) -> None:
    states: set[str] = set()
    with World() as world:
        for numbers, every, snapshot_every, slots, returns in wanted:
            plans = chosen(pool, numbers)
            found, _ = world.study(plans, every, snapshot_every, slots, random.Random(seed), returns_states=returns)
            assert same(found, alone(plans, every))
            states |= all_states(plans, every)
            assert world.updates() == len(states)
            assert world.study(plans, every, snapshot_every, slots)[1] == 0


@settings(max_examples=150)
@given(pools(), st.lists(studies, min_size=1, max_size=5), st.integers(0, 2**32))
def test_nothing_that_goes_wrong_changes_a_curve(pool: list[Plan], wanted: list[Any], seed: int) -> None:
    rng, states = random.Random(seed), set()
    with World() as world:
        for numbers, every, snapshot_every, slots, returns in wanted:
            plans = chosen(pool, numbers)
            found = _in_the_end(world, rng, plans, every, snapshot_every, slots, returns)
            assert same(found, alone(plans, every))
            states |= all_states(plans, every)
            assert world.updates() == len(states)
            _loses_something(world, rng)


def _in_the_end(
    world: World, rng: random.Random, plans: list[Plan], every: int, grid: int, slots: int, returns: bool
) -> Any:
    """The study led as often as it takes."""
    for attempt in range(100):
        calm = attempt > 20
        faults = Faults() if calm else Faults(0.2, 0.1, 0.1, lambda: _sometimes_loses(world, rng))
        try:
            return world.study(plans, every, grid, slots, rng, faults, returns)[0]
        except (KeyboardInterrupt, Killed):
            world.store.__exit__()
            world.store = world.opened()
    raise AssertionError


def _sometimes_loses(world: World, rng: random.Random) -> None:
    if rng.random() < 0.1 and world.snapshots.held:
        world.snapshots.held.pop(rng.choice(list(world.snapshots.held)))


def _loses_something(world: World, rng: random.Random) -> None:
    match rng.randrange(4):
        case 0:
            world.store.evict_to(rng.randrange(200))
        case 1:
            world.store.delete_snapshots(saved for saved in world.store.all_snapshots() if rng.random() < 0.5)
        case 2:
            for _ in range(5):
                _sometimes_loses(world, rng)


# --- how much is trained ---


@settings(max_examples=80)
@given(pools(), st.lists(studies, min_size=1, max_size=4), st.sampled_from([1, 3, 100]))
def test_no_update_is_trained_that_a_snapshot_saves(pool: list[Plan], wanted: list[Any], every: int) -> None:
    plain = [plan for plan in pool if not plan.fed_back] or [Plan("o", "ab")]
    known: set[str] = set()
    with World() as world:
        for numbers, _, grid, slots, returns in wanted:
            plans = chosen(plain, numbers)
            due = _to_train(world, plans, every, known)
            assert world.study(plans, every, grid, slots, returns_states=returns)[1] == len(due)
            known |= {text for plan in plans for texts in steps_of(plan, every) for text in texts}


def steps_of(plan: Plan, every: int) -> list[tuple[str, ...]]:
    """For each update what has to be known of it: that it was made and, where that is due, how good its state is."""
    pairs = zip(states_of(plan, every), by_hand(plan, every), strict=True)
    return [(state, f"metrics of {state}") if metrics else (state,) for state, (*_, metrics) in pairs]


def _to_train(world: World, plans: list[Plan], every: int, known: set[str]) -> set[str]:
    """The updates to make, found one by one: what is not known, and before it whatever no snapshot lies behind."""
    saved = {one.key for one in world.store.all_snapshots()}
    due: set[str] = set()
    for plan in plans:
        steps = steps_of(plan, every)
        for i in (i for i, texts in enumerate(steps) if not known.issuperset(texts)):
            while i >= 0 and steps[i][0] not in due:
                due.add(steps[i][0])
                i = i - 1 if i and key_of(steps[i - 1][0]) not in saved else -1
    return due


def key_of(state: str) -> str:
    origin, letters = state.split(" ")
    return StateKeys(Way(origin, 1, letters.encode())).key(len(letters))


@settings(max_examples=60)
@given(pools(), studies, studies, st.integers(0, 2**32))
def test_two_leaders_at_once_disturb_nobody_and_each_update_is_kept_once(
    pool: list[Plan], first: Any, second: Any, seed: int
) -> None:
    turns, sides = Turns(random.Random(seed)), (first, second)
    with World() as world:

        def lead(me: int) -> Any:
            numbers, every, grid, slots, returns = sides[me]
            with turns.taking_part(me), world.opened() as store:
                between = Faults(between=lambda: turns.give(me))
                return world.study(
                    chosen(pool, numbers), every, grid, slots, random.Random(seed), between, returns, store
                )

        with ThreadPoolExecutor(2) as threads:
            found = list(threads.map(lead, (0, 1)))
        plans = [(chosen(pool, side[0]), side[1]) for side in sides]
        for (curves, _), (chosen_plans, every) in zip(found, plans, strict=True):
            assert same(curves, alone(chosen_plans, every))
        assert world.updates() == len(set.union(*(all_states(*one) for one in plans)))


class Turns:
    """Two threads of which one runs at a time; a die says when the other does, so that it can be done again."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.now, self.present, self.changed = rng, 0, {0, 1}, Condition()

    def give(self, me: int) -> None:
        with self.changed:
            if self.rng.random() < 0.5:
                self._pass(me)

    @contextmanager
    def taking_part(self, me: int) -> Any:
        with self.changed:
            self.changed.wait_for(lambda: self.now == me)
        try:
            yield
        finally:
            with self.changed:
                self.present.discard(me)
                self.now = 1 - me
                self.changed.notify_all()

    def _pass(self, me: int) -> None:
        if 1 - me in self.present:
            self.now = 1 - me
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.now == me)
