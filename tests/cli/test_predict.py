"""`glidepath predict`, as people use it, on runs of a law with known parameters."""

import json
import re
from pathlib import Path

import pytest
from tests.logged_by_law import PEAK, PLANS, log, logs, true_loss

from glidepath.cli import main

OTHERS = {"linear": "warmup(2%) >> linear(98%)", "late": "warmup(2%) >> constant() >> one_minus_sqrt(10%)"}


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    return logs(tmp_path)


def test_predictions_hold_what_the_law_says_of_other_schedules_and_lengths(runs, capsys):
    plans = [f"{name}={plan}" for name, plan in OTHERS.items()]
    for steps in (4000, 6000):
        assert main(["predict", *plans, *runs, "--steps", str(steps), "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        for one in answer["plans"]:
            true = true_loss(OTHERS[one["name"]], steps)
            low, high = one["interval"]
            assert low < true < high
            assert one["loss"] == pytest.approx(true, rel=3e-3)
            assert one["curve"]["updates"][-1] == one["steps"] == steps
            assert one["curve"]["losses"][-1] == one["loss"]


def test_people_get_a_row_for_every_plan_and_a_figure(runs, tmp_path, capsys):
    assert main(["predict", "mine=cosine(4000)", "linear(5000)", *runs]) == 0  # each for its own length
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["plan", "steps", "last", "loss", "90%", "interval"]
    assert [line.split()[:2] for line in lines[1:3]] == [["mine", "4,000"], ["linear(5000)", "5,000"]]
    assert "noise-floor law of the loss, fitted to cosine, wsd, fall; plans are ratios of the peak 3e-4" in lines
    assert (tmp_path / "predict.png").read_bytes().startswith(b"\x89PNG")


def test_a_higher_level_is_a_wider_interval(runs, capsys):
    widths = []
    for level in ("0.5", "0.9", "0.99"):
        assert main(["predict", "cosine(100%)", *runs, "--steps", "4k", "--level", level, "--json"]) == 0
        (one,) = json.loads(capsys.readouterr().out)["plans"]
        widths.append(one["interval"][1] - one["interval"][0])
    assert widths == sorted(set(widths))


def test_of_several_peaks_the_best_is_taken_with_a_note_and_another_may_be_chosen(runs, tmp_path, capsys):
    command = ["predict", "cosine(100%)", *runs, "--run", str(log(tmp_path, "other", PLANS["fall"], peak=6e-4))]
    assert main([*command, "--steps", "4k"]) == 0
    text = capsys.readouterr().out
    assert "fitted to cosine, wsd, fall; plans are ratios of the peak 3e-4" in text
    assert "only the 3 runs with the peak 0.0003 are used, because one law does not hold across peaks" in text
    assert re.search(
        r"the lowest last loss at each peak: 0\.0003 \d\.\d+, 0\.0006 \d\.\d+; --at-peak chooses another", text
    )
    assert main([*command, "--steps", "4k", "--at-peak", "6e-4"]) == 0
    text = capsys.readouterr().out
    assert "fitted to other; plans are ratios of the peak 6e-4" in text
    assert "across peaks" not in text
    assert main([*command, "--steps", "4k", "--at-peak", "1e-3"]) == 2
    assert "no run has the peak 0.001; there are 0.0003 (3 runs), 0.0006 (1 run)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "there is no plan to predict"),
        (["cosin(100%)", "--steps", "4k"], "did you mean cosine?"),
        (["cosine(100%)"], "give it, as in --steps 10k"),
        (["3e-4 * cosine(100%)", "--steps", "4k"], "looks like a rate"),
        (["cosine(100%)", "--steps", "4k", "--level", "90"], "--level is between 0 and 1, as in 0.9, not 90"),
        (["a=cosine(9)", "a=linear(9)"], "two plans are called 'a'"),
    ],
)
def test_bad_input_is_told_without_a_traceback(arguments, message, runs, tmp_path, capsys):
    assert main(["predict", *arguments, *runs]) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert message in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "predict.png").exists()


def test_without_a_run_nothing_is_predicted(capsys):
    assert main(["predict", "cosine(100)"]) == 2
    assert "give a log, as log.csv or" in capsys.readouterr().err


def test_a_plan_of_rates_is_refused_with_what_can_be_typed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = log(tmp_path, "cosine", PLANS["cosine"])
    assert main(["predict", f"{PEAK} * cosine(4000)", "--run", str(file)]) == 2
    cures = f"the peak, {PEAK:g}: leave the factor out, or divide the schedule by the peak [GP402]"
    assert cures in capsys.readouterr().err
