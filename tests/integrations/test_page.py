"""The page of the integrations shows nothing that is not trained, and nothing that is too long to copy."""

import re
from pathlib import Path

import pytest

from .page import PAGE, blocks

HEADINGS = re.findall(r"^## (.*)$", PAGE.read_text(), re.M)
TESTS = "".join(file.read_text() for file in Path(__file__).parent.glob("*.py") if file.name != Path(__file__).name)


@pytest.mark.parametrize("heading", HEADINGS)
def test_every_section_has_code_that_a_test_runs_and_names_its_pitfall(heading):
    assert f'example("{heading}"' in TESTS
    section = PAGE.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    assert section.count("*The pitfall:*") == 1


@pytest.mark.parametrize("heading", HEADINGS)
@pytest.mark.parametrize("language", ["python", "yaml"])
def test_no_block_is_longer_than_ten_lines(heading, language):
    assert all(len(block.splitlines()) <= 10 for block in blocks(heading, language))


def test_every_helper_that_the_page_imports_is_there():
    imports = re.findall(r"`(from glidepath\.integrations\.(\w+) import (\w+))`", PAGE.read_text())
    assert {module for _, module, _ in imports} == {"lightning", "transformers", "timm", "keras"}
    files = Path(__file__).parents[2] / "src/glidepath/integrations"
    for _, module, name in imports:
        assert re.search(rf"^(class|def) {name}\b", (files / f"{module}.py").read_text(), re.M)
