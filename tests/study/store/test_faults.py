"""Whatever happens to the files of a store, every curve is that of a store of its own, or there is a clear error."""

import os
import pickle
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from apart import line, mounted, started
from leading import led

from glidepath.errors import SnapshotError, StoreError
from glidepath.study.store import Snapshots, Store, StoredSnapshot
from glidepath.study.store.inspect import find_problems
from glidepath.study.store.snapshots import YOUNG

ONE = {"trunk": "warmup(8) >> constant(12)"}
MORE = ONE | {
    "soon": "warmup(8) >> constant(1) >> linear(11)",
    "late": "warmup(8) >> constant(9) >> linear(3)",
    "other": "cosine(20)",
    "plateau": "plateau(factor=0.5, patience=1, threshold=0.5)",
}
STORE = ".glidepath"
GRID = 2  # updates between snapshots in runs of 20


def truncated(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def emptied(file: Path) -> None:
    os.truncate(file, 0)


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[random.Random(0).randrange(len(content))] ^= 1
    file.write_bytes(content)


def another(file: Path) -> None:
    """The whole, sound snapshot of another state of the same size."""
    others = (
        other
        for other in file.parents[1].rglob("*.pt")
        if other != file and other.stat().st_size == file.stat().st_size
    )
    file.write_bytes(next(others).read_bytes())


DAMAGE = [truncated, emptied, flipped, another, Path.unlink]


def files(store: str = STORE) -> list[Path]:
    return sorted(Path(store).rglob("*.pt"))


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damaged_snapshots_are_told_and_trained_again(here: Path, damage: Callable[[Path], None]) -> None:
    led(schedules=ONE)
    for file in files():
        damage(file)
    found = led(schedules=MORE)
    assert found.curves == led("alone", schedules=MORE).curves
    assert found.warnings
    assert all(
        "trained again" in told and ("missing" in told or "damaged" in told or "bytes" in told)
        for told in found.warnings
    )
    assert led(schedules=MORE).trained == 0


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_one_damaged_snapshot_costs_no_more_than_the_way_from_the_one_before(
    here: Path, damage: Callable[[Path], None]
) -> None:
    led(schedules=ONE, seeds=[0])
    with Store(Path(STORE)) as store:
        steps = dict(store.query("SELECT state, step FROM snapshots"))
        at = {steps[one.key]: store.snapshots.file(one) for one in store.all_snapshots()}
    before, last = sorted(step for step in at if step <= 18)[-2:]
    damage(at[last])
    late = {"late": MORE["late"]}
    found = led(schedules=late, seeds=[0])
    assert found.curves == led("alone", schedules=late, seeds=[0]).curves
    assert (len(found.warnings), found.trained) == (1, 20 - before)


def test_what_is_damaged_is_found_and_forgotten(here: Path) -> None:
    led(schedules=ONE)
    for file, damage in zip(files(), DAMAGE, strict=False):
        damage(file)
    with Store(Path(STORE)) as store:
        wrong = find_problems(store)
        assert (len(wrong.snapshots), wrong.database, wrong.strays) == (len(DAMAGE), (), ())
        store.delete_snapshots(wrong.snapshots)
        assert find_problems(store).lines == []
    assert len(files()) == len(led("alone", schedules=ONE).segments) - len(DAMAGE)


def test_lost_updates_are_found(here: Path) -> None:
    led(schedules=ONE, seeds=[0])
    with Store(Path(STORE)) as store:
        store.query("DELETE FROM updates WHERE step = 7")
        store.query("UPDATE segments SET rows = x'00' WHERE start <= 12 AND stop > 12")
        assert [line.split(" has ")[1] for line in find_problems(store).lines] == [
            "not all of its updates",
            "lost what its updates received",
        ]


def test_half_written_files_are_never_used_and_can_be_cleared_away(here: Path) -> None:
    led(schedules=ONE)
    whole = files()[0]
    half = whole.with_suffix(".0123.part")
    half.write_bytes(whole.read_bytes()[:100])
    unknown = whole.with_name("0" * 32 + "-0.pt")
    unknown.write_bytes(whole.read_bytes())
    assert led(schedules=MORE).curves == led("alone", schedules=MORE).curves
    with Store(Path(STORE)) as store:
        assert store.strays() == []  # another process may be about to note them
        for file in (half, unknown):
            os.utime(file, (time.time(), time.time() - YOUNG - 1))
        assert set(store.strays()) == {half, unknown}


# --- one snapshot ---


def test_a_state_is_read_bit_for_bit_arrays_and_all(tmp_path: Path) -> None:
    state = {
        "tensor": torch.tensor([float("nan"), -0.0, 1e-45]),
        "half": torch.ones(3, dtype=torch.bfloat16),
        "array": np.arange(6, dtype="i4").reshape(2, 3),
        "number": np.float32(0.1),
        "generator": np.random.default_rng(0).bit_generator.state,
        "plain": [1, (2.5, "three"), None, {4: True}],
    }
    snapshots = Snapshots(tmp_path)
    found = snapshots.read(snapshots.write("key", state))
    assert found["tensor"].view(torch.int32).tolist() == state["tensor"].view(torch.int32).tolist()  # type: ignore[attr-defined]
    assert torch.equal(found["half"], state["half"])  # type: ignore[arg-type]
    assert (found["array"] == state["array"]).all()
    assert found["array"].dtype == "i4"
    assert [found[name] for name in ("number", "generator", "plain")] == [
        state[name] for name in ("number", "generator", "plain")
    ]


class Hostile:
    def __reduce__(self) -> object:
        return os.mkdir, ("hacked",)


def test_reading_a_snapshot_runs_nothing(here: Path) -> None:
    snapshots = Snapshots(here)
    saved = snapshots.write("key", {"state": Hostile()})
    with pytest.raises(pickle.UnpicklingError):
        snapshots.read(saved)
    assert not Path("hacked").exists()


def test_a_snapshot_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "ke").write_text("in the way")
    with pytest.raises(
        StoreError, match=r"a snapshot of [\d,]+ bytes cannot be written in .*What was kept before stays"
    ):
        Snapshots(tmp_path).write("key", {})
    assert [file.name for file in tmp_path.iterdir()] == ["ke"]


def test_two_writers_of_one_state_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Files of equal states may differ: it matters whether two equal texts in them are one."""
    with Store(tmp_path) as one, Store(tmp_path) as other:
        first, second = one.snapshots.write("key", {"a": 1}), other.snapshots.write("key", {"a": 1.0})
        assert one.add_snapshot(first, "p", 3, "b") == first
        assert other.add_snapshot(second, "p", 3, "b") == first
        assert one.snapshots.read(first) == {"a": 1}
        with pytest.raises(SnapshotError, match="missing"):
            other.snapshots.read(second)
        other.delete_snapshots([second])
        one.snapshots.check(first)
        assert other.snapshots_of("p") == {"key": (3, first)}


def test_a_wrong_digest_is_told_from_a_wrong_size(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path)
    saved = snapshots.write("key", {"a": 1})
    flipped(snapshots.file(saved))
    with pytest.raises(SnapshotError, match="damaged"):
        snapshots.check(saved)
    with pytest.raises(SnapshotError, match="missing"):
        snapshots.check(StoredSnapshot("none", saved.digest, saved.bytes))


# --- a full disk ---

LEAD = """
import sys
try:
    print(led("kept", steps=20).trained, [curve.records[-1].loss for curve in led("kept", steps=20).curves])
except StoreError as error:
    with Store(Path("kept")) as store:
        print(store.counts()["updates"], error)
"""


@pytest.mark.parametrize("room", ["200k", "700k"])
def test_a_full_disk_is_told_and_nothing_is_lost(here: Path, room: str) -> None:
    """The study goes on with what it had when there is room again; one stretch may have lost its snapshot."""
    Path("kept").mkdir()
    alone = led("alone", steps=20)
    told = mounted(
        f"mount -t tmpfs -o size={room} tmpfs kept", line(LEAD), "mount -o remount,size=64m kept", line(LEAD)
    )
    first, second = told.splitlines()
    had, _, error = first.partition(" ")
    assert "What was kept before stays" in error
    trained, _, losses = second.partition(" ")
    assert losses == str([curve.records[-1].loss for curve in alone.curves])
    assert alone.trained - int(had) <= int(trained) <= alone.trained - int(had) + GRID


# --- several leaders ---

RACE = """
import sys
from schedules import STUDIES
done = led("kept", schedules=STUDIES[sys.argv[1]])
print([[(record.step, record.loss, dict(record.metrics)) for record in curve.records] for curve in done.curves])
"""


@pytest.mark.parametrize("studies", [("one", "one"), ("one", "other")])
def test_several_leaders_at_once_finish_with_the_curves_of_one_alone(here: Path, studies: tuple[str, ...]) -> None:
    trunk = "warmup(5) >> constant(7) >>"
    described = {
        "one": {"a": f"{trunk} linear(8)", "p": "plateau(factor=0.5, patience=1, threshold=0.5)"},
        "other": {"b": f"{trunk} cosine(8)", "c": f"{trunk} constant(8)"},
    }
    Path("schedules.py").write_text(f"STUDIES = {described}")
    leaders = [started(RACE, name) for name in studies]
    for name, leader in zip(studies, leaders, strict=True):
        told, wrong = leader.communicate(timeout=120)
        assert leader.returncode == 0, wrong
        alone = led(f"alone {name}", schedules=described[name])
        assert told.strip() == str(
            [[(record.step, record.loss, dict(record.metrics)) for record in curve.records] for curve in alone.curves]
        )
    together = {name: text for study in studies for name, text in described[study].items()}
    with Store(Path("kept")) as store, Store(Path("once")) as once:
        assert find_problems(store).lines == []
        led("once", schedules=together)
        assert store.counts()["updates"] == once.counts()["updates"]


def test_arrays_are_read_though_somebody_has_cleared_what_pytorch_may_load(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path)
    saved = snapshots.write("key", {"array": np.arange(3.0)})
    before = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    try:
        assert snapshots.read(saved)["array"].tolist() == [0.0, 1.0, 2.0]
    finally:
        torch.serialization.add_safe_globals(before)
