"""Training that goes on from a state is the training that the state was taken from: every loss, every bit.

What users train is in `examples/training`; what is awkward about it in `awkward.py`; the loops that the examples
stand for in `by_hand.py`.
"""

import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import awkward
import numpy as np
import pytest
import torch
from by_hand import LOOPS
from trainings import CUT, EXAMPLES, SEED, SHAPE, UPDATES, Function, Trainee, example, joined

from glidepath.errors import TaskError
from glidepath.study.engine.check import find_difference, first_difference
from glidepath.study.engine.state import copy_state, digest
from glidepath.study.spec.yaml_io import read_study
from glidepath.study.store import Snapshots
from glidepath.tasks import Task
from glidepath.torch.randomness import seed_everything

State = dict[str, Any]

HEAD_FIRST = {"lr": {"backbone": "0 * constant(4) >> cosine(8)", "head": SHAPE}}
ENTRIES: dict[str, Any] = {"several_groups": HEAD_FIRST}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def trainee(name: str, threads: int = 1) -> Trainee:
    """An example, in training."""
    function = example(name)
    quick = functools.partial(function, backend="aot_eager") if name == "compiled" else function
    return Trainee(quick, threads, ENTRIES.get(name, SHAPE))


def check_every_way_back(trained: Trainee, folder: Path, cut: int = CUT) -> None:
    """Straight on; by way of a file into a fresh session; and back in time in one that has gone further."""
    straight = trained.trace()
    broken = trained.another()
    before = broken.trace(0, cut)
    state = broken.session.state()
    kept = digest(state)
    snapshots = Snapshots(folder)
    saved = snapshots.write("a state", state)

    fresh = trained.another()
    fresh.session.restore(snapshots.read(saved))
    assert joined(before, fresh.trace(cut)) == straight

    trained.session.restore(state)
    assert joined(before, trained.trace(cut)) == straight

    trained.session.restore(state)
    assert joined(before, trained.trace(cut)) == straight
    assert digest(state) == kept

    trained.session.restore(None)
    assert trained.trace() == straight


@pytest.mark.parametrize("name", LOOPS)
def test_an_example_goes_on_from_a_state_as_if_it_had_never_stopped(name: str, tmp_path: Path) -> None:
    check_every_way_back(trainee(name), tmp_path)


@pytest.mark.parametrize("name", ["accumulation", "averaging"])
def test_with_two_threads_it_does_so_too(name: str, tmp_path: Path) -> None:
    check_every_way_back(trainee(name, threads=2), tmp_path)


@pytest.mark.parametrize("name", LOOPS)
def test_an_example_trains_as_the_loop_that_it_stands_for(name: str) -> None:
    trained = trainee(name)
    losses, metrics, _ = trained.trace()
    seed_everything(SEED)
    expected = LOOPS[name](sys.modules[example(name).__module__], SEED, ENTRIES.get(name, SHAPE), UPDATES)
    assert losses == expected[:UPDATES]
    assert expected[UPDATES:] in ([], [metrics[-1].get("validation")])


def test_every_example_has_a_loop_to_be_compared_with() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.py")} == set(LOOPS)


def test_the_study_of_several_groups_can_be_read_and_drives_both(monkeypatch: pytest.MonkeyPatch) -> None:
    study = read_study(EXAMPLES / "several_groups.yaml")
    assert study.schedules is not None
    assert set((study.schedules["head first"].plans or {})["lr"]) == {"backbone", "head"}
    assert study.task.endswith("several_groups.py:several_groups")


# --- what is awkward ---


AWKWARD: dict[str, Callable[[], Function]] = {
    "a buffer outside the model's state": lambda: awkward.drifting,
    "a buffer outside the state of what is carried": lambda: awkward.drifting_average,
    "arrays and numbers of NumPy's": lambda: awkward.drawing(carried=True),
    "gradients that are set to zero in place": lambda: awkward.keeps_gradients,
    "a scaler that skips": lambda: awkward.overflowing([]),
    "a scaler with a fused optimizer that skips": lambda: awkward.overflowing([], fused=True),
}


@pytest.mark.parametrize("make", AWKWARD.values(), ids=AWKWARD.keys())
def test_what_is_awkward_goes_on_too(make: Callable[[], Function], tmp_path: Path) -> None:
    check_every_way_back(Trainee(make()), tmp_path)


@pytest.mark.parametrize("fused", [False, True])
def test_a_skipped_update_is_asked_for_again_until_it_is_made(fused: bool) -> None:
    tries: list[int] = []
    trained = Trainee(awkward.overflowing(tries, fused=fused))
    records = trained.train(0, UPDATES).records
    assert [record.step for record in records] == list(range(UPDATES))
    assert tries == sorted(tries)
    assert set(tries) == set(range(UPDATES))
    assert tries.count(0) > 10
    assert len(tries) > tries.count(0) + UPDATES


@pytest.mark.parametrize("fused", [False, True])
def test_skipped_updates_are_those_of_a_loop_written_by_hand(fused: bool) -> None:
    tries: list[int] = []
    trained = Trainee(awkward.overflowing(tries, fused=fused))
    losses = trained.trace()[0]
    asked = list(tries)
    seed_everything(SEED)
    task = awkward.overflowing(tries, fused=fused)(SEED)
    scheduler = awkward.Scheduler(task.optimizer, SHAPE)
    seen: dict[int, float] = {}
    while scheduler.position < UPDATES:
        step = scheduler.position
        seen[step] = task.update(step).item()  # type: ignore[misc, union-attr]
    assert tries == asked * 2
    assert list(seen.values()) == losses


def test_a_scale_that_never_comes_down_is_given_up() -> None:
    tries: list[int] = []
    with pytest.raises(TaskError, match="made no update for step 0, 100 times"):
        Trainee(awkward.overflowing(tries, start=float("inf"))).train(0, 1)
    assert len(tries) == 100


# --- what a state must hold ---


def without(state: State, part: str, first: State) -> State:
    """The state with one part as it was at the beginning."""
    assert digest(state[part]) != digest(first[part])
    return {**state, part: copy_state(first[part])}


@pytest.mark.parametrize(
    ("part", "make"),
    [
        ("model", lambda: example("plain")),
        ("optimizer", lambda: example("plain")),
        ("randomness", lambda: example("plain")),
        ("carried", lambda: example("loader")),
        ("carried", lambda: example("averaging")),
        ("carried", lambda: awkward.overflowing([])),
        ("buffers", lambda: awkward.drifting),
        ("buffers", lambda: awkward.drifting_average),
    ],
)
def test_training_goes_another_way_if_one_part_of_the_state_is_forgotten(
    part: str, make: Callable[[], Function]
) -> None:
    trained = Trainee(make())
    first = trained.session.state()
    trained.train(0, CUT)
    state = trained.session.state()
    expected = trained.trace(CUT)
    trained.session.restore(without(state, part, first))
    assert trained.trace(CUT) != expected
    trained.session.restore(state)
    assert trained.trace(CUT) == expected


def test_a_state_shares_nothing_with_the_training_it_was_taken_from() -> None:
    trained = Trainee(example("averaging"))
    trained.train(0, CUT)
    state = trained.session.state()
    before = digest(state)
    trained.train(CUT, UPDATES)
    assert digest(state) == before


def test_training_leaves_the_random_numbers_of_everybody_else_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3).tolist()
    torch.manual_seed(7)
    Trainee(example("plain")).train(0, CUT)
    assert torch.rand(3).tolist() == expected


# --- the check that a study makes the first time it sees a task ---


def first_seen(function: Function) -> str | None:
    trained = Trainee(function)
    return first_difference(trained.named, trained.work(0, UPDATES))


@pytest.mark.parametrize("name", sorted(set(LOOPS) - {"compiled"}))
def test_an_example_passes_the_check(name: str) -> None:
    assert first_seen(example(name)) is None


@pytest.mark.parametrize("make", AWKWARD.values(), ids=AWKWARD.keys())
def test_what_is_awkward_passes_the_check(make: Callable[[], Function]) -> None:
    assert first_seen(make()) is None


def test_a_loader_that_is_not_carried_is_found_at_the_first_update_after_the_snapshot() -> None:
    found = first_seen(awkward.drawing(carried=False))
    assert found is not None
    assert found.startswith("update 3 had the loss ")
    assert found.endswith("when training resumed from a snapshot after update 2 in a fresh task")


@pytest.mark.parametrize(
    ("one", "other", "place"),
    [
        (0.0, -0.0, "a.1"),
        (1, True, "a.1"),
        (1, 1.0, "a.1"),
        (np.int64(1), np.int64(2), "a.1"),
        (np.arange(3), np.arange(3) + 1, "a.1"),
        (np.arange(3), np.arange(3, dtype=np.int32), "a.1"),
        (torch.zeros(2), -torch.zeros(2), "a.1"),
        (torch.zeros(2), torch.zeros(2, 1), "a.1"),
        ([torch.zeros(2), 1], [torch.zeros(2), 2], "a.1.1"),
        ([1], [1, 2], "a.1"),
        ({"x": 1}, {"y": 1}, "a.1.x"),
        (float("nan"), float("nan"), None),
        (np.array([np.nan]), np.array([np.nan]), None),
        ([torch.zeros(2)], [torch.zeros(2)], None),
    ],
)
def test_two_states_differ_where_a_bit_or_a_type_does(one: Any, other: Any, place: str | None) -> None:
    assert find_difference({"a": [0, one]}, {"a": [0, other]}) == place


# --- what a session refuses ---


def refusal(function: Function) -> str:
    with pytest.raises(TaskError) as error:
        Trainee(function).train(0, UPDATES)
    return str(error.value)


RATES: dict[str, Callable[[], Any]] = {"number": lambda: 0.05, "tensor": lambda: torch.tensor(0.05)}


@pytest.mark.parametrize("early", [False, True], ids=["after", "before"])
@pytest.mark.parametrize("rate", RATES.values(), ids=RATES.keys())
@pytest.mark.parametrize("change", [awkward.of_torch, awkward.of_glidepath, awkward.by_hand])
@pytest.mark.filterwarnings("ignore:Detected call of .lr_scheduler.step")
def test_a_task_that_drives_the_rate_itself_is_refused(change: Any, rate: Callable[[], Any], early: bool) -> None:
    message = refusal(awkward.changing(change, early=early, rate=rate))
    assert "the task changes lr itself" in message
    assert "leave schedulers out of the task" in message


def test_two_updates_for_one_step_are_refused() -> None:
    assert refusal(awkward.changing(awkward.again)).endswith("made 2 updates for step 0: make one [GP301]")


def test_no_update_at_all_is_refused() -> None:
    assert "made no update for step 0, 100 times: call optimizer.step()" in refusal(awkward.never)


def test_a_rate_that_is_a_tensor_stays_the_same_tensor_and_gets_the_plans_values() -> None:
    seen: list[float] = []
    task = awkward.changing(
        lambda optimizer: lambda: seen.append(optimizer.param_groups[0]["lr"].item()), rate=lambda: torch.tensor(0.05)
    )
    trained = Trainee(task)
    held = trained.session.task.optimizer.param_groups[0]["lr"]
    trained.train(0, CUT)
    state = trained.session.state()
    trained.session.restore(state)
    trained.train(CUT, UPDATES)
    assert trained.session.task.optimizer.param_groups[0]["lr"] is held
    plan = awkward.gp.parse(SHAPE)
    assert seen == [torch.tensor(torch.tensor(0.05).item() * plan(k)).item() for k in range(UPDATES)]


# --- a loader from elsewhere ---


@pytest.mark.filterwarnings("ignore:.set_vital. is deprecated")
@pytest.mark.parametrize("cut", [1, 4, 5, 9])
def test_a_stateful_loader_of_torchdata_goes_on_where_it_was(cut: int, tmp_path: Path) -> None:
    loading = pytest.importorskip("torchdata.stateful_dataloader")

    def stateful(seed: int) -> Task:
        points = torch.randn(45, 3, generator=torch.Generator().manual_seed(seed))
        keywords = {"batch_size": 8, "shuffle": True, "drop_last": True, "generator": torch.Generator()}
        rows = awkward.Epochs(loading.StatefulDataLoader(points, **keywords), seed)
        model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Dropout(0.1))
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)

        def update(step: int) -> torch.Tensor:
            x = rows.next()
            optimizer.zero_grad()
            loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
            loss.backward()
            optimizer.step()
            return loss

        return Task(model, optimizer, evaluate=lambda m: 0.0, update=update, carried={"rows": rows})

    check_every_way_back(Trainee(stateful), tmp_path, cut)
