"""An integration needs its framework only if it is built on it, and says what to install if it is missing."""

import os
import subprocess
import sys

import pytest


def run(script, **environment):
    command = [sys.executable, "-c", script]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


def last_line_without(package, module, **environment):
    """Return the last line on stderr of an import of the integration `module`, where `package` is not installed."""
    script = f"import sys; sys.modules['{package}'] = None; import glidepath.integrations.{module}"
    return run(script, **environment).stderr.splitlines()[-1]


@pytest.mark.parametrize(("module", "name"), [("lightning", "Lightning"), ("keras", "Keras")])
def test_a_missing_framework_is_named_with_the_line_that_installs_it(module, name):
    message = f"the integration with {name} needs {module}, which is not installed: pip install {module} [GP601]"
    assert last_line_without(module, module) == f"glidepath.errors.MissingExtraError: {message}"


@pytest.mark.parametrize("module", ["lightning", "timm", "transformers", "keras"])
def test_a_missing_pytorch_is_named_with_its_extra(module):
    line = last_line_without("torch", module, KERAS_BACKEND="torch")
    assert line.startswith("glidepath.errors.MissingExtraError: ")
    assert line.endswith('torch, which is not installed: pip install "glidepath[torch]" [GP601]')


def test_keras_without_a_backend_that_is_set_or_installed_names_the_setting():
    line = last_line_without("tensorflow", "keras", KERAS_BACKEND="tensorflow")
    assert line.endswith(
        "on the backends jax and torch, not on tensorflow: set KERAS_BACKEND before Keras is imported [GP101]"
    )


@pytest.mark.parametrize("module", ["timm", "transformers"])
def test_the_other_integrations_do_not_import_their_framework(module):
    result = run(f"import sys, glidepath.integrations.{module}; print('{module}' in sys.modules)")
    assert result.stdout == "False\n"
