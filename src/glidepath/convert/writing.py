"""`code`: a plan as source code for another library."""

import math
from importlib import import_module
from typing import Literal, cast, get_args

from glidepath.core.checks import real
from glidepath.core.schedule import Draft, Schedule
from glidepath.core.step_function import needs_schedule
from glidepath.errors import ConvertError, TextError

Target = Literal["function", "torch", "transformers", "optax", "keras", "timm"]

WRITERS: dict[Target, str] = {"function": "plain"}  # where the module is not called as its target


def code(plan: Schedule, *, to: Target, peak: float | None = None) -> str:
    """Write a plan as Python source for another library, as a person would write it there.

    The library's own classes are used where they have the same value at every update, past the end too; elsewhere
    the plan becomes a function of the step, and failing that a table of its values, and a comment says so. Values agree
    within 1e-12 of the peak, and within float32 where the library computes in it; where a formula has no finite value,
    its code may raise.

    Args:
        plan: any plan but a draft.
        to: "function" is `get_lr(it)`, which needs the math module only; "torch", "transformers" and "timm" build a
            scheduler for an optimizer, a ratio of its own rate; "optax" and "keras" build a schedule of rates.
        peak: the rate where the plan is 1.0, above 0; without one the values are those of the plan.

    Raises:
        ConvertError: if the plan is a draft, calls a Python function, begins with no finite number, or needs a table
            that would be too long.

    Examples:
        >>> print(code(warmup(500) >> cosine(9500), to="function", peak=3e-4))
        # warmup(500) >> cosine(9500)
        <BLANKLINE>
        import math
        <BLANKLINE>
        <BLANKLINE>
        max_lr = 0.0003
        <BLANKLINE>
        <BLANKLINE>
        def get_lr(it):
            if it < 500:
                return max_lr * (it + 1) / 500
            if it < 10000:
                return max_lr * 0.5 * (1 + math.cos(math.pi * (it - 500) / 9500))
            return 0.0
        <BLANKLINE>
    """
    _refuse(needs_schedule(plan, "code"))
    if to not in get_args(Target):
        raise ConvertError(f"there is no code for {to!r}: give one of {', '.join(get_args(Target))}")
    height = None if peak is None else real(peak, "peak", above=0)
    writer = import_module(f".writers.{WRITERS.get(to, to)}", __package__)
    return cast(str, writer.write(plan, height))


def _refuse(plan: Schedule) -> None:
    """Raise for what no target can write."""
    if isinstance(plan, Draft):
        raise ConvertError(f"{plan!r} depends on the length of the run: give it first, as in plan.over(10_000)")
    try:
        first = plan(0) if plan.text else math.nan
    except TextError as error:
        raise ConvertError(f"{error.worded()}; write it as a formula, or as a table of its values") from error
    if not math.isfinite(first):
        raise ConvertError(f"{plan!r} begins with {first}, which is not a rate: mend it, or cut it, plan[1:]")
