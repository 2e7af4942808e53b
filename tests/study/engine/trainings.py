"""Trains a task's function in sessions, as executors do, without a study around it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from glidepath.study.engine.origin import find_origin
from glidepath.study.engine.session import Session
from glidepath.study.engine.state import digest
from glidepath.study.engine.work import TrainingEnv, WorkItem, WorkResult
from glidepath.study.sharing.values import RunValues
from glidepath.study.spec.runs import StudyRun
from glidepath.study.spec.schedule_spec import read_spec
from glidepath.tasks import load_task
from glidepath.tasks.loading import NamedTask

EXAMPLES = Path(__file__).parents[3] / "examples" / "training"
UPDATES, CUT, SEED = 12, 5, 3
SHAPE = "warmup(4) >> cosine(8)"

Function = Callable[[int], Any]
Trace = tuple[list[float], list[dict[str, float]], str]  # losses, metrics, digest of the last state


def example(name: str) -> Function:
    """The function of an example file."""
    return load_task(f"{EXAMPLES / name}.py:{name}").function


class Trainee:
    """A session, and the work that one schedule makes for it."""

    def __init__(self, function: Function, threads: int = 1, entry: Any = SHAPE) -> None:
        self.named = NamedTask(getattr(function, "__name__", "mine"), function, None)
        self.spec, self.threads = read_spec(entry), threads
        self.session = Session(self.named, SEED, threads)

    def another(self) -> "Trainee":
        """A fresh one."""
        return Trainee(self.named.function, self.threads, self.spec)

    def work(self, start: int, stop: int) -> WorkItem:
        """Updates start..stop-1, every one evaluated."""
        run = StudyRun(0, "mine", str(self.spec), self.spec.over(UPDATES), UPDATES, None, SEED)
        values = RunValues(run, find_origin(self.named, SEED, self.threads).groups, "", [])
        setting = TrainingEnv(self.named.name, SEED, self.threads, "this", "any", "any")
        table = values.matrix(start, stop)
        return WorkItem(setting, start, "begins", "ends", tuple(values.slots), table, frozenset(range(start, stop)))

    def train(self, start: int, stop: int) -> WorkResult:
        """Train them."""
        return self.session.train(self.work(start, stop))

    def trace(self, start: int = 0, stop: int = UPDATES) -> Trace:
        """Train them, and tell what could be seen."""
        outcome = self.train(start, stop)
        assert len(outcome.records) == stop - start
        losses = [record.loss for record in outcome.records]
        return losses, [dict(record.metrics) for record in outcome.records], digest(self.session.state())


def joined(first: Trace, second: Trace) -> Trace:
    """What was seen over two stretches."""
    return first[0] + second[0], first[1] + second[1], second[2]
