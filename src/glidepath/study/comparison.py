"""`compare`: train a task under several schedules, from Python; the command line calls the same functions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, final

from glidepath.errors import Argument, Cure, StudyError

from .curve import Curve
from .executors import check_place, executor_for
from .result import Result
from .screening.screen import find_candidates, screen_schedules
from .spec.runs import StudyRun
from .spec.study import Study, study_from
from .spec.yaml_io import read_study
from .store import Store
from .training.cost import CostEstimate, estimate_cost
from .training.prepare import BUDGET, Prepared, prepare, train, verify_one_run
from .training.progress import Progress, Reporter

StudySource = Study | str | Path | Mapping[str, Any]


def compare(
    study: StudySource,
    *,
    store: str | Path = ".glidepath",
    on: str = "local",
    workers: int | None = None,
    screen: int | None = None,
    budget: int = BUDGET,
    progress: Progress | None = None,
    name: str | None = None,
) -> Result:
    """Train a task under several schedules, fairly, every common prefix once; what the store has is not trained again.

    Args:
        study: a `Study`, the path of a YAML file, or a mapping of its keys: `{"task": "digits", "steps": 300}`.
        store: the folder for what was trained; a later call goes on from there.
        on: where to train: "local" (this process), "processes", "ray", or "ray://HOST:PORT".
        workers: trainings at a time; as many as there are cores for if not given.
        screen: train the few schedules that tell most about the others, predict those, and train this many of the most
            promising; all of them are trained if not given.
        budget: bytes that the snapshots of the store may take.
        progress: sees how it goes; without it, warnings are the only sign.
        name: under which the store's view `curves` shows the study; it does not if not given.

    Returns:
        Curves, summary and verdict; of a screening, those of the schedules that were trained.

    Raises:
        StudyError: if the study is described wrongly, does not fit its task, or cannot be reproduced.
        TaskError: if the task cannot be built, or fails.
        KeyboardInterrupt: on Ctrl-C; what was trained is kept, and the same call goes on.
    """
    check_place(on, workers)
    _check_screen(screen)
    _check_progress(progress)
    source = _study_of(study)
    with Store(Path(store)) as opened:
        prepared = prepare(source, opened, budget)
        trainer = _Trainer(on, workers, budget, progress or Progress(), name)
        cost = estimate_cost(prepared)
        for warning in cost.warnings:
            trainer.progress.on_warning(warning)
        if screen is None:
            curves = trainer.train(prepared)
            return Result(source, tuple(curves), _facts(prepared, cost), trainer.trained)
        return _train_screening(prepared, cost, screen, trainer)


def estimate(study: StudySource, *, store: str | Path = ".glidepath", screen: int | None = None) -> CostEstimate:
    """Estimate what a study will cost; builds its task, trains nothing.

    Args:
        study: as for `compare`.
        store: as for `compare`.
        screen: as for `compare`; the estimate then names the schedules that are trained first.

    Raises:
        StudyError: as `compare` does.
        TaskError: if the task cannot be built.
    """
    _check_screen(screen)
    with Store(Path(store)) as opened:
        prepared = prepare(_study_of(study), opened)
        cost = estimate_cost(prepared)
        if screen is None:
            return cost
        candidates = find_candidates(prepared)
        return replace(cost, trained_first=(*candidates.others, *candidates.first()))


def verify(study: StudySource, *, store: str | Path = ".glidepath") -> StudyRun:
    """Train one run of a finished study again, alone and from scratch, and compare every bit with the store's.

    Args:
        study: as for `compare`, which has trained it.
        store: as for `compare`.

    Returns:
        The run: the one of which others share the largest part.

    Raises:
        StudyError: with the first difference, if there is one.
    """
    with Store(Path(store)) as opened:
        return verify_one_run(prepare(_study_of(study), opened))


def _study_of(study: StudySource) -> Study:
    if isinstance(study, Study):
        return study
    if isinstance(study, Mapping):
        return study_from(study)
    if not isinstance(study, (str, PathLike)):
        raise StudyError(f"a study is a mapping of its keys, the path of a YAML file, or a Study, not {study!r:.60}")
    file = Path(study)
    if file.suffix.lower() not in (".yaml", ".yml") and not file.exists():
        advice = f'give the path of one, or the task by its key, compare({{"task": "{study}"}})'
        raise StudyError(f"{study} is not a study file", cures=[Cure(advice)])
    return read_study(file)


def _check_progress(progress: Progress | None) -> None:
    if progress is not None and not isinstance(progress, Progress):
        raise StudyError((Argument("progress"), f" is an object whose class inherits from Progress, not {progress!r}"))


def _check_screen(screen: int | None) -> None:
    if screen is not None and screen < 1:
        raise StudyError((Argument("screen"), f" trains at least one schedule to confirm, not {screen}"))


@final
@dataclass
class _Trainer:
    """Trains studies of one call, and counts the updates. Mutable."""

    on: str
    workers: int | None
    budget: int
    progress: Progress
    name: str | None
    trained: int = 0

    def train(self, prepared: Prepared) -> list[Curve]:
        """Train what the store lacks; on Ctrl-C, say what is kept."""
        reporter = Reporter(self.progress, self.trained)
        snapshots, threads = prepared.store.snapshots, prepared.study.threads
        executor = executor_for(self.on, snapshots, threads, self.workers, reporter.on_update)
        try:
            return train(prepared, executor, reporter, self.name)
        except KeyboardInterrupt:
            runs = range(len(prepared.runs))
            self.progress.on_stop(len(prepared.coordinator.find_finished(runs)), len(runs))
            raise
        finally:
            self.trained += prepared.coordinator.trained
            executor.close()


def _train_screening(prepared: Prepared, whole: CostEstimate, confirm: int, trainer: _Trainer) -> Result:
    """Train the schedules that a screening chooses."""
    parts: list[Prepared] = []

    def train_part(part: Study) -> list[Curve]:
        parts.append(prepare(part, prepared.store, trainer.budget))
        return trainer.train(parts[-1])

    screening = screen_schedules(find_candidates(prepared), train_part, confirm)
    cost = estimate_cost(parts[-1])
    facts = _facts(parts[-1], cost) | {"screening": _describe_screening(cost, whole)}
    return Result(screening.study, tuple(screening.curves), facts, trainer.trained, screening.rows)


def _describe_screening(part: CostEstimate, whole: CostEstimate) -> str:
    return (
        f"{part.runs} of {whole.runs} runs trained, {part.steps_alone:,} of {whole.steps_alone:,} updates; each "
        f"different one once, {part.steps_shared:,} of {whole.steps_shared:,}"
    )


def _facts(prepared: Prepared, cost: CostEstimate) -> dict[str, str]:
    """Return what a report shows besides the results: label and text."""
    described = next(iter(prepared.origins.values())).described
    different = prepared.coordinator.ledger.distinct_updates()
    return {
        "task": prepared.study.task,
        "runs": str(cost.runs),
        "updates": f"{cost.steps_alone:,} updates in {cost.runs} runs, {different:,} of them different: "
        f"{cost.steps_alone / different:.2f} times fewer",
        "machine": described["machine"],
        "versions": described["versions"],
        "threads": described["threads"],
    }
