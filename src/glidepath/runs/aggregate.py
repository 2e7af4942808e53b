"""Runs together: those that differ only by their seed and their mean, the noise between seeds, and the best peak.

A law is fitted to runs of one peak, and runs that differ by their seed alone count as one, their mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import final

import numpy as np

from glidepath.errors import RunError

from .run import Run

ONE_PEAK = 0.01  # peaks that differ by less are one
LAST = 0.05  # of a run: the mean over it is the last loss, since the loss of a single batch says little


# --- seeds ---


def group_seeds(runs: Sequence[Run]) -> list[list[Run]]:
    """Group runs that differ only by their seed: with the very same rates and updates, as `average_runs` needs.

    Args:
        runs: any; their order is kept.

    Examples:
        >>> first, second = (Run(name, [0.1, 0.1], [1, 2], [3.0, 2.0]) for name in ("a", "b"))
        >>> other = Run("c", [0.1, 0.2], [1, 2], [3.0, 2.0])
        >>> [[run.name for run in group] for group in group_seeds([first, other, second])]
        [['a', 'b'], ['c']]
    """
    groups: dict[tuple[bytes, bytes], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.rates.tobytes(), run.updates.tobytes()), []).append(run)
    return list(groups.values())


def average_runs(runs: Sequence[Run], name: str | None = None) -> Run:
    """Return the mean of runs that differ only by their seed.

    Args:
        runs: with the very same rates and updates; at least one.
        name: of the mean; the first run's name and the number of runs if not given.

    Raises:
        RunError: if there is none, or their rates or updates differ.

    Examples:
        >>> seeds = [Run(f"seed {i}", [0.1, 0.1], [1, 2], [3.0, 2.0 + i]) for i in range(2)]
        >>> average_runs(seeds).name, average_runs(seeds).losses.tolist()
        ('seed 0, mean of 2', [3.0, 2.5])
    """
    if not runs:
        raise RunError("a mean needs at least one run")
    first = runs[0]
    for run in runs[1:]:
        for field in ("rates", "updates"):
            if not np.array_equal(getattr(first, field), getattr(run, field)):
                raise RunError(f"{first.name} and {run.name} differ in their {field}: only seeds of one run are one")
    assumed = "; ".join(dict.fromkeys(run.assumed for run in runs if run.assumed))
    losses = np.mean([run.losses for run in runs], axis=0)
    return replace(first, name=name or f"{first.name}, mean of {len(runs)}", losses=losses, assumed=assumed)


@final
@dataclass(frozen=True)
class SeedMeans:
    """Runs of which no two differ only by their seed.

    Args:
        runs: each the mean of its group, with a name of its own.
        groups: the runs of which each is the mean.
        noise: the standard error of a difference of the last losses of two means; None if no run has several seeds.
    """

    runs: tuple[Run, ...]
    groups: tuple[tuple[Run, ...], ...]
    noise: float | None


def average_seeds(runs: Sequence[Run]) -> SeedMeans:
    """Average the runs that differ only by their seed.

    Args:
        runs: any; their order is kept.

    Raises:
        RunError: if the same run is there twice, which is not a second seed.

    Examples:
        >>> seeds = [Run(f"cosine (seed {i})", [0.1, 0.1], [1, 2], [3.0, 2.0 + i]) for i in range(2)]
        >>> means = average_seeds(seeds)
        >>> [run.name for run in means.runs], round(means.noise, 3)
        (['cosine'], 0.707)
    """
    groups = group_seeds(runs)
    for group in groups:
        _refuse_copies(group)
    means = [average_runs(group, common_name([run.name for run in group])) for group in groups]
    return SeedMeans(tuple(with_distinct_names(means)), tuple(map(tuple, groups)), noise_of(groups))


def _refuse_copies(group: Sequence[Run]) -> None:
    for i, run in enumerate(group):
        copy = next((other for other in group[:i] if np.array_equal(other.losses, run.losses)), None)
        if copy is not None:
            raise RunError(f"{copy.name} and {run.name} are the same run: give it once")


def common_name(names: Sequence[str]) -> str:
    """Return what the names of several seeds have in common.

    >>> common_name(["cosine (seed 0)", "cosine (seed 1)"])
    'cosine'
    >>> common_name(["a (peak 0.1, seed 3)", "a (peak 0.1, seed 4)"])
    'a (peak 0.1)'
    >>> common_name(["cosine_s1", "cosine_s2"]), common_name(["left", "right"]), common_name(["run_15", "run_15_b"])
    ('cosine_s', 'left', 'run_15')
    """
    columns = takewhile(lambda characters: len(set(characters)) == 1, zip(*names, strict=False))
    shared = "".join(characters[0] for characters in columns)
    if shared in names:
        return shared
    short = shared.rstrip("0123456789 (,-_").removesuffix("seed").rstrip(" (,-_")
    return short + ")" * (short.count("(") - short.count(")")) or names[0]


def with_distinct_names(runs: Sequence[Run]) -> list[Run]:
    """Return the runs, a number added to the name of each whose name another run before it has.

    >>> [run.name for run in with_distinct_names([Run("a", [0.1, 0.1], [1, 2], [3.0, 2.0])] * 2)]
    ['a', 'a #2']
    """
    counts: dict[str, int] = {}
    named = []
    for run in runs:
        counts[run.name] = counts.get(run.name, 0) + 1
        named.append(run if counts[run.name] == 1 else replace(run, name=f"{run.name} #{counts[run.name]}"))
    return named


def noise_of(groups: Sequence[Sequence[Run]]) -> float | None:
    """Return the standard error of a difference of two mean last losses, pooled over the groups of several seeds.

    Args:
        groups: of runs that differ only by their seed.

    Returns:
        None if no group has several runs, or if all their losses are the same.
    """
    ends = [[last_loss(run) for run in group] for group in groups if len(group) > 1]
    if not ends:
        return None
    squares = [float(np.var(losses, ddof=1)) / len(losses) for losses in ends]
    return float(np.sqrt(2 * np.mean(squares))) or None


def last_loss(run: Run) -> float:
    """Return the mean of the losses over the last twentieth of a run."""
    return float(run.losses[run.updates > (1 - LAST) * run.updates[-1]].mean())


# --- peaks ---


def group_by_peak(runs: Sequence[Run]) -> dict[float, list[Run]]:
    """Group the runs by their peak rate, the lowest first; peaks that differ by less than 1% are one."""
    groups: dict[float, list[Run]] = {}
    for run in sorted(runs, key=lambda run: run.peak):
        near = next((peak for peak in groups if run.peak - peak <= ONE_PEAK * run.peak), run.peak)
        groups.setdefault(near, []).append(run)
    return groups


@final
@dataclass(frozen=True)
class PeakChoice:
    """The runs of one peak among runs of several.

    Args:
        peak: the rate.
        runs: those with this peak.
        losses: for each peak, the lowest last loss that a schedule reached there, the mean over its seeds; peaks
            ascend.
        counts: for each peak, how many runs there are.
    """

    peak: float
    runs: tuple[Run, ...]
    losses: Mapping[float, float]
    counts: Mapping[float, int]

    @property
    def note(self) -> str:
        """Return one sentence about the choice; "" if there was only one peak."""
        if len(self.losses) == 1:
            return ""
        ends = ", ".join(f"{peak:g} {loss:.4f}" for peak, loss in self.losses.items())
        verb = "is" if len(self.runs) == 1 else "are"
        return (
            f"only the {count_runs(len(self.runs))} with the peak {self.peak:g} {verb} used, because one law does not "
            f"hold across peaks; the lowest last loss at each peak: {ends}"
        )


def choose_peak(runs: Sequence[Run], peak: float | None = None) -> PeakChoice:
    """Choose the runs of one peak: of the one that won, or of one that is named.

    A peak wins by the lowest last loss that a schedule reached there, the mean over its seeds. Where runs differ in
    length, peaks are compared over the longest horizon that all of them were trained for, if there is one.

    Args:
        runs: at least one.
        peak: the rate to choose; the best if not given.

    Raises:
        RunError: if there is no run, or none with this peak.

    Examples:
        >>> low, high = (Run(f"peak {peak}", [peak, 0.0], [1, 2], [3.0, 2.0 + peak]) for peak in (0.1, 0.2))
        >>> choose_peak([low, high]).peak, choose_peak([low, high], 0.2).peak
        (0.1, 0.2)
    """
    if not runs:
        raise RunError("there is no run to choose a peak from")
    groups = group_by_peak(runs)
    lengths = set.intersection(*({run.steps for run in group} for group in groups.values()))
    longest = max(lengths, default=None)
    losses = {each: _best_last_loss(group, longest) for each, group in groups.items()}
    chosen = min(losses, key=lambda each: losses[each]) if peak is None else _nearest(groups, peak)
    counts = {each: len(group) for each, group in groups.items()}
    return PeakChoice(chosen, tuple(groups[chosen]), losses, counts)


def _best_last_loss(runs: Sequence[Run], length: int | None) -> float:
    """Return the lowest mean last loss of a schedule, among the runs of this length."""
    groups = group_seeds([run for run in runs if length in (None, run.steps)])
    return min(float(np.mean([last_loss(run) for run in group])) for group in groups)


def _nearest(groups: Mapping[float, Sequence[Run]], peak: float) -> float:
    near = next((each for each in groups if abs(each - peak) <= ONE_PEAK * each), None)
    if near is None:
        choices = [f"{each:g} ({count_runs(len(runs))})" for each, runs in groups.items()]
        raise RunError(f"no run has the peak {peak:g}", choices=choices)
    return near


def count_runs(count: int) -> str:
    """Return a number of runs in words.

    >>> count_runs(1), count_runs(3)
    ('1 run', '3 runs')
    """
    return f"{count} run{'s' * (count != 1)}"
