"""Custom schedules: a formula, a Python function, or a table of values."""

from collections.abc import Callable, Iterable
from typing import Any, cast

from glidepath.core.arguments import check_arguments
from glidepath.core.endless import Table
from glidepath.core.formula import Formula, Function
from glidepath.core.schedule import Schedule


@check_arguments
def formula(expression: str | Callable[[int], float]) -> Schedule:
    """Compute a custom decay: an expression in `step`, or a Python function of the step.

    A text may use step, pi, e, the operators + - * / // % **, and sin cos tan tanh exp log log2 log10 sqrt abs floor
    ceil min max. It is parsed, never run as code, and follows IEEE 754. A Python function works everywhere too, but
    has no text form, so it cannot be stored in a file or compared with a checkpoint.

    Examples:
        >>> formula("1 / (1 + 0.01 * step)")(100)
        0.5
        >>> formula(lambda step: 0.9**step)(1)
        0.9
    """
    return Formula(expression) if isinstance(expression, str) else Function(expression)


@check_arguments
def table(values: Iterable[float]) -> Schedule:
    """Look up a value for every update; the last one is held.

    Examples:
        >>> [table([1.0, 0.5])(k) for k in range(3)]
        [1.0, 0.5, 0.5]
    """
    return Table(cast(Any, values))
