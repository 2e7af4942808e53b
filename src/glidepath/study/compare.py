"""A whole study from beginning to end: check everything, train what the store lacks, read the curves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from glidepath.core.errors import GlidepathError
from glidepath.tasks import load_task
from glidepath.tasks.loading import NamedTask

from .conductor import Conductor, Executor, Watcher, conduct
from .curve import Curve
from .engine.origin import Origin, find_origin
from .engine.work import Setting
from .errors import Mistake, StudyError
from .ledger import Ledger
from .runs import Run, runs
from .spec import Study, nested_grid
from .store import Store
from .values import Values

SNAPSHOTS = 8  # a run of one segment leaves 8 to 16 states for later studies to branch from


@final
@dataclass(frozen=True)
class Prepared:
    """A study that has passed every check, with what the store knows of it."""

    study: Study
    task: NamedTask
    runs: Sequence[Run]
    origins: dict[int, Origin]  # by seed
    conductor: Conductor

    @property
    def store(self) -> Store:
        """Where everything is kept."""
        return self.conductor.ledger.store


def prepare(study: Study, store: Store) -> Prepared:
    """Check a study to the end, build its task for every seed, and find out what the store knows; trains nothing.

    Raises:
        StudyError: if a schedule does not fit.
        TaskError: if the task cannot be found or built.
    """
    every = runs(study)
    task = load_task(study.task)
    origins = {seed: find_origin(task, seed, study.threads) for seed in study.seeds}
    due = [_due(run, study.evaluate_every or 1) for run in every]
    values = _values(study, every, origins, due)
    settings = [_setting(study, origins[run.seed]) for run in every]
    conductor = Conductor(Ledger(store, values, due), settings, nested_grid(study.longest, SNAPSHOTS))
    conductor.plan()
    return Prepared(study, task, every, origins, conductor)


def train(prepared: Prepared, executor: Executor, watcher: Watcher) -> list[Curve]:
    """Train what the store lacks; every run's curve, in the order of the study.

    Raises:
        TaskError: if the task fails.
    """
    conduct(prepared.conductor, executor, watcher)
    return curves(prepared)


def curves(prepared: Prepared) -> list[Curve]:
    """The curves of a study that is finished."""
    return [prepared.conductor.ledger.curve(run.number) for run in prepared.runs]


def _due(run: Run, every: int) -> list[int]:
    """The updates after which a run is evaluated: every so many, and the last."""
    return sorted({*range(every - 1, run.horizon, every), run.horizon - 1})


def _values(
    study: Study, every: Sequence[Run], origins: dict[int, Origin], due: Sequence[Sequence[int]]
) -> list[Values]:
    """What every run receives; each schedule that the optimizer cannot take is a mistake of its own."""
    found, wrong = [], dict[Mistake, None]()
    for run, consults in zip(every, due, strict=True):
        origin = origins[run.seed]
        try:
            found.append(Values(run, origin.groups, _shared_origin(study, run, origin), consults))
        except (GlidepathError, TypeError) as error:
            reason = str(error).partition("__init__() ")[2] or str(error)
            wrong[Mistake(("schedules", run.schedule), reason)] = None
    if wrong:
        raise StudyError(list(wrong))
    return found


def _shared_origin(study: Study, run: Run, origin: Origin) -> str:
    """Runs with the same origin share; without sharing each has its own."""
    return origin.key if study.share else f"{origin.key}/{run.schedule}/{run.peak}/{run.horizon}"


def _setting(study: Study, origin: Origin) -> Setting:
    described = origin.described
    return Setting(study.task, int(described["seed"]), study.threads, described["machine"])
