"""The study note's scripts run as they stand, and their rates are those of PyTorch's own classes."""

import math
import runpy
import warnings
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pyplot = pytest.importorskip("matplotlib.pyplot")

from torch.optim import lr_scheduler as stock  # noqa: E402

NOTE = Path(__file__).parent.parent / "examples" / "note"
WARNS = ("lambda_lr", "reduce_lr_on_plateau")  # 0 / 0 at epoch 0; verbose is deprecated
SCRIPTS = sorted(NOTE.glob("*.py"))


def run(script, folder, monkeypatch):
    """The rates that a script records, run in `folder`."""
    monkeypatch.chdir(folder)
    pyplot.close("all")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if script.stem in WARNS else "error")
        return runpy.run_path(str(script))["lr_list"]


def of_torch(make):
    """The rates of a stock scheduler, recorded as the note does."""
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=0.01)
    scheduler, rates = make(optimizer), []
    for _ in range(100):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


ORACLES = {
    "by_hand": lambda: [0.01 * 0.9 ** (epoch // 5 + 1) for epoch in range(100)],
    "fixed": lambda: [0.01] * 100,
    "lambda_lr": lambda: [0.01 * math.sin(epoch) / epoch for epoch in range(1, 101)],
    "step_lr": lambda: of_torch(lambda o: stock.StepLR(o, 5, 0.8)),
    "multi_step_lr": lambda: of_torch(lambda o: stock.MultiStepLR(o, [20, 80], 0.9)),
    "exponential_lr": lambda: of_torch(lambda o: stock.ExponentialLR(o, 0.9)),
    "exponential_decay": lambda: [0.01 * 0.5 ** (step / 20) for step in range(100)],
    "cosine_annealing_lr": lambda: of_torch(lambda o: stock.CosineAnnealingLR(o, 100, 0.0001)),
    "reduce_lr_on_plateau": lambda: [0.01 * 0.1 ** max(0, (epoch - 30) // 11) for epoch in range(100)],
    "several_stages": lambda: [0.01] * 30 + [0.001] * 50 + [0.0005] * 20,
    "custom": lambda: [0.01 / (1 + 0.05 * epoch) for epoch in range(1, 101)],
}


def test_every_script_has_an_oracle():
    assert {script.stem for script in SCRIPTS} == set(ORACLES)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_of_the_note_runs_draws_and_has_the_rates_of_its_oracle(script, tmp_path, monkeypatch):
    rates = run(script, tmp_path, monkeypatch)
    assert rates == pytest.approx(ORACLES[script.stem](), rel=1e-10)
    assert (tmp_path / f"{script.stem}.png").stat().st_size > 5000


def test_the_notes_plateau_warns_of_verbose(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.warns(UserWarning, match=r"verbose is deprecated.*\[GP706\]"):
        runpy.run_path(str(NOTE / "reduce_lr_on_plateau.py"))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_notes_lambda_warns_of_the_step_that_is_no_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.warns(UserWarning, match=r"nan.*\[GP711\]"):
        runpy.run_path(str(NOTE / "lambda_lr.py"))
