"""The count of calls of W&B, `_step`, which is a step only where one call logs what belongs to one update."""

from collections.abc import Mapping

import numpy as np

from glidepath.errors import RunError

from ..names import loss_names, name_it, rate_names
from ..series import Series

COUNT_OF_CALLS = "_step"


def check_calls(step: str, series: Mapping[str, Series]) -> None:
    """Check that rate and loss were not logged by calls of their own, which `_step` counts as two updates.

    Raises:
        RunError: if they were.
    """
    rates, losses = rate_names(list(series)), loss_names(list(series))
    if step != COUNT_OF_CALLS or len(rates) != 1 or len(losses) != 1:
        return
    rate, loss = series[rates[0]], series[losses[0]]
    if len(rate) > 1 and len(loss) > 1 and not np.isin(rate.steps, loss.steps).any():
        problem = f"{COUNT_OF_CALLS} counts calls of log, and {rates[0]} and {losses[0]} come in calls of their own"
        raise RunError(f"{problem}: log the update with both", place=rate.place(0), cures=[name_it("step")])
