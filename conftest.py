"""For all tests: doctests write schedules as a user does, and a property has all the time that a busy machine takes."""

import os

import pytest
from hypothesis import settings

import glidepath
from glidepath.parser import NAMES

os.environ.setdefault("KERAS_BACKEND", "jax")  # Keras's own default, TensorFlow, is not installed

settings.register_profile("glidepath", deadline=None)
settings.load_profile("glidepath")


@pytest.fixture(autouse=True)
def _recipes(doctest_namespace):
    doctest_namespace.update({name: getattr(glidepath, name) for name in (*NAMES, "Horizon", "parse")})
