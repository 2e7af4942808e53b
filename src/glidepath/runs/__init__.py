"""Logged runs: their rates and losses, how they are built, grouped and compared with a plan."""

from glidepath.extras import needs_extra

with needs_extra("law", "logged runs"):
    import numpy as _numpy  # noqa: F401
