"""Logged runs as (step, rate, loss): from tables, from the results of `glidepath compare`, and from its store.

What kind of file it is, its first bytes say, not its name. Files are only read: nothing in them is run or unpickled.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from glidepath.core.errors import RunError
from glidepath.core.schedule import Schedule
from glidepath.logged import logged
from glidepath.run import Run

from .columns import run_of_table
from .files import files_of, is_store
from .results import is_results, metrics_of, runs_of_results
from .store import runs_of_store
from .table import header_of


def read(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    plan: Schedule | None = None,
    peak: float | None = None,
    horizon: int | None = None,
    warmup: int | None = None,
    metric: str | None = None,
    numbers: Sequence[int] | None = None,
) -> list[Run]:
    """The runs that a file or a folder tells of.

    Args:
        path: a CSV or Parquet file with a row for every logged step; the folder of results that `glidepath compare`
            wrote, or its `curves.csv`; a store of Glidepath; or a folder of tables, each of which is read.
        columns: what the columns of a table are called, as in {"step": "it", "rate": "eta", "loss": "train/nll"};
            a column with a common name need not be given.
        plan: the schedule that the run of a table followed, if its rates were not logged; `glidepath.logged.logged`
            says more of this and the next three.
        peak: the rate where the plan is 1.
        horizon: the steps over which a draft is resolved.
        warmup: the updates of a linear warmup that a table leaves out.
        metric: of a study's results, read in place of the training loss.
        numbers: of a study's runs; all of them if not given.

    Raises:
        RunError: if something cannot be read, or is not the log of a run; the message says where.
        MissingExtraError: if a Parquet file is to be read, and pyarrow is not installed.
    """
    for_tables = {"columns": columns, "plan": plan, "peak": peak, "horizon": horizon, "warmup": warmup}
    for_studies = {"metric": metric, "numbers": numbers}
    build = partial(logged, plan=plan, peak=peak, horizon=horizon, warmup=warmup)
    needed = ("step", "loss") if plan is not None else ("step", "rate", "loss")
    runs: list[Run] = []
    for file in files_of(Path(path)):
        if is_store(file):
            _refuse(file, for_tables, "a store of Glidepath knows its rates and columns")
            runs += runs_of_store(file, metric, numbers)
        elif is_results(header_of(file)):
            _refuse(file, for_tables, "the results of glidepath compare know their rates and columns")
            runs += runs_of_results(file, metric, numbers)
        else:
            _refuse(file, for_studies, 'this is the log of one run; its loss is named with columns={"loss": ...}')
            runs.append(run_of_table(file, columns or {}, build, needed))
    return runs


def metrics(path: str | Path) -> tuple[str, ...]:
    """The metrics of a study, any of which `read` takes in place of the training loss; of other logs none.

    Raises:
        RunError: if something cannot be read.
    """
    files = [file for file in files_of(Path(path)) if not is_store(file) and is_results(header_of(file))]
    return tuple(dict.fromkeys(name for file in files for name in metrics_of(file)))


def _refuse(file: Path, options: Mapping[str, object], reason: str) -> None:
    """Nothing that was asked for is ignored."""
    given = [f"{name}=" for name, value in options.items() if value is not None]
    if given:
        raise RunError(f"{file}: {reason}: leave {' and '.join(given)} out")
