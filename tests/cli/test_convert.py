"""`glidepath convert`, as people use it."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from glidepath import parse
from glidepath.cli import main

THEIRS = """\
import optax
import torch

warm = optax.warmup_cosine_decay_schedule(0.0, 1e-3, 500, 9_500, end_value=1e-5)
value = 3

def restarts():
    return optax.sgdr_schedule([dict(init_value=0.0, peak_value=0.1, warmup_steps=10, decay_steps=100)] * 2)

def late():
    return optax.exponential_decay(0.1, 30, 0.5, staircase=True)

def broken():
    return 1 / 0

def own(count):
    return 0.1

def optimizer(*rates):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(()))], "lr": rate} for rate in rates]
    return torch.optim.SGD(groups, lr=0.1, momentum=0.9)

def one_group():
    return torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer(0.2), 30)

def a_floor_for_all():
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer(0.2, 0.05), 30, eta_min=0.01)

def two_groups():
    return torch.optim.lr_scheduler.StepLR(optimizer(0.2, 0.05), 30)

def moved():
    scheduler = two_groups()
    for _ in range(3):
        scheduler.optimizer.step()
        scheduler.step()
    return scheduler

def with_momentum():
    return torch.optim.lr_scheduler.OneCycleLR(optimizer(0.2), 0.2, total_steps=100)

class CosineAnnealingScheduler:
    __module__ = "composer.optim.scheduler"
    t_max, alpha_f = "1dur", 0.0

shares = CosineAnnealingScheduler()
"""


@pytest.fixture(autouse=True)
def in_a_folder_with_schedules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("theirs.py").write_text(THEIRS)


Captured = pytest.CaptureFixture[str]


def answered(capsys: Captured, *arguments: str) -> str:
    assert main(["convert", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def refused(capsys: Captured, *arguments: str) -> str:
    assert main(["convert", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def defined(source: str, name: str) -> object:
    names: dict[str, object] = {}
    exec(source, names)
    return names[name]


@pytest.mark.parametrize("to", ["function", "torch", "transformers", "optax", "keras", "timm"])
def test_a_plan_becomes_code(capsys: Captured, to: str) -> None:
    source = answered(capsys, "warmup(500) >> cosine(9500)", "--to", to)
    assert source.startswith("# warmup(500) >> cosine(9500)\n")
    compile(source, "written.py", "exec")


def test_a_draft_is_resolved_over_the_steps_and_the_peak_is_in_the_code(capsys: Captured) -> None:
    source = answered(capsys, "warmup(5%) >> cosine(95%)", "--to", "function", "--steps", "1k", "--peak", "3e-4")
    assert source.startswith("# warmup(50) >> cosine(950)\n")
    assert "max_lr = 0.0003" in source
    get_lr = defined(source, "get_lr")
    assert get_lr(49) == 3e-4  # type: ignore[operator]


def test_a_plan_becomes_code_without_any_of_the_libraries() -> None:
    program = "import sys, glidepath.cli.convert as c; c.convert('cosine(9)', to='optax'); "
    program += "print([name for name in ('torch', 'numpy', 'optax', 'jax', 'keras') if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"


def test_the_code_is_written_to_a_file(capsys: Captured) -> None:
    printed = answered(capsys, "linear(100)", "--to", "optax")
    assert answered(capsys, "linear(100)", "--to", "optax", "-o", "schedule.py") == "wrote schedule.py\n"
    assert Path("schedule.py").read_text() == printed


def test_a_schedule_of_another_library_is_read_by_its_name(capsys: Captured) -> None:
    assert answered(capsys, "theirs.py:warm").splitlines() == [
        "# optax join_schedules",
        "linear(500, to=0.001, start=0.0) >> 0.001 * cosine(9000, to=0.01)",
        "# update 0 uses a rate of 0: nothing is learned from it",
    ]


def test_a_module_is_found_where_you_are(capsys: Captured) -> None:
    Path("somewhere_else.py").write_text(THEIRS)
    assert "cosine(9000, to=0.01)" in answered(capsys, "somewhere_else:warm")


def test_a_function_without_arguments_is_called_for_the_schedule(capsys: Captured) -> None:
    plan = parse(answered(capsys, "theirs.py:restarts").splitlines()[1])
    assert [plan(k) for k in (0, 10, 100, 110, 200)] == pytest.approx([0.0, 0.1, 0.0, 0.1, 0.0])


def test_what_was_read_is_a_plan_that_can_be_read_back_from_the_file(capsys: Captured) -> None:
    answered(capsys, "theirs.py:warm", "-o", "plan.txt")
    (line,) = [line for line in Path("plan.txt").read_text().splitlines() if not line.startswith("#")]
    assert parse(line)(500) == 0.001


def test_a_draft_that_was_read_is_resolved_over_the_steps(capsys: Captured) -> None:
    assert answered(capsys, "theirs.py:shares").splitlines()[1] == 'cosine("100%")'
    assert answered(capsys, "theirs.py:shares", "--steps", "1k").splitlines()[1] == "cosine(1000)"
    source = answered(capsys, "theirs.py:shares", "--steps", "1k", "--to", "torch")
    assert "# The optimizer's own rate is the peak" in source


def test_a_base_is_told_and_becomes_the_peak_of_the_code(capsys: Captured) -> None:
    assert answered(capsys, "theirs.py:one_group").splitlines()[1] == "repeat(cosine(30))  # of 0.2"
    assert "peak = 0.2\n" in answered(capsys, "theirs.py:one_group", "--to", "optax")
    assert "peak = 0.3\n" in answered(capsys, "theirs.py:one_group", "--to", "optax", "--peak", "0.3")
    source = answered(capsys, "theirs.py:one_group", "--to", "torch")
    assert "return CosineAnnealingWarmRestarts(optimizer, T_0=30)" in source
    assert "# The optimizer's own rate, 0.2, is the peak" in source


def test_every_group_and_every_other_hyperparameter_has_a_line(capsys: Captured) -> None:
    lines = answered(capsys, "theirs.py:two_groups").splitlines()
    assert lines[1:] == ["group 0: step(every=30)  # of 0.2", "group 1: step(every=30)  # of 0.05"]
    assert any(
        line.startswith("momentum: cosine(") for line in answered(capsys, "theirs.py:with_momentum").splitlines()
    )


def test_groups_with_different_rates_are_code_where_the_code_knows_groups(capsys: Captured) -> None:
    assert "# The optimizer's own rate is the peak" in answered(capsys, "theirs.py:two_groups", "--to", "timm")
    told = refused(capsys, "theirs.py:two_groups", "--to", "optax")
    assert "different rates (0.2, 0.05), and optax has no groups: choose one, --peak" in told
    assert "peak = 0.05\n" in answered(capsys, "theirs.py:two_groups", "--to", "optax", "--peak", "0.05")


def test_updates_that_were_already_made_are_told(capsys: Captured) -> None:
    assert "# it has made 3 updates already; the plan begins at update 0" in answered(capsys, "theirs.py:moved")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "run.json",
            '{"lr": 3e-4, "min_lr": 3e-5, "lr_decay_style": "cosine", "lr_decay_iters": 90, "train_iters": 90}',
        ),
        ("run.yaml", "lr: 3.0e-4\nmin_lr: 3.0e-5\nlr_decay_style: cosine\nlr_decay_iters: 90\ntrain_iters: 90\n"),
    ],
)
def test_the_arguments_of_megatron_are_read_from_a_file(capsys: Captured, file: str, text: str) -> None:
    Path(file).write_text(text)
    assert "cosine(90, to=0.1)  # of 0.0003" in answered(capsys, file)
    get_lr = defined(answered(capsys, file, "--to", "function"), "get_lr")
    assert get_lr(90) == pytest.approx(3e-5)  # type: ignore[operator]


def test_from_theirs_to_theirs_with_the_quirks_above(capsys: Captured) -> None:
    source = answered(capsys, "theirs.py:late", "--to", "function")
    assert source.startswith("# optax exponential_decay\n# compiled by jax.jit, its stairs may come an update late")
    get_lr = defined(source, "get_lr")
    assert get_lr(30) == pytest.approx(0.05)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["cosine(100)"], "say what the code is for, as in --to torch"),
        (["cosin(100)", "--to", "torch"], "did you mean cosine?"),
        (["warmup(5%) >> cosine(95%)", "--to", "torch"], "as in --steps 10k"),
        (["theirs.py:shares", "--to", "torch"], "as in --steps 10k"),
        (["noisy(cosine(100))", "--to", "optax"], "cut it, as in plan[:10_000]"),
        (["theirs"], "'theirs' names no schedule: a schedule is named file.py:name"),
        (["theirs.py"], "names no schedule"),
        (["nothing.py:warm"], "there is no file nothing.py"),
        (["nothing:warm"], "there is no module nothing"),
        (["theirs.py:cold"], "theirs.py has no cold: it has warm, value, restarts, late, broken"),
        (["theirs.py:value"], "int of builtins is not a schedule that can be read"),
        (["theirs.py:own"], "is not a schedule that can be read"),
        (["theirs.py:broken"], "the schedule theirs.py:broken failed while building it: ZeroDivisionError"),
        (["missing.json"], "cannot use 'missing.json'"),
    ],
)
def test_what_cannot_be_converted_is_told_with_a_cure(capsys: Captured, arguments: Sequence[str], reason: str) -> None:
    told = refused(capsys, *arguments)
    assert reason in told
    assert "a task is" not in told


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("list.json", "[1, 2]", "list.json holds a list, not arguments by name"),
        ("broken.json", "{", "broken.json cannot be read"),
        ("broken.yaml", "a: [", "broken.yaml cannot be read"),
        ("text.yml", "hello", "text.yml holds a str, not arguments by name"),
    ],
)
def test_a_file_that_holds_no_arguments_is_told(capsys: Captured, name: str, text: str, reason: str) -> None:
    Path(name).write_text(text)
    assert reason in refused(capsys, name)


def test_a_file_that_is_no_text_is_told(capsys: Captured) -> None:
    Path("bytes.json").write_bytes(b"\xff\xfe\x00")
    assert "bytes.json cannot be read" in refused(capsys, "bytes.json")


def test_a_target_that_is_not_known_is_refused(capsys: Captured) -> None:
    assert main(["convert", "cosine(100)", "--to", "jax"]) == 2


def test_groups_with_schedules_of_their_own_are_not_one_program(capsys: Captured) -> None:
    lines = answered(capsys, "theirs.py:a_floor_for_all").splitlines()
    assert [line[:8] for line in lines if line.startswith("group")] == ["group 0:", "group 1:"]
    assert "leave --to out to see them" in refused(capsys, "theirs.py:a_floor_for_all", "--to", "torch")


def test_broken_yaml_is_told_in_one_line(capsys: Captured) -> None:
    Path("broken.yaml").write_text("a: [")
    told = refused(capsys, "broken.yaml")
    assert "line 1" in told
    assert len(told.strip().splitlines()) == 1
