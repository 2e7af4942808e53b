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

from .clock import Clock
from .dialect import CannotWriteError, Dialect
from .expression import Expression, tidy, written

WITH_AN_END = (Curve, CosineWaves)


def has_gaps(curve: Schedule) -> bool:
    """Whether its formula has no value at some step outside of it: before its first (a root), or past its end (rex)."""
    if isinstance(curve, (OneMinusSqrt, Rex)):
        return True
    return isinstance(curve, (Polynomial, Cosine)) and curve.k != 1.0


def curve(leaf: Curve | CosineWaves, k: Expression, n: Expression, dialect: Dialect) -> Expression:
    """A leaf with an end at step `k` of its `n`, a warmup at the one after it."""
    p = k / n
    if isinstance(leaf, CosineWaves):
        return 0.5 * (1 + dialect.call("cos", tidy(2 * leaf.waves) * dialect.pi * p))
    if isinstance(leaf, Geometric):
        return leaf.start * written(tidy(leaf.to / leaf.start)) ** p
    if isinstance(leaf, InverseLinear):
        return 1 / ((1 - p) * tidy(1 / leaf.start) + p * tidy(1 / leaf.to))
    if leaf.to > leaf.start:
        return written(leaf.start) + tidy(leaf.to - leaf.start) * _rise(leaf, p, dialect)
    if leaf.to == 0.0 or not isinstance(leaf, (Linear, Warmup)):
        return written(leaf.to) + tidy(leaf.start - leaf.to) * _fall(leaf, p, dialect)
    return written(leaf.start) - tidy(leaf.start - leaf.to) * p


def _rise(leaf: Curve, p: Expression, dialect: Dialect) -> Expression:
    if isinstance(leaf, (Linear, Warmup)):
        return p
    if isinstance(leaf, Cosine) and leaf.power == 1.0:
        return 0.5 * (1 - dialect.call("cos", dialect.pi * _warped(p, leaf.k)))
    if isinstance(leaf, OneMinusSqrt):
        return dialect.call("sqrt", p)
    return 1 - _fall(leaf, p, dialect)


def _fall(leaf: Curve, p: Expression, dialect: Dialect) -> Expression:
    """1 at p = 0, 0 at p = 1."""
    match leaf:
        case Linear() | Warmup():
            return 1 - p
        case Cosine(power=1.0, k=k):
            return 0.5 * (1 + dialect.call("cos", dialect.pi * _warped(p, k)))
        case Cosine(power=power, k=k):  # the same to a power, without 1 + cos, whose rounding a root would enlarge
            return _power(dialect.call("cos", dialect.pi / 2 * _warped(p, k)), tidy(2 * power), dialect)
        case Polynomial(power=power, k=k):
            return _power(1 - _warped(p, k), power, dialect)
        case OneMinusSqrt():
            return 1 - dialect.call("sqrt", p)
        case NormalizedExponential(ratio=ratio) if ratio > 0.9:  # the form below would cancel
            return tidy(ratio / (1 - ratio)) * dialect.call("expm1", tidy(-math.log(ratio)) * (1 - p))
        case NormalizedExponential(ratio=ratio):
            return (written(ratio) ** p - ratio) / tidy(1 - ratio)
        case Rex():
            return (1 - p) / (1 - p / 2)
        case Tanh(lower=lower, upper=upper):
            return 0.5 * (1 - dialect.call("tanh", written(lower) + tidy(upper - lower) * p))
    raise CannotWriteError(f"{leaf!r} has no formula here")


def _power(left: Expression, power: float, dialect: Dialect) -> Expression:
    """What is left to a power. A compiler rounds it a little below 0 at the end, where a root is no number."""
    if dialect.branches or power.is_integer():
        return left**power
    return dialect.larger(left, 0.0) ** power


def _warped(p: Expression, k: float) -> Expression:
    return p if k == 1.0 else p**k


def endless(leaf: Schedule, clock: Clock, dialect: Dialect) -> Expression | None:
    """A leaf without an end; None for what is none of these."""
    k = clock.written(dialect)
    match leaf:
        case Exponential(every=every, factor=factor):
            return written(factor) ** (k / dialect.whole(every))
        case Step(every=every, factor=factor):
            return written(factor) ** clock.cycle(dialect, every)
        case InverseTime(every=every, rate=rate):
            return 1 / (1 + rate * k / dialect.whole(every))
        case InversePower(timescale=scale, power=power):
            ratio = dialect.whole(scale) / clock.later(scale).written(dialect)
            return dialect.call("sqrt", ratio) if power == 0.5 else ratio**power
    return None
