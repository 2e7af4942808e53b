"""A plan as pieces in a row: from one step to the next, one expression.

Sequences within products, cuts of repeats, stairs of sequences: all become one list of pieces, their ends in steps of
the whole, so that a reader finds one function without calls to others. Only what begins again and again with pieces
of its own becomes a function that is called.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import cast

from glidepath.core.checks import MAX_STEPS
from glidepath.core.curves import Chebyshev, Curve, Warmup
from glidepath.core.endless import Constant, Multistep, Noise, Table
from glidepath.core.formula import Formula
from glidepath.core.namespace import SCALAR
from glidepath.core.schedule import (
    Clipped,
    Cut,
    Larger,
    Product,
    Repeated,
    Reversed,
    Scaled,
    Schedule,
    Sequence,
    Shifted,
    Staircase,
    Total,
)

from .clock import Clock
from .curves import WITH_AN_END, curve, endless, has_gaps
from .dialect import CannotWriteError
from .expression import Expression, written
from .formulas import formula
from .piece import Piece, Pieces, merged, until
from .prelude import Prelude

MAX_CYCLES = 2_000  # of a plan that grows; a longer list is nothing that anybody reads


def pieces(plan: Schedule, clock: Clock, prelude: Prelude) -> Pieces:
    """The pieces of a plan; the last one has no end.

    Raises:
        CannotWriteError: if a part of the plan has no expression in this dialect.
    """
    return merged(_pieces(plan, clock, prelude))


def _pieces(plan: Schedule, clock: Clock, prelude: Prelude) -> Iterable[Piece]:
    dialect = prelude.dialect
    match plan:
        case Constant():
            return [Piece(None, written(1.0))]
        case Sequence():
            return _sequence(plan, clock, prelude)
        case Scaled(factor=factor, plan=inner):
            return _mapped(inner, clock, prelude, lambda value: factor * value)
        case Shifted(offset=offset, plan=inner):
            return _mapped(inner, clock, prelude, lambda value: offset + value)
        case Clipped(plan=inner):
            return _mapped(inner, clock, prelude, lambda value: _clipped(plan, value, prelude))
        case Product(first=first, second=second):
            return _paired(first, second, clock, prelude, lambda a, b: a * b)
        case Total(first=first, second=second):
            return _paired(first, second, clock, prelude, lambda a, b: a + b)
        case Larger(first=first, second=second):
            return _paired(first, second, clock, prelude, dialect.larger)
        case Cut():
            return _cut(plan, clock, prelude)
        case Reversed():
            return _reversed(plan, clock, prelude)
        case Staircase(plan=inner, every=every):
            steps = pieces(inner, clock.held(dialect, every), prelude)
            return [piece._replace(end=piece.end and -(-piece.end // every) * every) for piece in steps]
        case Repeated():
            return _evenly(plan, clock, prelude) if plan.growth == 1.0 else _growing(plan, clock, prelude)
        case Multistep():
            return _levels(plan)
    return _leaf(plan, clock, prelude)


def _leaf(plan: Schedule, clock: Clock, prelude: Prelude) -> Pieces:
    dialect = prelude.dialect
    if isinstance(plan, WITH_AN_END):
        return [Piece(plan.steps, _curve(plan, clock, prelude)), _held(plan, plan.steps)]
    if isinstance(plan, Table):
        return [Piece(None, prelude.looked_up(plan.values, clock.written(dialect)))]
    if isinstance(plan, Formula):
        return [Piece(None, formula(plan, clock.written(dialect), dialect))]
    if isinstance(plan, (Noise, Chebyshev)) and dialect.branches:
        return [Piece(None, prelude.integer_arithmetic(plan, clock.written(dialect)))]
    known = endless(plan, clock, dialect)
    if known is None:
        raise CannotWriteError(f"{plan!r} has no formula in {dialect.module}")
    return [Piece(None, known)]


def _curve(plan: Schedule, clock: Clock, prelude: Prelude) -> Expression:
    if not plan.duration:
        return written(0.0)  # never served
    k = clock.later(isinstance(plan, Warmup)).written(prelude.dialect)
    if has_gaps(plan):
        k = prelude.dialect.kept(k, plan.duration - 1)
    return curve(plan, k, prelude.dialect.whole(plan.duration), prelude.dialect)  # type: ignore[arg-type]


def _held(plan: Schedule, step: int) -> Piece:
    return Piece(None, written(float(plan(step))))


def _sequence(plan: Sequence, clock: Clock, prelude: Prelude) -> Iterator[Piece]:
    for start, part, end in zip(plan.starts, plan.parts, (*plan.starts[1:], None), strict=True):
        if start >= prelude.dialect.longest:
            return
        found = pieces(part, clock.later(-start), prelude)
        served = found if end is None else until(found, end - start)
        yield from (piece._replace(end=None if piece.end is None else piece.end + start) for piece in served)


def _mapped(plan: Schedule, clock: Clock, prelude: Prelude, change: Callable[[Expression], Expression]) -> Pieces:
    return [piece._replace(expression=change(piece.expression)) for piece in pieces(plan, clock, prelude)]


def _clipped(plan: Clipped, value: Expression, prelude: Prelude) -> Expression:
    raised = value if plan.low is None else prelude.dialect.larger(value, plan.low)
    return raised if plan.high is None else prelude.dialect.smaller(raised, plan.high)


def _paired(
    first: Schedule,
    second: Schedule,
    clock: Clock,
    prelude: Prelude,
    join: Callable[[Expression, Expression], Expression],
) -> Iterator[Piece]:
    ours, theirs = pieces(first, clock, prelude), pieces(second, clock, prelude)
    ends = {piece.end for piece in (*ours, *theirs)} - {None}
    for end in (*sorted(cast("set[int]", ends)), None):
        yield Piece(end, join(_before(ours, end), _before(theirs, end)))


def _before(found: Pieces, end: int | None) -> Expression:
    """The expression that serves the step before `end`."""
    return next(piece.expression for piece in found if piece.end is None or (end is not None and end <= piece.end))


def _cut(plan: Cut, clock: Clock, prelude: Prelude) -> Iterator[Piece]:
    found = pieces(plan.plan, clock.later(plan.start), prelude)
    later = [piece._replace(end=piece.end and piece.end - plan.start) for piece in found]
    if plan.stop is None:
        return iter(later)
    length = plan.stop - plan.start
    return iter([*until(merged(later), length), _held(plan, length)])


def _reversed(plan: Reversed, clock: Clock, prelude: Prelude) -> Iterator[Piece]:
    found = list(until(pieces(plan.plan, clock.mirrored(plan.steps - 1), prelude), plan.steps))
    begins = [0, *(cast(int, piece.end) for piece in found[:-1])]
    for begin, piece in reversed(list(zip(begins, found, strict=True))):
        yield piece._replace(end=plan.steps - begin)
    yield _held(plan, plan.steps)


def _levels(plan: Multistep) -> Iterator[Piece]:
    for milestone in plan.milestones:
        if milestone:
            yield Piece(milestone, written(float(plan(milestone - 1))))
    yield _held(plan, max(plan.milestones, default=0))


def _evenly(plan: Repeated, clock: Clock, prelude: Prelude) -> Iterator[Piece]:
    length, dialect = cast(int, plan.plan.duration), prelude.dialect
    if length >= dialect.longest:
        yield from pieces(plan.plan, clock, prelude)
        return
    value = _cycle(plan.plan, clock.within_cycles(dialect, length), length, prelude)
    if plan.shrink != 1.0:
        value = written(plan.shrink) ** clock.cycle(dialect, length) * value
    yield Piece(plan.duration, value)
    if plan.duration is not None:
        yield _held(plan, plan.duration)


def _cycle(plan: Schedule, clock: Clock, length: int, prelude: Prelude) -> Expression:
    """One cycle as an expression; where it has several pieces, as a function of its own."""
    inside = merged(until(pieces(plan, clock, prelude), length))
    if len(inside) == 1:
        return inside[0].expression
    step = Expression("step")
    found = merged(until(pieces(plan, Clock(step), prelude), length))
    return prelude.function("cycle", found, clock.written(prelude.dialect), repr(plan))


def _growing(plan: Repeated, clock: Clock, prelude: Prelude) -> Iterator[Piece]:
    starts = _starts(plan, prelude.dialect.longest)
    cycle = plan.plan
    if isinstance(cycle, Curve) and len(starts) > 8 and not has_gaps(cycle):
        yield Piece(plan.duration, prelude.restarted(plan, cycle, starts, clock.written(prelude.dialect)))
    elif len(starts) > MAX_CYCLES:
        raise CannotWriteError(f"{plan!r} has {len(starts)} cycles")
    else:
        yield from _written_out(plan, starts, clock, prelude)
    if plan.duration is not None:
        yield _held(plan, plan.duration)


def _starts(plan: Repeated, longest: int) -> list[int]:
    """Where the cycles begin, and where the last one ends."""
    starts, last = [0], min(longest, MAX_STEPS)
    while starts[-1] < last and len(starts) - 1 != plan.times:
        starts.append(starts[-1] + plan._cycle(len(starts) - 1))
    return starts


def _written_out(plan: Repeated, starts: list[int], clock: Clock, prelude: Prelude) -> Iterator[Piece]:
    for i, (begin, end) in enumerate(pairwise(starts)):
        cycle = Scaled(SCALAR.power(plan.shrink, i), plan.plan._stretched(end - begin))
        found = until(pieces(cycle, clock.later(-begin), prelude), end - begin)
        yield from (piece._replace(end=cast(int, piece.end) + begin) for piece in found)
    if plan.duration is None:
        yield Piece(None, written(0.0))  # never reached
