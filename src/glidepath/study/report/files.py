"""What a finished study leaves in its folder: `summary.csv`, `curves.png` and `final.png`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glidepath.plot import save
from glidepath.study.curve import Curve
from glidepath.study.folder import save_table

from .figures import curves_figure, final_figure
from .summary import Row, Spread


def report(folder: Path, curves: Sequence[Curve], rows: Sequence[Row]) -> list[Path]:
    """Write the summary and the figures; the files that the folder now holds."""
    table = [_flat(row) for row in rows]
    save_table(folder / "summary.csv", list(dict.fromkeys(name for row in table for name in row)), table)
    save(curves_figure(curves, rows), folder / "curves.png")
    save(final_figure(curves, rows), folder / "final.png")
    return [folder / name for name in ("curves.png", "final.png", "summary.csv", "curves.csv", "study.yaml")]


def _flat(row: Row) -> dict[str, Any]:
    """A row of the summary with a column for every number; what is not known is empty."""
    flat: dict[str, Any] = {
        **row.setting._asdict(),
        "seeds": row.seeds,
        "diverged": row.diverged,
        **_columns("train_loss", row.train_loss),
    }
    for name, spread in row.metrics.items():
        flat |= _columns(name, spread)
    if row.difference is not None:
        names = ("difference", "difference_low", "difference_high")
        flat |= {name: value for name, value in zip(names, row.difference, strict=True) if value is not None}
    return flat | {"verdict": row.verdict}


def _columns(name: str, spread: Spread) -> dict[str, float]:
    deviation = {} if spread.deviation is None else {f"{name}_deviation": spread.deviation}
    return {f"{name}_mean": spread.mean, **deviation}
