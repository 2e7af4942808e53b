"""A task is found by its name; whatever is wrong with it is one error that says where."""

import sys
from pathlib import Path

import pytest

from glidepath.errors import MissingExtraError, TaskError
from glidepath.tasks import Task, load_task

GOOD = """
import torch
from glidepath.tasks import Task

number = 5

def fit(seed):
    model = torch.nn.Linear(1, 1)
    return Task(model, torch.optim.SGD(model.parameters(), lr=0.1), lambda k: k, lambda m, b: m(b), lambda m: 0.0)

def nothing(seed):
    pass

def no_model(seed):
    return Task("a model", None, None, None, None)

def fails(seed):
    rate = 1 / 0
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "mine.py").write_text(GOOD)
    return tmp_path


def refusal(name: str, seed: int | None = None) -> str:
    with pytest.raises(TaskError) as error:
        load_task(name) if seed is None else load_task(name)(seed)
    return str(error.value)


def test_a_task_in_a_file_is_found_where_we_are(here: Path) -> None:
    assert isinstance(load_task("mine.py:fit")(0), Task)


def test_a_task_in_a_package_is_found_where_we_are(here: Path) -> None:
    (here / "a_pack_of_tasks").mkdir()
    (here / "a_pack_of_tasks" / "inner.py").write_text(GOOD)
    assert isinstance(load_task("a_pack_of_tasks.inner:fit")(0), Task)


def test_a_file_may_import_its_neighbours(here: Path) -> None:
    (here / "deep").mkdir()
    (here / "deep" / "a_neighbour.py").write_text("answer = 42")
    (here / "deep" / "task.py").write_text("import a_neighbour\ndef fit(seed): return a_neighbour.answer")
    assert load_task("deep/task.py:fit").function(0) == 42


def test_a_wrong_name_is_answered_with_the_nearest_one() -> None:
    assert "did you mean digits?" in refusal("digit")


def test_a_file_alone_asks_for_its_function(here: Path) -> None:
    assert "mine.py:function" in refusal("mine.py")


def test_a_file_that_is_missing_is_named(here: Path) -> None:
    assert "there is no file yours.py" in refusal("yours.py:fit")


def test_a_module_that_is_missing_is_named() -> None:
    assert "there is no module no_such_package" in refusal("no_such_package.inner:fit")


def test_a_function_that_is_missing_is_answered_with_those_there_are(here: Path) -> None:
    message = refusal("mine.py:fits")
    assert "did you mean fit?" in message
    assert "no_model" in message


def test_something_that_cannot_be_called_is_no_task(here: Path) -> None:
    assert "number in mine.py:number is a int" in refusal("mine.py:number")


def test_a_task_that_returns_nothing_is_told_what_to_return(here: Path) -> None:
    assert "returned None: return a glidepath.tasks.Task" in refusal("mine.py:nothing", 0)


def test_a_part_of_the_wrong_kind_is_named(here: Path) -> None:
    assert "a task's model is a torch.nn.modules.module.Module, not 'a model'" in refusal("mine.py:no_model", 0)


def test_an_exception_inside_a_task_comes_with_its_words_and_its_line(here: Path) -> None:
    line = GOOD.splitlines().index("    rate = 1 / 0") + 1
    message = refusal("mine.py:fails", 0)
    assert "ZeroDivisionError: division by zero" in message
    assert f"mine.py:{line}, in fails: the task" in message


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("x = 1\nx = = 2\n", 2, "SyntaxError"),
        ("\n\nimport no_such_thing\n", 3, "No module named"),
        ("exit(0)", 1, "SystemExit"),
    ],
)
def test_a_file_that_cannot_be_imported_is_blamed_at_its_line(here: Path, text: str, line: int, words: str) -> None:
    (here / "broken.py").write_text(text)
    message = refusal("broken.py:fit")
    assert words in message
    assert f"broken.py:{line}" in message


def test_a_built_in_task_without_its_package_gives_the_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    monkeypatch.delitem(sys.modules, "glidepath.tasks.digits", raising=False)
    with pytest.raises(MissingExtraError, match="pip install"):
        load_task("digits")


def test_a_package_that_cannot_be_imported_is_blamed_and_its_exception_is_the_cause(here: Path) -> None:
    (here / "a_broken_package.py").write_text("rate = 1 / 0\n")
    with pytest.raises(TaskError, match=r"a_broken_package\.py:1, in <module>: .*ZeroDivisionError") as error:
        load_task("a_broken_package:fit")
    assert isinstance(error.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("name", ["partial", "instance", "made_by_a_class"])
def test_a_task_may_be_anything_that_is_called_with_a_seed(here: Path, name: str) -> None:
    (here / "called.py").write_text(CALLED)
    task = load_task(f"called.py:{name}")
    assert (task(0).batch(3), task.file) == (3, str(here / "called.py"))


CALLED = (
    GOOD
    + """
import functools

partial = functools.partial(lambda rate, seed: fit(seed), 0.1)

class Builder:
    def __call__(self, seed):
        return fit(seed)

    def __new__(cls, seed=None):
        return object.__new__(cls) if seed is None else fit(seed)

instance, made_by_a_class = Builder(), Builder
"""
)


def test_the_fingerprint_changes_with_the_file(here: Path) -> None:
    before = load_task("mine.py:fit").fingerprint
    (here / "mine.py").write_text(GOOD + "\n")
    assert load_task("mine.py:fit").fingerprint != before
