"""The summary of a study: the mean over seeds of every setting, and how far each schedule is from the best.

A setting is a schedule with a peak and a horizon. Within a horizon every schedule stands at its own best peak, the
one with the lowest mean of the first metric (lower is better), and is compared there with the best of all, seed by
seed: with one seed two schedules share their first weights and batches, so the difference of the pair says more than
two means. Which schedule is the best is open beforehand, so the intervals hold for every pair of the m schedules,

    d ± t s / sqrt(n),  t Student's point at 1 - 0.05 / (m (m - 1)) with n - 1 degrees of freedom

with d and s the mean and the standard deviation of the n differences; by Bonferroni's inequality all m (m - 1) / 2
hold together with 95%, and a schedule is "worse" exactly when its interval lies above 0. The number m is the study's,
also where a schedule diverged, so that it does not depend on the outcome.

Where nothing differs (normal ends that correlate by 0.5 between schedules, 4,000 draws), some schedule is called worse
in 2.2% of studies of 8 schedules and 3 seeds, in 3.6% with 10 seeds; with m - 1 comparisons in place of all pairs it
would be 8.6% and 11.7%. Pooling the variance (Tukey's range on the blocks of seeds) would hold 5% and show more, but
where one schedule varies five times as much as the others it errs in 19%. With few seeds the pairs cost power: three
seeds of eight schedules rarely show a difference, five do. The best peaks were chosen on these same seeds, which no
interval accounts for.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, final

from scipy.stats import t as student

from glidepath.errors import StudyError
from glidepath.study.curve import Curve

ERROR = 0.05  # of all comparisons of a horizon together
Standing = Literal["best", "worse", "no difference shown", "diverged", "one seed", "other peak"]


class Setting(NamedTuple):
    """A schedule over a horizon at a peak."""

    schedule: str
    horizon: int
    peak: float


class Spread(NamedTuple):
    """The mean of some seeds and their standard deviation, None for a single seed."""

    mean: float
    deviation: float | None


class Interval(NamedTuple):
    """A mean and its interval, None for a single seed."""

    mean: float
    low: float | None
    high: float | None


@final
@dataclass(frozen=True)
class Row:
    """One setting.

    Args:
        setting: schedule, horizon, peak.
        seeds: runs in the mean.
        diverged: runs whose loss stopped being finite; a setting with such a run has no mean and is never the best.
        train_loss: mean over the last tenth of the updates.
        metrics: after the last update; the first one ranks.
        chosen: whether this is the best peak of its schedule over this horizon.
        difference: to the best of the same horizon in the first metric, all intervals of a horizon together at 95%;
            None for the best itself, for what diverged, and for peaks that were not chosen.
        verdict: what the numbers show.
    """

    setting: Setting
    seeds: int
    diverged: int
    train_loss: Spread
    metrics: Mapping[str, Spread]
    chosen: bool
    difference: Interval | None
    verdict: Standing


def summary(curves: Iterable[Curve]) -> list[Row]:
    """Return a row for every setting, the lowest mean first, horizons in the order of the study.

    Raises:
        StudyError: if the settings of a horizon were not trained with the same seeds.
    """
    settings: dict[Setting, list[Curve]] = {}
    for curve in curves:
        settings.setdefault(Setting(curve.run.schedule, curve.run.horizon, curve.peak), []).append(curve)
    horizons = dict.fromkeys(setting.horizon for setting in settings)
    return [
        row for horizon in horizons for row in _rank_rows({s: c for s, c in settings.items() if s.horizon == horizon})
    ]


def tail_loss(curve: Curve) -> float:
    """Return the mean training loss over the last tenth of the updates: a single batch says little."""
    last = curve.records[-max(1, len(curve.records) // 10) :]
    return statistics.fmean(record.loss for record in last)


def first_metric(curve: Curve) -> float:
    """Return the metric that ranks, after the last update; infinite if the run diverged."""
    final = curve.records[-1].metrics
    value = next(iter(final.values()), math.inf)
    return value if math.isfinite(value) and not curve.diverged else math.inf


def pairs(schedules: int) -> int:
    """Return the number of pairs of schedules.

    >>> pairs(8)
    28
    """
    return schedules * (schedules - 1) // 2


def level(comparisons: int) -> float:
    """Return how often each of several intervals has to hold, so that all of them hold together with 95%.

    Examples:
        >>> level(1), level(5)
        (0.95, 0.99)
    """
    return 1 - ERROR / max(1, comparisons)


def interval(values: Sequence[float], comparisons: int = 1) -> Interval:
    """Compute the mean of some values with Student's interval, one of `comparisons` that hold together with 95%.

    Examples:
        >>> [round(end, 4) for end in interval([1.0, 2.0, 3.0])]
        [2.0, -0.4841, 4.4841]
        >>> [round(end, 4) for end in interval([1.0, 2.0, 3.0], comparisons=5)]
        [2.0, -3.7301, 7.7301]
        >>> interval([1.0])
        Interval(mean=1.0, low=None, high=None)
    """
    n, mean = len(values), statistics.fmean(values)
    if n < 2:
        return Interval(mean, None, None)
    point = float(student.isf((1 - level(comparisons)) / 2, n - 1))
    half = point * statistics.stdev(values) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half)


def _rank_rows(settings: Mapping[Setting, Sequence[Curve]]) -> list[Row]:
    """Return the rows of one horizon; ties are ordered by their settings, so the order of the runs does not matter."""
    _check_seeds(settings)
    order = sorted(settings, key=lambda setting: (*_rank(settings[setting]), setting))
    chosen: dict[str, Setting] = {}
    for setting in order:
        chosen.setdefault(setting.schedule, setting)
    best, comparisons = settings[order[0]], pairs(len(chosen))
    return [_row(s, settings[s], best, chosen[s.schedule] == s, comparisons) for s in order]


def _rank(curves: Sequence[Curve]) -> tuple[float, int]:
    ends = [first_metric(curve) for curve in curves]
    return statistics.fmean(ends), sum(map(math.isinf, ends))


def _check_seeds(settings: Mapping[Setting, Sequence[Curve]]) -> None:
    seeds = {setting: sorted(curve.run.seed for curve in curves) for setting, curves in settings.items()}
    first = next(iter(seeds))
    for other, own in seeds.items():
        if own != seeds[first]:
            raise StudyError(
                f"{first.schedule} at peak {first.peak:g} has the seeds {seeds[first]}, {other.schedule} at peak "
                f"{other.peak:g} has {own}: they are compared seed by seed, so train both with the same seeds"
            )


def _row(setting: Setting, curves: Sequence[Curve], best: Sequence[Curve], chosen: bool, comparisons: int) -> Row:
    diverged = sum(math.isinf(first_metric(curve)) for curve in curves)
    names = dict.fromkeys(name for curve in curves for name in curve.records[-1].metrics)
    compared = chosen and curves is not best and not diverged
    difference = interval(_differences(curves, best), comparisons) if compared else None
    return Row(
        setting,
        len(curves),
        diverged,
        _spread([tail_loss(curve) for curve in curves]),
        {name: _spread([curve.records[-1].metrics.get(name, math.nan) for curve in curves]) for name in names},
        chosen,
        difference,
        _classify(len(curves), diverged, difference) if chosen else "other peak",
    )


def _differences(curves: Sequence[Curve], best: Sequence[Curve]) -> list[float]:
    """Return the differences in the first metric, each seed with itself."""
    ends = {curve.run.seed: first_metric(curve) for curve in best}
    return [first_metric(curve) - ends[curve.run.seed] for curve in curves]


def _classify(seeds: int, diverged: int, difference: Interval | None) -> Standing:
    if diverged:
        return "diverged"
    if seeds < 2:
        return "one seed"
    if difference is None:
        return "best"
    return "worse" if difference.low is not None and difference.low > 0 else "no difference shown"


def _spread(values: Sequence[float]) -> Spread:
    usable = len(values) > 1 and all(map(math.isfinite, values))
    return Spread(statistics.fmean(values), statistics.stdev(values) if usable else None)
