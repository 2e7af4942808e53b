"""Logged runs as (step, rate, loss, metrics): tables, what trainers and trackers keep, and our own store.

What kind of file it is, its first bytes say, not its name. Files are only read: nothing in them is run or unpickled.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from glidepath.core.errors import RunError
from glidepath.core.schedule import Schedule
from glidepath.followed import Rates
from glidepath.logged import logged
from glidepath.run import Run

from .columns import rates_of_table, run_of_table
from .files import events_in, files_of, kind_of
from .mlflow import scalars_of_database, scalars_of_folder
from .names import COMMON
from .results import is_results, metrics_of, runs_of_results
from .scalars import Scalars, metrics_of_scalars, rates_of_scalars, run_of_scalars
from .store import runs_of_store
from .table import header_of
from .trainer import scalars_of_state
from .wide import kind_of_table, scalars_of_table

ONE_RUN = 'this is the log of one run; its loss is named with columns={"loss": ...}'


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
        path: a CSV or Parquet file with a row for every logged step, Lightning's `metrics.csv` and what W&B exports
            among them; the `trainer_state.json` of a Hugging Face Trainer, or its output folder; a TensorBoard event
            file, or a folder of them; MLflow's `mlruns/` or `mlflow.db`; the folder of results that
            `glidepath compare` wrote, or its `curves.csv`; a store of Glidepath; or a folder of tables, each of which
            is read.
        columns: what the columns of a table are called, as in {"step": "it", "rate": "eta", "loss": "train/nll"}, or
            the numbers that a trainer or a tracker kept; a common name need not be given.
        plan: the schedule that the run followed, if its rates were not logged; `glidepath.logged.logged` says more of
            this and the next three.
        peak: the rate where the plan is 1.
        horizon: the steps over which a draft is resolved; the state of a Trainer knows them.
        warmup: the updates of a linear warmup that a log leaves out.
        metric: what is read in place of the training loss; `metrics` lists what there is.
        numbers: of a study's runs; all of them if not given.

    Raises:
        RunError: if something cannot be read, or is not the log of a run; the message says where.
        MissingExtraError: if a Parquet file is to be read, and pyarrow is not installed; or an event file, and
            TensorBoard is not.
    """
    told = {"columns": columns, "plan": plan, "peak": peak, "horizon": horizon, "warmup": warmup}
    build = partial(logged, plan=plan, peak=peak, warmup=warmup)
    names, runs = columns or {}, list[Run]()
    for file in files_of(Path(path)):
        study = _study(file)
        if study is not None:
            _refuse(file, told, study)
            runs += (runs_of_store if kind_of(file) == "store" else runs_of_results)(file, metric, numbers)
            continue
        many = _scalars(file, names)
        _refuse(file, {"metric": None if many else metric, "numbers": numbers}, ONE_RUN)
        if many is None:
            needed = ("step", "rate", "loss") if plan is None else ("step", "loss")
            runs.append(run_of_table(file, names, partial(build, horizon=horizon), needed))
        for one in many or ():
            over = one.horizon if plan is not None and horizon is None else horizon
            runs.append(run_of_scalars(one, names, metric, partial(build, horizon=over), planned=plan is not None))
    return runs


def rates(path: str | Path, *, columns: Mapping[str, str] | None = None) -> list[Rates]:
    """The rates that were logged, each at the index of the update that used it; nothing is filled in.

    Args:
        path: as for `read`.
        columns: as for `read`; a loss is not needed.

    Raises:
        RunError: if something cannot be read, or no rate was logged.
    """
    found: list[Rates] = []
    for file in files_of(Path(path)):
        study = _study(file)
        if study is not None:
            _refuse(file, {"columns": columns}, study)
            whole = (runs_of_store if kind_of(file) == "store" else runs_of_results)(file)
            found += [Rates(run.name, range(run.steps), run.rates.tolist()) for run in whole]
            continue
        many = _scalars(file, columns or {})
        found += [rates_of_table(file, columns or {})] if many is None else [_rates(one, columns or {}) for one in many]
    return found


def metrics(path: str | Path) -> tuple[str, ...]:
    """What `read` takes in place of the training loss with `metric=`; of a table with one loss none.

    Raises:
        RunError: if something cannot be read.
    """
    names: list[str] = []
    for file in files_of(Path(path)):
        if _study(file) is not None:
            names += () if kind_of(file) == "store" else metrics_of(file)
        else:
            names += (name for one in _scalars(file, {}) or () for name in metrics_of_scalars(one))
    return tuple(dict.fromkeys(names))


def _study(file: Path) -> str | None:
    """What is said of the log of a study by Glidepath; None if it is another's."""
    kind = kind_of(file)
    if kind == "store":
        return "a store of Glidepath knows its rates and columns"
    if kind == "table" and is_results(header_of(file)):
        return "the results of glidepath compare know their rates and columns"
    return None


def _scalars(file: Path, columns: Mapping[str, str]) -> list[Scalars] | None:
    """What a trainer or a tracker kept of each run; None if the file is a plain table."""
    kind = kind_of(file)
    if kind == "table":
        wide = kind_of_table(header_of(file))
        return None if wide is None else scalars_of_table(file, wide, _checked(file, columns, COMMON))
    _checked(file, columns, ("rate", "loss"))
    if kind == "state of a Trainer":
        return [scalars_of_state(file)]
    if kind == "MLflow database":
        return scalars_of_database(file)
    if kind == "MLflow run":
        return [scalars_of_folder(file)]
    from .events import scalars_of_events  # only here: tensorboard may be missing

    return [scalars_of_events(file, file.stem if file.is_file() else file.resolve().name, events_in(file))]


def _checked(file: Path, columns: Mapping[str, str], known: Iterable[str]) -> Mapping[str, str]:
    for what in columns:
        if what not in known:
            raise RunError(f"{file}: columns= names those of the {', '.join(known)}, not of {what!r}")
    return columns


def _rates(one: Scalars, columns: Mapping[str, str]) -> Rates:
    series = rates_of_scalars(one, columns)
    return Rates(one.name, [int(step) for step in series.steps], series.values.tolist())


def _refuse(file: Path, options: Mapping[str, object], reason: str) -> None:
    """Nothing that was asked for is ignored."""
    given = [f"{name}=" for name, value in options.items() if value is not None]
    if given:
        raise RunError(f"{file}: {reason}: leave {' and '.join(given)} out")
