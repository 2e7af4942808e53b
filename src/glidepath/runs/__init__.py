"""Logged runs: their rates and losses, how they are built, grouped and compared with a plan."""
