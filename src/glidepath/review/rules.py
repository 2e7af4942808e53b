"""The rules: each judges a run, and its docstring says what it reports and why it is silent on the papers' schedules.

A rule reports at most once, with a count: a thousand negative updates are one mistake.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from glidepath.core.endless import Constant, Multistep, Step
from glidepath.core.schedule import Scaled, Schedule
from glidepath.core.transforms import Repeated

from .rates import LOOKS_LIKE_A_RATE
from .scan import Occurrences, ReviewedRun
from .structure import rise, stepwise

LONG_LOW = 1 / 3  # of the run
LONG_WARMUP = 1 / 2  # of the run
EARLY = 0.9  # of the run
AT_ONCE = 1 / 1000  # of the run


class Problem(NamedTuple):
    """The result of a rule: the first update that it concerns, and a message with the value and the cure."""

    step: int
    message: str


def check_finite(run: ReviewedRun) -> Problem | None:
    """Report NaN and infinite values. Only a formula, a function or a growing factor can give one."""
    updates = run.scan.not_finite
    if not updates.count:
        return None
    kind = "NaN" if math.isnan(updates.value) else "infinite"
    return Problem(
        updates.step,
        f"the value is {kind}{_and_more(updates)}; no optimizer can use it: change the formula, or cut that step away "
        f"with plan[{updates.step + 1}:]",
    )


def check_negative(run: ReviewedRun) -> Problem | None:
    """Report values below zero: the update would climb. Noise around a small rate is reported too."""
    updates = run.scan.negative
    if not updates.count:
        return None
    return Problem(
        updates.step,
        f"the value is {_number(updates.value)}, below zero{_and_more(updates)}, so the update would climb: "
        "give the plan a floor, clip(plan, minimum=0.0)",
    )


def check_jump(run: ReviewedRun) -> Problem | None:
    """Report a change of more than 10 times, up or down, between two nonzero neighbors.

    Up counts only above everything that came before: a restart goes back to a height that the run has had. Down does
    not count at a milestone, which is a drop from one level to another or a step of a step decay; nor where a new
    warmup begins; nor at the bottom, where the last steps of any curve to zero differ by large factors; nor in
    Chebyshev steps and noise, which jump by design.
    """
    scan = run.scan
    jumps = [*scan.leaps, *([scan.drops] if scan.drops.count else [])]
    if not jumps:
        return None
    first = min(jumps, key=lambda jump: jump.step)
    times = max(first.value, first.before) / min(first.value, first.before)
    first.count = sum(jump.count for jump in jumps)
    return Problem(
        first.step,
        f"the value jumps from {_number(first.before)} to {_number(first.value)}, {times:.3g} times"
        f"{_and_more(first)}: begin a part where the one before it ends, with start= or to=",
    )


def check_zero(run: ReviewedRun) -> Problem | None:
    """Report a first or a last update at zero, which trains nothing. Our own curves waste neither."""
    if run.plan(0) == 0:
        cure = "begin above zero; warmup(n) gives update 0 the value 1/n"
        return Problem(0, f"the first update trains at zero: {cure}")
    if run.plan(run.steps - 1) == 0 and not (run.ends_low or _is_over_at_once(run)):
        cure = "let the zero come after the last update, as linear(n) and cosine(n) do"
        return Problem(run.steps - 1, f"the last update trains at zero: {cure}")
    if run.value_after_end == 0 and not _ends_early(run):
        wasted = run.steps - (run.plan.duration or 0)
        which = "the last update trains" if wasted == 1 else f"the last {wasted} updates train"
        return Problem(run.steps - wasted, f"{which} at zero: make the plan {wasted} longer")
    return None


def check_length(run: ReviewedRun) -> Problem | None:
    """Report a plan whose own end and the run's are far apart.

    It may end a tenth early. A plan that stays at its peak after its end, a warmup alone, has lost nothing, and one
    that the run cuts where it has its last value already has lost nothing either.
    """
    length = run.plan.duration
    if length is None or _is_over_at_once(run):
        return None
    if _ends_early(run):
        return Problem(
            length,
            f"the plan ends here and holds {_number(run.value_after_end or 0.0)} for the other {run.steps - length} of "
            f'{run.steps} updates: give its lengths as shares of the run ("90%"), or make them longer',
        )
    used, meant = run.plan(run.steps - 1), run.plan(max(0, length - 1))
    if length <= run.steps or used == meant:
        return None
    return Problem(
        run.steps,
        f"the run ends here, at {_number(used)}, and cuts the last {length - run.steps} of the plan's {length} "
        f'updates, which end at {_number(meant)}: give its lengths as shares of the run ("90%"), or make them shorter',
    )


def check_parentheses(run: ReviewedRun) -> Problem | None:
    """Report a first part that is scaled alone, where without the factor it would meet the next part.

    A constant part scaled by 0.05 or more is a warmup at a constant rate (He et al., 2016), and meant.
    """
    first, factor = _factor(run)
    if first is None or len(run.parts) < 2 or any(isinstance(part, Scaled) for part in run.parts[1:]):
        return None
    if isinstance(first, Constant) and factor >= LOOKS_LIKE_A_RATE:
        return None
    step = run.starts[1]
    end, begin = first(max(0, step - 1)), run.parts[1](0)
    if not (_are_similar(end, begin) and not _are_similar(factor * end, begin)):
        return None
    return Problem(
        step,
        f"the factor {_number(factor)} scales {first!r} alone, and the value goes from {_number(factor * end)} to "
        f"{_number(begin)}: are parentheses missing, as in {_number(factor)} * (... >> ...)?",
    )


def check_warmup(run: ReviewedRun) -> Problem | None:
    """Report a warmup longer than half of the run.

    A warmup is a rising curve that comes first and that something follows. One cycle rises for 30%, triangles for
    half; a range test rises to its end, and nothing follows.
    """
    longest = max(rise(leaf) for leaf in stepwise(run.parts[0]))
    if longest <= LONG_WARMUP * run.steps or (len(run.parts) == 1 and longest >= run.steps):
        return None
    return Problem(
        min(longest, run.steps),
        f"the warmup takes {longest} of {run.steps} updates, more than half of the run: shorten it",
    )


def check_low(run: ReviewedRun) -> Problem | None:
    """Report a plan below 1% of its peak for more than a third of the run, counted from the peak on.

    So a range test, which is low before its peak, is silent; step decays by 10 reach 1% and are not below it; the
    exponential decays of the papers are above it for two thirds of their runs. Decays like 1/k and 1/sqrt(k), and
    Chebyshev steps, are low for most of any run by design, and are not counted.
    """
    low = run.scan.low
    if low.count <= LONG_LOW * run.scan.updates or run.ends_low or _is_over_at_once(run):
        return None
    share = low.count / run.scan.updates
    return Problem(
        low.step,
        f"from here on {share:.0%} of the run is below 1% of the peak {_number(run.scan.peak)}: "
        "decay more slowly, or keep a floor with clip(plan, minimum=0.01)",
    )


def check_units(run: ReviewedRun) -> Problem | None:
    """Report epochs where updates were meant: a period longer than the run, or a decay over in its first thousandth.

    The periods are those of a step decay, of the first milestone and of the first cycle; one that ends with the run is
    in order. A decay is over at once if its last milestone has passed or if it never leaves the lowest 1% again.
    """
    period = max(_periods(run), default=0)
    if period > run.steps:
        return Problem(
            0,
            f"a period of {period} updates is longer than the run of {run.steps}, so nothing changes in it: is it in "
            'other units than updates? Write epochs as "30ep" and give Horizon(steps, steps_per_epoch=...)',
        )
    if _is_over_at_once(run):
        end = _end_of_decay(run)
        return Problem(
            end,
            f"the decay is over after {end} of {run.steps} updates: are its lengths in epochs? Write them as "
            '"30ep" and give Horizon(steps, steps_per_epoch=...)',
        )
    return None


# --- questions about a run ---


def _ends_early(run: ReviewedRun) -> bool:
    return run.ends_low and (run.plan.duration or 0) < EARLY * run.steps


def _is_over_at_once(run: ReviewedRun) -> bool:
    return _end_of_decay(run) <= AT_ONCE * run.steps


def _end_of_decay(run: ReviewedRun) -> int:
    """Return the step from which the decay is over, at the latest the end of the run."""
    if run.ends_low and run.plan.duration is not None:
        return run.plan.duration
    ends = [run.steps]
    if run.scan.low.count:
        ends.append(run.scan.last_high + 1)
    last, start = run.parts[-1], run.starts[-1]
    ends += [start + leaf.milestones[-1] for leaf in stepwise(last) if isinstance(leaf, Multistep) and leaf.milestones]
    return min(ends)


def _periods(run: ReviewedRun) -> Iterator[int]:
    """Yield the endless periods of the last part, which is the only one that can be endless."""
    for piece in stepwise(run.parts[-1]):
        match piece:
            case Step():
                yield run.starts[-1] + piece.every
            case Multistep() if piece.milestones:
                yield run.starts[-1] + piece.milestones[0]
            case Repeated() if piece.times is None:
                yield run.starts[-1] + (piece.plan.duration or 0)


def _factor(run: ReviewedRun) -> tuple[Schedule | None, float]:
    """Return the schedule that the first part scales, if it does, and the factor."""
    first = run.parts[0]
    return (first.plan, first.factor) if isinstance(first, Scaled) else (None, 1.0)


def _are_similar(a: float, b: float) -> bool:
    return 0 < a <= 2 * b and b <= 2 * a


def _and_more(updates: Occurrences) -> str:
    return f" (and {updates.count - 1} more)" if updates.count > 1 else ""


def _number(value: float) -> str:
    return f"{value:.3g}"


RULES: dict[str, Callable[[ReviewedRun], Problem | None]] = {  # by the name that their findings show
    "finite": check_finite,
    "negative": check_negative,
    "jump": check_jump,
    "zero": check_zero,
    "length": check_length,
    "parentheses": check_parentheses,
    "warmup": check_warmup,
    "low": check_low,
    "units": check_units,
}
