"""Code that runs on a Ray cluster: a worker set up like the driver, and the board through which both communicate."""

import functools
import os
import sys
from dataclasses import dataclass
from time import monotonic
from typing import Any, final

import ray
from ray.exceptions import ActorDiedError, RayError

from glidepath.errors import MachineError
from glidepath.study.curve import Record
from glidepath.study.engine.origin import ENGINE, versions
from glidepath.study.engine.work import WorkItem, WorkResult
from glidepath.study.engine.worker import Worker
from glidepath.study.store import State
from glidepath.tasks import load_task

from .arrays import pack, unpack

REPORT_EVERY = 0.25  # seconds between two reports of progress


def new_board() -> Any:
    """Start the board: workers write their progress to it; the driver reads it, and writes that they are to stop."""

    class Board:  # within a function it travels by value, so that its process need not import PyTorch
        def __init__(self) -> None:
            self.latest: dict[str, Any] = {}
            self.stopped = False

        def report(self, name: str, record: Any) -> bool:
            self.latest[name] = record
            return self.stopped

        def look(self) -> dict[str, Any]:
            latest, self.latest = self.latest, {}
            return latest

        def stop(self) -> None:
            self.stopped = True

    return ray.remote(num_cpus=0, max_restarts=-1)(Board).remote()


@final
@dataclass(frozen=True)
class Home:
    """The driver's set-up, which its workers need, too.

    Args:
        folder: where it is; None if Ray has sent the folder along.
        path: where it looks for modules.
        libraries: that compute, with their versions.
        task: its name.
        code: the fingerprint of the task's code.
    """

    folder: str | None
    path: tuple[str, ...]
    libraries: str
    task: str
    code: str


def train(home: Home, work: WorkItem, begin: State | None, board: Any) -> tuple[WorkResult, State | None]:
    """Train a segment."""
    reported, answer = monotonic(), None

    def report(record: Record) -> bool:
        nonlocal reported, answer
        if monotonic() - reported < REPORT_EVERY:
            return False
        stopped = answer is not None and _is_stop(answer)
        reported, answer = monotonic(), board.report.remote(work.ends, (record.step, record.rate, record.loss))
        return stopped

    try:
        outcome, state = _worker(home).do(work, None if begin is None else unpack(begin), report)
    except MachineError as error:
        address = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
        raise MachineError(f"{error.worded()} (Ray worker on {address})") from None
    return outcome, None if state is None else pack(state)  # type: ignore[arg-type]  # this worker writes no snapshots


def _is_stop(answer: Any) -> bool:
    """Return whether the board answered that workers are to stop; so does a board that has ended for good."""
    answered, _ = ray.wait([answer], timeout=0)  # a task that waits for longer gives up its CPU
    try:
        return bool(answered) and ray.get(answer)
    except ActorDiedError:
        return True
    except RayError:  # it is being started again elsewhere
        return False


@functools.lru_cache(maxsize=1)
def _worker(home: Home) -> Worker:
    """Return this process's worker, the same for every segment, so that it can continue where the last one ended.

    Raises:
        MachineError: if this process cannot be set up like the driver.
    """
    if home.folder is not None:
        _move(home.folder, home.path)
    if libraries() != home.libraries:
        raise MachineError(f"this worker has {libraries()}, the driver {home.libraries}: its bits would differ")
    if load_task(home.task).fingerprint != home.code:
        raise MachineError(f"the code of {home.task} is not what the driver has: its bits would differ")
    return Worker(None)


def libraries() -> str:
    """Return the libraries that compute here, as a text."""
    return f"{versions()}, Glidepath's engine {ENGINE}"


def _move(folder: str, path: tuple[str, ...]) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        raise MachineError(f"this worker cannot see the folder {folder}: {error.strerror}") from error
    sys.path[:] = [*path, *(place for place in sys.path if place not in path)]
