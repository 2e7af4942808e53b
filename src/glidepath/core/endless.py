"""Leaves without an end, written in absolute steps: they never hold, until they are cut.

`constant` is among them because it has an end only if it is given one.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

from glidepath.errors import ScheduleError

from .checks import as_tuple, count, is_number, real
from .curves import HALF_PI, Leaf
from .namespace import SCALAR


@final
@dataclass(frozen=True, repr=False)
class Constant(Leaf):
    """1"""

    name: ClassVar[str] = "constant"
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.steps is not None:
            self._set(steps=count(self.steps, "the length of constant"))

    @property
    def duration(self) -> int | None:
        return self.steps

    def _at(self, xp: Any, k: Any) -> Any:
        return xp.full(k, 1.0)

    def _fill(self, steps: int) -> Self | None:
        return type(self)(steps) if self.steps is None else None

    def _stretch(self, steps: int) -> Self:
        return type(self)(steps)


class _Endless(Leaf):
    """A leaf with keyword parameters only, and no end."""

    positional: ClassVar[int] = 0

    @property
    def duration(self) -> None:
        return None


@final
@dataclass(frozen=True, repr=False)
class Exponential(_Endless):
    """factor^(k / every)"""

    name: ClassVar[str] = "exponential"
    every: int
    factor: float

    def __post_init__(self) -> None:
        self._set(every=count(self.every, "every", at_least=1), factor=real(self.factor, "factor", above=0))

    def _at(self, xp: Any, k: Any) -> Any:
        return xp.power(self.factor, k / self.every)


@final
@dataclass(frozen=True, repr=False)
class Step(_Endless):
    """factor^floor(k / every)"""

    name: ClassVar[str] = "step"
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        self._set(every=count(self.every, "every", at_least=1), factor=real(self.factor, "factor", at_least=0))

    def _at(self, xp: Any, k: Any) -> Any:
        return xp.power(self.factor, k // self.every)


@final
@dataclass(frozen=True, repr=False)
class Multistep(_Endless):
    """The product of the factors of all milestones m <= k."""

    name: ClassVar[str] = "multistep"
    positional: ClassVar[int] = 1
    milestones: tuple[int, ...]
    factor: float | tuple[float, ...] = 0.1

    def __post_init__(self) -> None:
        milestones = tuple(count(m, "a milestone") for m in as_tuple(self.milestones, "milestones"))
        if list(milestones) != sorted(milestones):
            raise ScheduleError(f"milestones must ascend, not {list(milestones)}")
        self._set(milestones=milestones, factor=self._factors(self.factor, len(milestones)))
        self.__dict__["_values"] = self._products()

    @staticmethod
    def _factors(factor: Any, milestones: int) -> float | tuple[float, ...]:
        if is_number(factor):
            return real(factor, "factor", at_least=0)
        factors = tuple(real(f, "a factor", at_least=0) for f in as_tuple(factor, "factor"))
        if len(factors) != milestones:
            raise ScheduleError(
                f"{milestones} milestones need {milestones} factors, or one for all, not {len(factors)}"
            )
        return factors

    def _products(self) -> tuple[float, ...]:
        """Compute the value after each number of milestones, each rounded once."""
        if isinstance(self.factor, float):
            return tuple(SCALAR.power(self.factor, i) for i in range(len(self.milestones) + 1))
        return tuple(_products(self.factor))

    def _at(self, xp: Any, k: Any) -> Any:
        return xp.take(self.__dict__["_values"], xp.rank(k, self.milestones))


@final
@dataclass(frozen=True, repr=False)
class InverseTime(_Endless):
    """1 / (1 + rate * k / every)"""

    name: ClassVar[str] = "inverse_time"
    every: int
    rate: float = 1.0

    def __post_init__(self) -> None:
        self._set(every=count(self.every, "every", at_least=1), rate=real(self.rate, "rate", at_least=0))

    def _at(self, xp: Any, k: Any) -> Any:
        return 1.0 / (1.0 + self.rate * (k / self.every))


@final
@dataclass(frozen=True, repr=False)
class InversePower(_Endless):
    """(1 + k / timescale)^-power, as (timescale / (timescale + k))^power"""

    name: ClassVar[str] = "inverse_power"
    timescale: int
    power: float = 0.5

    def __post_init__(self) -> None:
        self._set(timescale=count(self.timescale, "timescale", at_least=1), power=real(self.power, "power", above=0))

    def _at(self, xp: Any, k: Any) -> Any:
        ratio = self.timescale / (self.timescale + k)
        return xp.sqrt(ratio) if self.power == 0.5 else ratio**self.power


@final
@dataclass(frozen=True, repr=False)
class Table(Leaf):
    """values[k], holding the last one."""

    name: ClassVar[str] = "table"
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        values = tuple(real(v, "a value of the table") for v in as_tuple(self.values, "the table"))
        if not values:
            raise ScheduleError("a table needs at least one value")
        self._set(values=values)

    @property
    def duration(self) -> int:
        return len(self.values)

    def _at(self, xp: Any, k: Any) -> Any:
        return xp.take(self.values, xp.clip(k, None, len(self.values) - 1))


@final
@dataclass(frozen=True, repr=False)
class Noise(_Endless):
    """An independent standard normal number for every step, drawn from (seed, step) alone.

    Two hashes of (seed, step) give u, v in (0, 1); the value is sqrt(-2 ln u) cos(2 pi v) (Box and Muller, 1958).
    """

    name: ClassVar[str] = "noise"
    seed: int = 0

    def __post_init__(self) -> None:
        self._set(seed=count(self.seed, "seed", at_most=_WORD))

    def _at(self, xp: Any, k: Any) -> Any:
        words = xp.words(k)
        if words is None:
            return xp.each(lambda step: self._draw(SCALAR, step), k)
        return self._draw(xp, words)

    def _draw(self, xp: Any, k: Any) -> Any:
        state = _mix(_mix(self.seed) + k)
        u, v = _unit(_mix(state + _GOLDEN)), _unit(_mix(state + (2 * _GOLDEN & _WORD)))
        quarter = abs(v - 0.5)  # cos(2 pi v) = -cos(2 pi quarter) = sin(2 pi (quarter - 1/4)), exact near its zero
        return xp.sqrt(-2.0 * xp.log(u)) * xp.sin(4.0 * HALF_PI * (quarter - 0.25))


_WORD = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15


def _mix(state: Any) -> Any:
    """Mix the bits of a word: the output function of SplitMix64 (Steele, Lea and Flood, 2014, OOPSLA)."""
    z = (state + _GOLDEN) & _WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WORD
    return z ^ (z >> 31)


def _unit(word: Any) -> Any:
    """Return the upper 52 bits of `word` as a number strictly between 0 and 1, exactly representable."""
    return ((word >> 12) + 0.5) / 2**52


def _products(factors: Iterable[float]) -> Iterator[float]:
    """Yield 1, and the product of the first 1, 2, 3, ... factors, computed to 256 bits."""
    digits, exponent = 1, 0  # the product is digits * 2**exponent
    yield 1.0
    for factor in factors:
        above, below = factor.as_integer_ratio()
        digits, exponent = digits * above, exponent - (below.bit_length() - 1)
        spare = max(0, digits.bit_length() - 256)
        digits, exponent = digits >> spare, exponent + spare
        try:
            yield math.ldexp(digits, exponent)
        except OverflowError:
            yield math.inf
