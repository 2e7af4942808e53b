"""Frameworks are imported by the tasks that are made from them alone, and their versions are a part of the state."""

import subprocess
import sys

import lightning
import pytest
import torchmetrics

from glidepath.errors import TaskError
from glidepath.tasks.versions import Versions

WITHOUT = """
import sys
sys.modules["lightning"] = sys.modules["transformers"] = None
import glidepath.tasks
for name in ("lightning", "transformers"):
    try:
        __import__(f"glidepath.tasks.{name}")
    except glidepath.errors.MissingExtraError as error:
        print(error)
"""


def test_tasks_can_be_imported_without_the_frameworks_and_a_missing_one_is_told_with_the_cure() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines() == [
        "a task from a LightningModule needs lightning, which is not installed: pip install lightning [GP601]",
        "a task from a Trainer needs transformers, which is not installed: pip install transformers [GP601]",
    ]


def test_a_state_tells_the_versions_and_is_refused_where_they_are_others() -> None:
    versions = Versions("lightning", "torchmetrics")
    state = versions.state_dict()
    assert state == {"lightning": lightning.__version__, "torchmetrics": torchmetrics.__version__}
    versions.load_state_dict(state)
    with pytest.raises(TaskError, match=r"trained with {'lightning': '1.0'.*train it again"):
        versions.load_state_dict({**state, "lightning": "1.0"})
    assert versions.state_dict() == state
