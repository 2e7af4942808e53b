"""The built wheel, in fresh environments: the core alone, and each extra alone. Run by `make wheel`, and by CI.

Each environment is real: made by venv, filled by pip from the wheel. What is missing there must be named, with the
smallest extra that brings it.
"""

import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

BRINGS = {  # extra: those that it includes
    "": set(),
    "torch": {"torch"},
    "plot": {"plot"},
    "law": {"law"},
    "cli": {"cli"},
    "export": {"export"},
    "logs": {"logs", "law", "export"},  # export: pyarrow is in both
    "ray": {"ray"},
    "compare": {"compare", "torch", "plot", "law", "cli"},
}
ROOMS = {  # module: the extra that it needs to be imported
    "glidepath": "",
    "glidepath.convert": "",
    "glidepath.runs.run": "law",
    "glidepath.law": "law",
    "glidepath.logs": "law",
    "glidepath.plot": "plot",
    "glidepath.torch": "torch",
    "glidepath.tasks": "torch",
    "glidepath.integrations.transformers": "torch",
    "glidepath.integrations.timm": "torch",
    "glidepath.study": "compare",
}
NUMPY_ALONE = {"glidepath.runs.run", "glidepath.logs"}  # which other extras bring too
COMMANDS = {  # a command line: the extra that it needs beside cli
    "--help": "",
    "show cosine(100)": "",
    "review cosine(100)": "",
    "recipes cosine": "",
    "convert cosine(100) --to plain": "",
    "plot cosine(100) -o figure.png": "plot",
    "fit missing.csv": "law",
    "predict cosine(100) --run missing.csv": "law",
    "find digits": "compare",
    "compare digits --dry-run": "compare",
}
PROBE = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(f"{name}: {type(error).__name__}: {error}")
    else:
        print(f"{name}: imported")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)],
        check=True,
    )
    (file,) = folder.glob("glidepath-*.whl")
    return file


EXTRAS = [pytest.param(extra, id=extra or "core", marks=pytest.mark.xdist_group(extra or "core")) for extra in BRINGS]


@pytest.fixture(scope="module", params=EXTRAS)
def environment(request, wheel, tmp_path_factory):
    """The python of an environment with one extra, and the extra."""
    folder = tmp_path_factory.mktemp(request.param or "core")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    requirement = f"{wheel}[{request.param}]" if request.param else str(wheel)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "constraints.txt"), requirement],
        check=True,
    )
    return python, request.param


def run(python, *arguments, cwd):
    return subprocess.run([python, *arguments], capture_output=True, text=True, cwd=cwd)


def test_every_room_is_imported_or_says_which_extra_is_enough(environment, tmp_path):
    python, extra = environment
    answer = run(python, "-c", PROBE, *ROOMS, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    has_numpy = run(python, "-c", "import numpy", cwd=tmp_path).returncode == 0
    for line in answer.stdout.splitlines():
        name, outcome = line.split(": ", 1)
        needed = ROOMS[name]
        if not needed or needed in BRINGS[extra] or (name in NUMPY_ALONE and has_numpy):
            assert outcome == "imported", line
        else:
            assert outcome.startswith("MissingExtraError"), line
            assert f'pip install "glidepath[{needed}]"' in outcome, line


def test_the_command_runs_or_says_which_extra_is_enough(environment, tmp_path):
    python, extra = environment
    for command, needed in COMMANDS.items():
        arguments = re.split(r" (?!\d)", command)
        answer = run(python, "-m", "glidepath", *arguments, cwd=tmp_path)
        missing = next((name for name in ("cli", needed) if name and name not in BRINGS[extra]), None)
        if missing is None:
            assert "pip install" not in answer.stderr, (command, answer.stderr)
            assert "Traceback" not in answer.stderr, (command, answer.stderr)
        else:
            assert answer.returncode == 2, (command, answer.stdout)
            assert f'pip install "glidepath[{missing}]"' in answer.stderr, (command, answer.stderr)


def test_the_script_is_installed(environment, tmp_path):
    python, extra = environment
    answer = run(Path(python).parent / "glidepath", "--version", cwd=tmp_path)
    assert (answer.returncode == 0) == ("cli" in BRINGS[extra])
