"""On Ray the bits are those of one process, whatever is killed on the way."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.study.leading import SCHEDULES, Led, Silent, led

from glidepath.errors import MachineError, StudyError, TaskError
from glidepath.study.curve import Record
from glidepath.study.engine.session import Session
from glidepath.study.engine.state import digest
from glidepath.study.executors.arrays import Packed, pack, unpack
from glidepath.study.executors.local import Local
from glidepath.study.spec.study import study_from
from glidepath.study.store import Snapshots, Store
from glidepath.study.training.prepare import Prepared, prepare, train
from glidepath.tasks import load_task

ray = pytest.importorskip("ray", reason="Ray is an extra: pip install 'glidepath[ray]'")
rays = pytest.importorskip("glidepath.study.executors.ray")
ray_cluster = pytest.importorskip("glidepath.study.executors.ray_cluster")
ray_worker = pytest.importorskip("glidepath.study.executors.ray_worker")

SIX = SCHEDULES | {
    "late": "warmup(30%) >> linear(70%)",
    "multistep": "multistep([50%, 75%], factor=0.1)",
    "plateau": "plateau(factor=0.5, patience=0)",
}
SLOW = """
import time

def slow(seed):
    task = line(seed)
    def batch(step):
        time.sleep(0.01)
        return task.batch(step)
    return Task(task.model, task.optimizer, batch, task.loss, task.evaluate)
"""
QUICK = {"task": "lines.py:line", "steps": 60, "seeds": [0, 1], "schedules": SIX, "evaluate_every": 5}
STUDY = QUICK | {"task": "slow.py:slow"}  # the same bits, later
KILLS = int(os.environ.get("GLIDEPATH_KILLS", "3"))  # each costs the start of a process
DRIVER = """
import sys
from pathlib import Path
from glidepath.study.training.prepare import prepare, train
from glidepath.study.executors.ray import Ray
from glidepath.study.spec.study import study_from
from glidepath.study.store import Store
from tests.study.leading import Silent

with Store(Path("store")) as store:
    prepared = prepare(study_from({study!r}), store)
    train(prepared, Ray(store.snapshots, sys.argv[1]), Silent())
"""


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """A cluster of two CPUs, as the executor makes it."""
    ray_cluster.connect("local", 2, Path("store"))
    yield
    ray.shutdown()


@pytest.fixture
def slowly(here: Path) -> Path:
    """Where a task waits a little in each update."""
    (here / "slow.py").write_text((here / "lines.py").read_text() + SLOW)
    return here


def on_ray(store: str = "rays", change: Callable[[Any], Any] = lambda executor: None, **described: Any) -> Led:
    """A study led on the cluster; something is done with the executor before."""
    with Store(Path(store)) as opened:
        prepared, executor = prepare(study_from(described), opened), rays.Ray(opened.snapshots)
        change(executor)
        return finished(prepared, executor)


def finished(prepared: Prepared, executor: Any, watcher: Silent | None = None) -> Led:
    try:
        watcher = watcher or Silent()
        return Led(prepared, train(prepared, executor, watcher), watcher.warnings)
    finally:
        executor.close()


def same(ours: Led, theirs: Led) -> bool:
    """Whether every record of every run, and every last state that there is, is the same to the last bit."""
    digests = [{number: digest(state) for number, state in led.states.items()} for led in (ours, theirs)]
    return [c.records for c in ours.curves] == [c.records for c in theirs.curves] and digests[0] == digests[1]


def training() -> list[int]:
    """The processes of this test that are training now, by id."""
    ours = set(below(os.getpid()))
    return [pid for pid in ours if name(pid).startswith("ray::train")]


def below(pid: int) -> Iterator[int]:
    """Every process that descends from this one."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, _text(task).split()):
            yield child
            yield from below(child)


def name(pid: int) -> str:
    return _text(Path(f"/proc/{pid}/cmdline"))


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


# --- the same bits ---


def test_a_study_has_the_bits_of_one_process_and_trains_as_many_updates(here: Path) -> None:
    study = {"task": "lines.py:line", "steps": 40, "seeds": [0, 1], "schedules": SIX, "evaluate_every": 4}
    alone, ours = led("alone", **study), on_ray(**study)
    assert same(ours, alone)
    assert ours.trained == alone.trained
    again = on_ray(**study)
    assert again.trained == 0
    assert [c.records for c in again.curves] == [c.records for c in alone.curves]


def test_a_schedule_that_is_added_later_begins_from_a_snapshot_on_the_disk(here: Path) -> None:
    study = {"task": "lines.py:line", "steps": 40, "seeds": [0], "evaluate_every": 4}
    first, more = {"long": "constant()"}, {"long": "constant()", "drops": "constant(20) >> linear(20, to=0)"}
    on_ray(schedules=first, **study)
    added = on_ray(schedules=more, **study)
    assert added.trained < 40
    assert same(added, led("alone", schedules=more, **study))


def test_a_damaged_snapshot_is_trained_again(here: Path) -> None:
    study = {"task": "lines.py:line", "steps": 40, "seeds": [0], "evaluate_every": 4}
    on_ray(schedules={"long": "constant()"}, **study)
    for file in Path("rays/snapshots").glob("??/*"):
        file.write_bytes(b"x" + file.read_bytes()[1:])
    more = {"long": "constant()", "drops": "constant(20) >> linear(20, to=0)"}
    watcher = Silent()
    with Store(Path("rays")) as opened:
        prepared, executor = prepare(study_from(study | {"schedules": more}), opened), rays.Ray(opened.snapshots)
        curves = train(prepared, executor, watcher)
        executor.close()
    assert [c.records for c in curves] == [c.records for c in led("alone", schedules=more, **study).curves]
    assert any("damaged" in warning for warning in watcher.warnings)


# --- what a task does wrong, and where ---


def test_an_error_of_the_task_arrives_as_it_is_said_in_one_process(here: Path) -> None:
    study = {"task": "lines.py:breaks", "steps": 6, "seeds": [0], "schedules": {"fixed": "constant()"}, "share": False}
    with pytest.raises(TaskError) as alone:
        led("alone", **study)
    with pytest.raises(TaskError) as ours:
        on_ray(**study)
    assert str(ours.value) == str(alone.value)
    assert type(ours.value) is TaskError


def test_a_worker_with_other_libraries_is_refused_by_name(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_worker, "versions", lambda: "torch 1.0")
    address = ray.util.get_node_ip_address()
    with pytest.raises(MachineError, match=rf"the driver torch 1.0, .* \(Ray worker on {address}\)"):
        on_ray(task="lines.py:line", steps=5, seeds=[0], schedules=SCHEDULES)


def test_a_worker_whose_task_is_another_is_refused(here: Path) -> None:
    def edited(executor: Any) -> None:
        executor._home("lines.py:line")
        text = Path("lines.py").read_text()
        Path("lines.py").write_text(text.replace("momentum=0.5", "momentum=0.6"))

    with pytest.raises(MachineError, match=r"the code of lines.py:line is not what the driver has"):
        on_ray(change=edited, task="lines.py:line", steps=5, seeds=[0], schedules=SCHEDULES)


def test_a_cluster_too_small_for_one_training_is_an_error_and_not_a_wait(here: Path) -> None:
    with pytest.raises(StudyError, match="no machine of the Ray cluster has 64 CPUs, which one training takes"):
        rays.Ray(Snapshots(here), threads=64)


def test_an_address_where_nobody_answers_is_an_error_at_once(here: Path) -> None:
    with pytest.raises(
        StudyError, match=r"there is no Ray cluster to use at ray://127.0.0.1:1: ConnectionRefusedError"
    ):
        ray_cluster.connect("ray://127.0.0.1:1", 0, here)


def test_a_cluster_elsewhere_gets_the_folder_without_the_store_and_what_decides_bits(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    found = ray_cluster._environment(Path("kept/store"))
    assert found["working_dir"] == str(here)
    assert {"/kept/store", ".glidepath"} <= set(found["excludes"])
    assert found["env_vars"]["MKL_CBWR"] == "AVX2"
    assert ray_cluster._environment(here.parent)["excludes"] == ray_cluster.NOT_SENT


# --- being stopped ---


def test_a_stop_keeps_what_is_done_and_the_next_call_goes_on(slowly: Path) -> None:
    class Impatient(Silent):
        def on_result(self, done: Any, runs: Any) -> None:
            time.sleep(0.5)
            raise KeyboardInterrupt

    with Store(Path("rays")) as opened:
        prepared = prepare(study_from(STUDY), opened)
        with pytest.raises(KeyboardInterrupt):
            finished(prepared, rays.Ray(opened.snapshots), Impatient())
        kept = opened.counts()["updates"]
    assert prepared.coordinator.trained == kept
    assert any(segment.stop < 60 for segment in prepared.coordinator.segments)
    alone, rest = led("alone", **QUICK), on_ray(**STUDY)
    assert rest.trained == alone.trained - kept
    assert [c.records for c in rest.curves] == [c.records for c in alone.curves]


def test_a_stretch_under_way_tells_how_far_it_is_and_ends_when_it_is_asked_to(slowly: Path) -> None:
    seen: list[Record] = []
    long = QUICK | {"task": "slow.py:slow", "steps": 1000, "seeds": [0], "schedules": {"fixed": "constant()"}}
    with Store(Path("rays")) as opened:
        prepared = prepare(study_from(long), opened)
        prepared.coordinator.snapshot_every = 1000
        prepared.coordinator.plan()
        executor = rays.Ray(opened.snapshots, progress=lambda job, record: (seen.append(record), executor.stop()))
        executor.start(prepared.coordinator.job(0))
        done = executor.wait()
        executor.close()
    records = done.outcome.records
    assert seen
    assert seen[0].step < len(records) < 1000
    session = Session(load_task("lines.py:line"), 0, 1)
    alone = session.train(replace(done.job.work, values=done.job.work.values[: len(records)]))
    assert records == alone.records
    assert all(record == replace(records[record.step], metrics={}) for record in seen)
    assert digest(done.state) == digest(session.state())


def test_a_worker_killed_again_and_again_changes_no_bit(slowly: Path) -> None:
    chance, killed = random.Random(1), []

    class Killer(Silent):
        def on_result(self, done: Any, runs: Any) -> None:
            victims = training() if len(killed) < KILLS else []
            if victims:
                time.sleep(chance.uniform(0, 0.2))
                killed.append(chance.choice(victims))
                os.kill(killed[-1], signal.SIGKILL)

    with Store(Path("rays")) as opened:
        ours = finished(prepare(study_from(STUDY), opened), rays.Ray(opened.snapshots), Killer())
    assert len(killed) == KILLS
    assert same(ours, led("alone", **QUICK))


def test_a_driver_killed_goes_on_from_all_that_it_had_kept(slowly: Path) -> None:
    (slowly / "driver.py").write_text(DRIVER.format(study=STUDY))
    root = Path(__file__).parents[3]
    where = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    address = ray.get_runtime_context().gcs_address
    driver = subprocess.Popen([sys.executable, "driver.py", address], env=os.environ | {"PYTHONPATH": where})
    kept = 0
    while kept < 60 and driver.poll() is None:
        time.sleep(0.2)
        kept = _updates(slowly / "store")
    driver.kill()
    driver.wait()
    kept, alone = _updates(slowly / "store"), led("alone", **QUICK)
    assert 60 <= kept < alone.trained
    rest = on_ray("store", **STUDY)
    longest = max(segment.steps for segment in alone.segments)  # whose records were kept, and its state not yet
    assert 0 <= rest.trained - (alone.trained - kept) <= longest
    assert [c.records for c in rest.curves] == [c.records for c in alone.curves]


def _updates(folder: Path) -> int:
    if not (folder / "store.sqlite").exists():
        return 0
    with Store(folder) as store:
        return store.counts()["updates"]


# --- states as arrays ---

FLOAT8 = torch.arange(6).to(torch.float8_e4m3fn)
TENSORS = {
    "float32": torch.tensor([1.5, float("nan"), -0.0]),
    "bfloat16": torch.randn(3, 5, dtype=torch.bfloat16),
    "float8": FLOAT8,
    "bool": torch.tensor([True, False]),
    "complex": torch.randn(2, dtype=torch.complex64),
    "a number": torch.tensor(3, dtype=torch.int64),
    "empty": torch.zeros(0, 4),
    "transposed": torch.randn(3, 5).T,
    "channels last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
    "every second": torch.randn(8)[::2],
    "expanded": torch.randn(1, 4).expand(3, 4),
    "sparse": torch.eye(3).to_sparse(),
}


@pytest.mark.parametrize("kind", TENSORS)
def test_a_tensor_arrives_with_its_bits_type_shape_and_layout(kind: str) -> None:
    tensor = TENSORS[kind]
    arrived = unpack(ray.get(ray.put(pack({"one": [tensor]}))))["one"][0]
    assert (arrived.dtype, arrived.shape, arrived.layout) == (tensor.dtype, tensor.shape, tensor.layout)
    assert digest([arrived.to_dense()]) == digest([tensor.to_dense()])
    whole = kind not in ("every second", "expanded", "sparse")
    assert isinstance(pack({"one": tensor})["one"], Packed) == whole
    if kind in ("transposed", "channels last"):
        assert arrived.stride() == tensor.stride()


def test_training_on_from_an_array_that_cannot_be_written_leaves_it_as_it_was(here: Path) -> None:
    session = Session(load_task("lines.py:line"), 0, 1)
    arrived = ray.get(ray.put(pack(session.state())))
    weights = arrived["model"]["0.weight"]
    assert isinstance(weights, Packed)
    assert not weights.content.flags.writeable
    before = np.array(weights.content)
    session.restore(unpack(arrived))
    with torch.no_grad():
        session.task.model[0].weight += 1
    assert np.array_equal(weights.content, before)


def test_a_stretch_in_one_process_is_what_a_stretch_on_ray_is(here: Path) -> None:
    with Store(Path("store")) as opened:
        job = prepare(study_from({"task": "lines.py:line", "steps": 8}), opened).coordinator.job(0)
        done = []
        for executor in (Local(opened.snapshots), rays.Ray(opened.snapshots)):
            executor.start(job)
            done.append(executor.wait())
            executor.close()
    assert done[0].outcome.records == done[1].outcome.records
    assert done[0].state.key == done[1].state.key
