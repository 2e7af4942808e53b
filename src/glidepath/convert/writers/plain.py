"""A function of the step that needs nothing but Python's math module."""

from glidepath.core.schedule import Schedule

from .dialect import PYTHON
from .expression import Expression, to_expression
from .function import write_function
from .program import program


def write(plan: Schedule, peak: float | None) -> str:
    """Write the plan as `get_lr(it)`."""
    whole = write_function(plan, "it", PYTHON, to_expression(1.0) if peak is None else Expression("max_lr"))
    settings = "" if peak is None else f"max_lr = {peak!r}"
    imports = ["import math"] if whole.uses("math") else []
    return program(plan, [whole.note()], imports, settings, *whole.before, whole.definition("get_lr(it)"))
