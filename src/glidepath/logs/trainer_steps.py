"""Which update's rate Transformers' Trainer logged: the last one's, or, before version 4.51, that of the one to come.

Nothing in a log names the version, but its rates may tell: a linear warmup of the Trainer begins at 0, and a linear
decay ends there, so that the line of two rows meets 0 a step earlier where the next rate was logged. A rate of 0
in the row of the last step is also the next one's: no update of a schedule of the Trainer uses it.
"""

from dataclasses import replace

import numpy as np

from glidepath.runs.run import FloatArray

from .dialects import NEXT
from .series import Scalars, Series

STRAIGHT = 1e-6  # relative: slopes that differ by less are of one line
SAYS_LAST = "a row is taken to have the rate of the last update made, as Transformers logs it since version 4.51"
SAYS_NEXT = "a row has the rate of the update to come, as older versions of Transformers logged it"


def settle_next_rate(scalars: Scalars, rates: Series, by_plan: bool | None) -> Scalars:
    """Return the numbers of a Trainer with what its steps mean.

    Args:
        scalars: as they were logged.
        rates: the rates among them.
        by_plan: whether the plan shows that they are those of the next updates; None if it shows nothing.
    """
    is_next = _shows_next(rates.steps, rates.values, scalars.horizon) if by_plan is None else by_plan
    if not is_next:
        return scalars if is_next is False or not np.ptp(rates.values) else scalars.assume(SAYS_LAST)
    return replace(scalars, dialect=replace(scalars.dialect, offsets=NEXT)).assume(SAYS_NEXT)


def _shows_next(steps: FloatArray, values: FloatArray, horizon: int | None) -> bool | None:
    """Return what the rows themselves show; None if they show nothing."""
    if len(steps) < 2:
        return None
    if steps[-1] == horizon and values[-1] == 0:
        return True
    slopes = np.diff(values) / np.diff(steps)
    if slopes[0] > 0:
        return _meets(steps[0] - values[0] / slopes[0], 0)
    straight = len(slopes) > 1 and abs(slopes[-1] - slopes[-2]) <= STRAIGHT * abs(slopes[-1])
    if horizon is None or not straight or not slopes[-1]:
        return None
    return _meets(steps[-1] - values[-1] / slopes[-1], horizon)


def _meets(zero: float, step: int) -> bool | None:
    """Return whether a line meets 0 at a step, where the next rate was logged, or one later; None if at neither."""
    return True if abs(zero - step) < 0.1 else False if abs(zero - step - 1) < 0.1 else None
