"""The formula of every leaf, as a reader expects to see it."""

import math

from glidepath.core.curves import (
    Cosine,
    CosineWaves,
    Curve,
    Geometric,
    InverseLinear,
    Linear,
    NormalizedExponential,
    OneMinusSqrt,
    Polynomial,
    Rex,
    Tanh,
    Warmup,
)
from glidepath.core.endless import Exponential, InversePower, InverseTime, Step
from glidepath.core.schedule import Schedule
from glidepath.errors import NoFormulaError

from .dialect import Dialect
from .expression import Expression, tidy, to_expression
from .local_step import LocalStep

WITH_AN_END = (Curve, CosineWaves)


def has_gaps(write_curve: Schedule) -> bool:
    """Return whether its formula has no value at some step outside: before its first (a root), past its end (rex)."""
    if isinstance(write_curve, (OneMinusSqrt, Rex)):
        return True
    return isinstance(write_curve, (Polynomial, Cosine)) and write_curve.k != 1.0


def write_curve(leaf: Curve | CosineWaves, k: Expression, n: Expression, dialect: Dialect) -> Expression:
    """Write a leaf with an end at step `k` of its `n`, a warmup at the one after it."""
    p = k / n
    if isinstance(leaf, CosineWaves):
        return 0.5 * (1 + dialect.call("cos", tidy(2 * leaf.waves) * dialect.pi * p))
    if isinstance(leaf, Geometric):
        return leaf.start * to_expression(tidy(leaf.to / leaf.start)) ** p
    if isinstance(leaf, InverseLinear):
        return 1 / ((1 - p) * tidy(1 / leaf.start) + p * tidy(1 / leaf.to))
    if leaf.to > leaf.start:
        return to_expression(leaf.start) + tidy(leaf.to - leaf.start) * _rise(leaf, p, dialect)
    if leaf.to == 0.0 or not isinstance(leaf, (Linear, Warmup)):
        return to_expression(leaf.to) + tidy(leaf.start - leaf.to) * _fall(leaf, p, dialect)
    return to_expression(leaf.start) - tidy(leaf.start - leaf.to) * p


def _rise(leaf: Curve, p: Expression, dialect: Dialect) -> Expression:
    if isinstance(leaf, (Linear, Warmup)):
        return p
    if isinstance(leaf, Cosine) and leaf.power == 1.0:
        return 0.5 * (1 - dialect.call("cos", dialect.pi * _warp(p, leaf.k)))
    if isinstance(leaf, OneMinusSqrt):
        return dialect.call("sqrt", p)
    return 1 - _fall(leaf, p, dialect)


def _fall(leaf: Curve, p: Expression, dialect: Dialect) -> Expression:
    """Write a fall from 1 at p = 0 to 0 at p = 1."""
    match leaf:
        case Linear() | Warmup():
            return 1 - p
        case Cosine(power=1.0, k=k):
            return 0.5 * (1 + dialect.call("cos", dialect.pi * _warp(p, k)))
        case Cosine(power=power, k=k):  # the same to a power, without 1 + cos, whose rounding a root would enlarge
            return _power(dialect.call("cos", dialect.pi / 2 * _warp(p, k)), tidy(2 * power), dialect)
        case Polynomial(power=power, k=k):
            return _power(1 - _warp(p, k), power, dialect)
        case OneMinusSqrt():
            return 1 - dialect.call("sqrt", p)
        case NormalizedExponential(ratio=ratio) if ratio > 0.9:  # the form below would cancel
            return tidy(ratio / (1 - ratio)) * dialect.call("expm1", tidy(-math.log(ratio)) * (1 - p))
        case NormalizedExponential(ratio=ratio):
            return (to_expression(ratio) ** p - ratio) / tidy(1 - ratio)
        case Rex():
            return (1 - p) / (1 - p / 2)
        case Tanh(lower=lower, upper=upper):
            return 0.5 * (1 - dialect.call("tanh", to_expression(lower) + tidy(upper - lower) * p))
    raise NoFormulaError(f"{leaf!r} has no formula here")


def _power(left: Expression, power: float, dialect: Dialect) -> Expression:
    """Write `left` to a power. A compiler rounds it a little below 0 at the end, where a root is NaN."""
    if dialect.uses_if or power.is_integer():
        return left**power
    return dialect.larger(left, 0.0) ** power


def _warp(p: Expression, k: float) -> Expression:
    return p if k == 1.0 else p**k


def write_endless(leaf: Schedule, local: LocalStep, dialect: Dialect) -> Expression | None:
    """Write a leaf without an end; None for any other."""
    k = local.expression(dialect)
    match leaf:
        case Exponential(every=every, factor=factor):
            return to_expression(factor) ** (k / dialect.whole(every))
        case Step(every=every, factor=factor):
            return to_expression(factor) ** local.cycle_index(dialect, every)
        case InverseTime(every=every, rate=rate):
            return 1 / (1 + rate * k / dialect.whole(every))
        case InversePower(timescale=scale, power=power):
            ratio = dialect.whole(scale) / local.shift(scale).expression(dialect)
            return dialect.call("sqrt", ratio) if power == 0.5 else ratio**power
    return None
