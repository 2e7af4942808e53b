"""Doctests write schedules as a user does, after `from glidepath import ...`."""

import pytest

import glidepath
from glidepath.text import NAMES


@pytest.fixture(autouse=True)
def _recipes(doctest_namespace):
    doctest_namespace.update({name: getattr(glidepath, name) for name in (*NAMES, "Horizon", "parse")})
