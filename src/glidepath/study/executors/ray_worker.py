"""What runs on a Ray cluster: a stretch in a worker that is made like the driver, and the board that both look at."""

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

from .arrays import packed, unpacked

TELLING = 0.25  # seconds between two signs of life


def new_board() -> Any:
    """Where workers write how far they are, and the driver looks; and where it says that they are to stop."""

    class Board:  # within a function it travels by value, so that its process need not import PyTorch
        def __init__(self) -> None:
            self.seen: dict[str, Any] = {}
            self.stopped = False

        def tell(self, name: str, record: Any) -> bool:
            self.seen[name] = record
            return self.stopped

        def look(self) -> dict[str, Any]:
            seen, self.seen = self.seen, {}
            return seen

        def stop(self) -> None:
            self.stopped = True

    return ray.remote(num_cpus=0, max_restarts=-1)(Board).remote()


@final
@dataclass(frozen=True)
class Home:
    """What the driver has, so that its workers have the same.

    Args:
        folder: where it is; None if Ray has brought the folder along.
        path: where it finds modules.
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
    """Train a stretch."""
    told, answer = monotonic(), None

    def watch(record: Record) -> bool:
        nonlocal told, answer
        if monotonic() - told < TELLING:
            return False
        stopped = answer is not None and _stopped(answer)
        told, answer = monotonic(), board.tell.remote(work.ends, (record.step, record.rate, record.loss))
        return stopped

    try:
        outcome, state = _worker(home).do(work, None if begin is None else unpacked(begin), watch)
    except MachineError as error:
        address = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
        raise MachineError(f"{error} (Ray worker on {address})") from None
    return outcome, None if state is None else packed(state)  # type: ignore[arg-type]  # this worker saves nothing


def _stopped(answer: Any) -> bool:
    """What the board answered; a board that is gone for good has nobody left who waits."""
    answered, _ = ray.wait([answer], timeout=0)  # a task that waits for longer gives up its CPU
    try:
        return bool(answered) and ray.get(answer)
    except ActorDiedError:
        return True
    except RayError:  # it is being started again elsewhere
        return False


@functools.lru_cache(maxsize=1)
def _worker(home: Home) -> Worker:
    """This process's worker, the same for every stretch, so that one can go on where the last one ended.

    Raises:
        MachineError: if this process cannot be made like the driver.
    """
    if home.folder is not None:
        _move(home.folder, home.path)
    if libraries() != home.libraries:
        raise MachineError(f"this worker has {libraries()}, the driver {home.libraries}: its bits would differ")
    if load_task(home.task).fingerprint != home.code:
        raise MachineError(f"the code of {home.task} is not what the driver has: its bits would differ")
    return Worker(None)


def libraries() -> str:
    """What computes here, in words."""
    return f"{versions()}, Glidepath's engine {ENGINE}"


def _move(folder: str, path: tuple[str, ...]) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        raise MachineError(f"this worker cannot see the folder {folder}: {error.strerror}") from error
    sys.path[:] = [*path, *(place for place in sys.path if place not in path)]
