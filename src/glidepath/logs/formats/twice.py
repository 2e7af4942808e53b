"""A step with two rates or two losses in rows of one's own: which of them holds is unknown."""

from collections.abc import Mapping

import numpy as np

from glidepath.errors import RunError
from glidepath.runs.run import at_step

from ..names import loss_names, rate_names
from ..series import Series


def check_twice(series: Mapping[str, Series]) -> None:
    """Check that no step has two losses or two different rates, in rows that follow each other.

    Raises:
        RunError: if one has.
    """
    for name, each in series.items():
        is_rate = bool(rate_names([name]))
        if is_rate or loss_names([name]):
            same = np.flatnonzero(each.steps[1:] == each.steps[:-1])
            for i in same[(each.values[same + 1] != each.values[same]) | (not is_rate)][:1]:
                raise _two_values(each, int(i), is_rate=is_rate)


def _two_values(series: Series, i: int, *, is_rate: bool) -> RunError:
    first, second = series.values[[i, i + 1]]
    what = f"rates, {first:g} and {second:g}: of two groups of parameters? keep" if is_rate else "losses; keep"
    return RunError(f"there are two {what} one of them", place=at_step(series.place(i + 1), series.steps[i]))
