"""Real loss curves to test on, which are no part of the project: tests that need them skip where there are none."""

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[2] / "shared" / "data"


def folder(name: str) -> Path:
    """A folder of curves, in `$GLIDEPATH_DATA` or beside the repository."""
    found = Path(os.environ.get("GLIDEPATH_DATA") or BESIDE) / name
    if not found.is_dir():
        pytest.skip(f"{found} is not there: GLIDEPATH_DATA says where real curves are")
    return found
