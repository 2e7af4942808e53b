"""The options that say which logged runs to read and how, the same for every command that learns from runs."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from glidepath import logs
from glidepath.core.horizon import as_horizon
from glidepath.errors import GlidepathError, RunError
from glidepath.parser import parse
from glidepath.runs.deviation import Rates
from glidepath.runs.run import Run

Runs = Annotated[
    list[Path] | None,
    Parameter(
        name="--run",
        negative=(),
        help="A log to learn from, once for each: CSV, Parquet, trainer_state.json, Lightning's metrics.csv, "
        "TensorBoard events, what W&B exports, MLflow's store, or the results of glidepath compare.",
    ),
]
OPTIONS = {
    "columns": "--column",
    "plan": "--run-plan",
    "peak": "--run-peak",
    "horizon": "--run-steps",
    "warmup": "--run-warmup",
    "metric": "--metric",
    "numbers": "--only",
}
LOSS = "loss"  # what --metric calls the training loss of a study


@Parameter(name="*")
@dataclass(frozen=True)
class Logs:
    """How the logs are read."""

    column: Annotated[
        list[str] | None,
        Parameter(negative=(), help="What a column, a tag or a metric is called: step=it, rate=eta or loss=val."),
    ] = None
    metric: Annotated[
        str | None,
        Parameter(help="What to read: loss is the training loss; without it, the one metric that is a loss."),
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


AS_THEY_ARE = Logs()


@dataclass(frozen=True)
class Read:
    """What was read: the runs, what their loss is called, and what was chosen for the user."""

    runs: tuple[Run, ...]
    loss: str
    notes: tuple[str, ...]


def read(paths: Sequence[Path] | None, options: Logs) -> Read:
    """The runs in some logs.

    Raises:
        GlidepathError: if there is no path, or an option cannot be.
        RunError: if something cannot be read, in the words of the command line.
    """
    if not paths:
        raise GlidepathError(
            "there is no run to learn from: give a log, as log.csv or the results of glidepath compare"
        )
    named = "loss" in _columns(options.column or ())
    metrics = {path: _metric(path, LOSS if named and options.metric is None else options.metric) for path in paths}
    runs = [run for path in paths for run in _runs(path, options, metrics[path])]
    found = set(metrics.values())
    chosen = next(iter(found)) if len(found) == 1 else None
    notes = [_choice(path, metric) for path, metric in metrics.items() if metric and options.metric is None]
    return Read(tuple(distinct(_only(runs, options.only))), (chosen or "loss").replace("_", " "), tuple(notes))


def _choice(path: Path, metric: str) -> str:
    return f"{path}: {metric} in place of the training loss, which --metric {LOSS} would read"


def _metric(path: Path, given: str | None) -> str | None:
    """The metric to read; a validation loss says more than the loss of a single batch."""
    if given is not None:
        return None if given == LOSS else given
    with _in_words_of_options():
        losses = [name for name in logs.metrics(path) if "loss" in name.lower()]
    return losses[0] if len(losses) == 1 else None


def _runs(path: Path, options: Logs, metric: str | None) -> list[Run]:
    columns = _columns(options.column) if options.column else None
    plan = None if options.run_plan is None else parse(options.run_plan)
    horizon = None if options.run_steps is None else as_horizon(options.run_steps).steps
    with _in_words_of_options():
        return logs.read(
            path,
            columns=columns,
            plan=plan,
            peak=options.run_peak,
            horizon=horizon,
            warmup=options.run_warmup,
            metric=metric,
        )


def rates(path: Path, column: Sequence[str] | None) -> list[Rates]:
    """The rates that were logged.

    Raises:
        GlidepathError: if --column cannot be.
        RunError: if something cannot be read, in the words of the command line.
    """
    columns = _columns(column) if column else None
    with _in_words_of_options():
        return logs.rates(path, columns=columns)


def _columns(given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    wrong = next((text for text, (_, sign, name) in zip(given, pairs, strict=True) if not sign or not name), None)
    if wrong is not None:
        raise GlidepathError(f"--column says what a column is called, as in loss=val_loss, not {wrong!r}")
    return {what.strip(): name for what, _, name in pairs}


def _only(runs: Sequence[Run], names: Sequence[str] | None) -> list[Run]:
    """The runs that are meant: by their own name, or by that of their schedule, which ends before a parenthesis."""
    if not names:
        return list(runs)
    known = [{run.name, run.name.rpartition(" (")[0]} for run in runs]
    absent = next((name for name in names if not any(name in own for own in known)), None)
    if absent is not None:
        there = list(dict.fromkeys(run.name.rpartition(" (")[0] or run.name for run in runs))
        raise GlidepathError(f"no run is called {absent!r}; there are {', '.join(there)}")
    return [run for run, own in zip(runs, known, strict=True) if own & set(names)]


def distinct(runs: Sequence[Run]) -> list[Run]:
    """The runs with names of their own."""
    used: dict[str, int] = {}
    named = []
    for run in runs:
        used[run.name] = used.get(run.name, 0) + 1
        named.append(run if used[run.name] == 1 else replace(run, name=f"{run.name} #{used[run.name]}"))
    return named


@contextmanager
def _in_words_of_options() -> Iterator[None]:
    """What is wrong with a log, told with the options of the command instead of Python's arguments."""
    try:
        yield
    except RunError as error:
        raise RunError(in_words_of_options(str(error))) from error


def in_words_of_options(message: str) -> str:
    """The arguments of `glidepath.logs.read` as the options that give them.

    An argument with a value, as in a file called plan=cosine.csv, is the user's own text and stays.

    Examples:
        >>> in_words_of_options('name it, columns={"loss": ...}, or give the schedule of the run, plan= and peak=')
        'name it, --column loss=..., or give the schedule of the run, --run-plan and --run-peak'
        >>> in_words_of_options("plan=cosine.csv: no column is called 'plan=x'; there are it, columns=3")
        "plan=cosine.csv: no column is called 'plan=x'; there are it, columns=3"
    """
    message = re.sub(r'columns=\{"(\w+)": "?([^"}]*)"?\}', r"--column \1=\2", message)
    message = message.replace("peak=1 if", "--run-peak 1 if").replace("leave warmup out", "leave --run-warmup out")
    return re.sub(rf"\b({'|'.join(OPTIONS)})=(?!\w)", lambda found: OPTIONS[found[1]], message)
