"""A folder gives the runs that are in it, and names the rest; nothing outside of it is read."""

import json
import os
import shutil
import warnings
from pathlib import Path

import pytest

import glidepath as gp
from glidepath import logs
from glidepath.errors import RunError
from glidepath.logs import files

DATA = Path(__file__).with_name("data")
GOOD = "step,lr,loss\n0,0.1,\n1,0.2,3.5\n2,,3.25\n3,0.1,3.0\n"


def truth(folder: Path) -> dict:
    return json.loads((folder / "truth.json").read_text())


def state(folder: Path, loss: float = 3.0) -> None:
    folder.mkdir(parents=True)
    rows = [{"step": k, "loss": loss - k / 9, "learning_rate": 0.1} for k in range(1, 6)]
    (folder / "trainer_state.json").write_text(json.dumps({"log_history": rows}))


def test_a_dead_run_and_a_damaged_log_are_left_out_and_named(tmp_path):
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "b.csv").write_text("step,lr,loss\n0,0.1,\n1,0.1,3\n")
    (tmp_path / "c.csv").write_bytes(b"\x80pickle")
    with pytest.warns(gp.GlidepathWarning, match="2 logs left out") as caught:
        assert [run.name for run in logs.read(tmp_path)] == ["a"]
    assert len(caught) == 1
    assert str(caught[0].message).count("one loss after an update") == 1
    assert "c.csv is a pickle" in str(caught[0].message)
    assert caught[0].message.code == "GP403"
    assert caught[0].filename == __file__


def test_where_nothing_can_be_read_every_reason_is_named(tmp_path):
    for name, content in {"a": "x", "b": "step,lr,loss\n0,0.1,x\n"}.items():
        (tmp_path / f"{name}.csv").write_text(content)
    with pytest.raises(RunError, match=r"none of 2 logs can be read: .*a\.csv.*; .*b\.csv:2: loss is 'x'"):
        logs.read(tmp_path)


def test_a_run_that_was_chosen_by_name_is_not_left_out(tmp_path):
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "b.csv").write_text("step,lr,loss\n0,0.1,\n1,0.1,3\n")
    with pytest.raises(RunError, match="one loss after an update"):
        logs.read(tmp_path, only=["b"])


def test_the_settings_of_accelerate_do_not_refuse_its_run(tmp_path):
    shutil.copytree(DATA / "accelerate" / "lines", tmp_path / "lines")
    with pytest.warns(gp.GlidepathWarning, match=r"1 log left out .*1767225600\.0 holds no numbers"):
        (run,) = logs.read(tmp_path, count="index of the update")
    assert run.name == "lines"


@pytest.mark.parametrize("top", ["", "lightning_logs"])
def test_the_versions_of_lightning_are_found_from_above(top):
    folder = DATA / "lightning" / "step"
    (rates,) = logs.rates(folder / top)
    assert rates.name == "version_0"
    assert rates.rates == pytest.approx([truth(folder)["rates"][k] for k in rates.steps])


def test_every_state_below_a_folder_is_a_run(tmp_path):
    state(tmp_path / "b")
    state(tmp_path / "a" / "checkpoint-9")
    state(tmp_path / "a" / "checkpoint-10")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.csv").write_text("text,label\na,b\n")
    assert [run.name for run in logs.read(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize("writer", ["torch", "torch_every_4", "tensorboardx"])
def test_what_add_scalars_wrote_belongs_to_the_run_above(writer):
    folder = DATA / "tensorboard" / writer
    (run,) = logs.read(folder, columns={"rate": "lr/head"}, count="index of the update", between="held")
    (rates,) = logs.rates(folder, columns={"rate": "lr/head"}, count="index of the update")
    assert run.name == "run"
    assert rates.rates == pytest.approx([truth(folder)["rates"][k] for k in rates.steps], rel=1e-6)


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    state(outside / "a")
    (outside / "b.csv").write_text(GOOD)
    inside.mkdir()
    (inside / "a").symlink_to(outside / "a")
    (inside / "b.csv").symlink_to(outside / "b.csv")
    (inside / "checkpoint-1").symlink_to(outside / "a")
    with pytest.raises(RunError, match="holds no logs"):
        logs.read(inside)
    (inside / "c.csv").write_text(GOOD)
    assert [run.name for run in logs.read(inside)] == ["c"]


def test_a_folder_of_links_to_its_own_files_is_read(tmp_path):
    (tmp_path / "real").write_text(GOOD)
    (tmp_path / "a.csv").symlink_to(tmp_path / "real")
    assert [run.name for run in logs.read(tmp_path)] == ["a"]


def test_folders_and_files_are_bounded(tmp_path, monkeypatch):
    for name in "abc":
        state(tmp_path / name)
    monkeypatch.setattr(files, "MOST_FOLDERS", 3)
    with pytest.raises(RunError, match="more than 3 folders below it"):
        logs.read(tmp_path)
    monkeypatch.setattr(files, "MOST_FOLDERS", 30)
    monkeypatch.setattr(files, "MOST_FILES", 2)
    with pytest.raises(RunError, match="more than 2 logs"):
        logs.read(tmp_path)


def test_a_loop_of_links_ends(tmp_path):
    state(tmp_path / "a" / "b")
    os.symlink(tmp_path, tmp_path / "a" / "again")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [run.name for run in logs.read(tmp_path)] == ["b"]
