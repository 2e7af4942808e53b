"""What sharing saves: the compare engine against training every run alone, side by side in one run.

Two processes take turns, as many updates each that both end together, so that whatever else the machine does falls on
both. One leads the study through the engine, with its store, snapshots and evaluations; the other trains run after run
in a plain loop under `glidepath.torch.Scheduler`, with the same evaluations. Every loss of every run is compared, bit
for bit, and the ratio of their times is set against the ratio of updates. A study of one run has nothing to share, so
there the ratio is the engine's own cost. What happens once for a task (15 updates to see whether it can be reproduced)
is done before the clock starts, which is when the tree is planned. CPU time is shown besides, for machines that others
use too.
"""

import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch

from benchmarks.studies import eight_cooldowns, forty_five, study
from glidepath.study import Progress, compare, estimate, study_from
from glidepath.tasks import load_task
from glidepath.torch import Scheduler

SLICE = 20  # updates in a turn of the engine
Losses = dict[str, list[float]]


class Turns:
    """A process's turns: `update()` after every update gives way after a slice."""

    def __init__(self, pipe: Connection, size: float) -> None:
        self.pipe, self.size, self.made, self.spent = pipe, size, 0, [0.0, 0.0]
        self.end_of_turn = size
        pipe.recv()
        self.began = now()

    def update(self, *_: Any) -> None:
        self.made += 1
        if self.made >= self.end_of_turn:
            self.end_of_turn += self.size
            self.rest()
            self.pipe.send(None)
            self.pipe.recv()
            self.began = now()

    def rest(self) -> None:
        self.spent = [spent + end - start for spent, end, start in zip(self.spent, now(), self.began, strict=True)]

    def end(self, losses: Losses) -> None:
        self.rest()
        self.pipe.send((self.made, *self.spent, losses))


def now() -> tuple[float, float]:
    """Wall and CPU seconds."""
    return time.perf_counter(), time.process_time()


class Engine(Progress):
    """The turns of the engine, from when its tree is planned."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe, self.turns = pipe, None

    def on_plan(self, updates: int) -> None:
        self.turns = self.turns or Turns(self.pipe, SLICE)

    def on_update(self, segment: Any, record: Any) -> None:
        self.turns.update()

    def on_warning(self, message: str) -> None:
        print(message, file=sys.stderr)


def check_task(task: str, store: str) -> None:
    """Let a store see that a task can be reproduced, by a run that no other shares."""
    compare({"task": task, "seeds": [1], "steps": 8, "schedules": {"check": "constant()"}}, store=store)


def shared(pipe: Connection, described: dict[str, Any]) -> None:
    """The engine's arm; says first how many times fewer updates it will make."""
    with tempfile.TemporaryDirectory() as store:
        check_task(described["task"], store)
        pipe.send(estimate(described, store=store).ratio)
        engine = Engine(pipe)
        result = compare(described, store=store, progress=engine)
    engine.turns.end({curve.run.schedule: curve.losses.tolist() for curve in result.curves})


def alone(pipe: Connection, described: dict[str, Any]) -> None:
    """The plain loop's arm."""
    whole, losses = study_from(described), {}
    torch.set_num_threads(whole.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    turns = Turns(pipe, SLICE * pipe.recv())
    (seed,) = whole.seeds
    for name, spec in whole.schedules.items():
        (steps,) = whole.horizons_of(spec)
        losses[name] = list(_plain(whole, seed, spec.over(steps), steps, turns))
    turns.end(losses)


def _plain(whole: Any, seed: int, plans: Any, steps: int, turns: Turns) -> Iterator[float]:
    random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
    task = load_task(whole.task)(seed)
    Scheduler(task.optimizer, **plans)
    for step in range(steps):
        task.model.train()
        task.optimizer.zero_grad()
        loss = task.loss(task.model, task.batch(step))  # type: ignore[misc]
        loss.backward()  # type: ignore[no-untyped-call]
        task.optimizer.step()
        if (step + 1) % whole.evaluate_every == 0 or step + 1 == steps:
            with torch.no_grad(), torch.random.fork_rng():
                task.model.eval()
                task.evaluate(task.model)  # type: ignore[misc]
        yield loss.item()
        turns.update()


def measure(described: dict[str, Any]) -> tuple[Any, Any]:
    """Both arms, turn by turn; what each says at its end."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for arm in (shared, alone):
        ours, theirs = context.Pipe()
        processes.append(context.Process(target=arm, args=(theirs, described)))
        processes[-1].start()
        pipes.append(ours)
    pipes[1].send(pipes[0].recv())
    answers: list[Any] = [None, None]
    while None in answers:
        for i, pipe in enumerate(pipes):
            if answers[i] is None:
                pipe.send(None)
                answers[i] = pipe.recv()
    for process in processes:
        process.join()
    return answers[0], answers[1]


def main() -> None:
    task = sys.argv[1] if len(sys.argv) > 1 else "stdlib_gpt"
    print("| study | runs | equal | updates | ratio | wall | ratio | to that of updates | CPU, to that of updates |")
    print("|---|---|---|---|---|---|---|---|---|")
    one = {"constant": "warmup(40) >> constant(760)"}
    for name, texts in (("one run", one), ("eight cooldowns", eight_cooldowns()), ("45 runs", forty_five())):
        (few, wall, cpu, mine), (many, their_wall, their_cpu, theirs) = measure(study(texts, task))
        equal = sum(mine[run] == theirs[run] for run in theirs)
        steps, ratio = many / few, their_wall / wall
        print(
            f"| {name} | {len(theirs)} | {equal} | {many:,} → {few:,} | {steps:.3f} | {their_wall:.1f} → {wall:.1f} s "
            f"| {ratio:.3f} | {ratio / steps:.3f} | {their_cpu / cpu / steps:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
