"""Mistakes that can be seen before a run: each with the step, the number and the cure.

One pass over the values notes what is strange (`Seen`); a rule then judges the plan, its parts and what was noted. Its
docstring says what the rule means and why it is silent on the schedules of the papers. A rule reports at most once,
with a count: a thousand negative updates are one mistake.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, cast, final

from .core.curves import Chebyshev, Curve
from .core.endless import Constant, InversePower, InverseTime, Multistep, Noise, Step
from .core.errors import HorizonError
from .core.schedule import Clipped, Cut, Draft, Larger, Product, Repeated, Scaled, Schedule, Sequence, Shifted, Total
from .core.schedule import Staircase as Stairs
from .units import Horizon, as_horizon

JUMP = 10.0  # times
AT_THE_BOTTOM = 0.05  # of the peak: a curve's last steps to zero differ by any factor, and it does not matter
LOW = 0.01 * (1 - 1e-9)  # of the peak; two decays by 10 are 1%, and not below it
LONG_LOW = 1 / 3  # of the run
LONG_WARMUP = 1 / 2  # of the run
EARLY = 0.9  # of the run
AT_ONCE = 1 / 1000  # of the run
LOOKS_LIKE_A_RATE = 0.05

BLOCK = 4096
EVERY_UPDATE_UP_TO = 4_000_000  # a longer run is looked at in this many updates, spread over it

MAPPED = (Scaled, Shifted, Clipped)
PAIRED = (Product, Total, Larger)


@final
@dataclass(frozen=True)
class Finding:
    """One mistake: the rule that saw it, the first update that it concerns, and a message with the cure."""

    rule: str
    step: int
    message: str

    def __str__(self) -> str:
        return f"step {self.step}: {self.message} [{self.rule}]"


@final
@dataclass(frozen=True)
class Review:
    """What was found in a run of `steps` updates, in the order of the steps; true if anything was."""

    findings: tuple[Finding, ...]
    steps: int

    def __bool__(self) -> bool:
        return bool(self.findings)

    def __str__(self) -> str:
        if not self.findings:
            return f"nothing found in {self.steps:,} updates"
        return "\n".join(str(finding) for finding in self.findings)


def review(plan: Schedule, horizon: Horizon | int | str | None = None) -> Review:
    """Mistakes in a plan that can be seen before the run.

    Every update is looked at in runs of up to four million; in longer ones, blocks spread over the run.

    Args:
        plan: a schedule or a draft.
        horizon: the run; a schedule with an end needs none.

    Raises:
        HorizonError: if there is no horizon and the plan needs one, or the draft does not fit it.

    Examples:
        >>> from glidepath import constant, cosine, warmup
        >>> print(review(warmup("5%") >> cosine("95%"), 10_000))
        nothing found in 10,000 updates
        >>> print(review(warmup(600) >> cosine(400)))
        step 600: the warmup takes 600 of 1000 updates, more than half of the run: shorten it [warmup]
    """
    run = Run.of(plan, horizon)
    found = {rule: rule(run) for rule in RULES}
    if found[_parentheses]:
        found[_jump] = None  # the same place, seen twice
    listed = sorted((finding for finding in found.values() if finding), key=lambda finding: finding.step)
    return Review(tuple(listed), run.steps)


# --- what the rules see ---


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
        whole = _unwrapped(known)
        parts, starts = (whole.parts, whole.starts) if isinstance(whole, Sequence) else ((whole,), (0,))
        run = cls(known, steps, parts, starts, tuple(_low_by_nature(part) for part in parts), Seen())
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


# --- the rules ---


def _not_finite(run: Run) -> Finding | None:
    """NaN or infinite. Only a formula, a function or a growing factor can give one."""
    seen = run.seen.not_finite
    if not seen.times:
        return None
    what = "NaN" if math.isnan(seen.value) else "infinite"
    return Finding(
        "finite",
        seen.step,
        f"the value is {what}{_and_more(seen)}; no optimizer can use it: change the formula, or cut that step away "
        f"with plan[{seen.step + 1}:]",
    )


def _negative(run: Run) -> Finding | None:
    """Below zero: the update would climb. Noise around a small rate does it too, and is told so."""
    seen = run.seen.negative
    if not seen.times:
        return None
    return Finding(
        "negative",
        seen.step,
        f"the value is {_number(seen.value)}, below zero{_and_more(seen)}, so the update would climb: "
        "give the plan a floor, clip(plan, low=0.0)",
    )


def _jump(run: Run) -> Finding | None:
    """More than 10 times up or down between two nonzero neighbours.

    Up counts only above everything that came before: a restart goes back to a height that the run has seen. Down does
    not count at a milestone, which is a fall from one level to another or a step of a step decay; nor where a new
    warmup begins; nor at the bottom, where the last steps of any curve to zero differ by large factors; nor in
    Chebyshev steps and noise, which jump by design.
    """
    seen = run.seen
    jumps = [*seen.leaps, *([seen.falls] if seen.falls.times else [])]
    if not jumps:
        return None
    first = min(jumps, key=lambda jump: jump.step)
    times = max(first.value, first.before) / min(first.value, first.before)
    first.times = sum(jump.times for jump in jumps)
    return Finding(
        "jump",
        first.step,
        f"the value jumps from {_number(first.before)} to {_number(first.value)}, {times:.3g} times"
        f"{_and_more(first)}: begin a part where the one before it ends, with start= or to=",
    )


def _zero(run: Run) -> Finding | None:
    """A first or a last update at zero trains nothing. Our own curves waste neither; other conventions do."""
    if run.plan(0) == 0:
        cure = "begin above zero; warmup(n) gives update 0 the value 1/n"
        return Finding("zero", 0, f"the first update trains at zero: {cure}")
    if run.plan(run.steps - 1) == 0 and not (run.ends_low or _over_at_once(run)):
        cure = "let the zero come after the last update, as linear(n) and cosine(n) do"
        return Finding("zero", run.steps - 1, f"the last update trains at zero: {cure}")
    if run.held == 0 and not _ends_early(run):
        wasted = run.steps - (run.plan.duration or 0)
        which = "the last update trains" if wasted == 1 else f"the last {wasted} updates train"
        return Finding("zero", run.steps - wasted, f"{which} at zero: make the plan {wasted} longer")
    return None


def _length(run: Run) -> Finding | None:
    """The plan's own end and the run's are far apart.

    It may end a tenth early. A plan that stays at its peak after its end, a warmup alone, has lost nothing, and one
    that the run cuts where it has its last value already has lost nothing either.
    """
    length = run.plan.duration
    if length is None or _over_at_once(run):
        return None
    if _ends_early(run):
        return Finding(
            "length",
            length,
            f"the plan ends here and holds {_number(run.held or 0.0)} for the other {run.steps - length} of "
            f'{run.steps} updates: give its lengths as shares of the run ("90%"), or make them longer',
        )
    used, meant = run.plan(run.steps - 1), run.plan(max(0, length - 1))
    if length <= run.steps or used == meant:
        return None
    return Finding(
        "length",
        run.steps,
        f"the run ends here, at {_number(used)}, and cuts the last {length - run.steps} of the plan's {length} "
        f'updates, which end at {_number(meant)}: give its lengths as shares of the run ("90%"), or make them shorter',
    )


def _parentheses(run: Run) -> Finding | None:
    """The first part of a sequence is scaled, the next is not, and without the factor they would meet.

    A constant part scaled by 0.05 or more is a warmup at a constant rate (He et al., 2016), and meant.
    """
    first, factor = _factor(run)
    if first is None or len(run.parts) < 2 or any(isinstance(part, Scaled) for part in run.parts[1:]):
        return None
    if isinstance(first, Constant) and factor >= LOOKS_LIKE_A_RATE:
        return None
    step = run.starts[1]
    end, begin = first(max(0, step - 1)), run.parts[1](0)
    if not (_alike(end, begin) and not _alike(factor * end, begin)):
        return None
    return Finding(
        "parentheses",
        step,
        f"the factor {_number(factor)} scales {first!r} alone, and the value goes from {_number(factor * end)} to "
        f"{_number(begin)}: are parentheses missing, as in {_number(factor)} * (... >> ...)?",
    )


def _warmup(run: Run) -> Finding | None:
    """A warmup longer than half of the run.

    A warmup is a rising curve that comes first and that something follows. One cycle rises for 30%, triangles for
    half; a range test rises to its end, and nothing follows.
    """
    longest = max(_rise(leaf) for leaf in _stepwise(run.parts[0]))
    if longest <= LONG_WARMUP * run.steps or (len(run.parts) == 1 and longest >= run.steps):
        return None
    return Finding(
        "warmup",
        min(longest, run.steps),
        f"the warmup takes {longest} of {run.steps} updates, more than half of the run: shorten it",
    )


def _low(run: Run) -> Finding | None:
    """Below 1% of the peak for more than a third of the run, counted from the peak on.

    So a range test, which is low before its peak, is silent; step decays by 10 reach 1% and are not below it; the
    exponential decays of the papers are above it for two thirds of their runs. Decays like 1/k and 1/sqrt(k), and
    Chebyshev steps, are low for most of any run by nature, and are not counted.
    """
    low = run.seen.low
    if low.times <= LONG_LOW * run.seen.updates or run.ends_low or _over_at_once(run):
        return None
    share = low.times / run.seen.updates
    return Finding(
        "low",
        low.step,
        f"from here on {share:.0%} of the run is below 1% of the peak {_number(run.seen.peak)}: "
        "decay more slowly, or keep a floor with clip(plan, low=0.01)",
    )


def _units(run: Run) -> Finding | None:
    """Epochs where updates were meant: a period longer than the run, or a decay that is over in its first thousandth.

    The periods are those of a step decay, of the first milestone and of the first cycle; one that ends with the run is
    in order. A decay is over at once if its last milestone has passed or if it never leaves the lowest 1% again.
    """
    period = max(_periods(run), default=0)
    if period > run.steps:
        return Finding(
            "units",
            0,
            f"a period of {period} updates is longer than the run of {run.steps}, so nothing changes in it: is it in "
            'other units than updates? Write epochs as "30ep" and give Horizon(steps, steps_per_epoch=...)',
        )
    if _over_at_once(run):
        over = _decay_ends(run)
        return Finding(
            "units",
            over,
            f"the decay is over after {over} of {run.steps} updates: are its lengths in epochs? Write them as "
            '"30ep" and give Horizon(steps, steps_per_epoch=...)',
        )
    return None


RULES: tuple[Callable[[Run], Finding | None], ...] = (
    _not_finite,
    _negative,
    _jump,
    _zero,
    _length,
    _parentheses,
    _warmup,
    _low,
    _units,
)


# --- what the rules ask ---


def _ends_early(run: Run) -> bool:
    return run.ends_low and (run.plan.duration or 0) < EARLY * run.steps


def _over_at_once(run: Run) -> bool:
    return _decay_ends(run) <= AT_ONCE * run.steps


def _decay_ends(run: Run) -> int:
    """The step from which the decay is over, at the latest the end of the run."""
    if run.ends_low and run.plan.duration is not None:
        return run.plan.duration
    ends = [run.steps]
    if run.seen.low.times:
        ends.append(run.seen.last_high + 1)
    last, start = run.parts[-1], run.starts[-1]
    ends += [start + leaf.milestones[-1] for leaf in _stepwise(last) if isinstance(leaf, Multistep) and leaf.milestones]
    return min(ends)


def _periods(run: Run) -> Iterator[int]:
    """The endless periods of the last part, which is the only one that can be endless."""
    for piece in _stepwise(run.parts[-1]):
        match piece:
            case Step():
                yield run.starts[-1] + piece.every
            case Multistep() if piece.milestones:
                yield run.starts[-1] + piece.milestones[0]
            case Repeated() if piece.times is None:
                yield run.starts[-1] + (piece.plan.duration or 0)


def _milestone(run: Run, step: int) -> bool:
    """Whether a fall at `step` is meant: from level to level, or because of what serves the step."""
    if _level(run.plan, step - 2) and _level(run.plan, step):
        return True
    i = run.part(step)
    return any(_falls_by_design(leaf, step - run.starts[i]) for leaf in _stepwise(run.parts[i]))


def _level(plan: Schedule, step: int) -> bool:
    """Whether `step` and the one after it use the same value."""
    return step < 0 or plan(step) == plan(step + 1)


def _falls_by_design(leaf: Schedule, k: int) -> bool:
    """A step decay at its milestone, a warmup at its start, and anywhere what jumps by nature."""
    match leaf:
        case Step() | Stairs():
            return k % leaf.every == 0
        case Multistep():
            return k in leaf.milestones
        case Chebyshev() | Noise():
            return True
    return k == 0 and _rise(leaf) > 0


def _rise(leaf: Schedule) -> int:
    """How many steps a curve rises."""
    return leaf.steps if isinstance(leaf, Curve) and leaf.to > leaf.start else 0


def _factor(run: Run) -> tuple[Schedule | None, float]:
    """What the first part scales, and by which factor."""
    first = run.parts[0]
    return (first.plan, first.factor) if isinstance(first, Scaled) else (None, 1.0)


def _alike(a: float, b: float) -> bool:
    return 0 < a <= 2 * b and b <= 2 * a


def _unwrapped(plan: Schedule) -> Schedule:
    """The plan inside a scale, a shift or a clip: their clock is its own."""
    return _unwrapped(plan.plan) if isinstance(plan, MAPPED) else plan


def _stepwise(plan: Schedule) -> Iterator[Schedule]:
    """The pieces of a plan that run on its own clock."""
    if isinstance(plan, MAPPED):
        yield from _stepwise(plan.plan)
    elif isinstance(plan, PAIRED):
        yield from _stepwise(plan.first)
        yield from _stepwise(plan.second)
    elif isinstance(plan, Cut) and plan.start == 0:
        yield from _stepwise(plan.plan)
    else:
        yield plan


def _low_by_nature(plan: Any) -> bool:
    """Whether 1/k, 1/sqrt(k) or Chebyshev steps are anywhere in a plan."""
    if isinstance(plan, tuple):
        return any(_low_by_nature(item) for item in plan)
    if not isinstance(plan, Schedule) or isinstance(plan, (InverseTime, InversePower, Chebyshev)):
        return isinstance(plan, Schedule)
    return any(_low_by_nature(getattr(plan, inner.name)) for inner in fields(cast(Any, plan)))


def _and_more(seen: Noted) -> str:
    return f" (and {seen.times - 1} more)" if seen.times > 1 else ""


def _number(value: float) -> str:
    return f"{value:.3g}"
