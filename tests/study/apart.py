"""Python in a process of its own, that may be given folders which cannot be written, or are small."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BEGIN = "from pathlib import Path; from leading import led; from glidepath.study.store import Store, StoreError\n"


def command(script: str, *arguments: object) -> list[str]:
    """Python with a script that finds the helpers of these tests."""
    return [sys.executable, "-B", "-c", BEGIN + script, *map(str, arguments)]


def environment() -> dict[str, str]:
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    return os.environ | {"PYTHONPATH": path}


def started(script: str, *arguments: object) -> "subprocess.Popen[str]":
    """A process that runs beside us."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command(script, *arguments), env=environment(), text=True, **pipes)  # type: ignore[call-overload, no-any-return]


def mounted(*lines: str) -> str:
    """What shell lines print that may mount what nobody else sees; as few systems allow, or the test is skipped."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-Urm", "true"], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount folders of their own")
    script = "\n".join(["set -e", *lines])
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script], capture_output=True, text=True, check=False, env=environment()
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def line(script: str, *arguments: object) -> str:
    """A shell line that runs a script."""
    return shlex.join(command(script, *arguments))


READ_ONLY = ("mount --bind kept kept", "mount -o remount,bind,ro kept")
