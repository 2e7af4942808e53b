"""How far two schedules agree: the leading updates for which both give the same bits.

Runs that share a prefix can share its training, so the answer must never be too long. Equal pieces on equal clocks,
and values that stay as they are, are compared by description, at once for plans of any length; everything else is
compared by its values, block by block.

Each combinator is named below by what can be said from its description; one that is not named is refused.
"""

from array import array
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, NamedTuple, cast

from .core.checks import MAX_STEPS, count
from .core.curves import Leaf
from .core.endless import Constant, Multistep
from .core.formula import Function
from .core.schedule import Cut, Draft, Product, Quotient, Scaled, Schedule, Sequence, Shifted, Sum
from .core.transforms import Clipped, Maximum, Repeated, Reversed, Staircase
from .errors import ScheduleError

FIRST_BLOCK, LARGEST_BLOCK = 64, 8192

OPENED = (Sequence, Cut, Reversed)  # split into the pieces that serve the steps
STEPWISE = (Scaled, Shifted, Quotient, Clipped, Product, Sum, Maximum)  # value by value, on the clock of what is inside
BY_VALUE = (Leaf, Function, Draft)  # equal as a whole, or compared by value; a draft has none and says so


def common_prefix(first: Schedule, second: Schedule, steps: int | None = None) -> int:
    """Count the leading updates for which two schedules use the same values, bit for bit.

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
    if first == second or (_constant_from(first) is not None and _constant_from(second) is not None):
        return MAX_STEPS
    raise ScheduleError(
        f"{first!r} and {second!r} may continue for ever: say how many updates to compare, "
        "common_prefix(first, second, steps=10_000)"
    )


def _agreement(first: Schedule, i: int, second: Schedule, j: int, steps: int) -> int:
    """Count how many of `steps` updates agree, from update `i` of `first` and update `j` of `second` on."""
    agreed = 0
    for a, b, length in _side_by_side(_pieces(first, i, i + steps), _pieces(second, j, j + steps)):
        same = _agreement_of_pieces(a, b, length)
        agreed += same
        if same < length:
            break
    return agreed


class Piece(NamedTuple):
    """`length` updates of a plan that is not a sequence, from its own update `start` on."""

    plan: Schedule
    start: int
    length: int


def _pieces(plan: Schedule, start: int, stop: int) -> Iterator[Piece]:
    """Yield the pieces of updates start..stop-1 of a plan, with sequences and cuts opened."""
    if isinstance(plan, Reversed) and isinstance(plan.plan, Sequence):
        plan = Sequence(tuple(Reversed(part, part.duration) for part in plan.plan.parts[::-1] if part.duration))
    if isinstance(plan, Sequence):
        for first, part, end in zip(plan.starts, plan.parts, (*plan.starts[1:], stop), strict=True):
            if max(start, first) < min(stop, end):
                yield from _pieces(part, max(start, first) - first, min(stop, end) - first)
        return
    if isinstance(plan, Cut):
        end = stop if plan.stop is None else max(start, min(stop, plan.stop - plan.start))
        yield from _pieces(plan.plan, start + plan.start, end + plan.start)
        start = end
    if start < stop:
        yield Piece(plan, start, stop - start)


def _side_by_side(left: Iterator[Piece], right: Iterator[Piece]) -> Iterator[tuple[Piece, Piece, int]]:
    """Yield the pieces of two plans over the same updates, split wherever either has a boundary."""
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
    agreed = min(steps, _agreement_by_description(a, b, steps))
    size = FIRST_BLOCK
    while agreed < steps:
        i, j = a.start + agreed, b.start + agreed
        if _is_constant(a.plan, i) and _is_constant(b.plan, j):
            return steps if _first_difference(a.plan, i, b.plan, j, 1) is None else agreed
        size = min(size, steps - agreed)
        difference = _first_difference(a.plan, i, b.plan, j, size)
        if difference is not None:
            return agreed + difference
        agreed, size = agreed + size, min(2 * size, LARGEST_BLOCK)
    return steps


def _first_difference(first: Schedule, i: int, second: Schedule, j: int, steps: int) -> int | None:
    left, right = array("d", first.block(i, i + steps)), array("d", second.block(j, j + steps))
    if left.tobytes() == right.tobytes():
        return None
    return next(k for k in range(steps) if left[k : k + 1].tobytes() != right[k : k + 1].tobytes())


def _agreement_by_description(a: Piece, b: Piece, steps: int) -> int:
    """Return a number of updates that surely agree: never too long, it may be too short."""
    _refuse_unknown(a.plan)
    _refuse_unknown(b.plan)
    if type(a.plan) is not type(b.plan) or _options(a.plan) != _options(b.plan):
        return 0
    if isinstance(a.plan, STEPWISE):  # what the same operation makes of equal values is equal
        inside = zip(_operands(a.plan), _operands(b.plan), strict=True)
        return min(_agreement(x, a.start, y, b.start, steps) for x, y in inside)
    if isinstance(a.plan, Staircase):
        return _agreement_of_stairs(a, b, steps)
    if isinstance(a.plan, Repeated):
        return _agreement_of_cycles(a, b, steps)
    return 0


def _agreement_of_stairs(a: Piece, b: Piece, steps: int) -> int:
    """Count for stairs of the same width, which agree up to the first stair whose step differs inside."""
    first, second = cast(Staircase, a.plan), cast(Staircase, b.plan)
    since = a.start % first.every
    if since != b.start % second.every:
        return 0
    inside = _agreement(first.plan, a.start - since, second.plan, b.start - since, steps + since)
    return max(0, -(-inside // first.every) * first.every - since)


def _agreement_of_cycles(a: Piece, b: Piece, steps: int) -> int:
    """Count for cycles of the same length, which agree for ever if the first one does, and else within it."""
    first, second = cast(Repeated, a.plan), cast(Repeated, b.plan)
    length = cast(int, first.plan.duration)
    if a.start != b.start or length != second.plan.duration:
        return 0
    inside = _agreement(first.plan, 0, second.plan, 0, length)
    if inside == length and first.growth == 1.0:
        return steps
    return max(0, inside - a.start)


def _operands(plan: Any) -> list[Schedule]:
    return [value for value in _fields(plan) if isinstance(value, Schedule)]


def _options(plan: Any) -> list[Any]:
    return [value for value in _fields(plan) if not isinstance(value, Schedule)]


def _fields(plan: Any) -> list[Any]:
    return [getattr(plan, field.name) for field in fields(plan)]


def _is_constant(plan: Schedule, step: int) -> bool:
    begin = _constant_from(plan)
    return begin is not None and step >= begin


def _constant_from(plan: Schedule) -> int | None:
    """Return a step from which the plan keeps one value for ever; None if its description does not say."""
    match plan:
        case Constant():
            return 0
        case Multistep():
            return plan.milestones[-1] if plan.milestones else 0
        case Sequence():
            last = _constant_from(plan.parts[-1])
            return None if last is None else plan.starts[-1] + last
        case Cut():
            inside = _constant_from(plan.plan)
            ends = [plan.duration, None if inside is None else max(0, inside - plan.start)]
            return min((step for step in ends if step is not None), default=None)
        case Staircase():
            inside = _constant_from(plan.plan)
            return None if inside is None else -(-inside // plan.every) * plan.every
        case Repeated():
            return 0 if plan.shrink == 1.0 and _constant_from(plan.plan) == 0 else plan.duration
        case _ if isinstance(plan, STEPWISE):
            steps = [_constant_from(operand) for operand in _operands(plan)]
            return None if None in steps else max(step for step in steps if step is not None)
    _refuse_unknown(plan)
    return plan.duration


def _refuse_unknown(plan: Schedule) -> None:
    if not isinstance(plan, (*OPENED, *STEPWISE, *BY_VALUE, Staircase, Repeated)):
        raise NotImplementedError(f"common_prefix does not know the piece {type(plan).__name__}: name it in prefix.py")
