"""The README's examples run, and its Chinese twin shows the same code."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
READMES = ["README.md", "README.zh-CN.md"]


def code(name):
    return re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.S)


def without_comments(block):
    return re.sub(r"\s+#.*", "", block)


@pytest.mark.parametrize("name", READMES)
def test_the_examples_give_what_they_show(name):
    results = doctest.testfile(str(ROOT / name), module_relative=False, encoding="utf-8")
    assert results.attempted >= 5
    assert results.failed == 0


def test_both_readmes_have_the_same_code():
    english, chinese = ([without_comments(block) for block in code(name)] for name in READMES)
    assert english == chinese


@pytest.mark.parametrize("name", READMES)
def test_every_file_that_a_readme_points_to_is_there(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    assert targets
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []


def test_the_names_that_a_readme_promises_exist():
    import glidepath as gp

    for name in set(re.findall(r"\bgp\.(\w+)", (ROOT / "README.md").read_text(encoding="utf-8"))):
        assert hasattr(gp, name), name
