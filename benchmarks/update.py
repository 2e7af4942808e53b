"""What a scheduler adds to one update: Glidepath's scheduler against PyTorch's class of the same schedule.

    python -m benchmarks.update

Each row trains four optimizers on the same tiny parameters, in turns so that the machine's moods fall on all alike:
SGD alone, with PyTorch's scheduler, with ours, and with ours plus a call of `step()` (which ours does not need). A turn
is longer than the block of rows that the scheduler computes ahead, so that it pays for one; the figure is the fastest
turn of each, less that of SGD alone. Hand changes stay noticed throughout: it is the ordinary scheduler.
"""

import gc
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.optim import lr_scheduler as stock

import glidepath as gp
from glidepath.torch import Scheduler

LONG = 1_000_000
CASES: list[tuple[str, Callable[[Any], Any], gp.Schedule]] = [
    ("LambdaLR", lambda o: stock.LambdaLR(o, lambda k: 0.999999**k), gp.exponential(every=1, factor=0.999999)),
    ("ExponentialLR", lambda o: stock.ExponentialLR(o, 0.999999), gp.exponential(every=1, factor=0.999999)),
    ("StepLR", lambda o: stock.StepLR(o, 30), gp.step(every=30)),
    ("LinearLR", lambda o: stock.LinearLR(o, 0.1, 1.0, LONG), gp.linear(LONG, start=0.1, to=1.0)),
    ("CosineAnnealingLR", lambda o: stock.CosineAnnealingLR(o, LONG), gp.cosine(LONG)),
    (
        "SequentialLR (warmup, cosine)",
        lambda o: stock.SequentialLR(
            o, [stock.LinearLR(o, 0.001, 1.0, 100), stock.CosineAnnealingLR(o, LONG)], milestones=[100]
        ),
        gp.warmup(100) >> gp.cosine(LONG),
    ),
]


def optimizer(groups: int) -> torch.optim.Optimizer:
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(groups)]
    return torch.optim.SGD([{"params": [p]} for p in parameters], lr=0.1)


def loops(groups: int, theirs: Callable[[Any], Any], plan: gp.Schedule) -> list[Callable[[], None]]:
    plain, their_optimizer, ours, synced = (optimizer(groups) for _ in range(4))
    their_scheduler, _, scheduler = theirs(their_optimizer), Scheduler(ours, plan), Scheduler(synced, plan)

    def with_theirs() -> None:
        their_optimizer.step()
        their_scheduler.step()

    def with_sync() -> None:
        synced.step()
        scheduler.step()

    return [plain.step, with_theirs, ours.step, with_sync]


def turn(loop: Callable[[], None], updates: int) -> float:
    start = time.perf_counter()
    for _ in range(updates):
        loop()
    return (time.perf_counter() - start) / updates * 1e6


def measure(groups: int, theirs: Callable[[Any], Any], plan: gp.Schedule, turns: int, updates: int) -> str:
    runs = loops(groups, theirs, plan)
    for run in runs:
        turn(run, updates)
    times = [[turn(run, updates) for run in runs] for _ in range(turns)]
    plain, *schedulers = (min(column) for column in zip(*times, strict=True))
    torch_adds, ours_adds, synced_adds = (time - plain for time in schedulers)
    return (
        f"{plain:9.1f} {torch_adds:9.2f} {ours_adds:9.2f} {synced_adds:9.2f}"
        f" {ours_adds / torch_adds:9.3f} {synced_adds / torch_adds:9.3f}"
    )


def main() -> None:
    torch.set_num_threads(1)
    gc.disable()
    print(
        f"{'':>32}{'plain':>9} {'+ torch':>9} {'+ ours':>9} {'+ step()':>9} {'ratio':>9} {'step()':>9}   microseconds"
    )
    for groups, turns, updates, target in ((1, 25, 2100, 1 / 5), (200, 10, 400, 1 / 6)):
        print(f"{groups} group{'s' * (groups > 1)}, target {target:.3f}")
        for name, theirs, plan in CASES:
            print(f"{name:>32}{measure(groups, theirs, plan, turns, updates)}", flush=True)


if __name__ == "__main__":
    main()
