"""The page on users' own training shows code that is in the examples, and nothing else."""

import re
from pathlib import Path
from textwrap import dedent, indent

import pytest
from trainings import EXAMPLES

PAGE = EXAMPLES.parents[1] / "docs" / "training.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.S)
FILES = {"python": "*.py", "yaml": "*.yaml"}


def holds(text: str, block: str) -> bool:
    """Whether a text holds a block, indented by whole levels of its own."""
    return any(f"\n{indent(dedent(block), level * '    ')}" in f"\n{text}" for level in range(4))


@pytest.mark.parametrize(("kind", "block"), [pair for pair in BLOCKS if pair[0] in FILES])
def test_a_block_of_the_page_is_in_an_example(kind: str, block: str) -> None:
    if kind == "yaml":
        assert any(block in file.read_text() for file in EXAMPLES.glob(FILES[kind]))
    else:
        assert any(holds(file.read_text(), block) for file in EXAMPLES.glob(FILES[kind]))


def test_there_are_blocks_of_python_yaml_and_shell_and_no_others() -> None:
    assert {kind for kind, _ in BLOCKS} == {"python", "yaml", "sh"}


def test_the_first_block_is_ten_lines() -> None:
    assert len([line for line in BLOCKS[0][1].splitlines() if line.strip()]) <= 10


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.py")), ids=lambda file: file.stem)
def test_every_example_is_quoted_on_the_page(file: Path) -> None:
    assert any(kind == "python" and holds(file.read_text(), block) for kind, block in BLOCKS)


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)|examples/training/(\w+\.py)", TEXT))
def test_what_the_page_points_to_is_there(target: tuple[str, str]) -> None:
    link, file = target
    assert (PAGE.parent / Path(link) if link else EXAMPLES / file).exists()
