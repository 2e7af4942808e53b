"""A whole study: check everything, train what is not there yet, keep what is finished."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from glidepath.tasks import load_task
from glidepath.tasks.loading import NamedTask

from .curve import Curve
from .errors import Mistake, StudyError
from .feedback import is_feedback
from .folder import described, opened, save_curves, saved_curves
from .runs import Run, runs
from .spec import Study
from .train import Watch, check_plateau, reproducible, train


@final
@dataclass(frozen=True)
class Prepared:
    """A study that has passed every check, and its folder: what is finished there, and what is still to train."""

    study: Study
    task: NamedTask
    folder: Path
    finished: tuple[Curve, ...]
    waiting: tuple[Run, ...]


def prepare(study: Study, folder: Path, *, force: bool = False) -> Prepared:
    """Check a study to the end and open its folder; nothing is written before everything has passed.

    Args:
        study: a complete one, from `study_from` or `read_study`.
        folder: where its results live; runs that are finished there are not trained again.
        force: give up whatever the folder holds.

    Raises:
        StudyError: if a schedule does not fit, or the folder holds another study.
        TaskError: if the task cannot be found or built.
    """
    every = runs(study)
    _check_plateaus(study)
    task = load_task(study.task)
    with reproducible(study.seeds[0]):
        task(study.seeds[0])
    opened(folder, described(study, task), force=force)
    finished = saved_curves(folder, every)
    numbers = {curve.run.number for curve in finished}
    return Prepared(study, task, folder, tuple(finished), tuple(run for run in every if run.number not in numbers))


def train_all(
    prepared: Prepared,
    watch: Watch = lambda run, record: None,
    kept: Callable[[Curve], None] = lambda curve: None,
) -> list[Curve]:
    """Train what waits, one run after the other; each is in `curves.csv` as soon as it is finished.

    Args:
        prepared: from `prepare`.
        watch: called after every update with the run and its record.
        kept: called with every run that has been written.

    Returns:
        Every run of the study, in its order.
    """
    curves = list(prepared.finished)
    for run in prepared.waiting:
        curves.append(train(prepared.task, run, prepared.study.evaluate_every or 1, watch))
        save_curves(prepared.folder, curves)
        kept(curves[-1])
    return sorted(curves, key=lambda curve: curve.run.number)


def _check_plateaus(study: Study) -> None:
    wrong: list[Mistake] = []
    for name, text in (study.schedules or {}).items():
        if is_feedback(text):
            try:
                check_plateau(name, text)
            except StudyError as error:
                wrong += error.mistakes
    if wrong:
        raise StudyError(wrong)
