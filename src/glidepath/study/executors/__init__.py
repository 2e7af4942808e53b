"""Executors: segments are trained in this process, in several here, or on a Ray cluster, with the same bits."""

from glidepath.errors import Argument, Cure, StudyError, Text
from glidepath.extras import needs_extra
from glidepath.study.store import Snapshots
from glidepath.study.training.jobs import Executor

from .local import Local, Progress


def executor_for(on: str, snapshots: Snapshots, threads: int, workers: int | None, progress: Progress) -> Executor:
    """Build the executor that a name stands for.

    Args:
        on: local, processes, ray, or ray://HOST:PORT.
        snapshots: where states are stored.
        threads: CPU threads of one training.
        workers: trainings at a time; None for as many as there are cores for.
        progress: called after updates.

    Raises:
        StudyError: if there is no such executor.
        MissingExtraError: if it needs a package that is not installed.
    """
    check_place(on, workers)
    if on == "local":
        return Local(snapshots, progress)
    if on == "processes":
        from .processes import Processes  # only here: the others need no pool

        return Processes(snapshots, threads, workers, progress)
    return _ray(on, snapshots, threads, workers, progress)


def check_place(on: str, workers: int | None) -> None:
    """Raise unless a place to train exists; called before anything is done for it.

    Raises:
        StudyError: with the places that exist.
    """
    problem: Text = ""
    cures: list[Cure] = []
    if on not in ("local", "processes", "ray") and not on.startswith("ray://"):
        problem = [Argument("on"), f" is local, processes, ray or ray://HOST:PORT, not {on!r}"]
    elif workers is not None and workers < 1:
        problem = [Argument("workers"), f" is at least 1, not {workers}"]
    elif workers is not None and workers > 1 and on == "local":
        problem = [Argument("workers"), f" is {workers}, and this process trains one run at a time"]
        cures = [Cure("train in several", Argument("on", "processes"))]
    if problem:
        raise StudyError(problem, cures=cures)


def _ray(on: str, snapshots: Snapshots, threads: int, workers: int | None, progress: Progress) -> Executor:
    with needs_extra("ray", "a Ray cluster"):
        from .ray import Ray  # only here: Ray is an extra
    return Ray(snapshots, None if on == "ray" else on, threads=threads, workers=workers, progress=progress)
