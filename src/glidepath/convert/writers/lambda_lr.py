"""PyTorch's LambdaLR over a function of the step: what any plan can be."""

from glidepath.core.schedule import Schedule

from .dialect import PYTHON
from .expression import to_expression
from .function import write_function
from .layout import INDENT
from .program import program

IMPORT = "from torch.optim.lr_scheduler import LambdaLR"


def rate_note(peak: float | None) -> str:
    """Return the note that the values of a scheduler of PyTorch are shares of the optimizer's rate."""
    rate = "" if peak is None else f", {peak!r},"
    return f"The optimizer's own rate{rate} is the peak: build it with that lr."


def write(plan: Schedule, peak: float | None, reason: str) -> str:
    """Write `make_scheduler(optimizer)` that calls the plan at every step, and the reason for it."""
    whole = write_function(plan, "step", PYTHON, to_expression(1.0))
    imports = ["import math\n"] if whole.uses("math") else []
    make_scheduler = f"def make_scheduler(optimizer):\n{INDENT}return LambdaLR(optimizer, factor)"
    return program(
        plan,
        [rate_note(peak), whole.note(reason)],
        [*imports, IMPORT],
        *whole.before,
        whole.definition("factor(step)"),
        make_scheduler,
    )
