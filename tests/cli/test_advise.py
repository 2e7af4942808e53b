"""`glidepath advise`, as people use it, on runs of a law with known parameters."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.logged_by_law import PLANS, log, logs, study, true_loss

from glidepath import parse
from glidepath.cli import main


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    return logs(tmp_path)


def test_people_get_a_ranking_a_cooldown_and_the_next_run(runs, tmp_path, capsys):
    assert main(["advise", *runs, "--steps", "6k"]) == 0
    told = capsys.readouterr().out
    lines = told.splitlines()
    assert lines[0].split() == ["schedule", "last", "loss", "90%", "interval", "to", "the", "best", "verdict"]
    assert "schedule         noise-floor  multi-power  convex-kernel" in lines
    assert "★ best" in lines[1]
    assert {"cosine", "linear", "WSD, linear 20%"} <= {line[:16].rstrip() for line in lines[1:8]}
    for beginning in ("best: warmup(120) >> ", "cooldown: in a straight line to 0 over ", "to make next: "):
        assert any(line.startswith(beginning) for line in lines)
    assert "the usual" in told
    assert "schedules are ratios of the peak 3e-4" in told
    assert (tmp_path / "advise.png").read_bytes().startswith(b"\x89PNG")


def test_the_ranking_is_the_laws_and_every_plan_in_it_can_be_read_again(runs, capsys):
    assert main(["advise", *runs, "--steps", "6k", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    true = {one["name"]: true_loss(one["plan"], 6000) for one in answer["ranking"]}
    assert len(true) == 7
    best = answer["ranking"][0]
    assert true[best["name"]] <= min(true.values()) + answer["margin"]
    assert max(true, key=true.__getitem__) == answer["ranking"][-1]["name"]
    assert [one["behind"] for one in answer["ranking"]] == sorted(one["behind"] for one in answer["ranking"])
    assert {one["verdict"] for one in answer["ranking"]} <= {"best", "tie", "worse"}
    assert answer["next"]["std_after"] < answer["next"]["std_now"]
    assert parse(answer["next"]["plan"]).duration == answer["next"]["steps"]


def test_candidates_may_be_given(runs, capsys):
    given = ["--schedule", "mine=warmup(2%) >> linear(98%)", "--schedule", "fixed=constant()"]
    assert main(["advise", *runs, "--steps", "4k", *given, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in answer["ranking"]] == ["mine", "fixed"]
    assert answer["ranking"][1]["verdict"] == "worse"


def test_noise_decides_what_a_tie_is(runs, capsys):
    verdicts = {}
    for noise in ("1e-9", "9"):
        assert main(["advise", *runs, "--steps", "4k", "--noise", noise, "--json"]) == 0
        verdicts[noise] = [one["verdict"] for one in json.loads(capsys.readouterr().out)["ranking"]]
    assert verdicts == {"1e-9": ["best", *["worse"] * 6], "9": ["best", *["tie"] * 6]}


def test_the_seeds_of_a_study_are_averaged_and_say_what_a_tie_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    study(tmp_path / "results")
    assert main(["advise", "--run", "results", "--steps", "4k", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["margin"] == pytest.approx(2 * 0.01 * np.sqrt(2 / 3), rel=1e-3)  # seeds lie 0.01 apart
    notes = "\n".join(answer["notes"])
    assert "results: validation_loss, by which the study ranks; --metric loss reads the training loss" in notes
    assert "6 runs averaged to 2: each the mean of 3 with the same rates" in notes
    assert "twice the standard error between the seeds of two runs" in notes


def test_one_schedule_of_a_study_may_be_chosen(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    study(tmp_path / "results", seeds=2)
    command = ["advise", "--run", "results", "--steps", "4k", "--schedule", "a=cosine(100%)", "--only"]
    assert main([*command, "wsd"]) == 0
    assert "fitted to wsd; schedules are ratios" in capsys.readouterr().out
    assert main([*command, "wds"]) == 2
    assert "no run is called 'wds'; there are cosine, wsd" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "the length of the planned run is missing: give it, as in --steps 50k"),
        (["--steps", "4k", "--warmup", "100%"], "a warmup of 4,000 updates leaves nothing of a run of 4,000"),
        (["--steps", "4k", "--warmup", "soon"], "soon"),
        (["--steps", "4k", "--schedule", "a=cosin(9)"], "did you mean cosine?"),
        (["--steps", "20M"], "are these tokens?"),
    ],
)
def test_bad_input_is_told_without_a_traceback(arguments, message, runs, tmp_path, capsys):
    assert main(["advise", *arguments, *runs]) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert message in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "advise.png").exists()


def test_of_several_peaks_the_best_is_taken_with_a_note(runs, tmp_path, capsys):
    other = log(tmp_path, "other", PLANS["fall"], peak=6e-4)
    assert main(["advise", *runs, "--run", str(other), "--steps", "4k", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["peak"] == pytest.approx(3e-4)
    assert any(note.startswith("only the 3 runs with the peak 0.0003 are used") for note in answer["notes"])
    assert any(note.endswith("; --at-peak chooses another") for note in answer["notes"])


# --- without a run ---


def test_without_a_run_convex_theory_ranks(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["advise", "--steps", "2000", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    bounds = {row["name"]: row["bound"] for row in answer["ranking"]}
    assert list(bounds.values()) == sorted(bounds.values())
    assert min(bounds.values()) == 1
    assert bounds["linear"] < bounds["cosine to 10%"]  # theory's own best is the linear decay
    assert answer["ranking"][0]["peak"] == pytest.approx(1)
    assert main(["advise", "--steps", "2000", "--schedule", "a=linear(100%)", "--schedule", "b=constant()"]) == 0
    out = capsys.readouterr().out
    assert out.index("a ") < out.index("b ")
    assert "knows nothing of your model" in out
    assert list(tmp_path.iterdir()) == []


def test_without_a_run_a_schedule_that_stands_still_is_told(capsys):
    assert main(["advise", "--steps", "2000", "--schedule", "short=cosine(1000)"]) == 2
    assert "nothing is bounded that ends at 0" in capsys.readouterr().err
