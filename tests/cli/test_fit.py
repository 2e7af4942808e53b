"""`glidepath fit`, as people use it, on runs of a law with known parameters."""

import json
from pathlib import Path

import pytest
from tests.logged_by_law import LAW, NOISE, PEAK, PLANS, log

from glidepath.cli import main
from glidepath.law import LAWS
from glidepath.law.fitting.parameters import MEANINGS


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    return [str(log(tmp_path, name, plan, seed=i)) for i, (name, plan) in enumerate(PLANS.items())]


def test_a_fit_finds_the_parameters_within_some_standard_errors(runs, capsys):
    assert main(["fit", *runs, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    (one,) = answer["fits"]
    assert one["peak"] == pytest.approx(PEAK)
    true = LAW.parameters
    for name, parameter in one["parameters"].items():
        assert abs(parameter["value"] - getattr(true, name)) <= 3 * parameter["standard_error"], name
    assert one["residual_std"] == pytest.approx(NOISE, rel=0.3)
    assert [run["name"] for run in one["runs"]] == list(PLANS)
    assert Path(answer["figure"]).read_bytes().startswith(b"\x89PNG")


def test_people_get_two_tables_and_a_figure(runs, tmp_path, capsys):
    assert main(["fit", *runs, "-o", "mine.svg"]) == 0
    told = capsys.readouterr().out
    assert "noise-floor law of the loss, peak 3e-4, 3 runs" in told
    assert "loss that no training removes" in told
    assert "typical misfit" in told
    assert told.splitlines()[-1] == "wrote mine.svg"
    assert "<svg" in (tmp_path / "mine.svg").read_text()


@pytest.mark.parametrize("law", LAWS)
def test_every_law_has_a_name_and_meanings(law, runs, capsys):
    assert main(["fit", *runs, "--law", law, "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["fits"]
    assert list(one["parameters"]) == [free.name for free in LAWS[law].FREE]
    assert set(one["parameters"]) <= set(MEANINGS)


def test_each_peak_has_a_fit_of_its_own_unless_one_is_asked_for(runs, tmp_path, capsys):
    other = log(tmp_path, "other", PLANS["wsd"], peak=6e-4)
    assert main(["fit", *runs, str(other), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [one["peak"] for one in answer["fits"]] == pytest.approx([3e-4, 6e-4])
    assert "these runs have 2 peaks, and one law does not hold across peaks: each has its own" in answer["notes"]
    assert main(["fit", *runs, str(other), "--across-peaks", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [one["peak"] for one in answer["fits"]] == pytest.approx([6e-4])
    assert answer["notes"][0].endswith("this one is not accurate")


def test_what_was_assumed_of_a_run_is_told(runs, tmp_path, capsys):
    lines = (tmp_path / "wsd.csv").read_text().splitlines()
    (tmp_path / "late.csv").write_text("\n".join([lines[0], *lines[6:]]))
    assert main(["fit", "late.csv"]) == 0
    assert "late: assumed a linear warmup over the first 100 updates" in capsys.readouterr().out
    assert main(["fit", "late.csv", "--run-warmup", "80"]) == 0
    assert "assumed" not in capsys.readouterr().out


def test_seeds_of_one_schedule_are_averaged(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for seed in range(3):
        log(tmp_path, f"wsd_s{seed}", PLANS["wsd"], seed=seed)
    assert main(["fit", "."]) == 0
    told = capsys.readouterr().out
    assert "wsd_s: the mean of 3 runs with the very same rates" in told
    assert "peak 3e-4, 1 run;" in told


def test_columns_may_have_other_names(runs, tmp_path, capsys):
    text = (tmp_path / "wsd.csv").read_text().replace("step,lr,loss", "it,eta,nll")
    (tmp_path / "odd.csv").write_text(text)
    assert main(["fit", "odd.csv"]) == 2
    assert "--column step=..." in capsys.readouterr().err
    assert main(["fit", "odd.csv", "--column", "step=it", "--column", "rate=eta", "--column", "loss=nll"]) == 0


def test_a_log_without_rates_needs_the_plan_and_the_peak(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    log(tmp_path, "bare", PLANS["wsd"], rates=False)
    assert main(["fit", "bare.csv"]) == 2
    assert "give the schedule of the run, --run-plan and --run-peak" in capsys.readouterr().err
    plan = "warmup(2%) >> constant() >> linear(20%)"
    assert main(["fit", "bare.csv", "--run-plan", plan, "--run-peak", "3e-4", "--run-steps", "4k", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["fits"]
    assert one["parameters"]["limit"]["value"] == pytest.approx(LAW.limit, abs=0.15)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "there is no run to learn from"),
        (["absent.csv"], "absent.csv"),
        (["cosine.csv", "-o", "fit.gif"], "must end in one of .png, .svg, .pdf"),
        (["cosine.csv", "--column", "loss"], "--column says what a column is called, as in loss=val_loss, not 'loss'"),
        (["cosine.csv", "--only", "wsd"], "no run is called 'wsd'; there are cosine"),
        (["cosine.csv", "--metric", "validation_loss"], "leave --metric out"),
        (["level.csv"], "the rate never falls in level"),
        (["cosine.csv", "--law", "chinchilla"], "chinchilla"),
        (["cosine.csv", "--run-peak", "0.1"], "--run-peak and --run-steps belong to a plan: give --run-plan too"),
    ],
)
def test_bad_input_is_told_without_a_traceback(arguments, message, runs, tmp_path, capsys):
    log(tmp_path, "level", "warmup(80) >> constant()")
    assert main(["fit", *arguments]) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert message in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "fit.png").exists()


def test_a_loss_that_rises_again_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = log(tmp_path, "cosine", PLANS["cosine"])
    rows = [line.split(",") for line in file.read_text().splitlines()]
    for row in rows[1:]:
        if row[2] and int(row[0]) > 3000:
            row[2] = f"{float(row[2]) * (1 + 2e-4 * (int(row[0]) - 3000)):.6f}"
    file.write_text("\n".join(",".join(row) for row in rows) + "\n")
    assert main(["fit", str(file)]) == 0
    assert "below the run" in capsys.readouterr().out
