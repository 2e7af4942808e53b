"""The page of the integrations: its blocks are what the tests of the frameworks train."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "integrations.md"
IMPORTS = "from glidepath.torch import Scheduler\nimport glidepath as gp\nimport torch\n"


def blocks(heading, language="python"):
    """The blocks of code under a heading."""
    (section,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.M | re.S)


def example(heading, **names):
    """The names that the first block under a heading leaves, having run with those given."""
    code = blocks(heading)[0]
    exec(compile(IMPORTS + code, f"{PAGE.name}: {heading}", "exec"), names)
    return names
