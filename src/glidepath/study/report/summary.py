"""What a study shows: the mean over seeds of every setting, and how far each is from the best.

A setting is a schedule with a peak and a horizon. Settings are compared within a horizon, by the first metric (lower
is better), seed by seed: with one seed two schedules share their first weights and batches, so the difference of the
pair says more than two means. d +- t s / sqrt(n) is the 95% interval of the mean difference, with s the standard
deviation of the n differences and t Student's 97.5% point with n - 1 degrees of freedom. Each interval stands alone:
the best of many settings is partly lucky, and no interval here knows that.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, final

from scipy.stats import t as student

from glidepath.study.curve import Curve

Verdict = Literal["best", "worse", "no difference shown", "diverged", "one seed"]


class Setting(NamedTuple):
    """What a row of the summary is about."""

    schedule: str
    horizon: int
    peak: float


class Spread(NamedTuple):
    """The mean of some seeds and their standard deviation, which one seed does not have."""

    mean: float
    deviation: float | None


class Interval(NamedTuple):
    """A mean difference and its 95% interval, which one seed does not have."""

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
        diverged: runs whose loss stopped being finite.
        train_loss: mean over the last tenth of the updates.
        metrics: after the last update.
        difference: to the best of the same horizon in the first metric; None for the best itself.
        verdict: what may be said.
    """

    setting: Setting
    seeds: int
    diverged: int
    train_loss: Spread
    metrics: Mapping[str, Spread]
    difference: Interval | None
    verdict: Verdict


def summary(curves: Iterable[Curve]) -> list[Row]:
    """A row for every setting, the best first, horizons in the order of the study."""
    settings: dict[Setting, list[Curve]] = {}
    for curve in curves:
        settings.setdefault(Setting(curve.run.schedule, curve.run.horizon, curve.peak), []).append(curve)
    horizons = dict.fromkeys(setting.horizon for setting in settings)
    return [row for horizon in horizons for row in _ranked({s: c for s, c in settings.items() if s.horizon == horizon})]


def tail_loss(curve: Curve) -> float:
    """The mean training loss over the last tenth of the updates: one batch alone says little."""
    last = curve.records[-max(1, len(curve.records) // 10) :]
    return statistics.fmean(record.loss for record in last)


def first_metric(curve: Curve) -> float:
    """The metric that ranks, after the last update; infinite if the run diverged."""
    final = curve.records[-1].metrics
    value = next(iter(final.values()), math.inf)
    return value if math.isfinite(value) and not curve.diverged else math.inf


def interval(differences: Sequence[float]) -> Interval:
    """The mean of paired differences with its 95% interval.

    Examples:
        >>> [round(end, 4) for end in interval([1.0, 2.0, 3.0])]
        [2.0, -0.4841, 4.4841]
        >>> interval([1.0])
        Interval(mean=1.0, low=None, high=None)
    """
    n, mean = len(differences), statistics.fmean(differences)
    if n < 2:
        return Interval(mean, None, None)
    half = float(student.ppf(0.975, n - 1)) * statistics.stdev(differences) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half)


def _ranked(settings: Mapping[Setting, Sequence[Curve]]) -> list[Row]:
    means = {setting: statistics.fmean(map(first_metric, curves)) for setting, curves in settings.items()}
    order = sorted(settings, key=means.__getitem__)
    best = settings[order[0]]
    return [_row(setting, settings[setting], best) for setting in order]


def _row(setting: Setting, curves: Sequence[Curve], best: Sequence[Curve]) -> Row:
    diverged = sum(math.isinf(first_metric(curve)) for curve in curves)
    names = dict.fromkeys(name for curve in curves for name in curve.records[-1].metrics)
    difference = None if curves is best or diverged else interval(_paired(curves, best))
    return Row(
        setting,
        len(curves),
        diverged,
        _spread([tail_loss(curve) for curve in curves]),
        {name: _spread([curve.records[-1].metrics.get(name, math.nan) for curve in curves]) for name in names},
        difference,
        _verdict(diverged, difference),
    )


def _paired(curves: Sequence[Curve], best: Sequence[Curve]) -> list[float]:
    """The differences in the first metric, each seed with itself."""
    theirs = {curve.run.seed: first_metric(curve) for curve in best}
    return [first_metric(curve) - theirs[curve.run.seed] for curve in curves]


def _verdict(diverged: int, difference: Interval | None) -> Verdict:
    if diverged:
        return "diverged"
    if difference is None:
        return "best"
    if difference.low is None:
        return "one seed"
    return "worse" if difference.low > 0 else "no difference shown"


def _spread(values: Sequence[float]) -> Spread:
    usable = len(values) > 1 and all(map(math.isfinite, values))
    return Spread(statistics.fmean(values), statistics.stdev(values) if usable else None)
