"""A pure function from step to value, described by plain data: how it is evaluated, shown and compared.

`Schedule` adds the operators (`schedule.py`). Python int in, Python float out; arrays of NumPy, PyTorch and JAX give
arrays of the same framework.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol, SupportsIndex, TypeVar, cast, overload

from glidepath.errors import HorizonError, MissingExtraError, ScheduleError, TextError

from .namespace import SCALAR, namespace_of
from .printing import Call, print_call
from .syntax import MAX_LENGTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .horizon import Horizon
    from .schedule import Schedule


class Array(Protocol):
    """An array of any framework; a single NumPy number has no length and counts as a number."""

    @property
    def shape(self) -> Any:
        """Return the lengths of its axes."""

    def __len__(self) -> int:
        """Return the length of its first axis."""


A = TypeVar("A", bound=Array)


class StepFunction(ABC):
    """A function from step to value that prints, compares and hashes as what it is built from."""

    @property
    @abstractmethod
    def duration(self) -> int | None:
        """Return the steps until it holds its last value; None if it has no end."""

    @abstractmethod
    def _at(self, xp: Any, k: Any) -> Any:
        """Compute the value at step(s) `k`, which are already checked, over the namespace `xp`."""

    @abstractmethod
    def _call(self) -> Call:
        """Return the call that builds this function: a name and its arguments."""

    @overload
    def __call__(self, step: int) -> float: ...
    @overload
    def __call__(self, step: A) -> A: ...
    @overload
    def __call__(self, step: SupportsIndex) -> float: ...
    def __call__(self, step: Any) -> Any:
        """Return the value that update `step` uses: a float for an int, an array for an array of steps.

        Raises:
            StepError: if `step` is not a step: negative, a fraction, a bool, text.
        """
        xp, k = namespace_of(step)
        return self._at(xp, k)

    def block(self, start: int, stop: int) -> list[float]:
        """Return the values of updates start..stop-1, the same bits as one call for each."""
        at = self._at
        return [at(SCALAR, k) for k in range(start, stop)]

    @property
    def text(self) -> str:
        """Return the one text form, which `glidepath.parse` reads back.

        Raises:
            TextError: if a Python callable is part of the plan, which has no text, or if the text is too long to read.
        """
        shown = print_call(self._call())
        if len(shown.text) > MAX_LENGTH:
            raise TextError(
                f"the text of this plan has {len(shown.text)} characters; at most {MAX_LENGTH} are read back"
            )
        if not shown.has_text:
            raise TextError(f"{shown.text} has no text form: it calls a Python function, which only Python can name")
        return shown.text

    def plot(self, horizon: "Horizon | int | None" = None, **options: Any) -> "Figure":
        """Draw a figure of this schedule: see `glidepath.plot`."""
        from glidepath import plot

        return plot.plot({"": cast("Schedule", self)}, horizon, **options)

    def _repr_svg_(self) -> str | None:
        """Return a figure for notebooks; None, so that they show the text, for epochs or tokens, or no Matplotlib."""
        try:
            from glidepath import plot

            return plot.draw_svg(cast("Schedule", self))
        except (HorizonError, MissingExtraError):
            return None

    def __repr__(self) -> str:
        return print_call(self._call()).text


def needs_schedule(plan: object, name: str) -> "Schedule":
    """Return `plan`, if it is a schedule.

    Raises:
        ScheduleError: if it is not; `name` says whose argument it is.
    """
    if isinstance(plan, StepFunction):
        return cast("Schedule", plan)
    raise ScheduleError(f"{name} needs a schedule, as in cosine(1000), not {plan!r}")


def needs_length(plan: "Schedule", verb: str) -> int:
    """Return the duration of a schedule that has one above 0.

    Raises:
        ScheduleError: if it has not; `verb` says what was to be done with it.
    """
    length = needs_schedule(plan, verb).duration
    if length is None:
        cut = print_call(Call("cut", (plan, 0, 1000))).text
        raise ScheduleError(f"{plan!r} has no end: cut it first, as in {verb}({cut})")
    if length == 0:
        raise ScheduleError(f"{plan!r} lasts 0 steps: {verb} needs at least 1")
    return length
