"""A whole study from beginning to end: check everything, train what the store lacks, read the curves."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from glidepath.errors import GlidepathError, Mistake, SnapshotError, StudyError
from glidepath.study.curve import Curve
from glidepath.study.engine.check import UPDATES, first_difference, verify_run
from glidepath.study.engine.origin import Origin, find_origin
from glidepath.study.engine.work import TrainingEnv, WorkItem
from glidepath.study.sharing.ledger import Ledger
from glidepath.study.sharing.values import RunValues
from glidepath.study.spec.runs import StudyRun, list_runs
from glidepath.study.spec.study import Study, grid_step
from glidepath.study.store import State, Store
from glidepath.tasks import load_task
from glidepath.tasks.failures import WITHOUT_SHARING
from glidepath.tasks.loading import NamedTask

from .coordinator import Coordinator, Watcher, train_segments
from .jobs import Executor

BUDGET = 4 * 10**9  # bytes of snapshots
SNAPSHOTS = 4  # a run of one segment leaves 4 to 8 states for later studies to branch from


@final
@dataclass(frozen=True)
class Prepared:
    """A study that has passed every check, with what the store has of it."""

    study: Study
    task: NamedTask
    runs: Sequence[StudyRun]
    origins: dict[int, Origin]  # by seed
    coordinator: Coordinator

    @property
    def store(self) -> Store:
        """Return where everything is kept."""
        return self.coordinator.ledger.store


def prepare(study: Study, store: Store, budget: int = BUDGET) -> Prepared:
    """Check a study to the end, build its task for every seed, and look up what the store has; trains nothing.

    Args:
        study: from `study_from` or `read_study`.
        store: where everything is kept.
        budget: bytes that its snapshots may take.

    Raises:
        StudyError: if a schedule does not fit.
        TaskError: if the task cannot be found or built.
    """
    runs = list_runs(study)
    task = load_task(study.task)
    origins = {seed: find_origin(task, seed, study.threads) for seed in study.seeds}
    values = values_of(study, runs, origins)
    due = [_due(study, run) for run in runs]
    envs = [_env(study, origins[run.seed]) for run in runs]
    snapshot_every = grid_step(study.longest, SNAPSHOTS) if study.share else study.longest
    coordinator = Coordinator(Ledger(store, values, due), envs, snapshot_every, budget)
    coordinator.plan()
    return Prepared(study, task, runs, origins, coordinator)


def train(prepared: Prepared, executor: Executor, watcher: Watcher, name: str | None = None) -> list[Curve]:
    """Train what the store lacks; return every run's curve, in the order of the study.

    Args:
        prepared: from `prepare`.
        executor: where to train.
        watcher: sees how it goes.
        name: under which the store's view `curves` then shows the study; None: not at all.

    Raises:
        TaskError: if the task fails.
        StudyError: if runs are to be shared and the task cannot be reproduced.
    """
    if prepared.coordinator.find_needed():
        _note_origins(prepared)
        if prepared.study.share:
            check(prepared)
    train_segments(prepared.coordinator, executor, watcher)
    ledger, numbers = prepared.coordinator.ledger, range(len(prepared.runs))
    curves = [ledger.curve(number) for number in numbers]
    if name is not None and prepared.store.writable:
        prepared.store.note_study(name, zip(curves, map(ledger.parts, numbers), strict=True))
    return curves


def _note_origins(prepared: Prepared) -> None:
    """Store what `glidepath store ls` shows; a store that cannot be written is an error here, before any training."""
    for origin in prepared.origins.values():
        prepared.store.note_origin(origin.key, origin.described, None)


def check(prepared: Prepared) -> None:
    """Check once for every task, machine and set of versions that training resumes from a snapshot, bit for bit.

    Raises:
        StudyError: with the first difference, if it does not.
    """
    origin = prepared.origins[prepared.study.seeds[0]]
    if prepared.store.reproducibility_check(origin.task) is not None:
        return
    ledger = prepared.coordinator.ledger
    number = max((run.number for run in prepared.runs if run.seed == prepared.study.seeds[0]), key=ledger.end)
    difference = first_difference(prepared.task, _whole(prepared, number))
    if difference is not None:
        raise StudyError(
            f"the task {prepared.task.name} cannot be reproduced: {difference}. Training may depend on something that "
            "is not part of its state: a loader that knows its place (see `carried` of glidepath.tasks.Task), a "
            "counter, the clock",
            cures=[WITHOUT_SHARING],
        )
    if ledger.end(number) >= 2 * UPDATES:  # fewer are checked again, the next time
        prepared.store.note_origin(origin.task, origin.described, "six updates, by way of a snapshot")


def verify_one_run(prepared: Prepared) -> StudyRun:
    """Train one finished run again, alone and from scratch: the one of which others share the largest part.

    Returns:
        The run, if every loss, metric and bit of its last state is what the store has.

    Raises:
        StudyError: with the first difference, if it is not.
    """
    coordinator = prepared.coordinator
    shared = Counter[int]()
    for segment in coordinator.segments:
        shared.update(dict.fromkeys(segment.paths, segment.steps * (len(segment.paths) > 1)))
    number = max(range(len(prepared.runs)), key=lambda i: shared[i] / coordinator.ledger.end(i))
    end = coordinator.ledger.end(number)
    last = _last_state(prepared, number, end)
    difference = verify_run(prepared.task, _whole(prepared, number), coordinator.ledger.curve(number).records, last)
    if difference is not None:
        raise StudyError(
            f"{prepared.runs[number]}, trained again from scratch: {difference}. The store is not to be trusted"
        )
    return prepared.runs[number]


def _last_state(prepared: Prepared, number: int, end: int) -> State | None:
    """Return the state that the store has of a run's end; None if it has none, or a damaged one."""
    saved = prepared.coordinator.ledger.snapshot(number, end)
    try:
        return None if saved is None else prepared.store.snapshots.read(saved)
    except SnapshotError:
        return None


def _whole(prepared: Prepared, number: int) -> WorkItem:
    """Return the work of a run from its first update to its last known one, as if it were alone."""
    coordinator = prepared.coordinator
    values, end = coordinator.values[number], coordinator.ledger.end(number)
    due = frozenset(coordinator.ledger.due[number])
    return WorkItem(coordinator.envs[number], 0, "", "alone", tuple(values.slots), values.matrix(0, end), due)


def _due(study: Study, run: StudyRun) -> list[int]:
    """Return the updates after which a run is evaluated: every so many, and the last."""
    every = study.evaluate_every or 1
    return sorted({*range(every - 1, run.horizon, every), run.horizon - 1})


def values_of(study: Study, runs: Sequence[StudyRun], origins: Mapping[int, Origin]) -> list[RunValues]:
    """Compute what every run receives.

    Raises:
        StudyError: naming each schedule that the task's optimizer cannot take.
    """
    values, mistakes = [], dict[Mistake, None]()
    for run in runs:
        origin = origins[run.seed]
        try:
            values.append(RunValues(run, origin.groups, _origin_key(study, run, origin), _due(study, run)))
        except GlidepathError as error:
            mistakes[Mistake(("schedules", run.schedule), tuple(error.parts()))] = None
    if mistakes:
        raise StudyError(list(mistakes))
    return values


def _origin_key(study: Study, run: StudyRun, origin: Origin) -> str:
    """Return the key of a run's origin: runs with the same key share; without sharing each has its own."""
    return origin.key if study.share else f"{origin.key}/{run.schedule}/{run.peak}/{run.horizon}"


def _env(study: Study, origin: Origin) -> TrainingEnv:
    described = origin.described
    seed, machine, code = int(described["seed"]), described["machine"], described["code"]
    first = f"{described['first state']}/{described['first batch']}"
    return TrainingEnv(study.task, seed, study.threads, machine, code, first, alone=not study.share)
