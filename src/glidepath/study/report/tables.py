"""Tables of a study in files: every update of every run, and the summary, as CSV and Markdown."""

import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from glidepath.study.curve import Curve

from .cells import header, lines
from .summary import Row, Spread

EVALUATED = "evaluated_"
COLUMNS = ("run", "schedule", "horizon", "seed", "peak", "step", "rate", "loss")


class DataTable(NamedTuple):
    """Columns and rows; a row may leave columns out."""

    columns: list[str]
    rows: list[dict[str, Any]]


def curves_table(curves: Iterable[Curve]) -> DataTable:
    """Return every update of these runs, run after run in the order of their numbers."""
    rows = [row for curve in sorted(curves, key=lambda curve: curve.run.number) for row in _updates(curve)]
    return DataTable(list(dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)])), rows)


def summary_table(rows: Iterable[Row]) -> DataTable:
    """Return the summary with a column for every number; a missing number is empty."""
    flat = [_flat(row) for row in rows]
    columns = dict.fromkeys(name for row in flat for name in row)
    columns.pop("verdict", None)
    return DataTable([*columns, "verdict"], flat)


def save_table(file: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write a CSV file in one move, so that an interrupted call leaves the old one; floats lose no bit."""
    new = beside(file)
    with new.open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    os.replace(new, file)
    return file


def metric_column(name: str) -> str:
    """Return the column of a metric; one that is called like another column gets a longer name.

    >>> metric_column("validation_loss"), metric_column("loss"), metric_column("evaluated_loss")
    ('validation_loss', 'evaluated_loss', 'evaluated_evaluated_loss')
    """
    return f"{EVALUATED}{name}" if _is_taken(name) else name


def metric_name(column: str) -> str:
    """Return the metric of a column that `metric_column` named.

    >>> metric_name("validation_loss"), metric_name("evaluated_loss")
    ('validation_loss', 'loss')
    """
    return column.removeprefix(EVALUATED) if _is_taken(column) else column


def _is_taken(name: str) -> bool:
    while name.startswith(EVALUATED):
        name = name.removeprefix(EVALUATED)
    return name in (*COLUMNS, "train_loss")


def beside(file: Path) -> Path:
    """Return the name under which a file is written before it is renamed; the suffix stays last."""
    return file.with_name(f".{file.stem}.new{file.suffix}")


def markdown(rows: Sequence[Row]) -> str:
    """Return the table as Markdown.

    >>> from .summary import Setting
    >>> row = Row(Setting("a|b", 9, 0.5), 1, 0, Spread(2.0, None), {}, True, None, "one seed")
    >>> print(markdown([row]), end="")
    | schedule | steps | peak | training loss | metric vs best | verdict |
    |:---|---:|---:|---:|---:|:---|
    | a\\|b | 9 | 0.5 | 2.0000 |  |  |
    """
    names = header(rows)
    sides = [":---" if name in ("schedule", "verdict") else "---:" for name in names]
    body = ["| " + " | ".join(map(_escape, cells)) + " |" for cells in (names, *(line.cells for line in lines(rows)))]
    return "\n".join([body[0], f"|{'|'.join(sides)}|", *body[1:], ""])


def _updates(curve: Curve) -> Iterator[dict[str, Any]]:
    run = curve.run
    same = {"run": run.number, "schedule": run.schedule, "horizon": run.horizon, "seed": run.seed, "peak": curve.peak}
    for record in curve.records:
        metrics = {metric_column(name): value for name, value in record.metrics.items()}
        yield same | {"step": record.step, "rate": record.rate, "loss": record.loss} | metrics


def _flat(row: Row) -> dict[str, Any]:
    flat: dict[str, Any] = {
        **row.setting._asdict(),
        "seeds": row.seeds,
        "diverged": row.diverged,
        "best_peak": row.chosen,
        **_columns("train_loss", row.train_loss),
    }
    for name, spread in row.metrics.items():
        flat |= _columns(metric_column(name), spread)
    if row.difference is not None:
        names = ("difference", "difference_low", "difference_high")
        flat |= {name: value for name, value in zip(names, row.difference, strict=True) if value is not None}
    return flat | {"verdict": row.verdict}


def _columns(name: str, spread: Spread) -> dict[str, float]:
    deviation = {} if spread.deviation is None else {f"{name}_deviation": spread.deviation}
    return {f"{name}_mean": spread.mean, **deviation}


def _escape(cell: str) -> str:
    """Return a cell in which Markdown sees no bar, no tag and no emphasis."""
    return "".join(f"\\{character}" if character in "\\|<>*_`[]" else character for character in cell)
