"""The runs that a law learns from: of the best peak, and those that differ only by their seed as one, their mean."""

from collections.abc import Sequence
from typing import NamedTuple

from glidepath.runs.aggregate import average_seeds, choose_peak
from glidepath.runs.run import Run
from glidepath.warn import warn_caller


class Selection(NamedTuple):
    """Runs to learn from.

    Args:
        runs: of one peak, no two of the same rates and updates.
        noise: the standard error of a difference of the last losses of two of them; None if no run has several seeds.
        notes: what was chosen, in sentences; empty if nothing was.
    """

    runs: Sequence[Run]
    noise: float | None = None
    notes: tuple[str, ...] = ()


def select_runs(runs: Sequence[Run]) -> Selection:
    """Choose the runs of the best peak, since one law does not hold across peaks, and average their seeds.

    Args:
        runs: of one model; if there is none, or something else was given, it is returned for `fit` to refuse.

    Warns:
        GlidepathWarning: if there are several peaks, with the one that was chosen.
    """
    if isinstance(runs, Run) or not runs:
        return Selection(runs)
    choice = choose_peak(runs)
    if choice.note:
        warn_caller(choice.note, "GP713")
    means = average_seeds(choice.runs)
    return Selection(means.runs, means.noise, (choice.note,) if choice.note else ())
