"""`glidepath store`, as people use it."""

import os
import re
import shutil
import sqlite3
import sys
import time
from pathlib import Path

import pytest

from glidepath.cli import main
from glidepath.cli.store import size

LINES = Path(__file__).parents[1] / "study" / "lines.py"
COMPARE = ["compare", "lines.py:line", "--steps", "8", "--seed", "0", "--schedule", "a=constant()", "--out", "out"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder with a study in its store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("COLUMNS", "200")
    shutil.copy(LINES, tmp_path)
    assert main(COMPARE) == 0
    capsys.readouterr()
    return tmp_path


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> object:
    """What a command says, and its exit code."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["store", *arguments])
        return code, *capsys.readouterr()

    return call


def files() -> list[Path]:
    return sorted(Path(".glidepath").rglob("*.pt"))


def test_ls_tells_what_was_trained_and_the_room_it_takes(here: Path, said) -> None:
    code, told, _ = said("ls")
    assert code == 0
    header, row, _, total = told.splitlines()
    assert header.split() == ["task", "seed", "versions", "segments", "updates", "seconds", "snapshots", "bytes"]
    assert re.match(r"line +0 +Python 3\S+, torch \S+, NumPy \S+ +(\d+) +8 +\d+\.\d +\d+ +[\d.]+KB", row)
    assert f"8 updates, each stored once, {len(files())} snapshots" in total


def test_verify_finds_nothing_where_nothing_is_wrong(here: Path, said) -> None:
    assert said("verify") == (0, f"all is well: 8 updates, {len(files())} snapshots\n", "")


def test_verify_names_what_is_damaged_forgets_it_and_finds_nothing_afterwards(here: Path, said) -> None:
    damaged, missing, *_ = files()
    os.truncate(damaged, 10)
    missing.unlink()
    code, told, _ = said("verify")
    assert code == 1
    assert f"{damaged.name[:32]} has 10 bytes" in told
    assert f"{missing.name[:32]} is missing" in told
    assert "deleted 2 snapshots: trained again when needed" in told
    assert said("verify")[0] == 0
    assert main(COMPARE) == 0


def test_verify_tells_of_a_damaged_database(here: Path, said) -> None:
    with sqlite3.connect(".glidepath/store.sqlite") as base:
        base.execute("DELETE FROM updates WHERE step = 3")
    base.close()
    code, told, _ = said("verify")
    assert (code, "has not all of its updates" in told, "deleted" in told) == (1, True, False)


def test_gc_clears_away_what_is_over_the_budget_and_what_belongs_to_nothing(here: Path, said) -> None:
    before, one = len(files()), files()[0].stat().st_size
    half = files()[0].with_suffix(".1.part")
    half.write_bytes(bytes(5000))
    os.utime(half, (0, time.time() - 10_000))
    trial = said("gc", "--budget", f"{2.5 * one}B", "--dry-run")
    assert (len(files()), half.exists()) == (before, True)
    code, told, _ = said("gc", "--budget", f"{2.5 * one}B")
    assert trial == (code, told.replace("freed", "would free"), "")
    assert (code, len(files()), half.exists()) == (0, 2, False)
    assert f": {before - 2} snapshots, 1 stray file" in told
    assert said("verify")[0] == 0
    assert said("gc", "--budget", "1GB")[1] == "freed 0B: 0 snapshots, 0 stray files\n"


def test_curves_survive_gc(here: Path, said) -> None:
    before = Path("out/curves.csv").read_bytes()
    said("gc", "--budget", "0")
    assert files() == []
    assert main([*COMPARE, "--schedule", "b=step(every=5, factor=0.1)"]) == 0
    after = Path("out/curves.csv").read_text()
    assert all(line in after for line in before.decode().splitlines())


@pytest.mark.parametrize("command", ["ls", "gc", "verify"])
def test_looking_at_no_store_makes_none(here: Path, said, command: str) -> None:
    assert said(command, "--store", "elsewhere") == (
        2,
        "",
        "glidepath: there is no store in elsewhere: name its folder, --store [GP303]\n",
    )
    assert not Path("elsewhere").exists()


@pytest.mark.parametrize("text", ["", "much", "-5", "2 parsecs", "nan", "1e999"])
def test_a_budget_that_is_no_size_is_refused(here: Path, said, text: str) -> None:
    code, _, told = said("gc", f"--budget={text}")
    assert (code, f"{text!r} is not a size" in told) == (2, True)


@pytest.mark.parametrize(
    ("text", "count"), [("0", 0), ("12", 12), ("1kB", 1000), ("1KiB", 1024), ("1.5 GB", 1_500_000_000)]
)
def test_sizes_are_read_as_people_write_them(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize("command", ["ls", "gc", "verify"])
def test_the_help_of_every_command_has_an_example(said, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"Example: glidepath store {command}" in said(command, "--help")[1]


def test_without_a_command_there_is_help(said) -> None:
    code, told, _ = said()
    assert code == 0
    assert all(name in told for name in ("ls", "gc", "verify"))
