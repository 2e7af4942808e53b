"""Logged runs as (step, rate, loss, metrics): tables, the logs of trainers and trackers, and our own store.

The first bytes of a file say what it is, not its name. Files are only read: nothing in them is run or unpickled.

What a log means is found in four steps, a file each: a format turns bytes into numbers by name and step (`formats/`),
a dialect says what its trainer means by them (`dialects.py`), `quantities.py` chooses the rate and the loss, and
`axis.py` turns steps into updates.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from glidepath.core.schedule import Schedule
from glidepath.errors import Argument, RunError
from glidepath.parser import parse
from glidepath.runs.deviation import Rates
from glidepath.runs.run import Run

from .attempts import Attempts
from .dialects import Between as Between
from .dialects import Count as Count
from .entries import Entry, choose_by_name
from .formats import read_scalars
from .names import TRAINING_LOSS
from .names import is_evaluation as is_evaluation
from .quantities import metrics_of_scalars
from .reading import ReadOptions, rates_of_scalars, run_of_scalars
from .series import Scalars
from .source import Source as Source
from .source import open_sources as open_sources
from .studies.results import LossChoice as LossChoice
from .studies.results import choose_loss, entries_of_results, is_results, metrics_of, rates_of_results
from .studies.store import entries_of_store, rates_of_store
from .studies.study import Only

Logs = str | Path | Sequence[Source]  # where logs are: a file, a folder, or what `open_sources` returned
ROLES = ("step", "rate", "loss")
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
    count: Count | None = None,
    between: Between | None = None,
    updates_per_epoch: int | None = None,
    pattern: str | None = None,
) -> list[Run]:
    """Read the runs in a file or a folder.

    Args:
        path: any log of the table in `docs/logs.md`, by its content and not its name; or a folder of them, of which
            each is read.
        columns: the names of a table's columns, as in {"step": "it", "rate": "eta", "loss": "train/nll"}, or
            of the numbers that a trainer or a tracker kept; a common name need not be given.
        plan: the schedule that the run followed, or its text, if its rates were not logged;
            `glidepath.runs.from_rows.run_from_rows` says more about this and the next three.
        peak: the rate where the plan is 1.
        horizon: the steps over which a draft is resolved; the state of a Trainer has them.
        warmup: the updates of a linear warmup that a log leaves out.
        metric: the loss to read, one of `metrics`, or "loss" for the training loss. If not given: the validation loss
            where it has 20 values or more, and otherwise the training loss; `Run.loss` says which.
        only: the names of the runs to read, or of a study's schedules, or the numbers of a study's runs; all of them
            if not given.
        count: what a logged step means, "updates made" or "index of the update"; found out if not given or "auto".
        between: the rate between two rows: "held" until the next, or on the straight "line"; found out if not given.
        updates_per_epoch: of a log whose rows are epochs.
        pattern: the form of a line of a log that was printed as text, a regular expression with a group for the step
            and each number, as in r"it (?P<step>\\d+).*lr (?P<rate>\\S+).*nll (?P<loss>\\S+)"; the forms of
            Megatron-LM, torchtune, nanoGPT and Keras are found out.

    Raises:
        RunError: if something cannot be read, or is not the log of a run; the message says where.
        MissingExtraError: if a Parquet file is to be read, and pyarrow is not installed; or an event file, and
            TensorBoard is not.
    """
    schedule = parse(plan) if isinstance(plan, str) else plan
    options = ReadOptions(columns, schedule, peak, horizon, warmup, metric, only, count, between, updates_per_epoch)
    attempts = Attempts()
    entries = attempts.read_each(open_sources(path, pattern), lambda source: _entries(source, options))
    attempts.check(entries)
    chosen = choose_by_name(entries, only)
    runs = _build(chosen, attempts)
    attempts.check(runs)
    attempts.warn()
    return runs


def rates(
    path: Logs,
    *,
    columns: Mapping[str, str] | None = None,
    count: Count | None = None,
    updates_per_epoch: int | None = None,
    pattern: str | None = None,
) -> list[Rates]:
    """Read the rates that were logged, each at the index of the update that used it; nothing is filled in.

    Args:
        path: as for `read`.
        columns: as for `read`; a loss is not needed.
        count: as for `read`.
        updates_per_epoch: as for `read`.
        pattern: as for `read`.

    Raises:
        RunError: if something cannot be read, or no rate was logged.
    """
    options = ReadOptions(columns, count=count, updates_per_epoch=updates_per_epoch)
    attempts = Attempts()
    every = attempts.read_each(open_sources(path, pattern), lambda source: _rates(source, options))
    attempts.check(every)
    attempts.warn()
    return every


def metrics(path: Logs) -> tuple[str, ...]:
    """Return what `read` takes with `metric=` in place of the training loss.

    Raises:
        RunError: if something cannot be read.
    """
    return tuple(dict.fromkeys(Attempts().read_each(open_sources(path), _metrics)))


def names(path: Logs) -> tuple[str, ...]:
    """Return what `read` takes with `only=`: the names of the runs, and of a study's schedules.

    Raises:
        RunError: if something cannot be read.
    """
    options = ReadOptions(metric=TRAINING_LOSS)
    entries = Attempts().read_each(open_sources(path), lambda source: _entries(source, options))
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


# --- the two kinds of logs: those of a study by Glidepath, and those of other programs ---


def _entries(source: Source, options: ReadOptions) -> list[Entry]:
    study = _study(source)
    if study is not None:
        _refuse(source, options, ("columns", "plan", "peak", "horizon", "warmup", *READINGS), (study,))
        return _entries_of_study(source, options.metric, options.only)
    if options.only is not None and not any(isinstance(name, str) for name in options.only):
        _refuse(source, options, ("only",), ONE_RUN)
    return [Entry(each.name, "", partial(run_of_scalars, each, options)) for each in _scalars(source, options)]


def _build(entries: Sequence[Entry], attempts: Attempts) -> list[Run]:
    """Return the runs; one of a study that cannot be read is not left out, because it is chosen by number."""
    if any(entry.schedule for entry in entries):
        return [entry.build() for entry in entries]
    return attempts.read_each(entries, lambda entry: [entry.build()])


READINGS = ("count", "between", "updates_per_epoch")


def _entries_of_study(source: Source, metric: str | None = None, only: Only | None = None) -> list[Entry]:
    if source.kind == "store":
        return entries_of_store(source.path, metric, only)
    return entries_of_results(source, metric, only)


def _rates(source: Source, options: ReadOptions) -> list[Rates]:
    study = _study(source)
    if study is not None:
        _refuse(source, options, ("columns", *READINGS), (study,))
        return rates_of_store(source.path) if source.kind == "store" else rates_of_results(source)
    return [rates_of_scalars(each, options) for each in _scalars(source, options)]


def _metrics(source: Source) -> list[str]:
    if source.error is not None:
        raise source.error
    if source.kind == "store":
        return []
    if is_results(source.header):
        return list(metrics_of(source))
    return [name for each in _scalars(source, ReadOptions()) for name in metrics_of_scalars(each)]


def _study(source: Source) -> str | None:
    """Return why the log of a study by Glidepath needs no options; None if it is the log of another program."""
    if source.error is not None:
        raise source.error
    if source.kind == "store":
        return "a store of Glidepath has its rates and columns"
    if is_results(source.header):
        return "the results of glidepath compare have their rates and columns"
    return None


def _scalars(source: Source, options: ReadOptions) -> list[Scalars]:
    for role in options.named:
        if role not in ROLES:
            problem = (Argument("columns"), f" names those of the {', '.join(ROLES)}, not of {role!r}")
            raise RunError(problem, place=source.place)
    return read_scalars(source, options.named, options.updates_per_epoch)


def _refuse(source: Source, options: ReadOptions, names: Sequence[str], reason: Sequence[str | Argument]) -> None:
    """Refuse options that would be ignored."""
    arguments = [Argument(name) for name in names if getattr(options, name) is not None]
    if arguments:
        parts = [part for argument in arguments for part in (" and ", argument)][1:]
        raise RunError((*reason, ": leave ", *parts, " out"), place=source.place)
