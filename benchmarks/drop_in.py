"""What `scheduler.step()` costs: each class of the drop-in against PyTorch's class of the same name.

    python -m benchmarks.drop_in [group counts]

The optimizer does nothing, so the time is the scheduler's. Both kinds take turns within one process, so that the
machine's moods fall on both alike; a turn is measured in CPU time with the garbage collector off, and the figure is the
fastest turn of each. Every group has a rate of its own. The last line gives the median of the classes.
"""

import gc
import statistics
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from torch.optim import lr_scheduler as stock

from glidepath.torch import lr_scheduler as ours

LONG = 1_000_000
Build = Callable[[Any, Any], Any]
CASES: dict[str, Build] = {
    "LambdaLR": lambda m, o: m.LambdaLR(o, lambda k: 0.999999**k),
    "MultiplicativeLR": lambda m, o: m.MultiplicativeLR(o, lambda k: 0.999999),
    "StepLR": lambda m, o: m.StepLR(o, 30, 0.999),
    "MultiStepLR": lambda m, o: m.MultiStepLR(o, [1000, 2000, 4000], 0.5),
    "ConstantLR": lambda m, o: m.ConstantLR(o, 0.5, 1000),
    "LinearLR": lambda m, o: m.LinearLR(o, 0.1, 1.0, LONG),
    "ExponentialLR": lambda m, o: m.ExponentialLR(o, 0.999999),
    "PolynomialLR": lambda m, o: m.PolynomialLR(o, LONG, 0.9),
    "CosineAnnealingLR": lambda m, o: m.CosineAnnealingLR(o, LONG, 1e-5),
    "CosineAnnealingWarmRestarts": lambda m, o: m.CosineAnnealingWarmRestarts(o, 5000, 2),
    "CyclicLR": lambda m, o: m.CyclicLR(o, 0.01, 0.1, 2000, mode="triangular2"),
    "OneCycleLR": lambda m, o: m.OneCycleLR(o, 0.3, LONG),
    "ReduceLROnPlateau": lambda m, o: m.ReduceLROnPlateau(o),
    "SequentialLR": lambda m, o: m.SequentialLR(
        o, [m.LinearLR(o, 0.001, 1.0, 100), m.CosineAnnealingLR(o, LONG)], [100]
    ),
    "ChainedScheduler": lambda m, o: m.ChainedScheduler([m.LinearLR(o, 0.001, 1.0, 100), m.CosineAnnealingLR(o, LONG)]),
}
TURNS, SECONDS = 15, 0.02  # of each kind, and the length of a turn


class Idle(torch.optim.Optimizer):
    """An optimizer that does nothing."""

    def __init__(self, groups: int) -> None:
        parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(groups)]
        rates = [0.1 * 0.99**i for i in range(groups)]
        listed = [{"params": [p], "lr": rate} for p, rate in zip(parameters, rates, strict=True)]
        super().__init__(listed, {"lr": 0.1, "momentum": 0.9})

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        return None


def loop(name: str, module: ModuleType, groups: int) -> Callable[[int], float]:
    """Return a function that makes some steps and returns the CPU time of one, in microseconds."""
    optimizer = Idle(groups)
    scheduler = CASES[name](module, optimizer)
    arguments = (1.0,) if name == "ReduceLROnPlateau" else ()
    optimizer.step()

    def turn(steps: int) -> float:
        step = scheduler.step
        start = time.thread_time()
        for _ in range(steps):
            step(*arguments)
        return (time.thread_time() - start) / steps * 1e6

    return turn


def measure(name: str, groups: int) -> tuple[float, float]:
    """Return what one step costs with PyTorch's class and with ours, in microseconds."""
    theirs, mine = loop(name, stock, groups), loop(name, ours, groups)
    theirs(200), mine(200)
    steps = max(20, int(SECONDS * 1e6 / theirs(200)))
    times = [(theirs(steps), mine(steps)) for _ in range(TURNS)]
    return min(t for t, _ in times), min(m for _, m in times)


def main() -> None:
    torch.set_num_threads(1)
    gc.disable()
    counts = [int(argument) for argument in sys.argv[1:]] or [1, 8, 200]
    print(f"{'':>28}" + "".join(f"{f'{n} groups: torch':>20}{'ours':>9}{'ratio':>7}" for n in counts))
    ratios: dict[int, list[float]] = {n: [] for n in counts}
    for name in CASES:
        line = f"{name:>28}"
        for groups in counts:
            theirs, mine = measure(name, groups)
            ratios[groups].append(mine / theirs)
            line += f"{theirs:20.2f}{mine:9.2f}{mine / theirs:7.2f}"
        print(line, flush=True)
    print(f"{'median':>28}" + "".join(f"{statistics.median(ratios[n]):36.2f}" for n in counts))


if __name__ == "__main__":
    main()
