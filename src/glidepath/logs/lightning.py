"""Lightning's LearningRateMonitor: whether it logged once an epoch, at the first update of it, or beside the losses.

`logging_interval` is not in the log, but its rows show it: by step they stand where the losses stand, at the last
update of every `log_every_n_steps`; by epoch, and by default under a schedule that steps once an epoch, at the first of
an epoch.
"""

from collections.abc import Mapping

import numpy as np

from .dialects import Between
from .names import is_evaluation, rate_names
from .series import Series

BY_EPOCH = (
    "LearningRateMonitor logged a rate once an epoch, which holds until the next; if the schedule moves within an "
    'epoch, log it with logging_interval="step"'
)


def between_of(rates: Series, series: Mapping[str, Series]) -> Between:
    """Return what the rate was between two rows of the monitor.

    Args:
        rates: those that it logged.
        series: everything that was logged, by name.
    """
    names = [name for name in series if not is_evaluation(name) and name not in rate_names(list(series))]
    trained = [series[name].steps for name in names if name not in ("epoch", "step")]
    losses = max(trained, key=len, default=np.empty(0))
    beside = np.isin(losses, rates.steps)
    if len(losses):
        return "line" if np.count_nonzero(beside) > len(losses) / 2 else "held"
    return "held" if rates.steps[0] == 0 and len(rates) > 1 and rates.steps[1] > 1 else "line"
