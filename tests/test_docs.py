"""What the pages show is true."""

import doctest
import re
import signal
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from benchmarks.studies import eight_cooldowns, forty_five, study
from pytorch_optimizer import Lookahead
from torch.optim.swa_utils import SWALR
from torch.utils.data import DataLoader, TensorDataset

import glidepath
from glidepath.study.sharing.tree import UpdatePath as Way
from glidepath.study.sharing.tree import build_segments
from glidepath.study.sharing.values import RunValues
from glidepath.study.spec.runs import list_runs
from glidepath.study.spec.study import study_from
from glidepath.study.spec.yaml_io import read_study
from glidepath.torch import Scheduler

from .logged_by_law import PLANS, log
from .torch.loops import parameter, sgd, used

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/compare.md").read_text()


def test_the_study_of_the_page_can_be_run(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    (tmp_path / "study.yaml").write_text(block)
    assert len(list_runs(read_study(tmp_path / "study.yaml"))) == 5 * 2 * 2 * 4


@pytest.mark.parametrize(
    ("schedules", "alone", "shared"), [(forty_five(), 21_000, 9_176), (eight_cooldowns(), 6_400, 1_353)]
)
def test_the_page_tells_how_much_the_studies_of_the_benchmark_share(
    schedules: dict[str, str], alone: int, shared: int
) -> None:
    values = [RunValues(run, [{"lr": 3e-3}], "o", []) for run in list_runs(study_from(study(schedules)))]
    ways: list[Way] = [one.path for one in values]
    assert (sum(way.steps for way in ways), sum(segment.steps for segment in build_segments(ways))) == (alone, shared)
    assert f"| {alone:,} | {shared:,} | {alone / shared:.2f} |" in PAGE


def test_the_python_of_the_advisors_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("cosine", "wsd"):
        log(tmp_path, name, PLANS[name])
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/advisor.md").read_text(), re.S)
    names: dict[str, Any] = {}
    exec(block, names)
    assert names["curve"].final_low < names["curve"].final < names["curve"].final_high
    assert {one.name for one in names["advice"].ranking} == {"linear", "cosine"}
    assert names["plan"].duration == 50_000


def test_the_python_of_comparing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/compare_python.md").read_text(), re.S)
    assert len(blocks) == 5
    for block in blocks:
        exec(block, names)
    runs = 3 * 2 * 4
    assert (names["cost"].runs, names["cost"].steps_to_train, len(names["result"].curves)) == (runs, 0, runs)
    shown = capsys.readouterr().out
    assert "was trained again from scratch" in shown
    assert shown.count("'validation_loss'") >= runs


def test_the_python_of_the_range_tests_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    x, model = torch.randn(512, 8), torch.nn.Linear(8, 1)
    names: dict[str, Any] = {
        "functional": torch.nn.functional,
        "model": model,
        "plan": glidepath.cosine(1000),
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1),
        "loader": DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=32),
    }
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/range_test.md").read_text(), re.S)
    exec(block, names)
    assert names["result"]["steepest"]
    assert names["optimizer"].param_groups[0]["lr"] == names["result"]["steepest"].rate != 0.1
    assert "steepest: " in capsys.readouterr().out


def test_the_python_of_the_page_on_company_runs(tmp_path: Path) -> None:
    def train(optimizer: Any, updates: int) -> float:
        return round(used(optimizer, updates)[-1], 6)

    names = {"gp": glidepath, "Scheduler": Scheduler, "SWALR": SWALR, "Lookahead": Lookahead}
    names |= {"sgd": sgd, "train": train, "parameter": parameter, "signal": signal, "folder": tmp_path}
    page = ROOT / "docs/in_company.md"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", glidepath.GlidepathWarning)
        results = doctest.testfile(str(page), module_relative=False, globs=dict(names))
    assert results.failed == 0
    assert results.attempted >= 35
    (plain,) = (block for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.S) if ">>>" not in block)
    scheduler = Scheduler(sgd(0.1), glidepath.constant())
    names["scheduler"] = scheduler
    exec(plain, names)
    (tmp_path / "commands").write_text("cooldown linear(10)\n")
    assert train(scheduler.optimizer, 106) == 0.05
    names["by_file"].remove()
    names["by_signal"].remove()


def test_the_figure_on_company_is_that_of_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    figure: Any = import_module("draw_company")
    monkeypatch.setattr(figure, "IMAGES", tmp_path)
    figure.main()
    name = "in_company.svg"
    assert (tmp_path / name).read_bytes() == (ROOT / "docs/images" / name).read_bytes()


def test_every_page_that_a_page_points_to_is_there() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert "://" in target or (page.parent / target).exists(), target
