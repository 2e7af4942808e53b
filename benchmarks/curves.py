"""A whole curve of 1,000,000 steps as one array, against a loop over PyTorch's class.

    python -m benchmarks.curves

For every recipe: `plan(numpy.arange(n))` against stepping PyTorch's scheduler n times and reading the rate (LambdaLR
of the same plan, where PyTorch has no class of that shape). The loop is timed over 20,000 steps, in turns with the
curve, and scaled up. Fastest of five turns each.
"""

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from tests.catalogue import MILLION
from torch.optim import lr_scheduler as stock

import glidepath as gp

STEPS, LOOP, TURNS = 1_000_000, 20_000, 5
CLASSES: dict[str, Callable[[Any], Any]] = {
    "exponential": lambda o: stock.ExponentialLR(o, 0.999999),
    "step": lambda o: stock.StepLR(o, 30_000),
    "multistep": lambda o: stock.MultiStepLR(o, [300_000, 800_000]),
    "linear": lambda o: stock.LinearLR(o, 1.0, 0.1, STEPS),
    "polynomial": lambda o: stock.PolynomialLR(o, STEPS, 2.0),
    "cosine": lambda o: stock.CosineAnnealingLR(o, STEPS),
    "cosine_restarts": lambda o: stock.CosineAnnealingWarmRestarts(o, 10_000, 2),
    "cyclic": lambda o: stock.CyclicLR(o, 0.01, 0.1, 2000, cycle_momentum=False),
    "one_cycle": lambda o: stock.OneCycleLR(o, 0.1, STEPS, cycle_momentum=False),
}


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def loop(make: Callable[[Any], Any]) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = make(optimizer)
    for _ in range(LOOP):
        scheduler.get_last_lr()
        scheduler.step()


def main() -> None:
    warnings.simplefilter("ignore")  # the loop makes no updates
    steps = np.arange(STEPS)
    print(f"{'recipe':>24} {'curve, ms':>10} {'loop, ms':>10} {'ratio':>8}  loop over")
    for name, text in MILLION.items():
        curve, looped = measure(name, gp.parse(text), steps)
        print(f"{name:>24} {curve * 1e3:10.1f} {looped * 1e3:10.0f} {looped / curve:8.0f}  {_peer(name)}", flush=True)


def measure(name: str, plan: gp.Schedule, steps: Any) -> tuple[float, float]:
    """Seconds for the curve, and for the loop scaled up to as many steps."""
    make = CLASSES.get(name, lambda optimizer: stock.LambdaLR(optimizer, plan))
    turns = [(seconds(lambda: plan(steps)), seconds(lambda: loop(make))) for _ in range(TURNS)]
    return min(curve for curve, _ in turns), min(looped for _, looped in turns) * STEPS / LOOP


def _peer(name: str) -> str:
    return "its class" if name in CLASSES else "LambdaLR"


if __name__ == "__main__":
    main()
