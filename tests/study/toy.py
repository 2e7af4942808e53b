"""Studies that train nothing: a loss is a hash of all that was received so far, so every curve is known beforehand.

A run receives a letter for each update. Its state is the letters so far; the loss of an update and the metrics of a
state are hashes of that. `by_hand` says what the curve of a run is, by a loop that knows no tree, chain or ledger; an
executor computes losses from the state that it really went on from, so a wrong beginning gives a wrong loss.
"""

import hashlib
import math
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glidepath.errors import SnapshotError
from glidepath.study.curve import Record
from glidepath.study.engine.work import WorkResult
from glidepath.study.sharing.ledger import Ledger
from glidepath.study.sharing.state_key import StateKeys
from glidepath.study.sharing.tree import UpdatePath as Way
from glidepath.study.spec.runs import StudyRun
from glidepath.study.store import Store, StoredSnapshot
from glidepath.study.training.coordinator import Coordinator, Watcher, train_segments
from glidepath.study.training.jobs import Job, JobResult

FALLS = 1 / 64  # of the letters so far, how many lead to a loss that is no number


@dataclass(frozen=True)
class Plan:
    """A run: its letters, or, fed back, the letters that answer a good evaluation and a bad one."""

    origin: str
    letters: str
    fed_back: bool = False
    steps: int = 0

    @property
    def length(self) -> int:
        return self.steps if self.fed_back else len(self.letters)


def number_of(origin: str, letters: bytes, what: str) -> float:
    """A number in [0, 1) that depends on every letter and their order."""
    return int.from_bytes(hashlib.md5(f"{what} {origin} ".encode() + letters).digest()[:6]) / 2**48


def loss_of(origin: str, letters: bytes) -> float:
    """What the update that received the last of these letters sees."""
    return math.nan if number_of(origin, letters, "fall") < FALLS else number_of(origin, letters, "loss")


def metric_of(origin: str, letters: bytes) -> float:
    """How good the state after these letters is."""
    return number_of(origin, letters, "metric")


def due_of(plan: Plan, every: int) -> list[int]:
    """The updates after which a run is evaluated."""
    return [k for k in range(plan.length) if (k + 1) % every == 0 or k + 1 == plan.length]


def by_hand(plan: Plan, every: int) -> list[tuple[int, float, dict[str, float]]]:
    """A run alone: step, loss and metrics of each update."""
    letters, curve, answer = b"", [], plan.letters[:1]
    for k in range(plan.length):
        letters += (answer if plan.fed_back else plan.letters[k]).encode()
        loss = loss_of(plan.origin, letters)
        due = k in due_of(plan, every) and loss == loss
        metric = metric_of(plan.origin, letters)
        curve.append((k, loss, {"metric": metric} if due else {}))
        if loss != loss:
            break
        if due and plan.fed_back:
            answer = plan.letters[metric < 0.5]
    return curve


def states_of(plan: Plan, every: int) -> list[str]:
    """The letters after each update of a run alone."""
    letters, answer = "", plan.letters[:1]
    for k, _, metrics in by_hand(plan, every):
        letters += answer if plan.fed_back else plan.letters[k]
        answer = plan.letters[metrics["metric"] < 0.5] if plan.fed_back and metrics else answer
    return [f"{plan.origin} {letters[: k + 1]}" for k in range(len(letters))]


class Known:
    """What a run receives, as far as it is known: `Values`, with letters in place of rates."""

    slots = ("letter",)

    def __init__(self, number: int, plan: Plan, every: int) -> None:
        self.plan, self.stops = plan, [update + 1 for update in due_of(plan, every)]
        self.run, self.peak = StudyRun(number, str(number), plan.letters, None, plan.length, None, 0), 1.0
        first = self._stretch(plan.letters[:1]) if plan.fed_back else plan.letters.encode()
        self.path = Way(plan.origin, 1, bytearray(first))
        self.state_keys = StateKeys(self.path)

    def _stretch(self, answer: str, known: int = 0) -> bytes:
        return answer.encode() * (next(stop for stop in self.stops if stop > known) - known)

    @property
    def resolved_steps(self) -> int:
        return self.path.steps

    @property
    def complete(self) -> bool:
        return self.resolved_steps == self.plan.length

    def matrix(self, start: int, stop: int) -> Any:
        return np.array([[float(letter)] for letter in self.path.rows[start:stop]]).reshape(-1, 1)

    def consult(self, metric: float) -> None:
        if self.plan.fed_back:
            self.path.rows.extend(self._stretch(self.plan.letters[metric < 0.5], self.resolved_steps))  # type: ignore[union-attr]


class InMemory:
    """Snapshots without a disk; each can be lost."""

    def __init__(self) -> None:
        self.held: dict[StoredSnapshot, Any] = {}

    def write(self, key: str, state: Any) -> StoredSnapshot:
        saved = StoredSnapshot(key, hashlib.sha256(repr(state).encode()).hexdigest(), 10 + len(state["letters"]))
        self.held[saved] = dict(state)
        return saved

    def read(self, saved: StoredSnapshot) -> Any:
        if saved not in self.held:
            raise SnapshotError(f"the snapshot {saved.key} is missing")
        return dict(self.held[saved])

    def remove(self, saved: StoredSnapshot) -> None:
        self.held.pop(saved, None)


class Killed(BaseException):
    """The leading process is gone."""


@dataclass(frozen=True)
class Faults:
    """How often, for a job, what goes wrong: a worker lost, Ctrl-C, the leader killed; or something comes between."""

    lost: float = 0.0
    interrupted: float = 0.0
    killed: float = 0.0
    between: Any = None  # called now and then while a job is on its way


class Toy:
    """An executor: several slots, jobs finished in any order."""

    def __init__(self, store: Store, slots: int, rng: random.Random, faults: Faults, returns_states: bool) -> None:
        self.store, self.slots, self.rng, self.faults = store, slots, rng, faults
        self.returns_states, self.stopping = returns_states, False
        self.jobs: list[Job] = []
        self.losses: dict[tuple[str, str], int] = {}
        self.done = 0

    def start(self, job: Job) -> None:
        assert len(self.jobs) < self.slots
        self.jobs.append(job)

    def wait(self) -> JobResult:
        if self.faults.between is not None:
            self.faults.between()
        if self.rng.random() < self.faults.killed:
            raise Killed
        if not self.stopping and self.rng.random() < self.faults.interrupted:
            raise KeyboardInterrupt
        return self._do(self.jobs.pop(self.rng.randrange(len(self.jobs))))

    def _do(self, job: Job) -> JobResult:
        assert self.done < 3000, "training goes on without end"
        name = (job.work.begins, job.work.ends)
        if self.rng.random() < self.faults.lost and self.losses.get(name, 0) < 1:
            self.losses[name] = self.losses.get(name, 0) + 1
            return JobResult(job, None, error=RuntimeError("a worker is gone"))
        try:
            state = {"letters": b""} if job.work.start == 0 else self.store.snapshots.read(job.snapshot)
        except SnapshotError as error:
            return JobResult(job, None, error=error)
        return self._trained(job, state)

    def _trained(self, job: Job, state: dict[str, bytes]) -> JobResult:
        assert len(state["letters"]) == job.work.start
        origin, records, letters = job.work.env, [], state["letters"]
        last = self.rng.randint(1, len(job.work.values)) if self.stopping else len(job.work.values)
        for step, (letter,) in enumerate(job.work.values[:last].tolist(), job.work.start):
            letters += bytes([int(letter)])
            loss = loss_of(origin, letters)
            due = step in job.work.evaluate and loss == loss
            records.append(Record(step, letter, loss, {"metric": metric_of(origin, letters)} if due else {}))
            self.done += 1
            if loss != loss:
                return JobResult(job, WorkResult(tuple(records), 0.0), None)
        state = {"letters": letters}
        whole = last == len(job.work.values) and not self.returns_states
        return JobResult(
            job, WorkResult(tuple(records), 0.0), self.store.snapshots.write(job.work.ends, state) if whole else state
        )

    def stop(self) -> None:
        self.stopping = True

    def close(self) -> None: ...


class Quiet(Watcher):
    """Sees nothing."""


class World:
    """A store, and the studies that come to it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.snapshots = InMemory()
        self.store = self.opened()

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: Any) -> None:
        self.store.__exit__()
        self._folder.cleanup()

    def opened(self) -> Store:
        store = Store(Path(self._folder.name))
        store.snapshots = self.snapshots  # type: ignore[assignment]
        return store

    def coordinator(
        self, plans: list[Plan], every: int, snapshot_every: int, store: Store | None = None
    ) -> Coordinator:
        values = [Known(number, plan, every) for number, plan in enumerate(plans)]
        due = [due_of(plan, every) for plan in plans]
        ledger = Ledger(store or self.store, values, due)  # type: ignore[arg-type]
        return Coordinator(ledger, [plan.origin for plan in plans], snapshot_every, 10**12)  # type: ignore[list-item]

    def study(
        self,
        plans: list[Plan],
        every: int = 4,
        snapshot_every: int = 8,
        slots: int = 1,
        rng: random.Random | None = None,
        faults: Faults = Faults(),
        returns_states: bool = False,
        store: Store | None = None,
    ) -> tuple[list[Any], int]:
        """The curves of a study, and how many updates were trained for it."""
        coordinator = self.coordinator(plans, every, snapshot_every, store)
        toy = Toy(store or self.store, slots, rng or random.Random(0), faults, returns_states)
        train_segments(coordinator, toy, Quiet())
        assert coordinator.trained <= toy.done
        curves = [coordinator.ledger.curve(number) for number in range(len(plans))]
        return [[(r.step, r.loss, dict(r.metrics)) for r in curve.records] for curve in curves], toy.done

    def updates(self) -> int:
        """How many the store has."""
        return self.store.counts()["updates"]


def same(one: Any, other: Any) -> bool:
    """Equal, where what is no number equals itself."""
    return repr(one) == repr(other)
