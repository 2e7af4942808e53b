"""The house stays as it is meant to be: few rooms, few doors, no circles, short files and short functions."""

import ast
import statistics
import tomllib
from pathlib import Path

import grimp
import networkx
import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "glidepath"
FILES = sorted(SOURCE.rglob("*.py"))
NOT_ROOMS = {"__init__", "__main__", "errors"}
MOST_ROOMS, MOST_PAIRS, LONGEST_FILE, LONGEST_FUNCTION, MEDIAN_FUNCTION = 22, 80, 450, 40, 4


@pytest.fixture(scope="module")
def imports():
    """The graph of imports between modules, those for types alone left out."""
    graph = grimp.build_graph("glidepath", exclude_type_checking_imports=True, cache_dir=None)
    pairs = ((module, target) for module in graph.modules for target in graph.find_modules_directly_imported_by(module))
    return networkx.DiGraph(pairs)


@pytest.fixture(scope="module")
def conveniences():
    """What the contract of layers declares as looked up when called."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    return [tuple(pair.split(" -> ")) for contract in contracts for pair in contract.get("ignore_imports", [])]


def room(module):
    return module.split(".")[1] if "." in module else "__init__"


def test_the_package_has_few_rooms():
    rooms = {file.relative_to(SOURCE).parts[0].removesuffix(".py") for file in FILES} - NOT_ROOMS
    assert len(rooms) <= MOST_ROOMS


def test_few_pairs_of_rooms_know_each_other(imports):
    pairs = {(room(a), room(b)) for a, b in imports.edges} - {(name, name) for name in map(room, imports)}
    assert len([pair for pair in pairs if not NOT_ROOMS & set(pair)]) <= MOST_PAIRS


def test_no_circle_but_the_declared_conveniences(imports, conveniences):
    assert {target for _, target in conveniences} <= {"glidepath.core.resolve", "glidepath.review", "glidepath.plot"}
    without = imports.copy()
    without.remove_edges_from(conveniences)
    assert [sorted(circle) for circle in networkx.strongly_connected_components(without) if len(circle) > 1] == []


def test_no_file_is_long():
    assert {str(file): lines for file in FILES if (lines := file.read_text().count("\n")) > LONGEST_FILE} == {}


def bodies():
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[ast.get_docstring(node) is not None :]
                if body:
                    yield f"{file.name}: {node.name}", body[-1].end_lineno - body[0].lineno + 1


def test_functions_are_short():
    lengths = dict(bodies())
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}
    assert statistics.median(lengths.values()) <= MEDIAN_FUNCTION
