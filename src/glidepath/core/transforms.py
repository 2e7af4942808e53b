"""Transforms: a schedule clipped, reversed, held in stairs or repeated, and the larger of two.

Each is a function that a plan may name, and the piece that it builds. What an operator writes (`>>`, `*`, `+`,
`plan[a:b]`) is in `schedule.py`.
"""

import functools
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast, final

from glidepath.errors import ScheduleError

from .checks import MAX_STEPS, count, real, refuse_too_long
from .namespace import SCALAR
from .printing import Call
from .schedule import Mapped, Paired, Scaled, Schedule, Steps, draftable
from .step_function import needs_length, needs_schedule


@draftable
def clip(plan: Schedule, *, minimum: float | None = None, maximum: float | None = None) -> Schedule:
    """Keep `plan` between a floor and a ceiling: min(max(plan(k), minimum), maximum).

    Args:
        plan: any schedule.
        minimum: no value is lower; a fraction of the peak, unless the plan is absolute.
        maximum: no value is higher.

    Examples:
        >>> [clip(linear(4), minimum=0.4)(k) for k in range(5)]
        [1.0, 0.75, 0.5, 0.4, 0.4]
    """
    floor = None if minimum is None else real(minimum, "minimum")
    ceiling = None if maximum is None else real(maximum, "maximum")
    if floor is None and ceiling is None:
        raise ScheduleError("clip needs a floor, a ceiling or both: clip(plan, minimum=0.01)")
    if floor is not None and ceiling is not None and floor > ceiling:
        raise ScheduleError(f"clip needs minimum <= maximum, not minimum={floor!r} and maximum={ceiling!r}")
    return Clipped(needs_schedule(plan, "clip"), floor, ceiling)


@draftable
def maximum(first: Schedule, second: Schedule) -> Schedule:
    """Take the larger of two schedules, step by step.

    Examples:
        >>> [maximum(linear(4), 0.6 * constant())(k) for k in range(4)]
        [1.0, 0.75, 0.6, 0.6]
    """
    return Maximum(needs_schedule(first, "maximum"), needs_schedule(second, "maximum"))


@draftable
def reverse(plan: Schedule) -> Schedule:
    """Run `plan` backwards: update k uses plan(n - 1 - k), n its duration. Turns a decay into a warmup of its shape.

    Examples:
        >>> [reverse(linear(4))(k) for k in range(5)]
        [0.25, 0.5, 0.75, 1.0, 1.0]
    """
    return Reversed(plan, needs_length(plan, "reverse"))


@draftable
def staircase(plan: Schedule, *, every: Steps) -> Schedule:
    """Hold the value of every `every`-th step of `plan`: plan(every * floor(k / every)).

    Examples:
        >>> [staircase(linear(6), every=3)(k) for k in range(6)]
        [1.0, 1.0, 1.0, 0.5, 0.5, 0.5]
    """
    return Staircase(needs_schedule(plan, "staircase"), count(every, "every", at_least=1))


@draftable
def repeat(plan: Schedule, *, times: int | None = None, growth: float = 1.0, shrink: float = 1.0) -> Schedule:
    """Repeat `plan`: cycle i is `growth**i` times as long and `shrink**i` times as high.

    Cycle boundaries are whole steps: cycle i lasts round(n * growth**i) of them. The whole cycle shrinks, its floor
    too; for a floor that stays, write `0.1 + 0.9 * repeat(...)` or clip.

    Args:
        plan: a schedule with an end.
        times: cycles; None repeats for ever.
        growth: length of a cycle over the one before it: 1, or at least 1.01.
        shrink: height of a cycle over the one before it, above 0.

    Examples:
        >>> cycles = repeat(cosine(100), times=3, growth=2)
        >>> cycles.duration, [cycles(k) for k in (0, 100, 300)]
        (700, [1.0, 1.0, 1.0])

    Sources:
        Loshchilov and Hutter, 2017, SGDR, section 3 (T_0 and T_mult), https://arxiv.org/abs/1608.03983.
    """
    needs_length(plan, "repeat")
    cycles = None if times is None else count(times, "times", at_least=1)
    return Repeated(plan, cycles, real(growth, "growth", at_least=1), real(shrink, "shrink", above=0))


SLOWEST_GROWTH = 1.01  # so that no more than 4,000 cycles reach 2**53 steps


# --- the pieces ---


@final
@dataclass(frozen=True, repr=False)
class Clipped(Mapped):
    """min(max(plan(k), minimum), maximum)"""

    plan: Schedule
    minimum: float | None = None
    maximum: float | None = None

    def _at(self, xp: Any, k: Any) -> Any:
        return xp.clip(self.plan._at(xp, k), self.minimum, self.maximum)

    def _map(self, plan: Schedule) -> Schedule:
        return Clipped(plan, self.minimum, self.maximum)

    def _call(self) -> Call:
        return Call("clip", (self.plan,), {"minimum": self.minimum, "maximum": self.maximum})


@final
@dataclass(frozen=True, repr=False)
class Maximum(Paired):
    """max(first(k), second(k))"""

    name: ClassVar[str] = "maximum"

    def _at(self, xp: Any, k: Any) -> Any:
        return xp.larger(self.first._at(xp, k), self.second._at(xp, k))


@final
@dataclass(frozen=True, repr=False)
class Reversed(Schedule):
    """plan(n - 1 - k), holding plan(0) from step n on."""

    plan: Schedule
    steps: int

    @property
    def duration(self) -> int:
        return self.steps

    def _at(self, xp: Any, k: Any) -> Any:
        last = max(0, self.steps - 1)
        return self.plan._at(xp, last - xp.clip(k, None, last))

    def _stretch(self, steps: int) -> Schedule:
        return Reversed(self.plan._stretch(steps), steps)

    def _call(self) -> Call:
        return Call("reverse", (self.plan,))


@final
@dataclass(frozen=True, repr=False)
class Staircase(Schedule):
    """plan(every * floor(k / every))"""

    plan: Schedule
    every: int

    @property
    def duration(self) -> int | None:
        length = self.plan.duration
        return None if length is None else -(-length // self.every) * self.every

    def _at(self, xp: Any, k: Any) -> Any:
        return self.plan._at(xp, k - k % self.every)

    def _call(self) -> Call:
        return Call("staircase", (self.plan,), {"every": self.every})


@final
@dataclass(frozen=True, repr=False)
class Repeated(Schedule):
    """shrink**i * plan stretched to round(n * growth**i) steps, in cycle i."""

    plan: Schedule
    times: int | None = None
    growth: float = 1.0
    shrink: float = 1.0

    def __post_init__(self) -> None:
        if self.growth != 1.0:
            if self.growth < SLOWEST_GROWTH:
                raise ScheduleError(f"growth is 1, or at least {SLOWEST_GROWTH}, not {self.growth!r}")
            self.plan._stretch(2 * self._cycle(0))  # fail when built
        refuse_too_long(self.duration or 0)

    @property
    def duration(self) -> int | None:
        if self.times is None:
            return None
        if self.growth == 1.0:
            return self.times * self._cycle(0)
        starts = self._starts_until(MAX_STEPS)
        return starts[-1] + self._cycle(len(starts) - 1)

    def _cycle(self, i: int) -> int:
        length = cast(int, self.plan.duration) * SCALAR.power(self.growth, i)
        return round(min(length, MAX_STEPS))

    def _at(self, xp: Any, k: Any) -> Any:
        return self._repeat_evenly(xp, k) if self.growth == 1.0 else self._grow(xp, k)

    def block(self, start: int, stop: int) -> list[float]:
        if (self.times, self.growth, self.shrink) != (None, 1.0, 1.0):
            return super().block(start, stop)
        length = cast(int, self.plan.duration)
        values: list[float] = []
        while start < stop:
            first = start // length * length
            end = min(stop, first + length)
            values += self.plan.block(start - first, end - first)
            start = end
        return values

    def _repeat_evenly(self, xp: Any, k: Any) -> Any:
        length = cast(int, self.plan.duration)
        i = k // length if self.times is None else xp.clip(k // length, None, self.times - 1)
        value = self.plan._at(xp, k - i * length)
        return value if self.shrink == 1.0 else xp.power(self.shrink, i) * value

    def _grow(self, xp: Any, k: Any) -> Any:
        last = xp.last(k)
        starts, cycles = self._starts_until(last), self._cycles
        cycles += [functools.partial(self._in_cycle, i) for i in range(len(cycles), len(starts))]
        reached = bisect_right(starts, last)
        return xp.piecewise(k, starts[:reached], cycles[:reached])

    @functools.cached_property
    def _starts(self) -> list[int]:
        return [0]  # as far as they were needed

    @functools.cached_property
    def _cycles(self) -> list[Callable[[Any, Any], Any]]:
        return []

    @functools.cached_property
    def _stretched_cycles(self) -> dict[tuple[int, int], Schedule]:
        return {}  # the cycles that were needed, by number and length

    def _starts_until(self, step: int) -> list[int]:
        starts = self._starts
        while starts[-1] <= step and len(starts) != self.times:
            starts.append(starts[-1] + self._cycle(len(starts) - 1))
        return starts

    def _in_cycle(self, i: int, xp: Any, k: Any) -> Any:
        length = min(self._cycle(i), xp.longest(k))  # of the last cycle that 32 bits count, the shape is near enough
        if (i, length) not in self._stretched_cycles:
            self._stretched_cycles[i, length] = Scaled(SCALAR.power(self.shrink, i), self.plan._stretch(length))
        return self._stretched_cycles[i, length]._at(xp, k - self._starts[i])

    def __getstate__(self) -> Mapping[str, Any]:
        return {name: getattr(self, name) for name in ("plan", "times", "growth", "shrink")}

    def _call(self) -> Call:
        keywords = {"times": self.times, "growth": self.growth, "shrink": self.shrink}
        defaults = {"times": None, "growth": 1.0, "shrink": 1.0}
        return Call("repeat", (self.plan,), {k: v for k, v in keywords.items() if v != defaults[k]})
