"""One pass over the values of a plan, which notes what is unusual; the rules judge it."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import final

from glidepath.core.horizon import Horizon, as_horizon
from glidepath.core.schedule import Draft, Schedule, Sequence
from glidepath.errors import HorizonError

from .structure import drops_by_design, is_level, is_low_by_design, stepwise, unwrap

JUMP = 10.0  # times
AT_THE_BOTTOM = 0.05  # of the peak: a curve's last steps to zero differ by any factor, and it does not matter
LOW = 0.01 * (1 - 1e-9)  # of the peak; two decays by 10 are 1%, and not below it

BLOCK = 4096
EVERY_UPDATE_UP_TO = 4_000_000  # a longer run is looked at in this many updates, spread over it


@final
@dataclass
class Occurrences:
    """The number of updates with something unusual, and the first of them with its value and the one before."""

    count: int = 0
    step: int = 0
    value: float = math.nan
    before: float = math.nan

    def add(self, step: int, value: float, before: float = math.nan) -> None:
        """Count an update; keep its step and values if it is the first."""
        if not self.count:
            self.step, self.value, self.before = step, value, before
        self.count += 1


@final
@dataclass
class Scan:
    """The notes of one pass over the values."""

    updates: int = 0
    peak: float = 0.0
    last_high: int = 0  # the last update that was not LOW
    low: Occurrences = field(default_factory=Occurrences)  # since the peak
    not_finite: Occurrences = field(default_factory=Occurrences)
    negative: Occurrences = field(default_factory=Occurrences)
    drops: Occurrences = field(default_factory=Occurrences)
    leaps: list[Occurrences] = field(default_factory=list)  # jumps upwards


@final
@dataclass(frozen=True)
class ReviewedRun:
    """A plan over its run, divided into the parts of its outermost sequence, and the scan of its values."""

    plan: Schedule
    steps: int
    parts: tuple[Schedule, ...]
    starts: tuple[int, ...]
    low_by_design: tuple[bool, ...]  # for each part, whether it is low for most of any run
    scan: Scan

    def part(self, step: int) -> int:
        """Return the index of the part that serves `step`."""
        return bisect_right(self.starts, step) - 1

    @property
    def value_after_end(self) -> float | None:
        """Return the value that the plan keeps after its end, or None if the run is over by then."""
        length = self.plan.duration
        return None if length is None or length >= self.steps else float(self.plan(length))

    @property
    def ends_low(self) -> bool:
        """Return whether the plan ends before the run, below its peak; one that stays at its peak has lost nothing."""
        return self.value_after_end is not None and self.value_after_end < self.scan.peak * (1 - 1e-9)


def scan_plan(plan: Schedule, horizon: Horizon | int | str | None) -> ReviewedRun:
    """Return a plan over its run, with the scan of all its values.

    Raises:
        HorizonError: if there is no horizon and the plan needs one, or the draft does not fit it.
    """
    steps = _steps(plan, horizon)
    resolved = plan if horizon is None else plan.over(as_horizon(horizon))
    whole = unwrap(resolved)
    parts, starts = (whole.parts, whole.starts) if isinstance(whole, Sequence) else ((whole,), (0,))
    run = ReviewedRun(resolved, steps, parts, starts, tuple(map(is_low_by_design, parts)), Scan())
    _scan_blocks(run)
    return run


def _steps(plan: Schedule, horizon: Horizon | int | str | None) -> int:
    if horizon is not None:
        return as_horizon(horizon).steps
    if isinstance(plan, Draft):
        raise HorizonError(f"{plan!r} depends on the run: say how long that is, plan.review(10_000)")
    if not plan.duration:
        raise HorizonError(f"{plan!r} has no end of its own: say how long the run is, plan.review(10_000)")
    return plan.duration


def _scan_blocks(run: ReviewedRun) -> None:
    before, end = math.nan, 0
    for start, stop in _blocks(run.steps):
        values = run.plan.block(start, stop)
        _scan_values(run, start, values, before if start == end else math.nan)
        before, end = values[-1], stop
    run.scan.leaps[:] = [leap for leap in run.scan.leaps if leap.value >= AT_THE_BOTTOM * run.scan.peak]


def _blocks(steps: int) -> Iterator[tuple[int, int]]:
    """Yield all of a run in blocks, or as many blocks of a long one as there is time for, both ends among them."""
    blocks, most = -(-steps // BLOCK), EVERY_UPDATE_UP_TO // BLOCK
    for i in range(min(blocks, most)):
        start = i * BLOCK if blocks <= most else (steps - BLOCK) * i // (most - 1)
        yield start, min(start + BLOCK, steps)


def _scan_values(run: ReviewedRun, start: int, values: list[float], before: float) -> None:
    scan = run.scan
    scan.updates += len(values)
    for step, value in enumerate(values, start):
        if value >= LOW * scan.peak:
            scan.last_high = step
            if value > scan.peak:
                _note_peak(scan, step, value, before)
        elif value >= 0:
            _note_low(run, step, value)
        elif value < 0:
            scan.negative.add(step, value)
        if not -math.inf < value < math.inf:
            scan.not_finite.add(step, value)
        if before > JUMP * value > 0 and before >= AT_THE_BOTTOM * scan.peak and not _is_milestone(run, step):
            scan.drops.add(step, value, before)
        before = value


def _note_peak(scan: Scan, step: int, value: float, before: float) -> None:
    if value == math.inf:
        return
    if value > JUMP * scan.peak > 0 and before > 0:
        scan.leaps.append(Occurrences(1, step, value, before))
    scan.peak, scan.low = value, Occurrences()


def _note_low(run: ReviewedRun, step: int, value: float) -> None:
    if run.low_by_design[run.part(step)]:
        run.scan.last_high = step
    else:
        run.scan.low.add(step, value)


def _is_milestone(run: ReviewedRun, step: int) -> bool:
    """Return whether a drop at `step` is meant: from level to level, or because of the piece that serves the step."""
    if is_level(run.plan, step - 2) and (step + 1 == run.steps or is_level(run.plan, step)):
        return True
    i = run.part(step)
    return any(drops_by_design(leaf, step - run.starts[i]) for leaf in stepwise(run.parts[i]))
