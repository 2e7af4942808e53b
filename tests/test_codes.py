"""Every error, warning and finding has a code in one table, and every row of the table is used."""

import ast
import builtins
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import glidepath
from glidepath import errors
from glidepath.codes import CODES
from glidepath.errors import GlidepathError, GlidepathWarning
from glidepath.review import RULES

SOURCE = Path(glidepath.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
TABLE = SOURCE / "codes.py"
KINDS = ("Error", "Exception", "Warning")
CODE = re.compile(r"\bGP\d{3}\b")
ERRORS = sorted(
    (value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, GlidepathError)),
    key=lambda error: error.__name__,
)


@cache
def tree_of(file):
    return ast.parse(file.read_text(encoding="utf-8"))


def constants(file):
    """Yield the texts in a file that are a code and nothing else, so no mention in a docstring."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
            yield node.value


def calls(file, name):
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name:
            yield node


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_class_has_a_row_of_its_own(error):
    assert "code" in vars(error)
    assert CODES[error.code].name == error.__name__


def test_no_error_class_is_defined_elsewhere():
    bases = {error.__name__ for error in ERRORS} | {name for name in dir(builtins) if name.endswith(KINDS)}
    elsewhere = [
        f"{file.relative_to(SOURCE)}: {node.name}"
        for file in FILES
        if file != SOURCE / "errors.py"
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.ClassDef) and bases & {ast.unparse(base).rpartition(".")[2] for base in node.bases}
    ]
    assert elsewhere == []


def test_a_code_and_a_name_stand_in_the_table_once():
    (table,) = (node.value for node in tree_of(TABLE).body if isinstance(node, ast.Assign))
    codes = [key.value for key in table.keys]
    assert codes == list(CODES)
    assert Counter(codes).most_common(1)[0][1] == 1
    assert Counter(row.name for row in CODES.values()).most_common(1)[0][1] == 1


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_row_says_what_is_wrong_and_what_to_do(code):
    assert CODE.fullmatch(code)
    name, meaning, cure = CODES[code]
    assert name.isidentifier() or re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
    assert meaning.endswith(".")
    assert cure.endswith(".")


def test_every_code_in_the_code_and_its_documentation_is_in_the_table():
    pages = [*SOURCE.parents[1].glob("*.md"), *SOURCE.parents[1].glob("docs/**/*.md")]
    missing = {
        (file.name, code)
        for file in (*FILES, *pages)
        for code in CODE.findall(file.read_text(encoding="utf-8"))
        if code not in CODES
    }
    assert missing == set()


def test_every_row_is_used():
    used = {code for file in FILES if file != TABLE for code in constants(file)}
    findings = {code for code, row in CODES.items() if code.startswith("GP8") and row.name in {*RULES, "deviation"}}
    assert set(CODES) - used - findings == set()


def test_every_warning_is_given_with_its_own_code():
    for file in FILES:
        for call in calls(file, "GlidepathWarning"):
            codes = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
            assert len(codes) == 1, f"{file}:{call.lineno}"
            text = ast.unparse(codes[0])
            assert text.isidentifier() or text.startswith("'GP7"), f"{file}:{call.lineno}"
        for call in calls(file, "warn"):
            arguments = [*call.args[1:], *(keyword.value for keyword in call.keywords)]
            assert "GlidepathWarning" not in map(ast.unparse, arguments), f"{file}:{call.lineno}"


def test_the_code_of_a_kind_of_error_may_be_more_special_than_that_of_its_class():
    assert str(GlidepathError("a", code="GP999")) == "a [GP999]"
    assert GlidepathError("a").code == "GP001"
    assert GlidepathWarning("a").code == "GP700"
    assert str(GlidepathWarning("a", code="GP999")) == "a [GP999]"
