"""Logged runs as (step, rate, loss, metrics): tables, the logs of trainers and trackers, and our own store.

The first bytes of a file say what it is, not its name. Files are only read: nothing in them is run or unpickled.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import final

from glidepath.core.schedule import Schedule
from glidepath.errors import Argument, RunError
from glidepath.parser import parse
from glidepath.runs.deviation import Rates
from glidepath.runs.from_rows import run_from_rows
from glidepath.runs.run import Run

from .columns import rates_of_table, run_of_table
from .entries import Entry, choose_by_name
from .files import events_in
from .mlflow import scalars_of_database, scalars_of_folder
from .names import COMMON, LOG_THE_RATE, TRAINING_LOSS
from .results import LossChoice as LossChoice
from .results import choose_loss, entries_of_results, is_results, metrics_of, rates_of_results
from .scalars import Scalars, metrics_of_scalars, rates_of_scalars, run_of_scalars
from .source import Source as Source
from .source import open_sources as open_sources
from .store import entries_of_store, rates_of_store
from .study import Only
from .trainer import scalars_of_state
from .wide import kind_of_table, scalars_of_table

Logs = str | Path | Sequence[Source]  # where logs are: a file, a folder, or what `open_sources` returned
ONE_RUN = ("this is the log of one run; its loss is named with ", Argument("columns", key="loss"))


def read(
    path: Logs,
    *,
    columns: Mapping[str, str] | None = None,
    plan: Schedule | str | None = None,
    peak: float | None = None,
    horizon: int | None = None,
    warmup: int | None = None,
    metric: str | None = None,
    only: Only | None = None,
) -> list[Run]:
    """Read the runs in a file or a folder.

    Args:
        path: a CSV or Parquet file with a row for every logged step, Lightning's `metrics.csv` and what W&B exports
            among them; the `trainer_state.json` of a Hugging Face Trainer, or its output folder; a TensorBoard event
            file, or a folder of them; MLflow's `mlruns/` or `mlflow.db`; the folder of results that
            `glidepath compare` wrote, or its `curves.csv`; a store of Glidepath; or a folder of tables, each of which
            is read.
        columns: the names of a table's columns, as in {"step": "it", "rate": "eta", "loss": "train/nll"}, or
            of the numbers that a trainer or a tracker kept; a common name need not be given.
        plan: the schedule that the run followed, or its text, if its rates were not logged;
            `glidepath.runs.from_rows.run_from_rows` says more about this and the next three.
        peak: the rate where the plan is 1.
        horizon: the steps over which a draft is resolved; the state of a Trainer has them.
        warmup: the updates of a linear warmup that a log leaves out.
        metric: the loss to read, one of `metrics`, or "loss" for the training loss. If not given: the training loss,
            and of a study's results the metric by which `glidepath compare` ranks, if it is a loss (`default_loss`).
        only: the names of the runs to read, or of a study's schedules, or the numbers of a study's runs; all of them
            if not given.

    Raises:
        RunError: if something cannot be read, or is not the log of a run; the message says where.
        MissingExtraError: if a Parquet file is to be read, and pyarrow is not installed; or an event file, and
            TensorBoard is not.
    """
    schedule = parse(plan) if isinstance(plan, str) else plan
    options = _Options(columns, schedule, peak, horizon, warmup, metric, only)
    entries = [entry for source in open_sources(path) for entry in _entries(source, options)]
    return [entry.build() for entry in choose_by_name(entries, only)]


def rates(path: Logs, *, columns: Mapping[str, str] | None = None) -> list[Rates]:
    """Read the rates that were logged, each at the index of the update that used it; nothing is filled in.

    Args:
        path: as for `read`.
        columns: as for `read`; a loss is not needed.

    Raises:
        RunError: if something cannot be read, or no rate was logged.
    """
    return [each for source in open_sources(path) for each in _rates(source, columns)]


def metrics(path: Logs) -> tuple[str, ...]:
    """Return what `read` takes with `metric=` in place of the training loss; of a table with one loss nothing.

    Raises:
        RunError: if something cannot be read.
    """
    return tuple(dict.fromkeys(name for source in open_sources(path) for name in _metrics(source)))


def names(path: Logs) -> tuple[str, ...]:
    """Return what `read` takes with `only=`: the names of the runs, and of a study's schedules.

    Raises:
        RunError: if something cannot be read.
    """
    entries = [entry for source in open_sources(path) for entry in _entries(source, _Options(metric=TRAINING_LOSS))]
    return tuple(dict.fromkeys(name for entry in entries for name in (entry.schedule, entry.name) if name))


def default_loss(path: Logs, *, only: Only | None = None) -> LossChoice | None:
    """Return the loss that `read` reads of a study where no metric is named, and why; None if there is no study.

    Args:
        path: as for `read`.
        only: as for `read`; the choice depends on the runs that are read.

    Raises:
        RunError: if something cannot be read.
    """
    for source in open_sources(path):
        if source.kind == "store":
            return LossChoice(TRAINING_LOSS, "a store keeps no metric by run; the folder of results has them")
        if is_results(source.header):
            return choose_loss(source, only)
    return None


@final
@dataclass(frozen=True)
class _Options:
    """The options of `read`; None where none was given."""

    columns: Mapping[str, str] | None = None
    plan: Schedule | None = None
    peak: float | None = None
    horizon: int | None = None
    warmup: int | None = None
    metric: str | None = None
    only: Only | None = None

    def build(self, horizon: int | None) -> Callable[..., Run]:
        """Return the function that builds a run from rows."""
        return partial(run_from_rows, plan=self.plan, peak=self.peak, horizon=horizon, warmup=self.warmup)


def _entries(source: Source, options: _Options) -> list[Entry]:
    study = _study(source)
    if study is not None:
        _refuse(source, options, ("columns", "plan", "peak", "horizon", "warmup"), (study,))
        return _entries_of_study(source, options.metric, options.only)
    _refuse_numbers(source, options)
    many = _scalars(source, options.columns or {})
    if many is None:
        return [Entry(source.path.stem, "", partial(_run_of_table, source, options))]
    return [Entry(each.name, "", partial(_run_of_scalars, each, options)) for each in many]


def _entries_of_study(source: Source, metric: str | None = None, only: Only | None = None) -> list[Entry]:
    if source.kind == "store":
        return entries_of_store(source.path, metric, only)
    return entries_of_results(source, metric, only)


def _run_of_table(source: Source, options: _Options) -> Run:
    if options.metric != TRAINING_LOSS:
        _refuse(source, options, ("metric",), ONE_RUN)
    needed = ("step", "rate", "loss") if options.plan is None else ("step", "loss")
    return run_of_table(source, options.columns or {}, options.build(options.horizon), needed)


def _run_of_scalars(scalars: Scalars, options: _Options) -> Run:
    planned = options.plan is not None
    horizon = scalars.horizon if planned and options.horizon is None else options.horizon
    return run_of_scalars(scalars, options.columns or {}, options.metric, options.build(horizon), planned=planned)


def _rates(source: Source, columns: Mapping[str, str] | None) -> list[Rates]:
    study = _study(source)
    if study is not None:
        _refuse(source, _Options(columns), ("columns",), (study,))
        return rates_of_store(source.path) if source.kind == "store" else rates_of_results(source)
    many = _scalars(source, columns or {})
    if many is None:
        return [rates_of_table(source, columns or {})]
    return [_rates_of_scalars(each, columns or {}) for each in many]


def _rates_of_scalars(scalars: Scalars, columns: Mapping[str, str]) -> Rates:
    series = rates_of_scalars(scalars, columns, [LOG_THE_RATE])
    return Rates(scalars.name, [int(step) for step in series.steps], series.values.tolist())


def _metrics(source: Source) -> tuple[str, ...]:
    if source.kind == "store":
        return ()
    if is_results(source.header):
        return metrics_of(source)
    return tuple(name for each in _scalars(source, {}) or () for name in metrics_of_scalars(each))


def _study(source: Source) -> str | None:
    """Return why the log of a study by Glidepath needs no options; None if it is the log of another program."""
    if source.kind == "store":
        return "a store of Glidepath has its rates and columns"
    if is_results(source.header):
        return "the results of glidepath compare have their rates and columns"
    return None


def _scalars(source: Source, columns: Mapping[str, str]) -> list[Scalars] | None:
    """Return what a trainer or a tracker kept of each run; None if the file is a plain table."""
    if source.kind == "table":
        _check_roles(source, columns, COMMON)
        wide = kind_of_table(source.header)
        return None if wide is None else scalars_of_table(source, wide, columns)
    _check_roles(source, columns, ("rate", "loss"))
    if source.kind == "state of a Trainer":
        return [scalars_of_state(source.path)]
    if source.kind == "MLflow database":
        return scalars_of_database(source.path)
    if source.kind == "MLflow run":
        return [scalars_of_folder(source.path)]
    from .events import scalars_of_events  # only here: tensorboard may be missing

    path = source.path
    return [scalars_of_events(path, path.stem if path.is_file() else path.resolve().name, events_in(path))]


def _check_roles(source: Source, columns: Mapping[str, str], roles: Iterable[str]) -> None:
    for role in columns:
        if role not in roles:
            problem = (Argument("columns"), f" names those of the {', '.join(roles)}, not of {role!r}")
            raise RunError(problem, place=source.place)


def _refuse_numbers(source: Source, options: _Options) -> None:
    if options.only is not None and not any(isinstance(name, str) for name in options.only):
        _refuse(source, options, ("only",), ONE_RUN)


def _refuse(source: Source, options: _Options, names: Sequence[str], reason: Sequence[str | Argument]) -> None:
    """Refuse options that would be ignored."""
    arguments = [Argument(name) for name in names if getattr(options, name) is not None]
    if arguments:
        parts = [part for argument in arguments for part in (" and ", argument)][1:]
        raise RunError((*reason, ": leave ", *parts, " out"), place=source.place)
