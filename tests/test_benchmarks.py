"""The benchmarks use what a user can: public names, one level below `glidepath` at most."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parent.parent / "benchmarks").glob("*.py"))
INTERNALS = {("advisor.py", "glidepath.law.designing.descent"), ("advisor.py", "glidepath.law.evaluation.timeline")}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_benchmark_imports_public_names(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "glidepath":
            if (file.name, node.module) in INTERNALS:  # a finer descent than `design` makes is its oracle
                continue
            assert node.module.count(".") <= 1
            public = dir(import_module(node.module))
            assert [name.name for name in node.names if name.name.startswith("_") or name.name not in public] == []
