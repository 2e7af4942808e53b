"""Logged runs as (step, rate, loss, metrics): tables, what trainers and trackers keep, and our own store.

What kind of file it is, its first bytes say, not its name. Files are only read: nothing in them is run or unpickled.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import final

from glidepath.core.schedule import Schedule
from glidepath.errors import RunError
from glidepath.runs.deviation import Rates
from glidepath.runs.from_rows import logged
from glidepath.runs.run import Run

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
        plan: the schedule that the run followed, if its rates were not logged; `glidepath.runs.from_rows.logged` says more of
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
    asked = _Asked(columns, plan, peak, horizon, warmup, metric, numbers)
    return [run for file in files_of(Path(path)) for run in _runs(file, asked)]


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
            found += [Rates(run.name, range(run.steps), run.rates.tolist()) for run in _runs_of_study(file)]
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


@final
@dataclass(frozen=True)
class _Asked:
    """What `read` was asked for; None where nothing was said."""

    columns: Mapping[str, str] | None
    plan: Schedule | None
    peak: float | None
    horizon: int | None
    warmup: int | None
    metric: str | None
    numbers: Sequence[int] | None

    def given(self, *options: str) -> dict[str, object]:
        """These options, by name."""
        return {name: getattr(self, name) for name in options}

    def build(self, horizon: int | None) -> Callable[..., Run]:
        """What makes a run of rows."""
        return partial(logged, plan=self.plan, peak=self.peak, horizon=horizon, warmup=self.warmup)


def _runs(file: Path, asked: _Asked) -> list[Run]:
    study = _study(file)
    if study is not None:
        _refuse(file, asked.given("columns", "plan", "peak", "horizon", "warmup"), study)
        return _runs_of_study(file, asked.metric, asked.numbers)
    many = _scalars(file, asked.columns or {})
    if many is None:
        return [_run_of_table(file, asked)]
    _refuse(file, asked.given("numbers"), ONE_RUN)
    return [_run_of_scalars(one, asked) for one in many]


def _runs_of_study(file: Path, metric: str | None = None, numbers: Sequence[int] | None = None) -> list[Run]:
    return (runs_of_store if kind_of(file) == "store" else runs_of_results)(file, metric, numbers)


def _run_of_table(file: Path, asked: _Asked) -> Run:
    _refuse(file, asked.given("metric", "numbers"), ONE_RUN)
    needed = ("step", "rate", "loss") if asked.plan is None else ("step", "loss")
    return run_of_table(file, asked.columns or {}, asked.build(asked.horizon), needed)


def _run_of_scalars(one: Scalars, asked: _Asked) -> Run:
    planned = asked.plan is not None
    horizon = one.horizon if planned and asked.horizon is None else asked.horizon
    return run_of_scalars(one, asked.columns or {}, asked.metric, asked.build(horizon), planned=planned)


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
        _check_columns(file, columns, COMMON)
        wide = kind_of_table(header_of(file))
        return None if wide is None else scalars_of_table(file, wide, columns)
    _check_columns(file, columns, ("rate", "loss"))
    if kind == "state of a Trainer":
        return [scalars_of_state(file)]
    if kind == "MLflow database":
        return scalars_of_database(file)
    if kind == "MLflow run":
        return [scalars_of_folder(file)]
    from .events import scalars_of_events  # only here: tensorboard may be missing

    return [scalars_of_events(file, file.stem if file.is_file() else file.resolve().name, events_in(file))]


def _check_columns(file: Path, columns: Mapping[str, str], known: Iterable[str]) -> None:
    for what in columns:
        if what not in known:
            raise RunError(f"{file}: columns= names those of the {', '.join(known)}, not of {what!r}")


def _rates(one: Scalars, columns: Mapping[str, str]) -> Rates:
    series = rates_of_scalars(one, columns)
    return Rates(one.name, [int(step) for step in series.steps], series.values.tolist())


def _refuse(file: Path, options: Mapping[str, object], reason: str) -> None:
    """Nothing that was asked for is ignored."""
    given = [f"{name}=" for name, value in options.items() if value is not None]
    if given:
        raise RunError(f"{file}: {reason}: leave {' and '.join(given)} out")
