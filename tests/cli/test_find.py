"""`glidepath find`, as people use it."""

import json
from pathlib import Path

import pytest

from glidepath.cli import main

SWEEP = ["find", "digits", "--updates", "150", "--low", "1e-5"]

TASK = """
import torch
from glidepath.tasks import Task

def flat(seed):
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    def update(step):
        optimizer.step()
        return 2.0 + torch.rand(())
    return Task(model, optimizer, update=update, evaluate=lambda model: 0.0)

def broken(seed):
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return Task(model, optimizer, lambda step: {}["batch"], lambda model, batch: 0, lambda model: 0.0)
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("task.py").write_text(TASK)


def test_people_get_a_table_and_a_figure(capsys):
    assert main(SWEEP) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in ("steepest", "valley", "minimum/10", "slide", "9 in 10 resamples"))
    assert told.splitlines()[-1] == "wrote range_test.png"
    assert Path("range_test.png").read_bytes().startswith(b"\x89PNG")


def test_programs_get_one_object_and_the_same_numbers_every_time(capsys):
    answers = []
    for _ in range(2):
        assert main([*SWEEP, "--json", "-o", "found.svg"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    first, second = answers
    assert first == second
    steepest = first["suggestions"]["steepest"]
    assert 0.01 < steepest["low"] <= steepest["rate"] <= steepest["high"] < 1
    assert len(first["rates"]) == len(first["losses"])
    assert "<svg" in Path("found.svg").read_text()


def test_a_sweep_that_tells_nothing_says_so_and_exits_with_1(capsys):
    assert main(["find", "task.py:flat", "--updates", "40"]) == 1
    assert "do not trust these: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["find", "digit"], "did you mean digits?"),
        (["find", "digits", "--updates", "5"], "updates"),
        (["find", "digits", "--low", "1", "--high", "0.1"], "rises from low to high"),
        (["find", "digits", "-o", "found.jpeg"], "must end in one of"),
        (["find", "task.py:broken"], "failed while sweeping its rate: KeyError"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(arguments, said, capsys):
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert not list(Path().glob("*.png"))
