"""A task's fingerprint tells whether its code has changed: its own file, and whatever that imports from beside it."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from glidepath.tasks.loading import load_task
from glidepath.tasks.sources import fingerprint, sources

FILES = {
    "task.py": "import math\nfrom helper import WIDTH\n\ndef fit(seed):\n    import late\n    return WIDTH\n",
    "helper.py": "import deep.inner as inner\n\nWIDTH = 5\n",
    "late.py": "LATE = 1\n",
    "deep/__init__.py": "",
    "deep/inner.py": "from . import sibling\nfrom .sibling import DEPTH\n",
    "deep/sibling.py": "DEPTH = 3\n",
    "deep/unused.py": "",
    "unrelated.py": "",
    "data.csv": "1,2\n",
}
USED = {"task.py", "helper.py", "late.py", "deep/__init__.py", "deep/inner.py", "deep/sibling.py"}

Ask = Callable[..., str]


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a task in several files, where we are; what is imported there is forgotten afterwards."""
    folder = tmp_path / "work"
    write(folder, FILES)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return folder


def names(task: str) -> set[str]:
    loaded = load_task(task)
    return set(sources(loaded.function, loaded.module))


def forget() -> None:
    """As a new process would be."""
    for name in [name for name in sys.modules if name.split(".")[0] in ("helper", "late", "deep", "pack", "library")]:
        del sys.modules[name]


def test_the_code_is_the_file_and_all_that_it_imports_from_beside_it(here: Path) -> None:
    assert names("task.py:fit") == USED


@pytest.mark.parametrize("name", sorted(USED))
def test_a_change_in_any_of_them_is_seen(here: Path, name: str) -> None:
    before = load_task("task.py:fit").fingerprint
    with (here / name).open("a") as stream:
        stream.write("# changed\n")
    assert load_task("task.py:fit").fingerprint != before


@pytest.mark.parametrize("name", sorted(set(FILES) - USED))
def test_a_change_in_any_other_file_is_not(here: Path, name: str) -> None:
    before = load_task("task.py:fit").fingerprint
    with (here / name).open("a") as stream:
        stream.write("# changed\n")
    assert load_task("task.py:fit").fingerprint == before


def test_an_import_that_has_not_happened_yet_counts_the_same_as_one_that_has(here: Path) -> None:
    before = load_task("task.py:fit").fingerprint
    assert "late" not in sys.modules
    assert load_task("task.py:fit").function(0) == 5
    assert "late" in sys.modules
    assert load_task("task.py:fit").fingerprint == before


def test_the_folder_may_move(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_task("task.py:fit").fingerprint
    moved = shutil.copytree(here, here.parent / "elsewhere")
    shutil.rmtree(here)
    forget()
    monkeypatch.chdir(moved)
    sys.path.remove(str(here))
    assert load_task("task.py:fit").fingerprint == before


def test_another_process_gives_the_same(here: Path) -> None:
    ask = "from glidepath.tasks import load_task; print(load_task('task.py:fit').fingerprint)"
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    assert answer == load_task("task.py:fit").fingerprint


def test_two_functions_of_a_file_differ(here: Path) -> None:
    with (here / "task.py").open("a") as stream:
        stream.write("\n\ndef other(seed):\n    pass\n")
    assert load_task("task.py:fit").fingerprint != load_task("task.py:other").fingerprint


def test_two_files_of_the_same_name_in_two_folders_stay_apart(here: Path) -> None:
    write(here, {"one/task.py": "def fit(seed): return 1", "two/task.py": "def fit(seed): return 2"})
    one, two = load_task("one/task.py:fit"), load_task("two/task.py:fit")
    assert [*sources(one.function).values()] == [here / "one/task.py"]
    assert one.fingerprint != two.fingerprint


def test_of_a_package_its_own_modules_count_and_so_does_what_lies_beside_the_package(here: Path) -> None:
    write(
        here, {"pack/__init__.py": "", "pack/fits.py": "import helper\nfrom pack.part import a\ndef fit(seed): pass\n"}
    )
    write(here, {"pack/part.py": "a = 1\n", "pack/unused.py": ""})
    inner = {"pack/__init__.py", "pack/fits.py", "pack/part.py"}
    assert names("pack.fits:fit") == inner | (USED - {"task.py", "late.py"})


def test_the_init_of_a_package_counts_even_if_nothing_in_it_is_used(here: Path) -> None:
    write(here, {"pack/__init__.py": "", "pack/fits.py": "def fit(seed): pass\n"})
    assert names("pack.fits:fit") == {"pack/__init__.py", "pack/fits.py"}


def test_a_task_in_the_init_of_a_package_finds_its_siblings(here: Path) -> None:
    write(here, {"pack/__init__.py": "from .part import a\ndef fit(seed): pass\n", "pack/part.py": "a = 1\n"})
    assert names("pack:fit") == {"pack/__init__.py", "pack/part.py"}


def test_of_an_installed_package_only_the_package_counts(here: Path) -> None:
    site = here / "venv/lib/site-packages"
    write(site, {"library/__init__.py": "", "library/fits.py": "import neighbour\nfrom . import part\ndef fit(s): ..."})
    write(site, {"library/part.py": "", "neighbour.py": ""})
    sys.path.insert(0, str(site))
    assert names("library.fits:fit") == {"fits.py", "part.py", "__init__.py"}


def test_a_virtual_environment_beside_the_task_is_not_its_code(here: Path) -> None:
    site = here / ".venv/lib/python3.11/site-packages"
    write(site, {"library/__init__.py": ""})
    sys.path.insert(0, str(site))
    (here / "task.py").write_text(
        "import library, json, torch, glidepath as gp\nfrom glidepath.tasks import Task\ndef fit(seed): pass\n"
    )
    assert names("task.py:fit") == {"task.py"}


def test_what_a_partial_is_filled_with_counts(here: Path) -> None:
    text = "from functools import partial\nfrom helper import build\nfit = partial(build, width=4)\n"
    write(here, {"task.py": text, "helper.py": "def build(seed, width): return width\n"})
    before = load_task("task.py:fit").fingerprint
    assert names("task.py:fit") == {"task.py", "helper.py"}
    write(here, {"task.py": text.replace("4", "5")})
    assert load_task("task.py:fit").fingerprint != before


def test_a_decorated_function_is_looked_at_inside(here: Path) -> None:
    write(
        here,
        {
            "helper.py": "import functools\ndef same(f):\n    @functools.wraps(f)\n    def g(*a): return f(*a)\n"
            "    return g\n"
        },
    )
    write(here, {"task.py": "from helper import same\n@same\ndef fit(seed): return 1\n"})
    assert names("task.py:fit") == {"task.py", "helper.py"}


def test_an_object_that_can_be_called_is_known_by_its_class(here: Path) -> None:
    write(here, {"task.py": "from helper import Fit\nfit = Fit()\n"})
    write(here, {"helper.py": "class Fit:\n    def __call__(self, seed): return 1\n"})
    assert names("task.py:fit") == {"task.py", "helper.py"}


def test_a_function_without_a_file_has_no_sources_and_a_fingerprint_by_its_name() -> None:
    space: dict[str, Callable[[int], int]] = {}
    exec("def one(seed): return 1\ndef two(seed): return 2", {"__name__": "nowhere"}, space)
    assert sources(space["one"]) == {}
    assert fingerprint(space["one"]) != fingerprint(space["two"])
    assert fingerprint(len) == fingerprint(len)


def test_a_file_that_no_longer_parses_is_still_told_apart(here: Path) -> None:
    loaded = load_task("task.py:fit")
    before = loaded.fingerprint
    (here / "helper.py").write_text("x = = 2")
    assert loaded.fingerprint != before


@pytest.mark.parametrize("name", ["digits", "stdlib_gpt"])
def test_a_built_in_task_is_its_own_file(name: str) -> None:
    assert names(name) == {f"glidepath/tasks/{name}.py"}
