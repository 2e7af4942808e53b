"""The files of a report in a study's folder: tables, figures and a page that holds them all."""

import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from matplotlib.figure import Figure

from glidepath.plot import save
from glidepath.study.curve import Curve

from .cells import legend
from .figures import draw_cost, draw_curves, draw_final
from .page import TITLE, page
from .summary import Row
from .tables import DataTable, beside, curves_table, markdown, save_table, summary_table
from .verdict import first_name, sentences

FIGURES = ("curves", "final", "spent")
TABLES = ("summary", "curves")


def report_names() -> list[str]:
    """Return the names of the files that `report` writes."""
    suffixes = ("csv", "parquet") if find_spec("pyarrow") is not None else ("csv",)
    tables = [f"{name}.{suffix}" for suffix in suffixes for name in TABLES]
    return ["report.html", "summary.md", *(f"{name}.png" for name in FIGURES), *tables]


def report(
    folder: Path, curves: Sequence[Curve], rows: Sequence[Row], facts: Mapping[str, str] | None = None
) -> list[Path]:
    """Write the report of a study: page, tables, figures; Parquet only where pyarrow is installed.

    Args:
        folder: of the study, which is there already.
        curves: every run.
        rows: from `summary`.
        facts: what else the page says, label and text.

    Returns:
        The files, those that people open first coming first.
    """
    figures = draw_figures(curves, rows)
    every = dict(zip(TABLES, (summary_table(rows), curves_table(curves)), strict=True))
    return [
        _text(folder / "report.html", page(curves, rows, figures, facts or {})),
        _text(folder / "summary.md", _in_markdown(rows)),
        *(save(figure, folder / f"{name}.png") for name, (figure, _) in figures.items()),
        *(save_table(folder / f"{name}.csv", table.columns, table.rows) for name, table in every.items()),
        *_parquet(folder, every),
    ]


def draw_figures(curves: Sequence[Curve], rows: Sequence[Row]) -> dict[str, tuple[Figure, str]]:
    """Draw the figures of a study: each with a sentence that says what it shows, by name."""
    figures = (
        (draw_curves(curves, rows), "The rate and the training loss of every schedule, step by step."),
        (draw_final(curves, rows), f"The final {first_name(rows)} of every seed, with the mean."),
        (draw_cost(curves, rows), f"The cost: {first_name(rows)} against updates spent."),
    )
    return dict(zip(FIGURES, figures, strict=True))


def _in_markdown(rows: Sequence[Row]) -> str:
    items = "".join(f"- {sentence}\n" for sentence in sentences(rows))
    return f"# {TITLE}\n\n{items}\n{markdown(rows)}\n{legend(rows)}\n"


def _parquet(folder: Path, tables: Mapping[str, DataTable]) -> list[Path]:
    if find_spec("pyarrow") is None:
        return []
    from .parquet import save_parquet  # only here: pyarrow may be missing

    return [save_parquet(folder / f"{name}.parquet", table) for name, table in tables.items()]


def _text(file: Path, text: str) -> Path:
    """Write a text in one move."""
    new = beside(file)
    new.write_text(text, encoding="utf-8")
    os.replace(new, file)
    return file
