"""A schedule maps a step to a value: the one abstraction, its operators, and the pieces they build.

A step is the index of an optimizer update, from 0, and `schedule(k)` is the value that update `k` uses. A schedule
is plain data: equal descriptions are equal, hash alike and print alike, and what `repr` prints is Python that
builds it again. Segments are half-open, `>>` is absolute (each piece has its own clock and its own start), and
past its end a schedule holds.

Operators and what they build share this file because each needs the other. The leaves are in `curves.py`,
`endless.py` and `formula.py`; the named recipes in `glidepath.recipes`.
"""

import functools
import inspect
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, ParamSpec, TypeVar, cast, final, get_args

from glidepath.errors import DraftError, HorizonError, ScheduleError, TextError

from .checks import MAX_STEPS, count, is_number, real
from .duration import Duration, read_duration
from .namespace import SCALAR, namespace_of
from .printing import Call, printed
from .syntax import MAX_LENGTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from glidepath.review import Review

    from .horizon import Horizon


class Schedule(ABC):
    """A pure function from step to value, described by plain data."""

    @property
    @abstractmethod
    def duration(self) -> int | None:
        """Steps until it holds; None if it has no end."""

    @abstractmethod
    def _at(self, xp: Any, k: Any) -> Any:
        """The value at step(s) `k`, which are already checked, over the namespace `xp`."""

    @abstractmethod
    def _call(self) -> Call:
        """The call that builds this schedule: a name and its arguments."""

    def __call__(self, step: Any) -> Any:
        """The value that update `step` uses: a float for an int, an array for an array of steps."""
        xp, k = namespace_of(step)
        return self._at(xp, k)

    def block(self, start: int, stop: int) -> list[float]:
        """The values of updates start..stop-1, the same bits as one call for each."""
        at = self._at
        return [at(SCALAR, k) for k in range(start, stop)]

    @property
    def text(self) -> str:
        """The one text form, which `glidepath.parse` reads back.

        Raises:
            TextError: if a Python callable is part of the plan, which has no text, or if the text is too long to read.
        """
        shown = printed(self._call())
        if len(shown.text) > MAX_LENGTH:
            raise TextError(
                f"the text of this plan has {len(shown.text)} characters; at most {MAX_LENGTH} are read back"
            )
        if not shown.has_text:
            raise TextError(f"{shown.text} has no text form: it calls a Python function, which only Python can name")
        return shown.text

    def _filled(self, steps: int) -> "Schedule | None":
        """This schedule with its open length set to `steps`; None if it is nothing that takes what is left."""
        return None

    def _stretched(self, steps: int) -> "Schedule":
        """The same shape over `steps` steps."""
        raise ScheduleError(f"{self!r} cannot be stretched to {steps} steps: repeat it without growth")

    def __repr__(self) -> str:
        return printed(self._call()).text

    def __rshift__(self, other: object) -> "Schedule":
        return sequence(self, other) if isinstance(other, Schedule) else NotImplemented

    def __mul__(self, other: object) -> "Schedule":
        if isinstance(other, Schedule):
            return product(self, other)
        return scale(cast(float, other), self) if is_number(other) else NotImplemented

    def __rmul__(self, other: object) -> "Schedule":
        return scale(cast(float, other), self) if is_number(other) else NotImplemented

    def __add__(self, other: object) -> "Schedule":
        if isinstance(other, Schedule):
            return total(self, other)
        return shift(cast(float, other), self) if is_number(other) else NotImplemented

    __radd__ = __add__

    def __getitem__(self, part: Any) -> "Schedule":
        if not isinstance(part, slice):
            raise ScheduleError(
                f"a schedule is a function, not a list: write plan({part!r}), or cut it, plan[:{part!r}]"
            )
        if part.step is not None:
            raise ScheduleError("a schedule is cut with plan[start:stop], without a stride")
        return cut(self, 0 if part.start is None else part.start, part.stop)

    __iter__ = None  # `list(plan)` would not end

    def over(self, horizon: "Horizon | int") -> "Schedule":
        """This plan with every border duration (5%, 3ep, 2Btok) resolved over a horizon.

        Args:
            horizon: the run's length in steps, or a `Horizon` that also knows epochs and tokens.

        Raises:
            HorizonError: if the plan does not fit, or the horizon lacks a unit that the plan uses.
        """
        from . import resolve

        return resolve.over(self, horizon)

    def review(self, horizon: "Horizon | int | None" = None) -> "Review":
        """Mistakes that can be seen before the run: see `glidepath.review`."""
        from glidepath import review

        return review.review(self, horizon)

    def plot(self, horizon: "Horizon | int | None" = None, **options: Any) -> "Figure":
        """A figure of this schedule: see `glidepath.plot`."""
        from glidepath import plot

        return plot.plot({"": self}, horizon, **options)

    def _repr_svg_(self) -> str | None:
        """A picture for notebooks; None, so that they show the text, for a draft in epochs or tokens."""
        from glidepath import plot

        try:
            return plot.svg(self)
        except HorizonError:
            return None


# --- operators: each builds one of the pieces below, or a draft if a length still waits for its horizon ---

Steps = int | str  # a count of updates, or a duration: "10k", "5%", "3ep", "2Btok"

P = ParamSpec("P")
R = TypeVar("R", bound=Schedule)


def draftable(build: Callable[P, R]) -> Callable[P, R]:
    """Lets a recipe take durations as text: "10k" becomes a count, and a border unit ("5%") makes a draft."""
    signature = inspect.signature(build)

    @functools.wraps(build)
    def made(*args: P.args, **kwargs: P.kwargs) -> R:
        arguments = tuple(_without_text(value) for value in args)
        keywords = {name: _without_text(value) for name, value in kwargs.items()}
        if any(waits(value) for value in (*arguments, *keywords.values())):
            return cast(R, _draft(made, signature.bind(*arguments, **keywords)))
        return build(*arguments, **keywords)

    return made


def _draft(build: Callable[..., Schedule], given: inspect.BoundArguments) -> "Draft":
    """A draft in the one form that its call can have: arguments in their order, normalised, defaults left out."""
    for name, parameter in given.signature.parameters.items():
        if name in given.arguments:
            value = _normal(given.arguments[name], name, _kinds(parameter.annotation))
            given.arguments[name] = value
            if value == parameter.default:
                del given.arguments[name]
    return Draft(build, given.args, tuple(given.kwargs.items()))


def _kinds(annotation: Any) -> set[Any]:
    """The types that an annotation names, those in a list or a union too."""
    inside = get_args(annotation)
    return set().union(*(_kinds(part) for part in inside)) if inside else {annotation}


def _normal(value: Any, name: str, kinds: set[Any]) -> Any:
    """An argument of a draft as its recipe will see it, as far as its annotation says."""
    if isinstance(value, tuple):
        return tuple(_normal(item, name, kinds) for item in value)
    if value is None or Any in kinds:
        return value
    if Schedule in kinds:
        return needs_schedule(value, name)
    if isinstance(value, Duration) and str in kinds:
        return value
    if isinstance(value, (Duration, Schedule)):
        wanted = "a length or a number" if str in kinds else "a number, not a length"
        raise ScheduleError(f"{name} is {wanted}: {value!r} has no place there")
    return real(value, name) if float in kinds else count(value, name)


def needs_schedule(plan: object, name: str) -> Schedule:
    """`plan`, if it is one."""
    if isinstance(plan, Schedule):
        return plan
    raise ScheduleError(f"{name} needs a schedule, as in cosine(1000), not {plan!r}")


def sequence(*parts: Schedule) -> Schedule:
    """One part after the other, each with its own clock: the operator `>>`."""
    flat = tuple(piece for part in parts for piece in _opened(needs_schedule(part, "a sequence")))
    open_ones = [i for i, part in enumerate(flat) if _takes_what_is_left(part)]
    if len(open_ones) > 1:
        refuse_fillers(flat, open_ones)
    for part in flat[:-1]:
        if not isinstance(part, Draft) and part.duration is None and not _takes_what_is_left(part):
            raise ScheduleError(
                f"{part!r} has no end, so nothing after it would ever run: cut it, as in {_cut_example(part)}"
            )
    if len(flat) == 1:
        return flat[0]
    if waits(flat) or any(i < len(flat) - 1 for i in open_ones):
        return Draft(sequence, flat, ())
    _refuse_endless_sum(sum(part.duration or 0 for part in flat))
    return Sequence(flat)


def _opened(part: Schedule) -> tuple[Schedule, ...]:
    if isinstance(part, Draft) and part.build is sequence:
        return part.arguments
    return part.parts if isinstance(part, Sequence) else (part,)


def _refuse_endless_sum(steps: int) -> None:
    if steps > MAX_STEPS:
        raise ScheduleError("this plan lasts more than 2**53 steps, and a float cannot tell those apart: shorten it")


@draftable
def scale(factor: float, plan: Schedule) -> Schedule:
    """`factor` times every value: the operator `*` with a number."""
    return Scaled(real(factor, "a factor"), plan)


@draftable
def product(first: Schedule, second: Schedule) -> Schedule:
    """The product of two schedules, step by step: the operator `*`."""
    return Product(first, second)


@draftable
def shift(offset: float, plan: Schedule) -> Schedule:
    """`offset` plus every value: the operator `+` with a number."""
    return Shifted(real(offset, "an offset"), plan)


@draftable
def total(first: Schedule, second: Schedule) -> Schedule:
    """The sum of two schedules, step by step: the operator `+`."""
    return Total(first, second)


@draftable
def cut(plan: Schedule, start: Steps, stop: Steps | None) -> Schedule:
    """Steps start..stop-1 of `plan`, counted from 0 again: the slice `plan[start:stop]`."""
    first = count(start, "the start of a cut")
    last = None if stop is None else count(stop, "the end of a cut", at_least=first)
    return Cut(needs_schedule(plan, "a cut"), first, last)


@draftable
def clip(plan: Schedule, *, low: float | None = None, high: float | None = None) -> Schedule:
    """`plan` with a floor and a ceiling: min(max(plan(k), low), high).

    Args:
        plan: any schedule.
        low: no value is lower; a ratio of the peak, unless the plan is absolute.
        high: no value is higher.

    Examples:
        >>> [clip(linear(4), low=0.4)(k) for k in range(5)]
        [1.0, 0.75, 0.5, 0.4, 0.4]
    """
    floor = None if low is None else real(low, "low")
    ceiling = None if high is None else real(high, "high")
    if floor is None and ceiling is None:
        raise ScheduleError("clip needs a floor, a ceiling or both: clip(plan, low=0.01)")
    if floor is not None and ceiling is not None and floor > ceiling:
        raise ScheduleError(f"clip needs low <= high, not low={floor!r} and high={ceiling!r}")
    return Clipped(needs_schedule(plan, "clip"), floor, ceiling)


@draftable
def maximum(first: Schedule, second: Schedule) -> Schedule:
    """The larger of two schedules, step by step.

    Examples:
        >>> [maximum(linear(4), 0.6 * constant())(k) for k in range(4)]
        [1.0, 0.75, 0.6, 0.6]
    """
    return Larger(needs_schedule(first, "maximum"), needs_schedule(second, "maximum"))


@draftable
def reverse(plan: Schedule) -> Schedule:
    """`plan` backwards: update k uses plan(n - 1 - k), n its duration. Turns a decay into a warmup of its shape.

    Examples:
        >>> [reverse(linear(4))(k) for k in range(5)]
        [0.25, 0.5, 0.75, 1.0, 1.0]
    """
    return Reversed(plan, _length(plan, "reverse"))


@draftable
def staircase(plan: Schedule, *, every: Steps) -> Schedule:
    """`plan` seen only every `every` steps and held in between: plan(every * floor(k / every)).

    Examples:
        >>> [staircase(linear(6), every=3)(k) for k in range(6)]
        [1.0, 1.0, 1.0, 0.5, 0.5, 0.5]
    """
    return Staircase(needs_schedule(plan, "staircase"), count(every, "every", at_least=1))


@draftable
def repeat(plan: Schedule, *, times: int | None = None, growth: float = 1.0, shrink: float = 1.0) -> Schedule:
    """`plan` again and again: cycle i is `growth**i` times as long and `shrink**i` times as high.

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
    _length(plan, "repeat")
    cycles = None if times is None else count(times, "times", at_least=1)
    return Repeated(plan, cycles, real(growth, "growth", at_least=1), real(shrink, "shrink", above=0))


SLOWEST_GROWTH = 1.01  # so that no more than 4,000 cycles reach 2**53 steps


# --- the pieces ---


@final
@dataclass(frozen=True, repr=False)
class Sequence(Schedule):
    """Parts in a row, flat; the last one may be endless."""

    parts: tuple[Schedule, ...]

    @functools.cached_property
    def starts(self) -> tuple[int, ...]:
        """The step at which each part begins."""
        return tuple(accumulate((cast(int, part.duration) for part in self.parts[:-1]), initial=0))

    @property
    def duration(self) -> int | None:
        last = self.parts[-1].duration
        return None if last is None else self.starts[-1] + last

    @functools.cached_property
    def _local(self) -> tuple[Callable[[Any, Any], Any], ...]:
        return tuple(_from_step(start, part) for start, part in zip(self.starts, self.parts, strict=True))

    def _at(self, xp: Any, k: Any) -> Any:
        return xp.piecewise(k, self.starts, self._local)

    def __getstate__(self) -> Mapping[str, Any]:
        return {"parts": self.parts}

    def block(self, start: int, stop: int) -> list[float]:
        values: list[float] = []
        for first, part, end in zip(self.starts, self.parts, (*self.starts[1:], stop), strict=True):
            low, high = max(start, first), min(stop, end)
            if low < high:
                values += part.block(low - first, high - first)
        return values

    def _filled(self, steps: int) -> Schedule | None:
        last = self.parts[-1]._filled(max(0, steps - self.starts[-1]))
        return None if last is None else Sequence((*self.parts[:-1], last))

    def _stretched(self, steps: int) -> Schedule:
        before = _length(self, "repeat")
        bounds = [(2 * start * steps + before) // (2 * before) for start in self.starts]
        lengths = [end - start for start, end in pairwise((*bounds, steps))]
        return Sequence(tuple(part._stretched(n) for part, n in zip(self.parts, lengths, strict=True)))

    def _call(self) -> Call:
        return Call("sequence", self.parts)


class _Mapped(Schedule, ABC):
    """A plan with its values mapped one by one, its clock untouched."""

    plan: Schedule

    @property
    def duration(self) -> int | None:
        return self.plan.duration

    @abstractmethod
    def _with(self, plan: Schedule) -> Schedule:
        """The same mapping of another plan."""

    def _filled(self, steps: int) -> Schedule | None:
        filled = self.plan._filled(steps)
        return None if filled is None else self._with(filled)

    def _stretched(self, steps: int) -> Schedule:
        return self._with(self.plan._stretched(steps))


@final
@dataclass(frozen=True, repr=False)
class Scaled(_Mapped):
    """factor * plan(k)"""

    factor: float
    plan: Schedule

    def _at(self, xp: Any, k: Any) -> Any:
        return self.factor * self.plan._at(xp, k)

    def block(self, start: int, stop: int) -> list[float]:
        factor = self.factor
        return [factor * value for value in self.plan.block(start, stop)]

    def _with(self, plan: Schedule) -> Schedule:
        return Scaled(self.factor, plan)

    def _call(self) -> Call:
        return Call("scale", (self.factor, self.plan))


@final
@dataclass(frozen=True, repr=False)
class Shifted(_Mapped):
    """offset + plan(k)"""

    offset: float
    plan: Schedule

    def _at(self, xp: Any, k: Any) -> Any:
        return self.offset + self.plan._at(xp, k)

    def _with(self, plan: Schedule) -> Schedule:
        return Shifted(self.offset, plan)

    def _call(self) -> Call:
        return Call("shift", (self.offset, self.plan))


@final
@dataclass(frozen=True, repr=False)
class Clipped(_Mapped):
    """min(max(plan(k), low), high)"""

    plan: Schedule
    low: float | None = None
    high: float | None = None

    def _at(self, xp: Any, k: Any) -> Any:
        return xp.clip(self.plan._at(xp, k), self.low, self.high)

    def _with(self, plan: Schedule) -> Schedule:
        return Clipped(plan, self.low, self.high)

    def _call(self) -> Call:
        return Call("clip", (self.plan,), {"low": self.low, "high": self.high})


@dataclass(frozen=True, repr=False)
class _Paired(Schedule, ABC):
    """Two plans on one clock; endless if either is."""

    first: Schedule
    second: Schedule
    name: ClassVar[str]

    @property
    def duration(self) -> int | None:
        lengths = (self.first.duration, self.second.duration)
        return None if None in lengths else max(cast("tuple[int, int]", lengths))

    def _call(self) -> Call:
        return Call(self.name, (self.first, self.second))


@final
@dataclass(frozen=True, repr=False)
class Product(_Paired):
    """first(k) * second(k)"""

    name: ClassVar[str] = "product"

    def _at(self, xp: Any, k: Any) -> Any:
        return self.first._at(xp, k) * self.second._at(xp, k)


@final
@dataclass(frozen=True, repr=False)
class Total(_Paired):
    """first(k) + second(k)"""

    name: ClassVar[str] = "total"

    def _at(self, xp: Any, k: Any) -> Any:
        return self.first._at(xp, k) + self.second._at(xp, k)


@final
@dataclass(frozen=True, repr=False)
class Larger(_Paired):
    """max(first(k), second(k))"""

    name: ClassVar[str] = "maximum"

    def _at(self, xp: Any, k: Any) -> Any:
        return xp.larger(self.first._at(xp, k), self.second._at(xp, k))


@final
@dataclass(frozen=True, repr=False)
class Cut(Schedule):
    """plan(start + k), holding the last served value from step `stop - start` on."""

    plan: Schedule
    start: int
    stop: int | None

    @property
    def duration(self) -> int | None:
        end = self.plan.duration if self.stop is None else self.stop
        return None if end is None else max(0, end - self.start)

    def _at(self, xp: Any, k: Any) -> Any:
        if self.stop is not None:
            k = xp.clip(k, None, max(0, self.stop - self.start - 1))
        return self.plan._at(xp, k + self.start)

    def block(self, start: int, stop: int) -> list[float]:
        if self.stop is not None and stop > self.stop - self.start:
            return super().block(start, stop)
        return self.plan.block(start + self.start, stop + self.start)

    def _call(self) -> Call:
        return Call("cut", (self.plan, self.start, self.stop))


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

    def _stretched(self, steps: int) -> Schedule:
        return Reversed(self.plan._stretched(steps), steps)

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
            self.plan._stretched(2 * self._cycle(0))  # fail when built
        _refuse_endless_sum(self.duration or 0)

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
        return self._evenly(xp, k) if self.growth == 1.0 else self._growing(xp, k)

    def _evenly(self, xp: Any, k: Any) -> Any:
        length = cast(int, self.plan.duration)
        i = k // length if self.times is None else xp.clip(k // length, None, self.times - 1)
        value = self.plan._at(xp, k - i * length)
        return value if self.shrink == 1.0 else xp.power(self.shrink, i) * value

    def _growing(self, xp: Any, k: Any) -> Any:
        last = xp.last(k)
        starts, cycles = self._starts_until(last), self._known_cycles
        cycles += [functools.partial(self._in_cycle, i) for i in range(len(cycles), len(starts))]
        reached = bisect_right(starts, last)
        return xp.piecewise(k, starts[:reached], cycles[:reached])

    @functools.cached_property
    def _known_starts(self) -> list[int]:
        return [0]  # as far as anybody has looked

    @functools.cached_property
    def _known_cycles(self) -> list[Callable[[Any, Any], Any]]:
        return []

    @functools.cached_property
    def _grown(self) -> dict[tuple[int, int], Schedule]:
        return {}  # the cycles that anybody has looked at, and how long they were

    def _starts_until(self, step: int) -> list[int]:
        starts = self._known_starts
        while starts[-1] <= step and len(starts) != self.times:
            starts.append(starts[-1] + self._cycle(len(starts) - 1))
        return starts

    def _in_cycle(self, i: int, xp: Any, k: Any) -> Any:
        length = min(self._cycle(i), xp.longest(k))  # of the last cycle that 32 bits count, the shape is near enough
        if (i, length) not in self._grown:
            self._grown[i, length] = Scaled(SCALAR.power(self.shrink, i), self.plan._stretched(length))
        return self._grown[i, length]._at(xp, k - self._known_starts[i])

    def __getstate__(self) -> Mapping[str, Any]:
        return {name: getattr(self, name) for name in ("plan", "times", "growth", "shrink")}

    def _call(self) -> Call:
        keywords = {"times": self.times, "growth": self.growth, "shrink": self.shrink}
        defaults = {"times": None, "growth": 1.0, "shrink": 1.0}
        return Call("repeat", (self.plan,), {k: v for k, v in keywords.items() if v != defaults[k]})


@final
@dataclass(frozen=True, repr=False)
class Draft(Schedule):
    """A call that waits for its horizon: the same operators and the same text as a schedule, and no values."""

    build: Callable[..., Schedule]
    arguments: tuple[Any, ...]
    keywords: tuple[tuple[str, Any], ...]

    def _no_values(self) -> NoReturn:
        raise DraftError(
            f"{self!r} has no values yet, some of its lengths depend on the run: give it a horizon, "
            "as in plan.over(10_000)"
        )

    @property
    def duration(self) -> int | None:
        self._no_values()

    def _at(self, xp: Any, k: Any) -> Any:
        self._no_values()

    def __call__(self, step: Any) -> Any:
        self._no_values()

    def _call(self) -> Call:
        return Call(self.build.__name__, self.arguments, dict(self.keywords))


# --- what the operators ask ---


def waits(value: Any) -> bool:
    """Whether `value` still waits for a horizon: a draft, a border duration, or a list with one in it."""
    if isinstance(value, (tuple, list)):
        return any(waits(item) for item in value)
    return isinstance(value, (Draft, Duration))


def refuse_fillers(parts: tuple[Any, ...], places: list[int]) -> NoReturn:
    """Says which parts of a sequence both want to take what is left."""
    names = " and ".join(str(place + 1) for place in places)
    raise ScheduleError(
        f"{len(places)} parts of this sequence have no length ({parts[places[0]]!r} at {names}); "
        "only one can take what is left: give the others a length, constant(500)"
    )


def _takes_what_is_left(part: Schedule) -> bool:
    return not isinstance(part, Draft) and part.duration is None and part._filled(0) is not None


def _without_text(value: Any) -> Any:
    if isinstance(value, str):
        return read_duration(value)
    if isinstance(value, (list, tuple)):
        return tuple(_without_text(item) for item in value)
    return value


def _length(plan: Schedule, verb: str) -> int:
    length = needs_schedule(plan, verb).duration
    if length is None:
        raise ScheduleError(f"{plan!r} has no end: cut it first, as in {verb}({_cut_example(plan)})")
    if length == 0:
        raise ScheduleError(f"{plan!r} lasts 0 steps: {verb} needs at least 1")
    return length


def _cut_example(plan: Schedule) -> str:
    return repr(Cut(plan, 0, 1000))


def _from_step(start: int, part: Schedule) -> Callable[[Any, Any], Any]:
    return lambda xp, k: part._at(xp, k - start)
