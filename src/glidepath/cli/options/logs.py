"""The options that say which logged runs to read and how, the same for every command that learns from runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from glidepath import logs
from glidepath.cli.output.wording import Options, word_as_options
from glidepath.core.horizon import as_horizon
from glidepath.errors import GlidepathError
from glidepath.runs.aggregate import with_distinct_names
from glidepath.runs.deviation import Rates
from glidepath.runs.run import Run

from .rows import Rows

Runs = Annotated[
    list[Path] | None,
    Parameter(
        name="--run",
        negative=(),
        help="A log to learn from, once for each: CSV, Parquet, trainer_state.json, Lightning's metrics.csv, "
        "TensorBoard events, what W&B exports, MLflow's store, or the results of glidepath compare.",
    ),
]
RUN_OPTIONS: Options = {  # of the arguments of `glidepath.logs.read`
    "columns": "--column",
    "plan": "--run-plan",
    "peak": "--run-peak",
    "horizon": "--run-steps",
    "warmup": "--run-warmup",
    "metric": "--metric",
    "only": "--only",
    "count": "--count",
    "between": "--between",
    "updates_per_epoch": "--updates-per-epoch",
    "pattern": "--pattern",
}
RATE_OPTIONS: Options = {  # of `glidepath.logs.rates`
    "columns": "--column",
    "count": "--count",
    "updates_per_epoch": "--updates-per-epoch",
    "pattern": "--pattern",
}
LOSS = "loss"  # what --metric calls the training loss


@Parameter(name="*")
@dataclass(frozen=True)
class Logs(Rows):
    """How the logs are read."""

    metric: Annotated[
        str | None,
        Parameter(
            help="The loss to read: loss is the training loss; without it, the validation loss where it has 20 values "
            "or more, and otherwise the training loss."
        ),
    ] = None
    only: Annotated[
        list[str] | None,
        Parameter(negative=(), help="Use the runs of this name only, once for each; a schedule means all its seeds."),
    ] = None
    run_plan: Annotated[str | None, Parameter(help="The schedule that the runs followed, if no rate was logged.")] = (
        None
    )
    run_peak: Annotated[float | None, Parameter(help="The rate where that schedule is 1.")] = None
    run_steps: Annotated[
        str | None, Parameter(help="Updates that it was made for, if the runs are shorter or it is in percent.")
    ] = None
    run_warmup: Annotated[int | None, Parameter(help="Updates of a linear warmup before the first logged rate.")] = None
    between: Annotated[
        logs.Between | None, Parameter(help="The rate between two rows; found out or said without it.")
    ] = None


DEFAULT_LOGS = Logs()


@dataclass(frozen=True)
class LoggedRuns:
    """The runs in some logs.

    Args:
        runs: with names of their own.
        notes: what was chosen for the user, in sentences.
    """

    runs: tuple[Run, ...]
    notes: tuple[str, ...]


def read_runs(paths: Sequence[Path] | None, options: Logs) -> LoggedRuns:
    """Read the runs in some logs.

    Raises:
        GlidepathError: if there is no path, an option has an impossible value, or something cannot be read.
    """
    if not paths:
        raise GlidepathError(
            "there is no run to learn from: give a log, as log.csv or the results of glidepath compare"
        )
    columns = _parse_columns(options.column)
    with word_as_options(RUN_OPTIONS):
        sources = {path: logs.open_sources(path, options.pattern) for path in paths}
        only = _choose_names(sources, options.only)
        read = {path: _read(each, options, columns, only[path]) for path, each in sources.items()}
        named = options.metric is not None or "loss" in (columns or {})
        notes = [] if named else [_note_on_loss(path, sources[path], read[path], only[path]) for path in sources]
    runs = [run for path in paths for run in read[path]]
    return LoggedRuns(tuple(with_distinct_names(runs)), tuple(filter(None, notes)))


def _note_on_loss(path: Path, sources: Sequence[logs.Source], runs: Sequence[Run], only: Sequence[str] | None) -> str:
    """Return which loss was read of a log where none was named, and why."""
    study = logs.default_loss(sources, only=only)
    if study is not None and study.reason:
        return f"{path}: the training loss is read: {study.reason}"
    if study is not None:
        ranks = f"{path}: {study.metric}, by which the study ranks; --metric {LOSS} reads the training loss"
        return "" if study.metric == LOSS else ranks
    others = [name for name in dict.fromkeys(run.loss for run in runs) if logs.is_evaluation(name)]
    if not others:
        return ""
    return f"{path}: {others[0]} is read, the loss on data not trained on; --metric {LOSS} reads the training loss"


def _choose_names(
    sources: Mapping[Path, Sequence[logs.Source]], only: Sequence[str] | None
) -> dict[Path, list[str] | None]:
    """Return the names to read of each path; None for all of its runs.

    Raises:
        GlidepathError: if a name is not there in any path.
    """
    if not only:
        return dict.fromkeys(sources)
    names = {path: logs.names(each) for path, each in sources.items()}
    every = list(dict.fromkeys(name for each in names.values() for name in each))
    unknown = next((name for name in only if name not in every), None)
    if unknown is not None:
        short = [name for name in every if not any(name.startswith(f"{other} (") for other in every)]
        raise GlidepathError(f"no run is called {unknown!r}", choices=short)
    return {path: [name for name in only if name in each] for path, each in names.items()}


def _read(
    sources: Sequence[logs.Source],
    options: Logs,
    columns: Mapping[str, str] | None,
    only: Sequence[str] | None,
) -> list[Run]:
    if only is not None and not only:
        return []
    return logs.read(
        sources,
        columns=columns,
        plan=options.run_plan,
        peak=options.run_peak,
        horizon=None if options.run_steps is None else as_horizon(options.run_steps).steps,
        warmup=options.run_warmup,
        metric=options.metric,
        only=only,
        count=options.count,
        between=options.between,
        updates_per_epoch=options.updates_per_epoch,
    )


def read_rates(path: Path, rows: Rows) -> list[Rates]:
    """Read the rates that were logged.

    Raises:
        GlidepathError: if --column has an impossible value, or something cannot be read.
    """
    columns = _parse_columns(rows.column)
    with word_as_options(RATE_OPTIONS):
        return logs.rates(
            path,
            columns=columns,
            count=rows.count,
            updates_per_epoch=rows.updates_per_epoch,
            pattern=rows.pattern,
        )


def _parse_columns(texts: Sequence[str] | None) -> dict[str, str] | None:
    if not texts:
        return None
    pairs = [text.partition("=") for text in texts]
    wrong = next((text for text, (_, sign, name) in zip(texts, pairs, strict=True) if not sign or not name), None)
    if wrong is not None:
        raise GlidepathError(f"--column says what a column is called, as in loss=val_loss, not {wrong!r}")
    return {role.strip(): name for role, _, name in pairs}
