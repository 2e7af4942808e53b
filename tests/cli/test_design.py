"""`glidepath design`, as people use it, on runs of a law with known parameters."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.logged_by_law import LAW, PEAK, PLANS, log, logs, true_loss

from glidepath import parse
from glidepath.cli import main


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    return logs(tmp_path)


def test_the_first_line_is_a_plan_that_every_other_command_takes(runs, tmp_path, capsys):
    assert main(["design", *runs, "--steps", "4k", "--warmup", "5%"]) == 0
    lines = capsys.readouterr().out.splitlines()
    plan = parse(lines[0])
    assert (repr(plan), plan.duration) == (lines[0], 4000)
    assert plan(199) == 1.0
    assert lines[2].startswith("last loss: ")
    assert lines[3].startswith("nearest with a name: ")
    assert "the plan is a ratio of the peak 3e-4" in "\n".join(lines)
    for command in (["show", lines[0]], ["plot", lines[0]], ["predict", lines[0], *runs]):
        assert main(command) == 0
    assert (tmp_path / "design.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("law", [[], ["--law", "noise-floor"]])
def test_it_is_at_least_as_good_as_what_has_a_name(law, runs, capsys):
    assert main(["design", *runs, "--steps", "4k", *law, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    true = true_loss(answer["plan"])
    low, high = answer["interval"]
    assert low < true < high
    assert true < true_loss("warmup(2%) >> cosine(98%)")
    assert true < true_loss(answer["nearest"]["plan"]) + 1e-3 * true
    assert answer["nearest"]["cost"] == pytest.approx(answer["nearest"]["loss"] - answer["loss"])
    assert len(answer["by_law"]) == (1 if law else 3)


def test_after_a_run_that_is_half_done_the_plan_is_what_is_still_to_come(runs, tmp_path, capsys):
    half = log(tmp_path, "half", "warmup(80) >> constant()")
    assert main(["design", *runs, "--steps", "2k", "--after", str(half), "--law", "noise-floor", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    plan = parse(answer["plan"])
    assert plan.duration == answer["steps"] == 2000
    assert plan(0) > 0.9  # no warmup after a run
    assert "follows the 4,000 updates of half; its step 0 is the next one" in answer["notes"]
    before = np.minimum(1, np.arange(1, 4001) / 80)
    falls = [np.concatenate([before, one(np.arange(2000))]) for one in (plan, parse("linear(2000)"))]
    designed, linear = (LAW.final_loss(PEAK * one) for one in falls)
    assert designed < linear + 1e-4


def test_of_several_peaks_the_best_is_taken_with_a_note_and_another_may_be_chosen(runs, tmp_path, capsys):
    command = ["design", *runs, "--run", str(log(tmp_path, "other", PLANS["fall"], peak=6e-4)), "--steps", "4k"]
    assert main([*command, "--law", "noise-floor", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["peak"] == pytest.approx(3e-4)
    assert any(note.endswith("; --at-peak chooses another") for note in answer["notes"])
    assert main([*command, "--at-peak", "6e-4", "--law", "noise-floor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["peak"] == pytest.approx(6e-4)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "the length of the planned run is missing: give it, as in --steps 24k"),
        (["--steps", "4k", "--warmup", "4000"], "leaves nothing to design"),
        (["--steps", "4k", "--after", "absent.csv"], "absent.csv"),
        (["--steps", "4k", "--after", "."], "--after is one run, and . has 3"),
        (["--steps", "4k", "--law", "chinchilla"], "chinchilla"),
    ],
)
def test_bad_input_is_told_without_a_traceback(arguments, message, runs, tmp_path, capsys):
    assert main(["design", *arguments, *runs]) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert message in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "design.png").exists()
