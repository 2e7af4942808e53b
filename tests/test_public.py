"""What is public has a docstring and a test."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = [
    *("glidepath", "glidepath.torch", "glidepath.torch.lr_scheduler", "glidepath.law", "glidepath.logs"),
    *(
        "glidepath.convert",
        "glidepath.tasks",
        "glidepath.study",
        "glidepath.review",
        "glidepath.plot",
        "glidepath.errors",
    ),
    *(f"glidepath.integrations.{name}" for name in ("keras", "lightning", "timm", "transformers")),
]
THIS = Path(__file__)


def public(room):
    """The public functions and classes of a room: its own, and what it exports of the rooms below it."""
    module = importlib.import_module(room)
    names = [name for name in dir(module) if not name.startswith("_")]
    for name in names:
        value = getattr(module, name)
        own = (getattr(value, "__module__", None) or "").startswith("glidepath")
        if own and (inspect.isclass(value) or inspect.isroutine(value)) and exported(module, name, value):
            yield name, value


def exported(module, name, value):
    """Whether a name is meant to be public: `import x as x`, or defined here."""
    source = Path(module.__file__).read_text(encoding="utf-8")
    return value.__module__ == module.__name__ or f"{name} as {name}" in source or f'"{name}"' in source


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_has_a_docstring(room):
    names = list(public(room))
    assert names
    assert [name for name, value in names if not (value.__doc__ or "").strip()] == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_has_a_test(room):
    files = [file for file in (ROOT / "tests").rglob("*.py") if file != THIS]
    words = set(re.findall(r"\w+", " ".join(file.read_text(encoding="utf-8") for file in files)))
    assert [name for name, _ in public(room) if name not in words] == []
