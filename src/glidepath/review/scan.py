"""One pass over the values of a plan, which notes what is strange; the rules judge it."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import final

from glidepath.core.horizon import Horizon, as_horizon
from glidepath.core.schedule import Draft, Schedule, Sequence
from glidepath.errors import HorizonError

from .structure import falls_by_design, level, low_by_nature, stepwise, unwrapped

JUMP = 10.0  # times
AT_THE_BOTTOM = 0.05  # of the peak: a curve's last steps to zero differ by any factor, and it does not matter
LOW = 0.01 * (1 - 1e-9)  # of the peak; two decays by 10 are 1%, and not below it

BLOCK = 4096
EVERY_UPDATE_UP_TO = 4_000_000  # a longer run is looked at in this many updates, spread over it


@final
@dataclass
class Noted:
    """How many updates were strange, and the first of them with its value and the one before."""

    times: int = 0
    step: int = 0
    value: float = math.nan
    before: float = math.nan

    def add(self, step: int, value: float, before: float = math.nan) -> None:
        if not self.times:
            self.step, self.value, self.before = step, value, before
        self.times += 1


@final
@dataclass
class Seen:
    """What one pass over the values noted."""

    updates: int = 0
    peak: float = 0.0
    last_high: int = 0  # the last update that was not LOW
    low: Noted = field(default_factory=Noted)  # since the peak
    not_finite: Noted = field(default_factory=Noted)
    negative: Noted = field(default_factory=Noted)
    falls: Noted = field(default_factory=Noted)
    leaps: list[Noted] = field(default_factory=list)


@final
@dataclass(frozen=True)
class Run:
    """A plan over its run, opened into the parts of its outermost sequence, and what its values showed."""

    plan: Schedule
    steps: int
    parts: tuple[Schedule, ...]
    starts: tuple[int, ...]
    low: tuple[bool, ...]  # whether a part is low by nature, for most of any run
    seen: Seen

    @classmethod
    def of(cls, plan: Schedule, horizon: Horizon | int | str | None) -> "Run":
        steps = _steps(plan, horizon)
        known = plan if horizon is None else plan.over(as_horizon(horizon))
        whole = unwrapped(known)
        parts, starts = (whole.parts, whole.starts) if isinstance(whole, Sequence) else ((whole,), (0,))
        run = cls(known, steps, parts, starts, tuple(low_by_nature(part) for part in parts), Seen())
        _look(run)
        return run

    def part(self, step: int) -> int:
        """Which part serves `step`."""
        return bisect_right(self.starts, step) - 1

    @property
    def held(self) -> float | None:
        """What the plan holds from its end on, if that comes before the end of the run."""
        length = self.plan.duration
        return None if length is None or length >= self.steps else float(self.plan(length))

    @property
    def ends_low(self) -> bool:
        """Whether the plan ends before the run, below its peak; one that stays at its peak has lost nothing."""
        return self.held is not None and self.held < self.seen.peak * (1 - 1e-9)


def _steps(plan: Schedule, horizon: Horizon | int | str | None) -> int:
    if horizon is not None:
        return as_horizon(horizon).steps
    if isinstance(plan, Draft):
        raise HorizonError(f"{plan!r} depends on the run: say how long that is, plan.review(10_000)")
    if not plan.duration:
        raise HorizonError(f"{plan!r} has no end of its own: say how long the run is, plan.review(10_000)")
    return plan.duration


def _look(run: Run) -> None:
    before, end = math.nan, 0
    for start, stop in _blocks(run.steps):
        values = run.plan.block(start, stop)
        _note(run, start, values, before if start == end else math.nan)
        before, end = values[-1], stop
    run.seen.leaps[:] = [leap for leap in run.seen.leaps if leap.value >= AT_THE_BOTTOM * run.seen.peak]


def _blocks(steps: int) -> Iterator[tuple[int, int]]:
    """All of a run in blocks, or as many blocks of a long one as there is time for, both ends among them."""
    blocks, most = -(-steps // BLOCK), EVERY_UPDATE_UP_TO // BLOCK
    for i in range(min(blocks, most)):
        start = i * BLOCK if blocks <= most else (steps - BLOCK) * i // (most - 1)
        yield start, min(start + BLOCK, steps)


def _note(run: Run, start: int, values: list[float], before: float) -> None:
    seen = run.seen
    seen.updates += len(values)
    for step, value in enumerate(values, start):
        if value >= LOW * seen.peak:
            seen.last_high = step
            if value > seen.peak:
                _note_peak(seen, step, value, before)
        elif value >= 0:
            _note_low(run, step, value)
        elif value < 0:
            seen.negative.add(step, value)
        if not -math.inf < value < math.inf:
            seen.not_finite.add(step, value)
        if before > JUMP * value > 0 and before >= AT_THE_BOTTOM * seen.peak and not _milestone(run, step):
            seen.falls.add(step, value, before)
        before = value


def _note_peak(seen: Seen, step: int, value: float, before: float) -> None:
    if value == math.inf:
        return
    if value > JUMP * seen.peak > 0 and before > 0:
        seen.leaps.append(Noted(1, step, value, before))
    seen.peak, seen.low = value, Noted()


def _note_low(run: Run, step: int, value: float) -> None:
    if run.low[run.part(step)]:
        run.seen.last_high = step
    else:
        run.seen.low.add(step, value)


def _milestone(run: Run, step: int) -> bool:
    """Whether a fall at `step` is meant: from level to level, or because of what serves the step."""
    if level(run.plan, step - 2) and (step + 1 == run.steps or level(run.plan, step)):
        return True
    i = run.part(step)
    return any(falls_by_design(leaf, step - run.starts[i]) for leaf in stepwise(run.parts[i]))
