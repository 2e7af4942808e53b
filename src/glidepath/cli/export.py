"""`glidepath export`: the curves of a finished study for other tools."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from glidepath.study.report.export import export_curves


def export(
    folder: Path,
    /,
    *,
    to: Path,
    run: Annotated[list[int] | None, Parameter(negative=())] = None,
) -> None:
    """Write the curves of a finished study as CSV, Parquet or TensorBoard event files.

    Example: glidepath export results/digits --to runs/

    Parameters
    ----------
    folder
        The folder of a study, as compare wrote it.
    to
        A file ending in .csv or .parquet; any other name is a folder for TensorBoard.
    run
        The number of a run, once for each; without any, all of them.
    """
    count = export_curves(folder, to, run or [])
    print(f"wrote {count} run{'s' * (count != 1)} to {to}")
