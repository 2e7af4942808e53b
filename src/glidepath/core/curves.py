"""Leaves with an end: from `start` to `to` in `steps` steps, then holding `to`.

Let n = steps, p = k / n the share that has passed and q = (n - k) / n the share that is left. Most curves are

    value(k) = start * fall(k) + to * rise(k),    fall + rise = 1,

with `fall` and `rise` written apart, each in the form that does not cancel near its own zero, so that both a decay
to zero and a rise from zero keep 2e-15 relative accuracy. Update 0 uses `start`; `to` would be update n, so the
last of a decay to zero does not run at zero.
"""

import itertools
import math
from abc import ABC, abstractmethod
from dataclasses import MISSING, dataclass, fields, replace
from itertools import islice
from typing import Any, ClassVar, Self, final

from glidepath.errors import ScheduleError

from .checks import count, real
from .namespace import SCALAR
from .printing import Call
from .schedule import Schedule

HALF_PI = math.pi / 2


class Leaf(Schedule, ABC):
    """A schedule without others inside; prints as its recipe, defaults left out."""

    name: ClassVar[str]
    positional: ClassVar[int] = 1

    def _call(self) -> Call:
        parameters = [(f.name, getattr(self, f.name), f.default) for f in fields(self)]  # type: ignore[arg-type]
        first = tuple(value for _, value, default in parameters[: self.positional] if value != default)
        rest = {
            name: value
            for name, value, default in parameters[self.positional :]
            if default is MISSING or value != default
        }
        return Call(self.name, first, rest)

    def _set(self, **values: Any) -> None:
        """Store normalized field values; only for `__post_init__`."""
        for name, value in values.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True, repr=False)
class Curve(Leaf, ABC):
    """From `start` to `to` in `steps` steps, then `to`."""

    steps: int
    to: float = 0.0
    start: float = 1.0

    def __post_init__(self) -> None:
        self._set(
            steps=count(self.steps, f"the length of {self.name}"),
            to=real(self.to, "to"),
            start=real(self.start, "start"),
        )

    @property
    def duration(self) -> int:
        return self.steps

    def _at(self, xp: Any, k: Any) -> Any:
        return xp.until(k, self.steps, self._inside, self.to)

    def block(self, start: int, stop: int) -> list[float]:
        end = min(stop, self.steps)
        return self._values(range(start, end)) + [self.to] * (stop - max(start, end))

    def _values(self, steps: range) -> list[float]:
        """Compute `_inside` at each of the steps."""
        return [self._inside(SCALAR, k) for k in steps]

    @abstractmethod
    def _inside(self, xp: Any, k: Any) -> Any:
        """Compute the value at step(s) `k` before the end."""

    def _stretch(self, steps: int) -> Self:
        return replace(self, steps=steps)


@dataclass(frozen=True, repr=False)
class WeightedCurve(Curve, ABC):
    """start * fall(k) + to * rise(k) for k < steps, then `to`."""

    def _values(self, steps: range) -> list[float]:
        """Compute `_inside` at each of the steps, with one call less for each: a scheduler asks at every update."""
        start, to, fall, rise = self.start, self.to, self._fall, self._rise
        if to == 0.0:
            return [start * fall(SCALAR, k) for k in steps]
        if start == 0.0:
            return [to * rise(SCALAR, k) for k in steps]
        return [start * fall(SCALAR, k) + to * rise(SCALAR, k) for k in steps]

    def _inside(self, xp: Any, k: Any) -> Any:
        if self.to == 0.0:
            return self.start * self._fall(xp, k)
        if self.start == 0.0:
            return self.to * self._rise(xp, k)
        return self.start * self._fall(xp, k) + self.to * self._rise(xp, k)

    @abstractmethod
    def _fall(self, xp: Any, k: Any) -> Any:
        """Compute the weight of `start`: 1 at step 0, 0 at step n."""

    @abstractmethod
    def _rise(self, xp: Any, k: Any) -> Any:
        """Compute the weight of `to`: 1 - fall(k)."""


@final
@dataclass(frozen=True, repr=False)
class Linear(WeightedCurve):
    """fall = q"""

    name: ClassVar[str] = "linear"

    def _values(self, steps: range) -> list[float]:
        """Compute `_inside` at each of the steps, without a call for each."""
        n, start, to = float(self.steps), self.start, self.to
        falls = [start * (k / n) for k in islice(itertools.count(n - steps.start, -1.0), len(steps))] if start else []
        rises = [to * (k / n) for k in islice(itertools.count(float(steps.start)), len(steps))] if to else []
        if falls and rises:
            return [fall + rise for fall, rise in zip(falls, rises, strict=True)]
        return falls or rises or super()._values(steps)

    def _fall(self, xp: Any, k: Any) -> Any:
        return (self.steps - k) / self.steps

    def _rise(self, xp: Any, k: Any) -> Any:
        return k / self.steps


@final
@dataclass(frozen=True, repr=False)
class Warmup(WeightedCurve):
    """rise = (k + 1) / n: update 0 already moves, and update n - 1 is the first at the peak."""

    name: ClassVar[str] = "warmup"
    to: float = 1.0
    start: float = 0.0

    def _fall(self, xp: Any, k: Any) -> Any:
        return (self.steps - (k + 1)) / self.steps

    def _rise(self, xp: Any, k: Any) -> Any:
        return (k + 1) / self.steps


@dataclass(frozen=True, repr=False)
class _WarpedCurve(WeightedCurve, ABC):
    """A curve over p^k, its fall to a power."""

    power: float = 1.0
    k: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set(power=real(self.power, "power", above=0), k=real(self.k, "k", above=0))


@final
@dataclass(frozen=True, repr=False)
class Cosine(_WarpedCurve):
    """fall = sin^2(pi/2 * (1 - p^k))^power: (1 + cos(pi p)) / 2 for k = power = 1, without its cancellation."""

    name: ClassVar[str] = "cosine"

    def _values(self, steps: range) -> list[float]:
        """Compute `_inside` at each of the steps, the usual cosine without a call for each."""
        if self.k != 1.0 or self.power != 1.0:
            return super()._values(steps)
        n, start, to, sin = float(self.steps), self.start, self.to, math.sin
        left = islice(itertools.count(n - steps.start, -1.0), len(steps))  # as floats: their ratio is the same bits
        past = islice(itertools.count(float(steps.start)), len(steps))
        falls = [start * (half * half) for k in left for half in (sin(HALF_PI * (k / n)),)] if start else []
        rises = [to * (half * half) for k in past for half in (sin(HALF_PI * (k / n)),)] if to else []
        if falls and rises:
            return [fall + rise for fall, rise in zip(falls, rises, strict=True)]
        return falls or rises or super()._values(steps)

    def _fall(self, xp: Any, k: Any) -> Any:
        half = xp.sin(HALF_PI * _power_of_rest(xp, k, self.steps, self.k))
        return half * half if self.power == 1.0 else (half * half) ** self.power

    def _rise(self, xp: Any, k: Any) -> Any:
        if self.power == 1.0:
            half = xp.sin(HALF_PI * _power_of_share(k, self.steps, self.k))
            return half * half
        return xp.piecewise(k, (0, _half_way(self.steps, self.k)), (self._rise_early, self._rise_late))

    def _rise_early(self, xp: Any, k: Any) -> Any:
        half = xp.sin(HALF_PI * _power_of_share(k, self.steps, self.k))
        return -xp.expm1(self.power * xp.log1p(-half * half))

    def _rise_late(self, xp: Any, k: Any) -> Any:
        return -xp.expm1(2.0 * self.power * xp.log(xp.sin(HALF_PI * _power_of_rest(xp, k, self.steps, self.k))))


@final
@dataclass(frozen=True, repr=False)
class Polynomial(_WarpedCurve):
    """fall = (1 - p^k)^power"""

    name: ClassVar[str] = "polynomial"
    power: float = 2.0

    def _fall(self, xp: Any, k: Any) -> Any:
        left = _power_of_rest(xp, k, self.steps, self.k)
        return left if self.power == 1.0 else left**self.power

    def _rise(self, xp: Any, k: Any) -> Any:
        if self.power == 1.0:
            return _power_of_share(k, self.steps, self.k)
        return xp.piecewise(k, (0, _half_way(self.steps, self.k)), (self._rise_early, self._rise_late))

    def _rise_early(self, xp: Any, k: Any) -> Any:
        return -xp.expm1(self.power * xp.log1p(-_power_of_share(k, self.steps, self.k)))

    def _rise_late(self, xp: Any, k: Any) -> Any:
        return -xp.expm1(self.power * xp.log(_power_of_rest(xp, k, self.steps, self.k)))


@final
@dataclass(frozen=True, repr=False)
class OneMinusSqrt(WeightedCurve):
    """fall = 1 - sqrt(p) = q / (1 + sqrt(p))"""

    name: ClassVar[str] = "one_minus_sqrt"

    def _fall(self, xp: Any, k: Any) -> Any:
        return (self.steps - k) / self.steps / (1.0 + self._rise(xp, k))

    def _rise(self, xp: Any, k: Any) -> Any:
        return xp.sqrt(k / self.steps)


@final
@dataclass(frozen=True, repr=False)
class NormalizedExponential(WeightedCurve):
    """fall = (ratio^p - ratio) / (1 - ratio); where that cancels, ratio * expm1(-q ln ratio) / (1 - ratio)"""

    name: ClassVar[str] = "normalized_exponential"
    ratio: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set(ratio=real(self.ratio, "ratio", above=0))
        if self.ratio >= 1:
            raise ScheduleError(f"ratio must be below 1, not {self.ratio!r}")

    def _fall(self, xp: Any, k: Any) -> Any:
        near_the_end = int(self.steps * max(0.0, 1.0 - math.log(2.0) / -math.log(self.ratio)))
        return xp.piecewise(k, (0, near_the_end), (self._fall_early, self._fall_late))

    def _fall_early(self, xp: Any, k: Any) -> Any:
        return (xp.power(self.ratio, k / self.steps) - self.ratio) / (1.0 - self.ratio)

    def _fall_late(self, xp: Any, k: Any) -> Any:
        left = (self.steps - k) / self.steps
        return self.ratio * xp.expm1(-math.log(self.ratio) * left) / (1.0 - self.ratio)

    def _rise(self, xp: Any, k: Any) -> Any:
        return -xp.expm1(math.log(self.ratio) * (k / self.steps)) / (1.0 - self.ratio)


@final
@dataclass(frozen=True, repr=False)
class Rex(WeightedCurve):
    """fall = q / (1/2 + q/2); rise = p / (1 + q)"""

    name: ClassVar[str] = "rex"

    def _fall(self, xp: Any, k: Any) -> Any:
        left = (self.steps - k) / self.steps
        return 2.0 * left / (1.0 + left)

    def _rise(self, xp: Any, k: Any) -> Any:
        return k / self.steps / (1.0 + (self.steps - k) / self.steps)


@final
@dataclass(frozen=True, repr=False)
class Tanh(WeightedCurve):
    """fall = (1 - tanh x) / 2 = 1 / (1 + e^2x), x = lower * q + upper * p"""

    name: ClassVar[str] = "tanh"
    lower: float = -7.0
    upper: float = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set(
            lower=real(self.lower, "lower", at_least=-300, at_most=300),
            upper=real(self.upper, "upper", at_least=-300, at_most=300),
        )

    def _fall(self, xp: Any, k: Any) -> Any:
        return 1.0 / (1.0 + xp.exp(2.0 * self._x(k)))

    def _rise(self, xp: Any, k: Any) -> Any:
        return 1.0 / (1.0 + xp.exp(-2.0 * self._x(k)))

    def _x(self, k: Any) -> Any:
        return (self.lower * (self.steps - k) + self.upper * k) / self.steps


@dataclass(frozen=True, repr=False)
class _PositiveCurve(Curve, ABC):
    """A curve that multiplies its way from start to `to`, so neither may be zero."""

    to: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.to > 0 and self.start > 0 and not 0 < self.to / self.start < math.inf:
            raise ScheduleError(f"{self.name} cannot go from {self.start!r} to {self.to!r}: the ratio is not a float")
        if self.to <= 0 or self.start <= 0:
            raise ScheduleError(
                f"{self.name} never reaches zero: give ends above 0, not to={self.to!r}, start={self.start!r}"
            )


@final
@dataclass(frozen=True, repr=False)
class Geometric(_PositiveCurve):
    """start * (to / start)^p"""

    name: ClassVar[str] = "geometric"

    def _inside(self, xp: Any, k: Any) -> Any:
        return self.start * (self.to / self.start) ** (k / self.steps)


@final
@dataclass(frozen=True, repr=False)
class InverseLinear(_PositiveCurve):
    """1 / (q / start + p / to): the inverse of the rate is linear"""

    name: ClassVar[str] = "inverse_linear"

    def _inside(self, xp: Any, k: Any) -> Any:
        return 1.0 / ((self.steps - k) / self.steps / self.start + k / self.steps / self.to)


@final
@dataclass(frozen=True, repr=False)
class CosineWaves(Leaf):
    """cos^2(pi * waves * p) = sin^2(pi/2 * (n - 2m) / n), m = waves * k modulo n"""

    name: ClassVar[str] = "cosine_waves"
    steps: int
    waves: float = 1.5

    def __post_init__(self) -> None:
        self._set(steps=count(self.steps, "the length of cosine_waves"), waves=real(self.waves, "waves", above=0))

    @property
    def duration(self) -> int:
        return self.steps

    def _at(self, xp: Any, k: Any) -> Any:
        return xp.until(k, self.steps, self._inside, self._inside(SCALAR, self.steps) if self.steps else 1.0)

    def _inside(self, xp: Any, k: Any) -> Any:
        half = xp.sin(HALF_PI * ((self.steps - 2.0 * (self.waves * k % self.steps)) / self.steps))
        return half * half

    def _stretch(self, steps: int) -> Self:
        return replace(self, steps=steps)


@final
@dataclass(frozen=True, repr=False)
class Chebyshev(Leaf):
    """1 / (c + (1 - c) sin^2(theta / 2)), theta = pi (sigma(k) + 1/2) / n.

    sigma is the fractal permutation, c the curvature ratio.
    """

    name: ClassVar[str] = "chebyshev"
    steps: int
    curvature_ratio: float = 0.05

    def __post_init__(self) -> None:
        self._set(
            steps=count(self.steps, "the length of chebyshev", at_least=1),
            curvature_ratio=real(self.curvature_ratio, "curvature_ratio", above=0),
        )
        if self.steps & (self.steps - 1):
            raise ScheduleError(f"chebyshev permutes a power of two of steps (64, 128, ...), not {self.steps}")
        if self.curvature_ratio >= 1:
            raise ScheduleError(f"curvature_ratio must be below 1, not {self.curvature_ratio!r}")

    @property
    def duration(self) -> int:
        return self.steps

    def _at(self, xp: Any, k: Any) -> Any:
        k = xp.whole(xp.clip(k, None, self.steps - 1))
        # sigma_2T = [s_0, 2T-1-s_0, s_1, 2T-1-s_1, ...]: where a bit of k is set, the place is mirrored in what is left
        place, mirror = k * 0, self.steps - 1
        while mirror:
            place, k, mirror = place ^ (k & 1) * mirror, k >> 1, mirror >> 1
        half = xp.sin(HALF_PI * ((xp.full(k, 0.5) + place) / self.steps))
        return 1.0 / (self.curvature_ratio + (1.0 - self.curvature_ratio) * half * half)


def _half_way(steps: int, power: float) -> int:
    """Return the step at which p^power is about one half."""
    return int(steps * 0.5 ** (1 / power))


def _power_of_share(k: Any, steps: int, power: float) -> Any:
    """Return p^power."""
    return k / steps if power == 1.0 else (k / steps) ** power


def _power_of_rest(xp: Any, k: Any, steps: int, power: float) -> Any:
    """Return 1 - p^power, accurate near both ends."""
    if power == 1.0:
        return (steps - k) / steps

    def early(xp: Any, k: Any) -> Any:
        return -xp.expm1(power * xp.log(k / steps))

    def late(xp: Any, k: Any) -> Any:
        return -xp.expm1(power * xp.log1p(-((steps - k) / steps)))

    return xp.piecewise(k, (0, 1, max(1, steps // 2)), (lambda xp, k: xp.full(k, 1.0), early, late))
