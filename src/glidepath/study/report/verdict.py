"""The verdict of a study in words: for every horizon, what its runs show and what they do not."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import final

from glidepath.ticks import step_text, value_text

from .summary import Row, Standing


@final
@dataclass(frozen=True)
class Verdict:
    """The verdict over one horizon, each schedule at its best peak; rows from the best to the last.

    Args:
        horizon: updates of the runs.
        metric: the one that ranks, in words.
        seeds: runs in every mean.
        best: the lowest mean; None with one seed, or where every schedule diverged.
        worse: shown to be worse than the best.
        unclear: no difference to the best shown.
        diverged: not ranked, because a run of every one of their peaks diverged.
        at_largest: best at the largest of several peaks tried.
        at_smallest: best at the smallest of several.
    """

    horizon: int
    metric: str
    seeds: int
    best: Row | None
    worse: tuple[Row, ...]
    unclear: tuple[Row, ...]
    diverged: tuple[Row, ...]
    at_largest: tuple[Row, ...]
    at_smallest: tuple[Row, ...]


def verdict(rows: Sequence[Row]) -> list[Verdict]:
    """Return a verdict for each horizon, from the rows of `summary`."""
    horizons = dict.fromkeys(row.setting.horizon for row in rows)
    return [_of([row for row in rows if row.setting.horizon == horizon]) for horizon in horizons]


def sentences(rows: Sequence[Row]) -> list[str]:
    """Return all verdicts as sentences; where there are several horizons, each sentence begins with its own.

    Examples:
        >>> from .summary import Setting, Spread
        >>> row = Row(Setting("cosine", 400, 0.1), 3, 0, Spread(1, 0.1), {"loss": Spread(1, 0.1)}, True, None, "best")
        >>> sentences([row])
        ['only cosine was trained: there is nothing to compare it with (3 seeds)']
    """
    verdicts = verdict(rows)
    return [
        (f"{step_text(part.horizon)} steps: " if len(verdicts) > 1 else "") + sentence
        for part in verdicts
        for sentence in _sentences_of(part)
    ]


def words(name: str) -> str:
    """Return the name of a metric as people read it."""
    return name.replace("_", " ")


def first_name(rows: Iterable[Row]) -> str:
    """Return the metric that ranks, in words."""
    return words(next((name for row in rows for name in row.metrics), "metric"))


def _of(rows: Sequence[Row]) -> Verdict:
    chosen, peaks = [row for row in rows if row.chosen], _peaks(rows)
    several = [row for row in chosen if len(peaks[row.setting.schedule]) > 1 and row.verdict != "diverged"]
    return Verdict(
        rows[0].setting.horizon,
        first_name(rows),
        rows[0].seeds,
        next(iter(_with("best", chosen)), None),
        _with("worse", chosen),
        _with("no difference shown", chosen),
        _with("diverged", chosen),
        tuple(row for row in several if row.setting.peak == max(peaks[row.setting.schedule])),
        tuple(row for row in several if row.setting.peak == min(peaks[row.setting.schedule])),
    )


def _peaks(rows: Iterable[Row]) -> dict[str, list[float]]:
    """Return the peaks at which every schedule was tried."""
    peaks: dict[str, list[float]] = {}
    for row in rows:
        peaks.setdefault(row.setting.schedule, []).append(row.setting.peak)
    return peaks


def _with(standing: Standing, rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(row for row in rows if row.verdict == standing)


def _sentences_of(part: Verdict) -> Iterator[str]:
    if part.seeds < 2:
        yield f"1 seed: no verdict, since it cannot show a difference in {part.metric}; train with three or more"
    elif part.best is None:
        yield f"no verdict: every schedule diverged ({part.seeds} seeds); try smaller peaks"
    else:
        yield from _compare_with_best(part, part.best)
    yield from map(_name_diverged, part.diverged)
    yield from _edges(part.at_largest, part.metric, "largest", "larger")
    yield from _edges(part.at_smallest, part.metric, "smallest", "smaller")


def _compare_with_best(part: Verdict, best: Row) -> Iterator[str]:
    name, seeds = best.setting.schedule, f"({part.seeds} seeds)"
    if not (part.worse or part.unclear or part.diverged):
        yield f"only {name} was trained: there is nothing to compare it with {seeds}"
    elif not (part.worse or part.unclear):
        yield f"only {name} did not diverge {seeds}"
    elif not part.unclear:
        yield f"{name} is best: {_names(part.worse)} {_is(part.worse)} shown to be worse in {part.metric} {seeds}"
    else:
        schedules = _names((best, *part.unclear))
        yield f"no difference in {part.metric} shown at this budget between {schedules} {seeds}"
        if part.worse:
            yield f"shown to be worse than {name} in {part.metric}: {_names(part.worse)} {seeds}"


def _name_diverged(row: Row) -> str:
    count = f"{row.diverged} of {row.seeds} seeds"
    return f"{row.setting.schedule} is not ranked: it diverged for {count} at peak {value_text(row.setting.peak)}"


def _edges(rows: Iterable[Row], metric: str, end: str, beyond: str) -> Iterator[str]:
    """Yield sentences on schedules whose best peak is the last on a side; those with the same peak share a sentence."""
    by_peak: dict[float, list[Row]] = {}
    for row in rows:
        by_peak.setdefault(row.setting.peak, []).append(row)
    for peak, group in by_peak.items():
        names, edge = f"{_names(group)} {_is(group)}", f"the {end} peak tried, {value_text(peak)}"
        yield f"{names} best in {metric} at {edge}: try {beyond} ones"


def _is(rows: Sequence[Row]) -> str:
    return "is" if len(rows) == 1 else "are"


def _names(rows: Sequence[Row]) -> str:
    """Return names as a sentence lists them.

    >>> from types import SimpleNamespace as Some
    >>> _names([Some(setting=Some(schedule=name)) for name in ("cosine", "linear", "wsd")])
    'cosine, linear and wsd'
    """
    *before, last = (row.setting.schedule for row in rows)
    return f"{', '.join(before)} and {last}" if before else last
