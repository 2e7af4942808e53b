"""Keras: a plan, traced in a compiled training step and saved with the model; each backend in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import glidepath as gp

ROOT = Path(__file__).parents[2]


def keras_says(backend, *command):
    environment = {**os.environ, "KERAS_BACKEND": backend}
    asked = [sys.executable, *command]
    return subprocess.run(asked, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_compiled_training_uses_the_plan_and_goes_on_from_a_saved_model(backend, tmp_path):
    answer = keras_says(backend, "-m", "tests.integrations.keras_training", str(tmp_path))
    told = json.loads(answer.stdout.splitlines()[-1]) if not answer.returncode else pytest.fail(answer.stderr)
    plan = 3e-3 * (gp.warmup(3) >> gp.cosine(9, to=0.1))
    assert (told["backend"], told["text"]) == (backend, plan.text)
    wanted = [plan(k) for k in range(12)]
    assert told["first"] == pytest.approx(wanted[:5], rel=1e-5)  # differences of float32 weights
    assert told["resumed"] == pytest.approx(wanted[5:], rel=1e-5)
    assert told["logged"] == pytest.approx([0.05, 0.1, 0.1, 0.05], rel=2e-6)
    third = 1e-3  # one update of every four batches
    used = [third * k if batch == 3 else 0.0 for k in (1, 2, 3, 3, 2, 1) for batch in range(4)]
    assert told["accumulated"] == pytest.approx(used, rel=1e-5)


REFUSED = """
import glidepath as gp
from glidepath.integrations.keras import LearningRate
for plan in ({plans}):
    try:
        LearningRate(plan)
    except gp.GlidepathError as error:
        print(type(error).__name__, error)
"""


def test_a_value_that_is_not_a_plan_of_rates_is_refused():
    answer = keras_says("jax", "-c", REFUSED.format(plans="0.1, 'cosine(5%)', 'cosin(5)'"))
    lines = answer.stdout.splitlines()
    assert lines[0] == "ScheduleError LearningRate takes a schedule or its text, not 0.1 [GP101]"
    assert 'DraftError cosine("5%") waits for a horizon: give LearningRate(plan.over(10_000))' in lines[1]
    assert "did you mean cosine" in lines[2]


def test_a_number_of_batches_in_an_update_that_is_none_is_refused():
    script = REFUSED.replace("LearningRate(plan)", "LearningRate(plan, gradient_accumulation_steps=0)")
    answer = keras_says("jax", "-c", script.format(plans="gp.cosine(5),"))
    assert "gradient_accumulation_steps must be at least 1, not 0" in answer.stdout


def test_a_backend_that_cannot_trace_plans_is_refused():
    answer = keras_says("numpy", "-c", REFUSED.format(plans="gp.cosine(5),"))
    assert "on the backends jax and torch, not on numpy: set KERAS_BACKEND" in answer.stdout
