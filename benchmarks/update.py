"""What a scheduler adds to one update: Glidepath's scheduler against PyTorch's class of the same schedule.

    python -m benchmarks.update [--case NAME] [--quick]

Four optimizers that do nothing (PyTorch's own class and its hooks, with an empty step) make their updates in turns
within one process: alone, with PyTorch's scheduler, with ours, and with ours plus a call of `step()` (which ours does
not need). A figure is CPU time of this thread, less that of the optimizer alone. Turns are short, so that the
machine's moods fall on all alike; a round sums as many as it takes to pay for the blocks of rows that the scheduler
computes ahead; the figure is the mean of the middle half of the rounds. The mark that PyTorch's wrapper of `step` sets
for the profiler is left out: it costs each of them ten times what ours adds. Hand changes stay noticed throughout: it
is the ordinary scheduler.
"""

import argparse
import contextlib
import gc
import itertools
import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.optim import lr_scheduler as stock

import glidepath as gp
from glidepath.torch import Scheduler, Set

LONG = 1_000_000
TURN = 64  # updates of one optimizer before the next has its turn
ROUNDS = {1: 2048, 8: 2048, 200: 704}  # updates of a round, at least: a block of rows or two
SECONDS, QUICK = 8.0, 1.5  # of a row

Step = Callable[[], Any]
Goals = Mapping[int, tuple[float | None, float | None]]  # by the number of groups: ours, and ours with `step()`
Attach = Callable[[Any], list[Step]]  # to an optimizer; returns what is called after each of its updates


class Idle(torch.optim.Optimizer):
    """An optimizer whose step does nothing, behind the hooks of PyTorch's class."""

    def __init__(self, groups: int, **defaults: Any) -> None:
        parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(groups)]
        tensors = {key: value for key, value in defaults.items() if isinstance(value, torch.Tensor)}
        own = [{key: value.clone() for key, value in tensors.items()} for _ in range(groups)]
        super().__init__([{"params": [p], **values} for p, values in zip(parameters, own, strict=True)], defaults)

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Do nothing."""


class Floor:
    """The least that a scheduler in hooks can do: counts, and writes the next of the numbers that it has."""

    def __init__(self, optimizer: Any) -> None:
        self.position, self.rates = 0, itertools.repeat(0.1)
        optimizer.register_step_pre_hook(self.before)
        optimizer.register_step_post_hook(self.after)

    def before(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        rate = next(self.rates)
        for group in optimizer.param_groups:
            group["lr"] = rate

    def after(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        self.position += 1

    def step(self) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Case:
    """A schedule in PyTorch's classes and in ours, on optimizers with the same defaults."""

    name: str
    theirs: Attach
    ours: Callable[[Any], Scheduler | Floor]
    others: Attach = lambda optimizer: []  # who writes beside ours
    goals: Goals = field(default_factory=dict)
    defaults: Callable[[], dict[str, Any]] = lambda: {"lr": 0.1}


# --- the cases ---


def _decay(step: float) -> float:
    return float(0.999999**step)


def _theirs(*classes: Callable[[Any], Any]) -> Attach:
    """Return what attaches schedulers of PyTorch, in their order, and returns the calls of their `step`."""
    return lambda optimizer: [scheduler.step for scheduler in [attach(optimizer) for attach in classes]]


def _hand(optimizer: Any) -> list[Step]:
    """Return a hand that changes the rate of every group after each update."""

    def multiply() -> None:
        for group in optimizer.param_groups:
            group["lr"] *= 0.999999

    return [multiply]


def _cosine(optimizer: Any) -> stock.LRScheduler:
    return stock.CosineAnnealingLR(optimizer, LONG)


def _exponential(optimizer: Any) -> stock.LRScheduler:
    return stock.ExponentialLR(optimizer, 0.999999)


def _sequence(optimizer: Any) -> stock.LRScheduler:
    warmup = stock.LinearLR(optimizer, 0.001, 1.0, 100)
    return stock.SequentialLR(optimizer, [warmup, _cosine(optimizer)], milestones=[100])


def _plain(name: str, theirs: Callable[[Any], Any], plan: gp.Schedule, **options: Any) -> Case:
    return Case(name, _theirs(theirs), lambda o: Scheduler(o, plan), **options)


COSINE, FADE = gp.cosine(LONG), gp.linear(LONG, to=0.5)
COMPOSED = gp.warmup(10) >> gp.constant(10) >> COSINE
CHAIN = _theirs(_cosine, _exponential)
TWICE: Goals = dict.fromkeys(ROUNDS, (2.0, None))
RATE: Goals = {1: (0.20, 0.34), 200: (0.09, 0.11)}
CASES = [
    Case("floor", _theirs(_cosine), Floor),
    _plain("CosineAnnealingLR", _cosine, COSINE, goals=RATE),
    _plain("LambdaLR", lambda o: stock.LambdaLR(o, _decay), gp.exponential(every=1, factor=0.999999)),
    _plain("ExponentialLR", _exponential, gp.exponential(every=1, factor=0.999999)),
    _plain("StepLR", lambda o: stock.StepLR(o, 30), gp.step(every=30)),
    _plain("LinearLR", lambda o: stock.LinearLR(o, 0.1, 1.0, LONG), gp.linear(LONG, start=0.1, to=1.0)),
    _plain("SequentialLR", _sequence, gp.warmup(100) >> COSINE),
    Case(
        "betas",
        _theirs(_cosine),
        lambda o: Scheduler(o, COSINE, betas=(Set(0.9 * FADE), None)),
        goals={1: (0.6, None), 200: (0.25, None)},
        defaults=lambda: {"lr": 0.1, "betas": (0.9, 0.999)},
    ),
    _plain(
        "function", lambda o: stock.LambdaLR(o, _decay), gp.formula(_decay), goals=dict.fromkeys(ROUNDS, (0.5, None))
    ),
    _plain(
        "tensor",
        _cosine,
        COSINE,
        goals={1: (0.4, None), 200: (0.12, None)},
        defaults=lambda: {"lr": torch.tensor(0.1)},
    ),
    Case("chain", CHAIN, lambda o: Scheduler(o, COSINE), _theirs(_exponential), TWICE),
    Case("chain composed", CHAIN, lambda o: Scheduler(o, COMPOSED), _theirs(_exponential), TWICE),
    Case("hand", CHAIN, lambda o: Scheduler(o, COSINE), _hand, TWICE),
    Case("hand composed", CHAIN, lambda o: Scheduler(o, COMPOSED), _hand, TWICE),
]


# --- measuring ---


def contestants(case: Case, groups: int) -> list[list[Step]]:
    """Return the calls that each contestant makes for one update: alone, PyTorch's, ours, and ours with `step()`."""
    alone, theirs, ours, synced = (Idle(groups, **case.defaults()) for _ in range(4))
    after_theirs = case.theirs(theirs)
    schedulers = case.ours(ours), case.ours(synced)
    after_ours, after_synced = case.others(ours), [*case.others(synced), schedulers[1].step]
    return [[alone.step], [theirs.step, *after_theirs], [ours.step, *after_ours], [synced.step, *after_synced]]


def turn(calls: Sequence[Step]) -> float:
    """Return the CPU time of a turn, in seconds."""
    first, *rest = calls
    updates = itertools.repeat(None, TURN)
    start = time.thread_time()
    if not rest:
        for _ in updates:
            first()
    elif len(rest) == 1:
        (then,) = rest
        for _ in updates:
            first()
            then()
    else:
        then, last = rest
        for _ in updates:
            first()
            then()
            last()
    return time.thread_time() - start


def play_round(runs: Sequence[Sequence[Step]], updates: int) -> list[float]:
    """Return the CPU time of an update of each contestant over a round, in microseconds."""
    totals = [0.0] * len(runs)
    turns = math.ceil(updates / TURN)
    for number in range(turns):
        for place in range(len(runs)):
            contestant = (place + number) % len(runs)
            totals[contestant] += turn(runs[contestant])
    return [total / (turns * TURN) * 1e6 for total in totals]


def middle_mean(values: Sequence[float]) -> float:
    """Return the mean of the middle half."""
    quarter = len(values) // 4
    middle = sorted(values)[quarter : len(values) - quarter]
    return sum(middle) / len(middle)


def measure(case: Case, groups: int, seconds: float) -> tuple[float, list[float]]:
    """Return the time of an optimizer alone, and what each scheduler adds to it, in microseconds."""
    runs = contestants(case, groups)
    updates = ROUNDS[groups]
    play_round(runs, 2 * TURN)
    rounds, start = list[list[float]](), time.thread_time()
    while len(rounds) < 4 or time.thread_time() - start < seconds:
        rounds.append(play_round(runs, updates))
    alone = middle_mean([times[0] for times in rounds])
    return alone, [middle_mean([times[k] - times[0] for times in rounds]) for k in range(1, len(runs))]


def row(case: Case, groups: int, seconds: float) -> str:
    """Return the line of the table."""
    alone, (theirs, ours, synced) = measure(case, groups, seconds)
    figures = "".join(f"{value:10.2f}" for value in (alone, theirs, ours, synced))
    ratios = "".join(
        f"{added / theirs:10.3f} {'' if target is None else f'({target:.2f})':>6}"
        for added, target in zip((ours, synced), case.goals.get(groups, (None, None)), strict=True)
    )
    return f"{case.name:>20}{groups:7}{figures}{ratios}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--case", choices=[case.name for case in CASES], help="this case alone")
    parser.add_argument("--groups", type=int, choices=list(ROUNDS), help="this number of groups alone")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:g} instead of {SECONDS:g} seconds a row")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.autograd.profiler.record_function = contextlib.nullcontext  # type: ignore[misc,assignment]
    warnings.simplefilter("ignore")  # a hand that writes at every update is named, once
    gc.disable()
    print(
        f"{'':>20}{'groups':>7}{'alone':>10}{'+ torch':>10}{'+ ours':>10}{'+ step()':>10}"
        f"{'ratio':>10} (goal){'step()':>10} (goal)   microseconds",
        flush=True,
    )
    for groups, case in itertools.product(ROUNDS, CASES):
        if options.case in (None, case.name) and options.groups in (None, groups):
            print(row(case, groups, QUICK if options.quick else SECONDS), flush=True)


if __name__ == "__main__":
    main()
