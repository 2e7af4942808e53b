"""`glidepath convert script.py:name` on a script that reads its command line."""

import sys

import pytest

from glidepath.cli import main

SCRIPT = """
import argparse, sys
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, {options})
arguments = parser.parse_args()
program = sys.argv[0]
optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, arguments.epochs)

def late():
    again = parser.parse_args()
    assert sys.argv[0] == program
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, again.epochs)
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(options="default=90", name="main.py"):
        (tmp_path / name).write_text(SCRIPT.format(options=options))
        return name

    return write


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["glidepath", *arguments])
    return main()


@pytest.mark.parametrize("name", ["scheduler", "late"])
@pytest.mark.parametrize("options", [[], ["--to", "torch"], ["-o", "plan.txt"]])
def test_a_script_sees_none_of_our_arguments(script, monkeypatch, capsys, tmp_path, name, options):
    assert run(monkeypatch, "convert", f"{script()}:{name}", *options) in (0, None)
    text = (tmp_path / "plan.txt").read_text() if "-o" in options else capsys.readouterr().out
    assert "90" in text
    assert sys.argv == ["glidepath", "convert", f"main.py:{name}", *options]


@pytest.mark.parametrize("name", ["scheduler", "late"])
def test_a_script_sees_what_stands_after_two_dashes(script, monkeypatch, capsys, name):
    assert run(monkeypatch, "convert", f"{script()}:{name}", "--", "--epochs", "30") in (0, None)
    assert "cosine(30" in capsys.readouterr().out
    assert run(monkeypatch, "convert", f"main.py:{name}", "--to", "torch", "--", "--epochs", "30") in (0, None)
    assert "30" in capsys.readouterr().out


def test_a_script_that_lacks_an_argument_is_told_where_to_write_it(script, monkeypatch, capsys):
    assert run(monkeypatch, "convert", f"{script('required=True')}:scheduler") == 2
    assert "write the arguments that it needs after --, as in glidepath convert main.py:name" in capsys.readouterr().err


def test_arguments_without_a_script_are_refused(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "args.json").write_text("{}")
    assert run(monkeypatch, "convert", "cosine(9)", "--to", "torch", "--", "--epochs", "30") == 2
    assert "a plan takes no arguments" in capsys.readouterr().err
    assert run(monkeypatch, "convert", "args.json", "--", "--epochs", "30") == 2
    assert "it takes no arguments" in capsys.readouterr().err


def test_the_help_says_that_the_file_is_run(monkeypatch, capsys):
    run(monkeypatch, "convert", "--help")
    assert "the file is run for it" in " ".join(capsys.readouterr().out.split())
