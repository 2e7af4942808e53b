"""`glidepath fit`, as people use it, on runs of a law with known parameters."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.logged_by_law import LAW, NOISE, PEAK, PLANS, log, study

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
    said = capsys.readouterr().out
    assert "late: assumed a level rate (no warmup was given) over the first 100 updates" in said
    assert "between two logged rates the rate lies on a straight line; if it held until the next" in said
    assert main(["fit", "late.csv", "--run-warmup", "80", "--between", "line"]) == 0
    assert "over the first" not in capsys.readouterr().out


def test_seeds_of_one_schedule_are_averaged(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for seed in range(3):
        log(tmp_path, f"wsd_s{seed}", PLANS["wsd"], seed=seed)
    assert main(["fit", "."]) == 0
    told = capsys.readouterr().out
    assert "wsd_s: the mean of 3 runs with the very same rates" in told
    assert "peak 3e-4, 1 run;" in told


def test_columns_may_have_other_names(runs, tmp_path, capsys):
    text = (tmp_path / "wsd.csv").read_text().replace("step,lr,loss", "k,eta,nll")
    (tmp_path / "odd.csv").write_text(text)
    assert main(["fit", "odd.csv"]) == 2
    assert "--column step=..." in capsys.readouterr().err
    assert main(["fit", "odd.csv", "--column", "step=k", "--column", "rate=eta", "--column", "loss=nll"]) == 0


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
        (["cosine.csv", "--metric", "validation_loss"], "there is no metric 'validation_loss'; there are lr, loss"),
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


# --- what it costs ---

WITHOUT_MATPLOTLIB = "import sys; sys.modules['matplotlib'] = None\nfrom glidepath.cli import main\nsys.exit(main())"
COUNTED = """
import collections, os, sys
opened = collections.Counter()
def count(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        opened[os.path.basename(os.fsdecode(arguments[0]))] += 1
sys.addaudithook(count)
from glidepath.cli import main
code = main()
print(*(f"{name}={count}" for name, count in opened.items() if name.endswith(".csv")), file=sys.stderr)
sys.exit(code)
"""


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "command", [["fit"], ["predict", "cosine(4000)", "--run"], ["advise", "--steps", "4k", "--run"]]
)
def test_a_table_is_opened_once(command, runs):
    done = python(COUNTED, *command, runs[0], "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "cosine.csv=1"


def test_the_curves_of_a_study_are_opened_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study(tmp_path / "results")
    done = python(COUNTED, "fit", "results", "--only", "wsd", "--json")
    assert done.stderr.splitlines()[-1] == "curves.csv=1"


def test_a_wide_table_is_opened_once(runs, tmp_path):
    (tmp_path / "history.csv").write_text(Path(runs[1]).read_text().replace("step,lr,loss", "_step,lr,loss", 1))
    done = python(COUNTED, "fit", "history.csv", "--only", "history", "--json")
    assert done.stderr.splitlines()[-1] == "history.csv=1"


@pytest.mark.parametrize(
    "command",
    [
        ["fit"],
        ["predict", "cosine(4000)", "--run"],
        ["advise", "--steps", "4k", "--run"],
        ["design", "--steps", "4k", "--law", "noise-floor", "--run"],
    ],
)
def test_without_matplotlib_the_answer_comes_without_a_figure(command, runs, tmp_path):
    done = python(WITHOUT_MATPLOTLIB, *command, runs[1])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == 'no figure was drawn: pip install "glidepath[plot]" for one'
    assert not list(tmp_path.glob("*.png"))
    done = python(WITHOUT_MATPLOTLIB, *command, "absent.csv", "-o", "mine.png")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        'glidepath: figures need matplotlib, which is not installed: pip install "glidepath[plot]" [GP601]\n'
    )


def test_json_says_that_there_is_no_figure(runs):
    answer = json.loads(python(WITHOUT_MATPLOTLIB, "fit", runs[1], "--json").stdout)
    assert (answer["figure"], answer["loss_name"]) == (None, "loss")


def test_matplotlib_is_imported_for_a_figure_alone(runs):
    code = (
        "import sys\nfrom glidepath.cli import app, fit, predict, advise, design\n"
        "assert 'matplotlib' not in sys.modules\nfrom glidepath.cli import main\nmain()\n"
        "assert 'matplotlib' in sys.modules"
    )
    done = python(code, "fit", runs[1])
    assert (done.returncode, done.stderr) == (0, "")


# --- which loss ---


def test_the_loss_by_which_a_study_ranks_is_fitted_and_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    study(tmp_path / "results", seeds=1)
    assert main(["fit", "results"]) == 0
    text = capsys.readouterr().out
    assert "noise-floor law of the validation loss" in text
    assert "last validation loss" in text
    assert "results: validation_loss, by which the study ranks; --metric loss reads the training loss" in text


def test_a_study_that_ranks_by_something_else_is_fitted_to_its_training_loss_and_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    study(tmp_path / "results", seeds=1, metric="error")
    assert main(["fit", "results"]) == 0
    text = capsys.readouterr().out
    assert "noise-floor law of the training loss" in text
    assert "results: the training loss is read: the study ranks by error, which is not called a loss" in text
    assert main(["fit", "results", "--metric", "error"]) == 0
    assert "noise-floor law of the error" in capsys.readouterr().out


def test_a_run_that_diverged_is_left_out_by_choosing_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = study(tmp_path / "results", seeds=1, metric="error") / "curves.csv"
    lines = file.read_text().splitlines()
    last = lines.index(next(line for line in lines if line.startswith("0,cosine") and ",3999," in line))
    lines[last] = ",".join([*lines[last].split(",")[:7], "nan", ""])
    file.write_text("\n".join(lines) + "\n")
    assert main(["fit", "results"]) == 2
    assert (
        "the run diverged: choose the other runs, --only, or delete the rows from there on [GP401]"
        in capsys.readouterr().err
    )
    assert main(["fit", "results", "--only", "wsd"]) == 0


@pytest.mark.parametrize(
    ("first", "typed"),
    [
        ('lr-A"x', "'rate=lr-A\"x'"),
        ("lr-A\\x", "'rate=lr-A\\x'"),
        ("lr-A'x", "'rate=lr-A'\"'\"'x'"),
        ("lr-A\x1bx", "$'rate=lr-A\\x1bx'"),
    ],
)
def test_any_name_of_a_column_is_quoted_for_the_shell(tmp_path, monkeypatch, capsys, first, typed):
    monkeypatch.chdir(tmp_path)
    history = [{"step": step, first: 0.1, "lr-B": 0.2, "loss": 3 - step / 10} for step in range(1, 4)]
    Path("trainer_state.json").write_text(json.dumps({"log_history": history}))
    assert main(["fit", "trainer_state.json"]) == 2
    error = capsys.readouterr().err
    assert f"could each be the rate: choose one, --column {typed} [GP401]" in error
    assert "\x1b" not in error


def test_a_rate_that_is_not_there_can_still_be_had_from_a_plan(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("log.csv").write_text("step,loss\n1,3\n2,2\n")
    for options in ([], ["--column", "rate=lr"]):
        assert main(["fit", "log.csv", *options]) == 2
        assert "give the schedule of the run, --run-plan and --run-peak [GP401]" in capsys.readouterr().err


def test_epochs_are_not_updates(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("epoch.csv").write_text("epoch,lr,loss\n1,0.1,3\n2,0.05,2\n")
    cure = "say how many updates an epoch has, --updates-per-epoch 100 [GP401]"
    for options in ([], ["--column", "step=epoch"]):
        assert main(["fit", "epoch.csv", *options]) == 2
        assert f"a row counts epochs, and a step is an update: {cure}" in capsys.readouterr().err


def test_the_loss_is_chosen_among_the_runs_that_are_read(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = study(tmp_path / "results", seeds=1, metric="validation_loss") / "curves.csv"
    early = ["99,bad,4000,0,0.0003,0,0.0003,3,", "99,bad,4000,0,0.0003,1,0.0003,nan,"]
    file.write_text("\n".join([*file.read_text().splitlines(), *early, ""]))
    assert main(["fit", "results", "--only", "cosine", "--only", "wsd"]) == 0
    assert "noise-floor law of the validation loss" in capsys.readouterr().out
