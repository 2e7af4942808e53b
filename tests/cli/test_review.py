"""`glidepath review --run`: whether a run followed its plan, as people ask it."""

from pathlib import Path

import pytest

import glidepath as gp
from glidepath.cli import main
from glidepath.runs.deviation import Rates

TEXT = "warmup(5%) >> cosine(95%, to=0.1)"
PLAN = gp.parse(TEXT).over(200)


def log(folder: Path, walk, *, name: str = "log.csv", header: str = "step,lr,loss") -> str:
    rows = [f"{k},{0.1 * PLAN(walk(k))!r},{3 - k / 100}" for k in range(0, 200, 5)]
    (folder / name).write_text("\n".join([header, *rows]))
    return str(folder / name)


def test_a_run_that_followed_its_plan_is_clean(tmp_path, capsys):
    assert main(["review", TEXT, "--steps", "200", "--run", log(tmp_path, lambda k: k), "--run-peak", "0.1"]) == 0
    assert capsys.readouterr().out == "log: every logged rate is the plan's, 40 of them\n"


def test_a_run_that_parted_from_its_plan_is_a_finding_with_the_cause(tmp_path, capsys):
    good, bad = log(tmp_path, lambda k: k), log(tmp_path, lambda k: 4 * k, name="fast.csv")
    assert main(["review", TEXT, "--steps", "200", "--run", good, "--run", bad, "--run-peak", "0.1"]) == 1
    one, two = capsys.readouterr().out.splitlines()
    assert one.startswith("log: every logged rate is the plan's")
    assert two.startswith("fast: step 5: the rate is 0.0993")
    assert "4 times too fast" in two
    assert two.endswith("[GP810 deviation]")


def test_a_peak_that_is_not_given_is_taken_from_the_log_and_told(tmp_path, capsys):
    file = log(tmp_path, lambda k: k if k < 100 else k - 100)
    assert main(["review", TEXT, "--steps", "200", "--run", file]) == 1
    answer = capsys.readouterr().out
    assert answer.startswith("log: step 100: the rate is 0.01")
    assert "it began again at step 100" in answer
    assert answer.endswith("(the peak was taken from the log, whose largest rate is 0.1; --run-peak)\n")


def test_columns_and_peaks_are_told_by_options(tmp_path, capsys):
    file = log(tmp_path, lambda k: k, header="it,eta,nll")
    options = ["--column", "step=it", "--column", "rate=eta", "--run-peak", "0.2"]
    assert main(["review", TEXT, "--steps", "200", "--run", file, *options]) == 1
    assert "0.5 times the plan: another peak?" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options, message",
    [
        (["--steps", "200", "--run", "absent.csv"], "absent.csv cannot be read: No such file"),
        (["--run", "log.csv"], "give it, as in --steps 10k"),
        (["--steps", "200", "--run", "log.csv", "--column", "rate=x"], "nothing is called 'x'"),
        (["--steps", "200", "--run", "log.csv", "--column", "rate"], "--column says what a column is called"),
        (["--steps", "200", "--run", "log.csv", "--run-peak", "0"], "peak"),
        (["--steps", "200", "--run-peak", "0.1"], "--column, --run-peak and the like say how a log is read"),
        (
            ["--steps", "200", "--run", "bare.csv"],
            "there are eta, loss: name it, --column rate=..., or to compare",
        ),
    ],
)
def test_bad_input_is_explained(options, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    log(tmp_path, lambda k: k)
    Path("bare.csv").write_text("step,eta,loss\n1,0.1,3\n2,0.1,2\n")
    assert main(["review", TEXT, *options]) == 2
    assert message in capsys.readouterr().err


def test_without_a_run_the_plan_itself_is_reviewed(capsys):
    assert main(["review", TEXT, "--steps", "200"]) == 0
    assert capsys.readouterr().out == "nothing found in 200 updates\n"
    assert main(["review", "warmup(600) >> cosine(400)"]) == 1


def test_a_log_in_the_place_of_the_plan_is_answered_with_the_option(capsys):
    assert main(["review", "log.csv"]) == 2
    assert "log.csv is a file, not a plan: give the plan first, and the log as --run log.csv" in capsys.readouterr().err


def test_a_plan_of_rates_is_compared_as_it_is(tmp_path, capsys):
    assert main(["review", f"0.01 * ({TEXT})", "--steps", "200", "--run", log(tmp_path, lambda k: k)]) == 1
    answer = capsys.readouterr().out
    assert "10 times the plan: another peak?" in answer
    assert "the plan's own peak looks like a rate" in answer


def test_a_log_without_any_rate_says_how_to_log_one(tmp_path, capsys):
    (tmp_path / "norate.csv").write_text("step,loss\n1,3\n2,2\n")
    assert main(["review", "cosine(100%)", "--steps", "2000", "--run", str(tmp_path / "norate.csv")]) == 2
    error = capsys.readouterr().err
    assert "no rate was logged; there are loss: to compare it with a plan, " in error
    assert 'log optimizer.param_groups[0]["lr"] with every step' in error
    assert "--column" not in error


def test_a_reading_of_the_steps_that_explains_every_row_is_told_and_no_finding(tmp_path, capsys):
    file = log(tmp_path, lambda k: max(k - 1, 0))
    assert main(["review", TEXT, "--steps", "200", "--run", file, "--run-peak", "0.1"]) == 0
    assert capsys.readouterr().out == (
        "log: every logged rate is the plan's, 40 of them: a row at step s holds the rate of update s - 1: "
        "its steps count the updates made\n"
    )


def test_the_length_is_taken_from_a_log_that_has_it(monkeypatch, capsys):
    rates = Rates("out", range(0, 200, 5), [0.1 * PLAN(k) for k in range(0, 200, 5)], horizon=200)
    monkeypatch.setattr("glidepath.cli.options.logs.read_rates", lambda path, column: [rates])
    assert main(["review", TEXT, "--run", "out", "--run-peak", "0.1"]) == 0
    answer = capsys.readouterr().out
    assert answer.startswith("out: every logged rate is the plan's, 40 of them")
    assert "(the length, 200 updates, was taken from the log; --steps)" in answer
    assert main(["review", TEXT, "--steps", "400", "--run", "out", "--run-peak", "0.1"]) == 1


def test_a_plan_without_an_end_needs_no_length_to_be_compared(tmp_path, capsys):
    plan = gp.parse("warmup(10) >> constant()")
    rows = "\n".join(f"{k},{0.1 * plan(k)!r},{3 - k / 100}" for k in range(50))
    (tmp_path / "level.csv").write_text(f"step,lr,loss\n{rows}\n")
    command = ["review", "warmup(10) >> constant()", "--run", str(tmp_path / "level.csv"), "--run-peak", "0.1"]
    assert main(command) == 0
    assert "50 of them" in capsys.readouterr().out
