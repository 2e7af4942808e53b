"""A plan as branches in a row: from one step to the next, one expression.

Sequences within products, cuts of repeats, stairs of sequences: all become one list of branches, their ends in steps of
the whole, so that a reader finds one function without calls to others. Only what begins again and again with branches
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
from glidepath.core.schedule import Cut, Product, Quotient, Scaled, Schedule, Sequence, Shifted, Sum
from glidepath.core.transforms import Clipped, Maximum, Repeated, Reversed, Staircase
from glidepath.errors import NoFormulaError

from .branch import Branch, merge, take_until
from .curves import WITH_AN_END, has_gaps, write_curve, write_endless
from .expression import Expression, to_expression
from .formulas import rewrite_formula
from .local_step import LocalStep
from .prelude import Prelude

MAX_CYCLES = 2_000  # of a plan that grows; a longer list is of no use to a reader


def write_branches(plan: Schedule, local: LocalStep, prelude: Prelude) -> list[Branch]:
    """Write a plan as branches; the last one has no end.

    Raises:
        NoFormulaError: if a part of the plan has no expression in this dialect.
    """
    return merge(_branches(plan, local, prelude))


def _branches(plan: Schedule, local: LocalStep, prelude: Prelude) -> Iterable[Branch]:
    dialect = prelude.dialect
    match plan:
        case Constant():
            return [Branch(None, to_expression(1.0))]
        case Sequence():
            return _sequence(plan, local, prelude)
        case Scaled(factor=factor, plan=inner):
            return _map(inner, local, prelude, lambda value: factor * value)
        case Shifted(offset=offset, plan=inner):
            return _map(inner, local, prelude, lambda value: offset + value)
        case Quotient(number=number, plan=inner):
            return _map(inner, local, prelude, lambda value: _divide(plan, number, value))
        case Clipped(plan=inner):
            return _map(inner, local, prelude, lambda value: _clip(plan, value, prelude))
        case Product(first=first, second=second):
            return _pair(first, second, local, prelude, lambda a, b: a * b)
        case Sum(first=first, second=second):
            return _pair(first, second, local, prelude, lambda a, b: a + b)
        case Maximum(first=first, second=second):
            return _pair(first, second, local, prelude, dialect.larger)
        case Cut():
            return _cut(plan, local, prelude)
        case Reversed():
            return _reverse(plan, local, prelude)
        case Staircase(plan=inner, every=every):
            steps = write_branches(inner, local.floor(dialect, every), prelude)
            return [branch._replace(end=branch.end and -(-branch.end // every) * every) for branch in steps]
        case Repeated():
            return _evenly(plan, local, prelude) if plan.growth == 1.0 else _grow(plan, local, prelude)
        case Multistep():
            return _levels(plan)
    return _leaf(plan, local, prelude)


def _leaf(plan: Schedule, local: LocalStep, prelude: Prelude) -> list[Branch]:
    dialect = prelude.dialect
    if isinstance(plan, WITH_AN_END):
        return [Branch(plan.steps, _curve(plan, local, prelude)), _hold(plan, plan.steps)]
    if isinstance(plan, Table):
        return [Branch(None, prelude.look_up(plan.values, local.expression(dialect)))]
    if isinstance(plan, Formula):
        return [Branch(None, rewrite_formula(plan, local.expression(dialect), dialect))]
    if isinstance(plan, (Noise, Chebyshev)) and dialect.uses_if:
        return [Branch(None, prelude.add_integer_function(plan, local.expression(dialect)))]
    expression = write_endless(plan, local, dialect)
    if expression is None:
        raise NoFormulaError(f"{plan!r} has no formula in {dialect.module}")
    return [Branch(None, expression)]


def _curve(plan: Schedule, local: LocalStep, prelude: Prelude) -> Expression:
    if not plan.duration:
        return to_expression(0.0)  # never served
    k = local.shift(isinstance(plan, Warmup)).expression(prelude.dialect)
    if has_gaps(plan):
        k = prelude.dialect.clamp(k, plan.duration - 1)
    return write_curve(plan, k, prelude.dialect.whole(plan.duration), prelude.dialect)  # type: ignore[arg-type]


def _hold(plan: Schedule, step: int) -> Branch:
    return Branch(None, to_expression(float(plan(step))))


def _sequence(plan: Sequence, local: LocalStep, prelude: Prelude) -> Iterator[Branch]:
    for start, part, end in zip(plan.starts, plan.parts, (*plan.starts[1:], None), strict=True):
        if start >= prelude.dialect.longest:
            return
        branches = write_branches(part, local.shift(-start), prelude)
        served = branches if end is None else take_until(branches, end - start)
        yield from (branch._replace(end=None if branch.end is None else branch.end + start) for branch in served)


def _map(
    plan: Schedule, local: LocalStep, prelude: Prelude, change: Callable[[Expression], Expression]
) -> list[Branch]:
    return [branch._replace(expression=change(branch.expression)) for branch in write_branches(plan, local, prelude)]


def _clip(plan: Clipped, value: Expression, prelude: Prelude) -> Expression:
    bounded = value if plan.minimum is None else prelude.dialect.larger(value, plan.minimum)
    return bounded if plan.maximum is None else prelude.dialect.smaller(bounded, plan.maximum)


def _divide(plan: Quotient, number: float, value: Expression) -> Expression:
    if value.value == 0:
        raise NoFormulaError(f"{plan!r} is infinite where the plan in it is 0")
    return number / value


def _pair(
    first: Schedule,
    second: Schedule,
    local: LocalStep,
    prelude: Prelude,
    join: Callable[[Expression, Expression], Expression],
) -> Iterator[Branch]:
    left, right = write_branches(first, local, prelude), write_branches(second, local, prelude)
    ends = {branch.end for branch in (*left, *right)} - {None}
    for end in (*sorted(cast("set[int]", ends)), None):
        yield Branch(end, join(_before(left, end), _before(right, end)))


def _before(branches: list[Branch], end: int | None) -> Expression:
    """Return the expression that serves the step before `end`."""
    return next(
        branch.expression for branch in branches if branch.end is None or (end is not None and end <= branch.end)
    )


def _cut(plan: Cut, local: LocalStep, prelude: Prelude) -> Iterator[Branch]:
    branches = write_branches(plan.plan, local.shift(plan.start), prelude)
    later = [branch._replace(end=branch.end and branch.end - plan.start) for branch in branches]
    if plan.stop is None:
        return iter(later)
    length = plan.stop - plan.start
    return iter([*take_until(merge(later), length), _hold(plan, length)])


def _reverse(plan: Reversed, local: LocalStep, prelude: Prelude) -> Iterator[Branch]:
    branches = list(take_until(write_branches(plan.plan, local.mirror(plan.steps - 1), prelude), plan.steps))
    begins = [0, *(cast(int, branch.end) for branch in branches[:-1])]
    for begin, branch in reversed(list(zip(begins, branches, strict=True))):
        yield branch._replace(end=plan.steps - begin)
    yield _hold(plan, plan.steps)


def _levels(plan: Multistep) -> Iterator[Branch]:
    for milestone in plan.milestones:
        if milestone:
            yield Branch(milestone, to_expression(float(plan(milestone - 1))))
    yield _hold(plan, max(plan.milestones, default=0))


def _evenly(plan: Repeated, local: LocalStep, prelude: Prelude) -> Iterator[Branch]:
    length, dialect = cast(int, plan.plan.duration), prelude.dialect
    if length >= dialect.longest:
        yield from write_branches(plan.plan, local, prelude)
        return
    value = _cycle(plan.plan, local.within_cycles(dialect, length), length, prelude)
    if plan.shrink != 1.0:
        value = to_expression(plan.shrink) ** local.cycle_index(dialect, length) * value
    yield Branch(plan.duration, value)
    if plan.duration is not None:
        yield _hold(plan, plan.duration)


def _cycle(plan: Schedule, local: LocalStep, length: int, prelude: Prelude) -> Expression:
    """Write one cycle as an expression; where it has several branches, as a function of its own."""
    inside = merge(take_until(write_branches(plan, local, prelude), length))
    if len(inside) == 1:
        return inside[0].expression
    step = Expression("step")
    branches = merge(take_until(write_branches(plan, LocalStep(step), prelude), length))
    return prelude.add_function("cycle", branches, local.expression(prelude.dialect), repr(plan))


def _grow(plan: Repeated, local: LocalStep, prelude: Prelude) -> Iterator[Branch]:
    starts = _starts(plan, prelude.dialect.longest)
    cycle = plan.plan
    if isinstance(cycle, Curve) and len(starts) > 8 and not has_gaps(cycle):
        yield Branch(plan.duration, prelude.add_restarts(plan, cycle, starts, local.expression(prelude.dialect)))
    elif len(starts) > MAX_CYCLES:
        raise NoFormulaError(f"{plan!r} has {len(starts)} cycles")
    else:
        yield from _unroll(plan, starts, local, prelude)
    if plan.duration is not None:
        yield _hold(plan, plan.duration)


def _starts(plan: Repeated, longest: int) -> list[int]:
    """Return where the cycles begin, and where the last one ends."""
    starts, last = [0], min(longest, MAX_STEPS)
    while starts[-1] < last and len(starts) - 1 != plan.times:
        starts.append(starts[-1] + plan._cycle(len(starts) - 1))
    return starts


def _unroll(plan: Repeated, starts: list[int], local: LocalStep, prelude: Prelude) -> Iterator[Branch]:
    for i, (begin, end) in enumerate(pairwise(starts)):
        cycle = Scaled(SCALAR.power(plan.shrink, i), plan.plan._stretch(end - begin))
        branches = take_until(write_branches(cycle, local.shift(-begin), prelude), end - begin)
        yield from (branch._replace(end=cast(int, branch.end) + begin) for branch in branches)
    if plan.duration is None:
        yield Branch(None, to_expression(0.0))  # never reached
