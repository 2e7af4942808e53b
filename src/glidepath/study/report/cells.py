"""The cells of a study's table as texts, which the terminal, Markdown and the page share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from .summary import Interval, Row, Spread, level, pairs
from .verdict import first_name, words


@final
@dataclass(frozen=True)
class Line:
    """A row of the table: its texts, its row of the summary, and whether it begins another horizon."""

    cells: tuple[str, ...]
    row: Row
    new_horizon: bool


def header(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the names of the columns; the first and the last hold words, the others numbers."""
    metrics = map(words, _metrics(rows))
    return ("schedule", "steps", "peak", "training loss", *metrics, f"{first_name(rows)} vs best", "verdict")


def lines(rows: Sequence[Row]) -> list[Line]:
    """Return a line for every setting, in the order of the summary."""
    metrics, before = _metrics(rows), [None, *(row.setting.horizon for row in rows)]
    return [
        Line(_cells(row, metrics), row, horizon not in (None, row.setting.horizon))
        for row, horizon in zip(rows, before, strict=False)
    ]


def legend(rows: Sequence[Row]) -> str:
    """Return a sentence on how to read the numbers."""
    seeds = max(row.seeds for row in rows)
    training = "The training loss is the mean of the last tenth of the updates"
    if seeds < 2:
        return f"1 seed: no interval can be given; for intervals, train with several seeds. {training}."
    metric = first_name(rows)
    return (
        f"{seeds} seeds: mean ± standard deviation. {metric} vs best: mean difference to the best schedule, seed by "
        f"seed, {_interval_words(rows)}; an interval that holds 0 shows no difference. {training}."
    )


def _interval_words(rows: Sequence[Row]) -> str:
    """Say which intervals these are: with more than one comparison, each is wider so that all hold together."""
    comparisons = pairs(len({row.setting.schedule for row in rows}))
    if comparisons < 2:
        return "with its 95% interval"
    each = f"{100 * level(comparisons):.4g}%"
    return f"with intervals that hold together with 95% (each with {each}, for {comparisons} pairs)"


def _metrics(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.metrics))


def _cells(row: Row, metrics: Sequence[str]) -> tuple[str, ...]:
    metric_cells = [_spread(row.metrics[name]) if name in row.metrics else "" for name in metrics]
    setting = (row.setting.schedule, str(row.setting.horizon), f"{row.setting.peak:g}")
    difference = "" if row.difference is None else _interval(row.difference)
    return (*setting, _spread(row.train_loss), *metric_cells, difference, _verdict(row))


def _verdict(row: Row) -> str:
    if row.diverged:
        return f"{row.diverged} of {row.seeds} diverged"
    return {"best": "★ best", "one seed": "", "other peak": ""}.get(row.verdict, row.verdict)


def _spread(spread: Spread) -> str:
    if not math.isfinite(spread.mean):
        return "-"
    return f"{spread.mean:.4f}" + ("" if spread.deviation is None else f" ± {spread.deviation:.4f}")


def _interval(interval: Interval) -> str:
    text = f"{interval.mean:+.4f}"
    return text if interval.low is None else f"{text} [{interval.low:+.4f}, {interval.high:+.4f}]"
