import shutil
import sys
from pathlib import Path

import pytest


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder where we are, with the small tasks in lines.py."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "lines", raising=False)  # of another test's folder
    shutil.copy(Path(__file__).parent / "lines.py", tmp_path)
    return tmp_path
