"""`import glidepath` is light, and what it exports is pinned."""

import subprocess
import sys

import pytest

import glidepath as gp
from glidepath import errors
from glidepath.parser import NAMES

BUDGET = 46  # modules of Python's own; counted and not timed, because a busy machine is slow at everything
OWN_BUDGET = 32  # ours, small files by family; what needs more than the core is imported on first use
HEAVY = {"numpy", "torch", "jax", "matplotlib", "rich", "cyclopts", "pydantic", "asyncio", "logging", "difflib"}
SUBPACKAGES = {
    *("codes", "convert", "errors", "integrations", "law", "logs", "plot", "study", "tasks", "torch"),
}
PUBLIC = {
    *NAMES,
    *("Draft", "Finding", "Horizon", "Review", "Schedule", "Set", "common_prefix", "parse"),
    *("Run", "advise", "design", "fit", "predict"),
    *(
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, (errors.GlidepathError, errors.GlidepathWarning))
    ),
}


def modules_after(code):
    script = f"import sys; before = set(sys.modules); {code}; print(*(set(sys.modules) - before))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


def test_import_loads_few_modules_and_nothing_heavy():
    loaded = modules_after("import glidepath")
    own = {name for name in loaded if name.partition(".")[0] == "glidepath"}
    assert len(loaded - own) <= BUDGET
    assert len(own) <= OWN_BUDGET
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


def test_dir_shows_what_is_public_and_nothing_else():
    assert set(dir(gp)) == PUBLIC | SUBPACKAGES | {"__version__"}
    assert not hasattr(gp, "TYPE_CHECKING")


def test_every_error_and_warning_is_importable_from_glidepath():
    assert all(getattr(gp, name) is getattr(errors, name) for name in PUBLIC if hasattr(errors, name))
    assert {"ArgumentError", "StudyError", "ConvertError", "MissingExtraError", "GlidepathWarning"} <= PUBLIC


def test_a_subpackage_is_imported_when_it_is_first_used():
    assert "glidepath.law" not in modules_after("import glidepath")
    assert "glidepath.law" in modules_after("import glidepath; glidepath.law")


def test_python_m_glidepath_is_the_command():
    answers = [
        subprocess.run([sys.executable, "-m", module, "show", "linear(4)"], capture_output=True, text=True, check=True)
        for module in ("glidepath", "glidepath.cli")
    ]
    assert answers[0].stdout == answers[1].stdout
    assert answers[0].stdout.startswith("linear(4)\n")


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'glidepath' has no attribute 'cosin'"):
        _ = gp.cosin
