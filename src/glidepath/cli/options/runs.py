"""What a law is fitted to: runs of one peak, and those that differ by their seeds alone as one, their mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Annotated

import numpy as np
from cyclopts import Parameter

from glidepath.errors import GlidepathError
from glidepath.law import by_peak
from glidepath.law.fitting.fit import ONE_PEAK
from glidepath.runs.run import Run, averaged, of_one_schedule
from glidepath.ticks import value_text

from .logs import Read, distinct

AtPeak = Annotated[
    float | None, Parameter(help="Learn from the runs of this peak rate only, where the runs have several.")
]
LAST = 0.05  # of a run: the mean over it is the last loss, since the loss of a single batch says little


@dataclass(frozen=True)
class Known:
    """Runs to learn from.

    Args:
        runs: no two of the same rates and updates.
        noise: the standard error of a difference of two such means' last losses; None: no run has several seeds.
        loss: what the loss is called.
        notes: what was chosen, averaged and assumed.
    """

    runs: tuple[Run, ...]
    noise: float | None
    loss: str
    notes: tuple[str, ...]

    @property
    def names(self) -> str:
        """The names of the runs, or how many there are."""
        return ", ".join(run.name for run in self.runs) if len(self.runs) <= 4 else f"{len(self.runs)} runs"


def known(found: Read) -> Known:
    """What the logs tell."""
    groups = of_one_schedule(found.runs)
    for group in groups:
        _refuse_twice(group)
    runs = tuple(distinct([_mean(group) for group in groups]))
    assumed = [f"{run.name}: assumed {run.assumed}" for run in runs if run.assumed]
    return Known(runs, _noise(groups), found.loss, (*found.notes, *_averages(groups), *assumed))


def at_one_peak(found: Read, peak: float | None) -> Read:
    """The logs of one peak.

    Raises:
        GlidepathError: if there are several and none was chosen, or there is no such peak.
    """
    groups = by_peak(found.runs)
    if peak is None and len(groups) > 1:
        raise GlidepathError(
            f"these runs have different peaks, {_listed(groups)}, and one law does not hold across peaks: choose one, "
            f"as in --at-peak {value_text(max(groups))}"
        )
    chosen = [runs for each, runs in groups.items() if peak is None or _alike(each, peak)]
    if not chosen:
        raise GlidepathError(f"no run has the peak {peak:g}; there are {_listed(groups)}")
    return replace(found, runs=tuple(chosen[0]))


def _alike(one: float, other: float) -> bool:
    return abs(one - other) <= ONE_PEAK * one


def _listed(groups: Mapping[float, Sequence[Run]]) -> str:
    counts = {peak: f"{len(runs)} run{'s' * (len(runs) > 1)}" for peak, runs in groups.items()}
    return ", ".join(f"{value_text(peak)} ({count})" for peak, count in sorted(counts.items()))


# --- seeds ---


def _mean(group: Sequence[Run]) -> Run:
    return averaged(group, common_name([run.name for run in group])) if len(group) > 1 else group[0]


def common_name(names: Sequence[str]) -> str:
    """What the names of seeds have in common.

    >>> common_name(["cosine (seed 0)", "cosine (seed 1)"])
    'cosine'
    >>> common_name(["a (peak 0.1, seed 3)", "a (peak 0.1, seed 4)"])
    'a (peak 0.1)'
    >>> common_name(["cosine_s1", "cosine_s2"]), common_name(["one", "two"]), common_name(["run_15", "run_15_b"])
    ('cosine_s', 'one', 'run_15')
    """
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    shared = "".join(letters[0] for letters in same)
    if shared in names:
        return shared
    short = shared.rstrip("0123456789 (,-_").removesuffix("seed").rstrip(" (,-_")
    return short + ")" * (short.count("(") - short.count(")")) or names[0]


def _refuse_twice(group: Sequence[Run]) -> None:
    """A run that was given twice is no second seed."""
    for i, run in enumerate(group):
        twin = next((other for other in group[:i] if np.array_equal(other.losses, run.losses)), None)
        if twin is not None:
            raise GlidepathError(f"{twin.name} and {run.name} are the same run: give it once")


def _averages(groups: Sequence[Sequence[Run]]) -> list[str]:
    """What was averaged, in a line."""
    several = [group for group in groups if len(group) > 1]
    if not several:
        return []
    sizes = sorted({len(group) for group in several})
    seeds = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    if len(several) == 1:
        name = common_name([run.name for run in several[0]])
        return [f"{name}: the mean of {seeds} runs with the very same rates"]
    return [f"{sum(map(len, several))} runs averaged to {len(several)}: each the mean of {seeds} with the same rates"]


def _noise(groups: Sequence[Sequence[Run]]) -> float | None:
    """The standard error of a difference of two mean last losses, pooled over the schedules with several seeds."""
    lasts = [[_last(run) for run in group] for group in groups if len(group) > 1]
    if not lasts:
        return None
    squares = [float(np.var(each, ddof=1)) / len(each) for each in lasts]
    return float(np.sqrt(2 * np.mean(squares))) or None


def _last(run: Run) -> float:
    return float(run.losses[run.updates > (1 - LAST) * run.updates[-1]].mean())
