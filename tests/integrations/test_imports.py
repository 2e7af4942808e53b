"""A helper needs its framework only if it is built on it, and says so if it is missing."""

import subprocess
import sys

import pytest


def run(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("module", "message"),
    [("lightning", "pip install lightning"), ("keras", "pip install keras, and set KERAS_BACKEND")],
)
def test_a_missing_framework_is_told_with_the_line_that_installs_it(module, message):
    answer = run(f"import sys; sys.modules['{module}'] = None; import glidepath.integrations.{module}")
    assert "MissingExtraError: this needs " in answer.stderr
    assert message in answer.stderr


@pytest.mark.parametrize("module", ["timm", "transformers"])
def test_the_other_helpers_do_not_import_theirs(module):
    answer = run(f"import sys, glidepath.integrations.{module}; print('{module}' in sys.modules)")
    assert answer.stdout == "False\n"
