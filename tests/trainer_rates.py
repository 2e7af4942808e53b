"""Random logs of rates as the Transformers Trainer writes them, of runs that followed their plan and others.

The rates are those of Transformers' own functions, so that no formula of the package is its own oracle.

    python -m tests.trainer_rates 2000    # how many are told right, for every kind
"""

import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from transformers import optimization

import glidepath as gp
from glidepath.runs.deviation import Rates, compare_with_plan

SHAPES = ("linear", "cosine", "constant", "polynomial", "restarts", "inverse_sqrt")
PEAKS = (1e-5, 2e-5, 5e-5, 1e-4, 3e-4, 3.7e-4, 1e-3, 2e-3)
INTERVALS = (1, 2, 5, 10, 20, 25, 50, 100, 250, 500)
FEWEST_ROWS = 8


@dataclass(frozen=True)
class Schedule:
    """What a Trainer is told: a schedule over `total` updates."""

    shape: str
    total: int
    warmup: int
    peak: float
    cycles: int = 3

    @property
    def factor(self) -> Callable[[int], float]:
        """The function that Transformers gives to LambdaLR."""
        warmup = {"num_warmup_steps": self.warmup}
        whole = {**warmup, "num_training_steps": self.total}
        polynomial = {"lr_end": 1e-7, "power": 1.0, "lr_init": self.peak}
        name, options = {
            "linear": ("linear_schedule_with_warmup", whole),
            "cosine": ("cosine_schedule_with_warmup", whole | {"num_cycles": 0.5}),
            "constant": ("constant_schedule_with_warmup", warmup),
            "polynomial": ("polynomial_decay_schedule_with_warmup", whole | polynomial),
            "restarts": ("cosine_with_hard_restarts_schedule_with_warmup", whole | {"num_cycles": self.cycles}),
            "inverse_sqrt": ("inverse_sqrt_schedule", warmup | {"timescale": self.warmup or 10_000}),
        }[self.shape]
        return partial(getattr(optimization, f"_get_{name}_lr_lambda"), **options)

    def plan(self, *, first_at_zero: bool) -> gp.Schedule:
        """The same in Glidepath, with either convention of a warmup."""
        rest = self.total - self.warmup
        decay = {
            "linear": lambda: gp.linear(rest),
            "cosine": lambda: gp.cosine(rest),
            "constant": lambda: gp.constant(),
            "polynomial": lambda: gp.linear(rest, to=1e-7 / self.peak),
            "restarts": lambda: gp.repeat(gp.cosine(rest // self.cycles), times=self.cycles),
            "inverse_sqrt": lambda: gp.inverse_power(timescale=self.warmup or 10_000),
        }[self.shape]()
        if not self.warmup:
            return decay
        return (gp.linear(self.warmup, start=0, to=1) if first_at_zero else gp.warmup(self.warmup)) >> decay


@dataclass(frozen=True)
class Log:
    """How a run is logged.

    Args:
        every: logging_steps.
        writer: "now" as Transformers writes since March 2025, "older" as before, with the next update's rate; both are
            read at the update before the step. "raw" is today's, with the updates made taken for the update.
        first: logging_first_step.
        digits: to which a rate is rounded; None for the float of JSON.
        skipped: updates after which the scheduler was not stepped.
    """

    every: int
    writer: str
    first: bool
    digits: int | None
    skipped: frozenset[int]

    def write(self, name: str, run: Schedule, total: int, walk: Callable[[int], int]) -> Rates:
        """Log a run of `total` updates, in which the schedule is at walk(calls) after so many calls of `.step()`."""
        calls = np.cumsum([0, *(k not in self.skipped for k in range(total))]).tolist()
        steps = [s for s in range(1, total + 1) if s % self.every == 0 or (self.first and s == 1)]
        at = [calls[s] if self.writer == "older" else calls[s - 1] for s in steps]
        rates = [run.peak * run.factor(walk(count)) for count in at]
        if self.digits:
            rates = [float(f"{rate:.{self.digits}g}") for rate in rates]
        return Rates(name, [s if self.writer == "raw" else s - 1 for s in steps], rates, total)


@dataclass(frozen=True)
class Case:
    """A run, its log and the plan that it should have followed.

    Args:
        kind: what was wrong; "right" if nothing.
        causes: any of which is the true one.
    """

    kind: str
    causes: frozenset[str]
    schedule: Schedule
    plan: gp.Schedule
    rates: Rates
    peak: float | None

    def verdict(self) -> str:
        """Return what the comparison makes of it."""
        comparison = compare_with_plan(self.plan, self.rates, self.peak)
        if comparison.finding is None:
            return "clean"
        if not comparison.causes:
            return "unknown"
        return "true" if self.causes & {cause.name for cause in comparison.causes} else "other"


def draw_skipped(rng: random.Random, total: int) -> frozenset[int]:
    """Draw the updates that a gradient scaler skips: some at once, then one or two whenever it grew."""
    skipped = set(range(rng.choice([0, 0, 1, 2, 3, 5, 8, 14])))
    grows = rng.choice([2000, 2000, 500, 200])
    k = rng.randrange(5, grows)
    while k < total:
        skipped |= {k + i for i in range(rng.choice([1, 1, 1, 2]))}
        k += grows + rng.randrange(-grows // 4, grows // 4 + 1)
    return frozenset(skipped)


def draw_schedule(rng: random.Random) -> Schedule:
    total = round(40 * 500 ** rng.random())
    warmup = rng.choice([0, 0, rng.randrange(1, total // 5), round(0.03 * total), round(0.1 * total)])
    warmup = rng.choice([warmup, warmup, min(100, total // 3), min(500, total // 3)])
    return whole_cycles(Schedule(rng.choice(SHAPES), total, warmup, rng.choice(PEAKS), rng.choice([2, 3, 4])))


def whole_cycles(run: Schedule) -> Schedule:
    """Return a schedule whose cycles are whole updates, which a plan has to have."""
    if run.shape != "restarts":
        return run
    return replace(run, total=run.warmup + max(1, (run.total - run.warmup) // run.cycles) * run.cycles)


def draw_log(rng: random.Random, total: int, *, half: float) -> Log:
    every = rng.choice([n for n in INTERVALS if total // n >= FEWEST_ROWS])
    skipped = draw_skipped(rng, total) if rng.random() < half else frozenset()
    digits = rng.choice([None, None, None, 4])
    return Log(every, rng.choice(["now", "older", "raw"]), rng.random() < 0.3, digits, skipped)


def draw_right(rng: random.Random) -> Case:
    """Draw a run that followed its plan."""
    run = draw_schedule(rng)
    log = draw_log(rng, run.total, half=0.4)
    rates = log.write("right", run, run.total, lambda calls: calls)
    peak = run.peak if rng.random() < 0.6 else None
    return Case("right", frozenset(), run, run.plan(first_at_zero=rng.random() < 0.5), rates, peak)


WRONG = ("peak", "warmup", "length", "shape", "again", "older", "double", "twice", "still", "fast", "slow")


def draw_wrong(rng: random.Random, kind: str, *, known: bool = False) -> Case:
    """Draw a run that did not follow its plan in a way that its log shows, in three rows after the first five.

    Args:
        rng: to draw from.
        kind: of the mistake.
        known: whether the peak is always given.
    """
    while True:
        planned = draw_schedule(rng)
        log = draw_log(rng, planned.total, half=0.3)
        since = rng.randrange(5 * log.every + 1, max(5 * log.every + 2, planned.total - 4 * log.every))
        run, walk, causes = draw_mistake(rng, kind, planned, since, log.every)
        if run.total <= run.warmup + 10 or (run == planned and kind not in WALKS):
            continue
        rates = log.write(kind, run, planned.total, walk)
        right = log.write(kind, planned, planned.total, lambda calls: calls)
        peak = planned.peak if known or kind == "peak" or rng.random() < 0.7 else None
        if is_visible(np.array(rates.rates), np.array(right.rates), free=peak is None):
            plan = planned.plan(first_at_zero=rng.random() < 0.5)
            return Case(kind, frozenset(causes), planned, plan, rates, peak)


def is_visible(rates: np.ndarray, right: np.ndarray, *, free: bool) -> bool:
    if not rates.any() or not right.any():
        return False
    apart = np.abs(rates - right * (rates.max() / right.max() if free else 1)) > 2e-3 * rates.max()
    return bool(apart.sum() >= 4 and apart[5:].sum() >= 3)


WALKS = ("again", "older", "double", "twice", "still", "fast", "slow")


def draw_mistake(
    rng: random.Random, kind: str, planned: Schedule, since: int, every: int
) -> tuple[Schedule, Callable[[int], int], set[str]]:
    """Draw the schedule that was run, the way through it, and the causes that are the true one."""
    if kind in WALKS:
        return planned, *draw_walk(rng, kind, planned, since, every)
    total, warmup = planned.total, planned.warmup
    if kind == "peak":
        run = replace(planned, peak=planned.peak * rng.choice([0.1, 0.5, 0.9, 1.25, 2, 3, 10]))
        return run, in_step, {"peak"}
    if kind == "warmup":
        choices = [0, 2 * warmup, warmup // 2, max(0, warmup - 10), warmup + 20, 100]
        run = whole_cycles(replace(planned, warmup=min(rng.choice(choices), total // 2)))
        return run, in_step, {"warmup"}
    if kind == "length":
        factor = rng.choice([0.5, 0.9, 1.1, 1 + rng.random(), 2, 3])
        run = whole_cycles(replace(planned, total=int(total * factor)))
        return run, in_step, {"length", "fast", "slow"}
    same = {"linear", "polynomial"} if planned.shape in ("linear", "polynomial") else {planned.shape}
    run = whole_cycles(replace(planned, shape=rng.choice([shape for shape in SHAPES if shape not in same])))
    return run, in_step, {"shape", "floor"}


def in_step(calls: int) -> int:
    return calls


def draw_walk(
    rng: random.Random, kind: str, planned: Schedule, since: int, every: int
) -> tuple[Callable[[int], int], set[str]]:
    if kind in ("fast", "slow"):
        n = rng.choice([2, 4, 8] if kind == "fast" else [2, 4, 8, 10, 50, 100])
        walk = (lambda calls: n * calls) if kind == "fast" else (lambda calls: calls // n)
        return walk, {kind} if planned.warmup else {kind, "length"}
    if kind == "still":
        return lambda calls: min(calls, since), {"still"}
    back = rng.randrange(min(since - 1, max(5, planned.total // 20)), since)
    later = {
        "again": lambda calls: calls - since,
        "older": lambda calls: calls - back,
        "double": lambda calls: calls + 1,
        "twice": lambda calls: 2 * calls - since,
    }[kind]
    names = {"again": {"again"}, "older": {"behind"}, "double": {"ahead"}, "twice": {"fast"}}[kind]
    if kind == "older" and since - back < every:  # that is nearly the beginning
        names = names | {"again"}
    return lambda calls: calls if calls < since else later(calls), names


def main(runs: int) -> None:
    """Print for every kind how often each verdict is given."""
    rng, verdicts = random.Random(0), defaultdict(Counter)
    for number in range(2 * runs):
        case = draw_right(rng) if number < runs else draw_wrong(rng, WRONG[number % len(WRONG)])
        verdict = case.verdict()
        verdicts[case.kind][verdict] += 1
        if case.kind != "right":
            verdicts["wrong"][verdict] += 1
            verdicts["wrong, peak given" if case.peak else "wrong, any peak"][verdict] += 1
    for kind, counts in verdicts.items():
        print(f"{kind:18} {counts['clean' if kind == 'right' else 'true'] / counts.total():6.1%} {dict(counts)}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
