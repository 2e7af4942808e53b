"""A schedule maps a step to a value: the one abstraction, its operators, and the pieces they build.

A step is the index of an optimizer update, from 0, and `schedule(k)` is the value that update `k` uses. A schedule
is plain data: equal descriptions are equal, hash alike and print alike, and what `repr` prints is Python that
builds it again. Segments are half-open, `>>` is absolute (each piece has its own clock and its own start), and
past its end a schedule holds its last value.

The operators, the pieces that they build and drafts share this file because each needs the others. Evaluation and
text are in `step_function.py`, other ways to change a schedule in `transforms.py`, the leaves in `curves.py`,
`endless.py` and `formula.py`, and the named recipes in `glidepath.recipes`.
"""

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, ParamSpec, TypeVar, cast, final

from glidepath.errors import ArgumentError, DraftError, ScheduleError

from .arguments import Usage, read_durations
from .checks import count, is_number, real, refuse_too_long
from .duration import Duration
from .printing import Call
from .step_function import StepFunction, needs_length, needs_schedule

if TYPE_CHECKING:
    from glidepath.review import Review

    from .horizon import Horizon


class Schedule(StepFunction, ABC):
    """A pure function from step to value, described by plain data and combined by operators."""

    def _fill(self, steps: int) -> "Schedule | None":
        """Return this schedule with its open length set to `steps`; None if it has no open length."""
        return None

    def _stretch(self, steps: int) -> "Schedule":
        """Return the same shape over `steps` steps.

        Raises:
            ScheduleError: if this schedule has no shape that could be stretched.
        """
        raise ScheduleError(f"{self!r} cannot be stretched to {steps} steps: repeat it without growth")

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
            return add(self, other)
        return shift(cast(float, other), self) if is_number(other) else NotImplemented

    __radd__ = __add__

    def __rtruediv__(self, other: object) -> "Schedule":
        return divide(cast(float, other), self) if is_number(other) else NotImplemented

    def __getitem__(self, part: Any) -> "Schedule":
        if not isinstance(part, slice):
            raise ScheduleError(
                f"a schedule is a function, not a list: write plan({part!r}), or cut it, plan[:{part!r}]"
            )
        if part.step is not None:
            raise ScheduleError("a schedule is cut with plan[start:stop], without a stride")
        return cut(self, 0 if part.start is None else part.start, part.stop)

    __iter__ = None  # `list(plan)` would not end

    def _refuse_comparison(self, other: object) -> NoReturn:
        """Refuse an order of schedules: a single > is a slip for the operator >>."""
        raise ArgumentError("schedules are joined by >>, and have no order: write a >> b, or compare a(step) > b(step)")

    __gt__ = __lt__ = __ge__ = __le__ = _refuse_comparison

    def over(self, horizon: "Horizon | int") -> "Schedule":
        """Return this plan with every border duration (5%, 3ep, 2Btok) resolved over a horizon.

        Args:
            horizon: the run's length in steps, or a `Horizon` that also knows epochs and tokens.

        Raises:
            HorizonError: if the plan does not fit, or the horizon lacks a unit that the plan uses.
        """
        from . import resolve

        return resolve.over(self, horizon)

    def review(self, horizon: "Horizon | int | None" = None) -> "Review":
        """Find mistakes that can be seen before the run: see `glidepath.review`."""
        from glidepath import review

        return review.review(self, horizon)


# --- operators: each builds one of the pieces below, or a draft if a length still waits for its horizon ---

Steps = int | str  # a count of updates, or a duration: "10k", "5%", "3ep", "2Btok"

P = ParamSpec("P")
R = TypeVar("R", bound=Schedule)


def draftable(build: Callable[P, R]) -> Callable[P, R]:
    """Let a recipe take durations as text: "10k" becomes a count, and a border unit ("5%") makes a draft.

    A call that does not fit the recipe's signature raises an ArgumentError with the recipe's own arguments.
    """

    @functools.wraps(build)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        usage.check(args, kwargs)
        arguments = tuple(read_durations(value) for value in args)
        keywords = {name: read_durations(value) for name, value in kwargs.items()}
        if any(waits(value) for value in (*arguments, *keywords.values())):
            positional, named = usage.normalize(arguments, keywords)
            return cast(R, Draft(call, positional, named))
        return build(*arguments, **keywords)

    usage = Usage(call)
    return call


def sequence(*parts: Schedule) -> Schedule:
    """Join parts, one after the other, each with its own clock: the operator `>>`."""
    flat = tuple(piece for part in parts for piece in _flatten(needs_schedule(part, "a sequence")))
    fillers = [i for i, part in enumerate(flat) if _is_filler(part)]
    if len(fillers) > 1:
        refuse_fillers(flat, fillers)
    for part in flat[:-1]:
        if not isinstance(part, Draft) and part.duration is None and not _is_filler(part):
            raise ScheduleError(
                f"{part!r} has no end, so nothing after it would ever run: cut it, as in {Cut(part, 0, 1000)!r}"
            )
    if len(flat) == 1:
        return flat[0]
    if waits(flat) or any(i < len(flat) - 1 for i in fillers):
        return Draft(sequence, flat, ())
    refuse_too_long(sum(part.duration or 0 for part in flat))
    return Sequence(flat)


def _flatten(part: Schedule) -> tuple[Schedule, ...]:
    if isinstance(part, Draft) and part.build is sequence:
        return part.arguments
    return part.parts if isinstance(part, Sequence) else (part,)


@draftable
def scale(factor: float, plan: Schedule) -> Schedule:
    """Multiply every value by `factor`: the operator `*` with a number."""
    return Scaled(real(factor, "a factor"), plan)


@draftable
def product(first: Schedule, second: Schedule) -> Schedule:
    """Multiply two schedules, step by step: the operator `*`."""
    return Product(first, second)


@draftable
def shift(offset: float, plan: Schedule) -> Schedule:
    """Add `offset` to every value: the operator `+` with a number."""
    return Shifted(real(offset, "an offset"), plan)


@draftable
def add(first: Schedule, second: Schedule) -> Schedule:
    """Add two schedules, step by step: the operator `+`."""
    return Sum(first, second)


@draftable
def divide(number: float, plan: Schedule) -> Schedule:
    """Divide `number` by every value: the operator `/` after a number. It is infinite where the plan is 0."""
    return Quotient(real(number, "a number to divide"), plan)


@draftable
def cut(plan: Schedule, start: Steps, stop: Steps | None) -> Schedule:
    """Cut steps start..stop-1 out of `plan`, counted from 0 again: the slice `plan[start:stop]`."""
    first = count(start, "the start of a cut")
    last = None if stop is None else count(stop, "the end of a cut", at_least=first)
    return Cut(needs_schedule(plan, "a cut"), first, last)


# --- the pieces ---


@final
@dataclass(frozen=True, repr=False)
class Sequence(Schedule):
    """Parts in a row, flat; the last one may be endless."""

    parts: tuple[Schedule, ...]

    @functools.cached_property
    def starts(self) -> tuple[int, ...]:
        """Return the step at which each part begins."""
        return tuple(accumulate((cast(int, part.duration) for part in self.parts[:-1]), initial=0))

    @property
    def duration(self) -> int | None:
        last = self.parts[-1].duration
        return None if last is None else self.starts[-1] + last

    @functools.cached_property
    def _local(self) -> tuple[Callable[[Any, Any], Any], ...]:
        def at(start: int, part: Schedule) -> Callable[[Any, Any], Any]:
            return lambda xp, k: part._at(xp, k - start)

        return tuple(map(at, self.starts, self.parts))

    def _at(self, xp: Any, k: Any) -> Any:
        return xp.piecewise(k, self.starts, self._local)

    def __getstate__(self) -> Mapping[str, Any]:
        return {"parts": self.parts}

    def block(self, start: int, stop: int) -> list[float]:
        values: list[float] = []
        for first, part, end in zip(self.starts, self.parts, (*self.starts[1:], stop), strict=True):
            begin, finish = max(start, first), min(stop, end)
            if begin < finish:
                values += part.block(begin - first, finish - first)
        return values

    def _fill(self, steps: int) -> Schedule | None:
        last = self.parts[-1]._fill(max(0, steps - self.starts[-1]))
        return None if last is None else Sequence((*self.parts[:-1], last))

    def _stretch(self, steps: int) -> Schedule:
        before = needs_length(self, "repeat")
        bounds = [(2 * start * steps + before) // (2 * before) for start in self.starts]
        lengths = [end - start for start, end in pairwise((*bounds, steps))]
        return Sequence(tuple(part._stretch(n) for part, n in zip(self.parts, lengths, strict=True)))

    def _call(self) -> Call:
        return Call("sequence", self.parts)


class Mapped(Schedule, ABC):
    """A plan with its values mapped one by one, its clock untouched."""

    plan: Schedule

    @property
    def duration(self) -> int | None:
        return self.plan.duration

    @abstractmethod
    def _map(self, plan: Schedule) -> Schedule:
        """Return the same mapping of another plan."""

    def _fill(self, steps: int) -> Schedule | None:
        plan = self.plan._fill(steps)
        return None if plan is None else self._map(plan)

    def _stretch(self, steps: int) -> Schedule:
        return self._map(self.plan._stretch(steps))


@final
@dataclass(frozen=True, repr=False)
class Scaled(Mapped):
    """factor * plan(k)"""

    factor: float
    plan: Schedule

    def _at(self, xp: Any, k: Any) -> Any:
        return self.factor * self.plan._at(xp, k)

    def block(self, start: int, stop: int) -> list[float]:
        factor = self.factor
        return [factor * value for value in self.plan.block(start, stop)]

    def _map(self, plan: Schedule) -> Schedule:
        return Scaled(self.factor, plan)

    def _call(self) -> Call:
        return Call("scale", (self.factor, self.plan))


@final
@dataclass(frozen=True, repr=False)
class Shifted(Mapped):
    """offset + plan(k)"""

    offset: float
    plan: Schedule

    def _at(self, xp: Any, k: Any) -> Any:
        return self.offset + self.plan._at(xp, k)

    def _map(self, plan: Schedule) -> Schedule:
        return Shifted(self.offset, plan)

    def _call(self) -> Call:
        return Call("shift", (self.offset, self.plan))


@final
@dataclass(frozen=True, repr=False)
class Quotient(Mapped):
    """number / plan(k)"""

    number: float
    plan: Schedule

    def _at(self, xp: Any, k: Any) -> Any:
        return xp.divide(self.number, self.plan._at(xp, k))

    def _map(self, plan: Schedule) -> Schedule:
        return Quotient(self.number, plan)

    def _call(self) -> Call:
        return Call("divide", (self.number, self.plan))


@dataclass(frozen=True, repr=False)
class Paired(Schedule, ABC):
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
class Product(Paired):
    """first(k) * second(k)"""

    name: ClassVar[str] = "product"

    def _at(self, xp: Any, k: Any) -> Any:
        return self.first._at(xp, k) * self.second._at(xp, k)


@final
@dataclass(frozen=True, repr=False)
class Sum(Paired):
    """first(k) + second(k)"""

    name: ClassVar[str] = "add"

    def _at(self, xp: Any, k: Any) -> Any:
        return self.first._at(xp, k) + self.second._at(xp, k)


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
class Draft(Schedule):
    """A call that waits for its horizon: the same operators and the same text as a schedule, and no values."""

    build: Callable[..., Schedule]
    arguments: tuple[Any, ...]
    keywords: tuple[tuple[str, Any], ...]

    def _refuse_values(self) -> NoReturn:
        raise DraftError(
            f"{self!r} has no values yet, some of its lengths depend on the run: give it a horizon, "
            "as in plan.over(10_000)"
        )

    @property
    def duration(self) -> int | None:
        self._refuse_values()

    def _at(self, xp: Any, k: Any) -> Any:
        self._refuse_values()

    def _call(self) -> Call:
        return Call(self.build.__name__, self.arguments, dict(self.keywords))


# --- what the operators and the transforms ask ---


def waits(value: Any) -> bool:
    """Return whether `value` waits for a horizon: a draft, a border duration, or a list with one in it."""
    if isinstance(value, (tuple, list)):
        return any(waits(item) for item in value)
    return isinstance(value, (Draft, Duration))


def refuse_fillers(parts: tuple[Any, ...], places: list[int]) -> NoReturn:
    """Refuse a sequence in which several parts have an open length."""
    names = " and ".join(str(place + 1) for place in places)
    raise ScheduleError(
        f"{len(places)} parts of this sequence have no length ({parts[places[0]]!r} at {names}); "
        "only one can take what is left: give the others a length, constant(500)"
    )


def _is_filler(part: Schedule) -> bool:
    return not isinstance(part, Draft) and part.duration is None and part._fill(0) is not None
