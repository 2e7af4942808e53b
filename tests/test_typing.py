"""What a type checker says about a user's program."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import numpy as np
import torch

import glidepath as gp

plan = gp.warmup(5) >> gp.cosine("95%")
reveal_type(plan(3))
reveal_type(plan(np.int64(3)))
reveal_type(plan(np.arange(3)))
reveal_type(plan(torch.arange(3)))
reveal_type(plan)
reveal_type(gp.parse("linear(9)"))
reveal_type(gp.Set(plan))
reveal_type(gp.fit)
plan("3")
gp.cosine(100, min_lr=0.1)
"""
TYPES = [
    'type is "float"',
    'type is "float"',
    'type is "numpy.ndarray[',
    'type is "torch._tensor.Tensor"',
    'type is "glidepath.core.schedule.Schedule"',
    'type is "glidepath.core.schedule.Schedule"',
    'type is "glidepath.core.assignment.Set"',
    'type is "def (runs: typing.Sequence[glidepath.runs.run.Run]',
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    program = tmp_path_factory.mktemp("typing") / "program.py"
    program.write_text(PROGRAM)
    root = Path(__file__).parent.parent  # whose configuration and cache are used
    command = [sys.executable, "-m", "mypy", "--hide-error-context", "--no-error-summary", str(program)]
    return subprocess.run(command, capture_output=True, text=True, cwd=root).stdout.splitlines()


def test_a_step_gives_a_float_and_an_array_an_array(answers):
    revealed = [line for line in answers if "Revealed" in line]
    assert len(revealed) == len(TYPES)
    assert all(expected in line for expected, line in zip(TYPES, revealed, strict=True))


def test_a_wrong_step_and_a_wrong_argument_are_errors_before_the_program_runs(answers):
    errors = [line for line in answers if ": error: " in line]
    assert any('No overload variant of "__call__" of "StepFunction"' in line for line in errors)
    assert any('Unexpected keyword argument "min_lr" for "cosine"' in line for line in errors)
