"""The verdict of a study in words: for every horizon, what its runs show and what they do not."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import final

from glidepath.ticks import step_text, value_text

from .summary import Row, Standing


@final
@dataclass(frozen=True)
class Verdict:
    """What may be said of the schedules over one horizon, each at its best peak; rows from the best to the last.

    Args:
        horizon: updates of the runs.
        metric: what ranks, in words.
        seeds: runs behind every mean.
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
    """A verdict for each horizon, from the rows of `summary`."""
    horizons = dict.fromkeys(row.setting.horizon for row in rows)
    return [_of([row for row in rows if row.setting.horizon == horizon]) for horizon in horizons]


def sentences(rows: Sequence[Row]) -> list[str]:
    """All verdicts as sentences; where there are several horizons, each sentence begins with its own.

    Examples:
        >>> from .summary import Setting, Spread
        >>> one = Row(Setting("cosine", 400, 0.1), 3, 0, Spread(1, 0.1), {"loss": Spread(1, 0.1)}, True, None, "best")
        >>> sentences([one])
        ['only cosine was trained: there is nothing to compare it with (3 seeds)']
    """
    verdicts = verdict(rows)
    return [
        (f"{step_text(one.horizon)} steps: " if len(verdicts) > 1 else "") + sentence
        for one in verdicts
        for sentence in _told(one)
    ]


def words(name: str) -> str:
    """The name of a metric as people read it."""
    return name.replace("_", " ")


def first_name(rows: Iterable[Row]) -> str:
    """The metric that ranks, in words."""
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
    """The peaks that every schedule was tried at."""
    peaks: dict[str, list[float]] = {}
    for row in rows:
        peaks.setdefault(row.setting.schedule, []).append(row.setting.peak)
    return peaks


def _with(standing: Standing, rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(row for row in rows if row.verdict == standing)


def _told(of: Verdict) -> Iterator[str]:
    if of.seeds < 2:
        yield "1 seed: no verdict, for nothing here shows that one schedule is better than another; try three or more"
    elif of.best is None:
        yield f"no verdict: every schedule diverged ({of.seeds} seeds); try smaller peaks"
    else:
        yield from _compared(of, of.best)
    yield from map(_diverged, of.diverged)
    yield from _edges(of.at_largest, "largest", "larger")
    yield from _edges(of.at_smallest, "smallest", "smaller")


def _compared(of: Verdict, best: Row) -> Iterator[str]:
    name, seeds = best.setting.schedule, f"({of.seeds} seeds)"
    if not (of.worse or of.unclear or of.diverged):
        yield f"only {name} was trained: there is nothing to compare it with {seeds}"
    elif not (of.worse or of.unclear):
        yield f"only {name} did not diverge {seeds}"
    elif not of.unclear:
        yield f"{name} is best: {_names(of.worse)} {_is(of.worse)} shown to be worse in {of.metric} {seeds}"
    else:
        yield f"no difference shown at this budget between {_names((best, *of.unclear))} {seeds}"
        if of.worse:
            yield f"shown to be worse than {name} in {of.metric}: {_names(of.worse)} {seeds}"


def _diverged(row: Row) -> str:
    count = f"{row.diverged} of {row.seeds} seeds"
    return f"{row.setting.schedule} is not ranked: it diverged for {count} at peak {value_text(row.setting.peak)}"


def _edges(rows: Iterable[Row], end: str, beyond: str) -> Iterator[str]:
    """Schedules whose best peak is the last one tried on a side; those with the same peak share a sentence."""
    by_peak: dict[float, list[Row]] = {}
    for row in rows:
        by_peak.setdefault(row.setting.peak, []).append(row)
    for peak, those in by_peak.items():
        yield f"{_names(those)} {_is(those)} best at the {end} peak tried, {value_text(peak)}: try {beyond} ones"


def _is(rows: Sequence[Row]) -> str:
    return "is" if len(rows) == 1 else "are"


def _names(rows: Sequence[Row]) -> str:
    """Names as a sentence lists them.

    >>> from types import SimpleNamespace as Some
    >>> _names([Some(setting=Some(schedule=name)) for name in ("cosine", "linear", "wsd")])
    'cosine, linear and wsd'
    """
    *before, last = (row.setting.schedule for row in rows)
    return f"{', '.join(before)} and {last}" if before else last
