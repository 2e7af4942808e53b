"""Train a study: check it, plan it, lead the workers, show progress."""
