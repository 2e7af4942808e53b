"""`import glidepath` is light, and what it exports is pinned."""

import subprocess
import sys

import pytest

import glidepath as gp
from glidepath.parser import NAMES

BUDGET = 60  # modules; counted and not timed, because a busy machine is slow at everything
HEAVY = {"numpy", "torch", "jax", "matplotlib", "rich", "cyclopts", "pydantic", "asyncio", "logging", "difflib"}

PUBLIC = {
    *NAMES,
    *("Draft", "Finding", "Horizon", "Review", "Schedule", "common_prefix", "parse"),
    *("DraftError", "GlidepathError", "HorizonError", "MissingExtraError", "ScheduleError", "StepError", "TextError"),
    *("SchedulerError", "GlidepathWarning", "StateError", "LawError", "RunError"),
    *("Run", "advise", "design", "fit", "predict"),
}


def modules_after(code):
    script = f"import sys; before = set(sys.modules); {code}; print(*(set(sys.modules) - before))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


def test_import_loads_few_modules_and_nothing_heavy():
    loaded = modules_after("import glidepath")
    assert len(loaded) <= BUDGET
    assert not HEAVY & {name.partition(".")[0] for name in loaded}


def test_planning_printing_and_reading_load_nothing_heavy_either():
    loaded = modules_after(
        "import glidepath as gp; plan = gp.parse('warmup(5%) >> cosine(95%)').over(1000); plan(5); str(plan); "
        "plan.review(1000); gp.common_prefix(plan, plan)"
    )
    assert not HEAVY & {name.partition(".")[0] for name in loaded}


def test_a_framework_is_only_looked_at_once_somebody_uses_it():
    assert "torch" not in modules_after("import glidepath, numpy; glidepath.linear(9)(numpy.arange(3))")


def test_what_is_public_is_there():
    assert all(hasattr(gp, name) for name in PUBLIC)
    assert gp.__version__


def test_nothing_else_is_public():
    own = {
        name
        for name, value in vars(gp).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("glidepath")
    }
    assert own <= PUBLIC


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'glidepath' has no attribute 'cosin'"):
        _ = gp.cosin
