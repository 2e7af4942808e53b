"""Logged runs: their rates and losses, how they are built, grouped and compared with a plan."""

from glidepath.extras import require_extras

require_extras("logged runs", "law")
