"""The rules: each judges a run, says in its docstring what it means, and why it is silent on the papers' schedules.

A rule reports at most once, with a count: a thousand negative updates are one mistake.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

from glidepath.core.endless import Constant, Multistep, Step
from glidepath.core.schedule import Repeated, Scaled, Schedule

from .rates import LOOKS_LIKE_A_RATE
from .scan import Noted, Run
from .structure import rise, stepwise

LONG_LOW = 1 / 3  # of the run
LONG_WARMUP = 1 / 2  # of the run
EARLY = 0.9  # of the run
AT_ONCE = 1 / 1000  # of the run


@final
@dataclass(frozen=True)
class Finding:
    """One mistake: the rule that saw it, the first update that it concerns, and a message with the cure."""

    rule: str
    step: int
    message: str

    def __str__(self) -> str:
        return f"step {self.step}: {self.message} [{self.rule}]"


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


def jump(run: Run) -> Finding | None:
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


def parentheses(run: Run) -> Finding | None:
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
    longest = max(rise(leaf) for leaf in stepwise(run.parts[0]))
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
    ends += [start + leaf.milestones[-1] for leaf in stepwise(last) if isinstance(leaf, Multistep) and leaf.milestones]
    return min(ends)


def _periods(run: Run) -> Iterator[int]:
    """The endless periods of the last part, which is the only one that can be endless."""
    for piece in stepwise(run.parts[-1]):
        match piece:
            case Step():
                yield run.starts[-1] + piece.every
            case Multistep() if piece.milestones:
                yield run.starts[-1] + piece.milestones[0]
            case Repeated() if piece.times is None:
                yield run.starts[-1] + (piece.plan.duration or 0)


def _factor(run: Run) -> tuple[Schedule | None, float]:
    """What the first part scales, and by which factor."""
    first = run.parts[0]
    return (first.plan, first.factor) if isinstance(first, Scaled) else (None, 1.0)


def _alike(a: float, b: float) -> bool:
    return 0 < a <= 2 * b and b <= 2 * a


def _and_more(seen: Noted) -> str:
    return f" (and {seen.times - 1} more)" if seen.times > 1 else ""


def _number(value: float) -> str:
    return f"{value:.3g}"


RULES: tuple[Callable[[Run], Finding | None], ...] = (
    _not_finite,
    _negative,
    jump,
    _zero,
    _length,
    parentheses,
    _warmup,
    _low,
    _units,
)
