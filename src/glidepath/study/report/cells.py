"""The table of a study as texts: one place for the terminal, Markdown and the page."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from .summary import Interval, Row, Spread, level, pairs
from .verdict import words


@final
@dataclass(frozen=True)
class Line:
    """One row: its texts, what stands behind it, and whether it begins another horizon."""

    cells: tuple[str, ...]
    row: Row
    new_horizon: bool


def header(rows: Sequence[Row]) -> tuple[str, ...]:
    """The names of the columns; the first and the last hold words, the others numbers."""
    return ("schedule", "steps", "peak", "train loss", *map(words, _metrics(rows)), "to the best", "verdict")


def lines(rows: Sequence[Row]) -> list[Line]:
    """A line for every setting, in the order of the summary."""
    metrics, before = _metrics(rows), [None, *(row.setting.horizon for row in rows)]
    return [
        Line(_cells(row, metrics), row, horizon not in (None, row.setting.horizon))
        for row, horizon in zip(rows, before, strict=False)
    ]


def legend(rows: Sequence[Row]) -> str:
    """How to read the numbers."""
    seeds = max(row.seeds for row in rows)
    if seeds < 2:
        return "1 seed: no interval can be given. For intervals, give several: --seed 0 --seed 1 --seed 2"
    metric = words(next(iter(_metrics(rows)), "metric"))
    return (
        f"{seeds} seeds: mean ± standard deviation. To the best: mean difference in {metric}, seed by seed, "
        f"{_interval_words(rows)}; an interval that holds 0 shows no difference."
    )


def _interval_words(rows: Sequence[Row]) -> str:
    """Which intervals these are: with more than one comparison, each is wider so that all hold together."""
    comparisons = pairs(len({row.setting.schedule for row in rows}))
    if comparisons < 2:
        return "with its 95% interval"
    each = f"{100 * level(comparisons):.4g}%"
    return f"with intervals that hold together with 95% (each with {each}, for {comparisons} pairs)"


def _metrics(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.metrics))


def _cells(row: Row, metrics: Sequence[str]) -> tuple[str, ...]:
    found = [_spread(row.metrics[name]) if name in row.metrics else "" for name in metrics]
    setting = (row.setting.schedule, str(row.setting.horizon), f"{row.setting.peak:g}")
    difference = "" if row.difference is None else _interval(row.difference)
    return (*setting, _spread(row.train_loss), *found, difference, _verdict(row))


def _verdict(row: Row) -> str:
    if row.diverged:
        return f"{row.diverged} of {row.seeds} diverged"
    return {"best": "★ best", "one seed": "", "other peak": ""}.get(row.verdict, row.verdict)


def _spread(spread: Spread) -> str:
    if not math.isfinite(spread.mean):
        return "-"
    return f"{spread.mean:.4f}" + ("" if spread.deviation is None else f" ± {spread.deviation:.4f}")


def _interval(interval: Interval) -> str:
    shown = f"{interval.mean:+.4f}"
    return shown if interval.low is None else f"{shown} [{interval.low:+.4f}, {interval.high:+.4f}]"
