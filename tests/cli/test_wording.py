"""Arguments as options: what the command line words is what the library names."""

import ast
import importlib
import pkgutil
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import glidepath.cli
from glidepath.cli.output.wording import quote

SOURCE = Path(glidepath.__file__).parent


def option_tables():
    """Every table of options of the command line, by where it is."""
    for info in pkgutil.walk_packages(glidepath.cli.__path__, "glidepath.cli."):
        if info.name.endswith("__main__"):
            continue
        for name, table in vars(importlib.import_module(info.name)).items():
            if name.endswith("OPTIONS") and isinstance(table, dict):
                yield pytest.param(table, id=f"{info.name}.{name}")


def arguments_in_errors() -> set[str]:
    """The names of all arguments that the library's errors name."""
    calls = (
        node
        for file in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Argument"
    )
    return {call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)}


@pytest.mark.parametrize("table", list(option_tables()))
def test_every_option_is_that_of_an_argument_that_some_error_names(table):
    assert set(table) <= arguments_in_errors()


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
@pytest.mark.parametrize("text", ["it's", 'a"b', "a\\b", "a\x1b[31mb", 'it\'s\n"both"', "$HOME", "a b"])
def test_a_quoted_text_is_what_a_shell_reads(text):
    answer = subprocess.run(["bash", "-c", f"printf %s {quote(text)}"], capture_output=True, check=True)
    assert answer.stdout.decode() == text


@given(st.text())
def test_a_quoted_text_can_be_printed(text):
    assert quote(text).isprintable()
