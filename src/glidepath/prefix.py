"""How far two schedules agree: the leading updates for which both give the same bits.

Runs that share a prefix can share its training, so the answer must never be too long. Equal pieces on equal clocks,
and values that stay as they are, are compared by description, at once for plans of any length; everything else is
compared by its values, block by block.
"""

from array import array
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, NamedTuple

from .core.checks import MAX_STEPS, count
from .core.endless import Constant, Multistep
from .core.schedule import Cut, Product, Scaled, Schedule, Sequence, Shifted, Sum
from .core.transforms import Clipped, Maximum
from .errors import ScheduleError

FIRST_BLOCK, LARGEST_BLOCK = 64, 8192

STEPWISE = (Scaled, Shifted, Clipped, Product, Sum, Maximum)  # value by value, on the clock of what is inside


def common_prefix(first: Schedule, second: Schedule, steps: int | None = None) -> int:
    """How many leading updates of two schedules use the same values, bit for bit.

    Args:
        first: a schedule, not a draft.
        second: the other one.
        steps: updates to compare at most. Without it, two plans that end are compared up to the longer duration; and
            of other plans those that are the same for ever answer 2**53, which is more steps than any run has.

    Raises:
        ScheduleError: if `steps` is missing, and a plan has no end and never keeps one value.
        DraftError: if a plan is a draft.

    Examples:
        >>> from glidepath import wsd
        >>> common_prefix(wsd(10_000, warmup=500, cooldown=2_000), wsd(20_000, warmup=500, cooldown=2_000))
        8001
    """
    limit = _limit(first, second) if steps is None else count(steps, "steps")
    return _agreement(first, 0, second, 0, limit)


def _limit(first: Schedule, second: Schedule) -> int:
    if first.duration is not None and second.duration is not None:
        return max(first.duration, second.duration)
    if first == second or (_settled(first) is not None and _settled(second) is not None):
        return MAX_STEPS
    raise ScheduleError(
        f"{first!r} and {second!r} may go on for ever: say how many updates to compare, "
        "common_prefix(first, second, steps=10_000)"
    )


def _agreement(first: Schedule, i: int, second: Schedule, j: int, steps: int) -> int:
    """How many of `steps` updates agree, from update `i` of `first` and update `j` of `second` on."""
    agreed = 0
    for a, b, length in _side_by_side(_pieces(first, i, i + steps), _pieces(second, j, j + steps)):
        same = _agreement_of_pieces(a, b, length)
        agreed += same
        if same < length:
            break
    return agreed


class Piece(NamedTuple):
    """`length` updates of a plan that is no sequence, from its own update `start` on."""

    plan: Schedule
    start: int
    length: int


def _pieces(plan: Schedule, start: int, stop: int) -> Iterator[Piece]:
    """Updates start..stop-1 of a plan, with sequences and cuts opened."""
    if isinstance(plan, Sequence):
        for first, part, end in zip(plan.starts, plan.parts, (*plan.starts[1:], stop), strict=True):
            if max(start, first) < min(stop, end):
                yield from _pieces(part, max(start, first) - first, min(stop, end) - first)
        return
    if isinstance(plan, Cut):
        served = stop if plan.stop is None else max(start, min(stop, plan.stop - plan.start))
        yield from _pieces(plan.plan, start + plan.start, served + plan.start)
        start = served
    if start < stop:
        yield Piece(plan, start, stop - start)


def _side_by_side(left: Iterator[Piece], right: Iterator[Piece]) -> Iterator[tuple[Piece, Piece, int]]:
    """The pieces of two plans over the same updates, split wherever either has a boundary."""
    a, b = next(left, None), next(right, None)
    while a and b:
        length = min(a.length, b.length)
        yield a, b, length
        a = _after(a, length) or next(left, None)
        b = _after(b, length) or next(right, None)


def _after(piece: Piece, steps: int) -> Piece | None:
    rest = piece.length - steps
    return Piece(piece.plan, piece.start + steps, rest) if rest else None


def _agreement_of_pieces(a: Piece, b: Piece, steps: int) -> int:
    if a.start == b.start and a.plan == b.plan:
        return steps
    known = _agreement_inside(a, b, steps) if _same_operation(a.plan, b.plan) else 0
    size = FIRST_BLOCK
    while known < steps:
        i, j = a.start + known, b.start + known
        if _stays(a.plan, i) and _stays(b.plan, j):
            return steps if _first_difference(a.plan, i, b.plan, j, 1) is None else known
        size = min(size, steps - known)
        difference = _first_difference(a.plan, i, b.plan, j, size)
        if difference is not None:
            return known + difference
        known, size = known + size, min(2 * size, LARGEST_BLOCK)
    return steps


def _first_difference(first: Schedule, i: int, second: Schedule, j: int, steps: int) -> int | None:
    left, right = array("d", first.block(i, i + steps)), array("d", second.block(j, j + steps))
    if left.tobytes() == right.tobytes():
        return None
    return next(k for k in range(steps) if left[k : k + 1].tobytes() != right[k : k + 1].tobytes())


def _agreement_inside(a: Piece, b: Piece, steps: int) -> int:
    """What the same operation makes of equal values is equal, so this is never too long; it may be too short."""
    inside = zip(_operands(a.plan), _operands(b.plan), strict=True)
    return min(_agreement(x, a.start, y, b.start, steps) for x, y in inside)


def _same_operation(first: Schedule, second: Schedule) -> bool:
    return isinstance(first, STEPWISE) and type(first) is type(second) and _options(first) == _options(second)


def _operands(plan: Any) -> list[Schedule]:
    return [value for value in _fields(plan) if isinstance(value, Schedule)]


def _options(plan: Any) -> list[Any]:
    return [value for value in _fields(plan) if not isinstance(value, Schedule)]


def _fields(plan: Any) -> list[Any]:
    return [getattr(plan, field.name) for field in fields(plan)]


def _stays(plan: Schedule, step: int) -> bool:
    settled = _settled(plan)
    return settled is not None and step >= settled


def _settled(plan: Schedule) -> int | None:
    """A step from which the plan keeps one value for ever; None if its description does not say."""
    match plan:
        case Constant():
            return 0
        case Multistep():
            return plan.milestones[-1] if plan.milestones else 0
        case Sequence():
            last = _settled(plan.parts[-1])
            return None if last is None else plan.starts[-1] + last
        case Cut():
            inside = _settled(plan.plan)
            known = [plan.duration, None if inside is None else max(0, inside - plan.start)]
            return min((step for step in known if step is not None), default=None)
        case _ if isinstance(plan, STEPWISE):
            steps = [_settled(operand) for operand in _operands(plan)]
            return None if None in steps else max(step for step in steps if step is not None)
    return plan.duration
