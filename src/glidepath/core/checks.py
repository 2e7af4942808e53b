"""Numbers are normalized once, when a schedule is built.

Counts become `int` and values `float`; NumPy scalars become Python numbers, -0.0 loses its sign, and bool is refused.
So equal descriptions compare equal, hash alike and print alike.
"""

import math
import operator
from typing import Any

from glidepath.errors import ScheduleError

MAX_STEPS = 2**53  # beyond it a float cannot tell one step from the next


def count(value: Any, name: str, *, at_least: int = 0, at_most: int = MAX_STEPS) -> int:
    """Return `value` as a count of steps: 500, 1e5 and `np.int64(3)` are counts; 1.5, True and "x" are not.

    Raises:
        ScheduleError: if it is not one, or outside the bounds; `name` says whose it is.
    """
    number = _integer(value)
    if number is None:
        raise ScheduleError(f"{name} is a count of steps, a whole number, not {value!r}{_fraction_hint(value)}")
    if number < at_least:
        raise ScheduleError(f"{name} must be at least {at_least}, not {number}")
    if number > at_most:
        raise ScheduleError(f"{name} must be at most {at_most}, not about 2**{number.bit_length() - 1}")
    return number


def real(
    value: Any,
    name: str,
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> float:
    """Return `value` as a finite float within the bounds.

    Raises:
        ScheduleError: if it is not one; `name` says whose it is.
    """
    number = _float(value)
    if number is None or not math.isfinite(number):
        raise ScheduleError(f"{name} must be a finite number, not {value!r}")
    if above is not None and number <= above:
        raise ScheduleError(f"{name} must be above {above:g}, not {number!r}")
    if at_least is not None and number < at_least:
        raise ScheduleError(f"{name} must be at least {at_least:g}, not {number!r}")
    if at_most is not None and number > at_most:
        raise ScheduleError(f"{name} must be at most {at_most:g}, not {number!r}")
    return number + 0.0  # -0.0 + 0.0 is 0.0


def as_tuple(values: Any, name: str) -> tuple[Any, ...]:
    """Return `values` as a tuple: any iterable but a text.

    Raises:
        ScheduleError: if it is not one; `name` says whose it is.
    """
    if isinstance(values, (str, bytes)) or is_number(values):
        raise ScheduleError(f"{name} is a list, as in [30, 80], not {values!r}")
    try:
        return tuple(values)
    except TypeError:
        raise ScheduleError(f"{name} is a list, as in [30, 80], not {values!r}") from None


def is_number(value: object) -> bool:
    """Return whether `value` is a plain number: int, float or a NumPy scalar, but not a bool, text or array."""
    return _float(value) is not None


def refuse_too_long(steps: int) -> None:
    """Refuse a schedule whose last steps a float could not tell apart."""
    if steps > MAX_STEPS:
        raise ScheduleError("this plan lasts more than 2**53 steps, and a float cannot tell those apart: shorten it")


def _integer(value: Any) -> int | None:
    if isinstance(value, (bool, str, bytes)) or getattr(value, "shape", ()) != ():
        return None
    try:
        return operator.index(value)
    except TypeError:
        number = _float(value)
        return int(number) if number is not None and number.is_integer() else None


def _float(value: Any) -> float | None:
    if isinstance(value, (bool, str, bytes)) or getattr(value, "shape", ()) != ():
        return None
    if type(value).__name__ in ("bool", "bool_"):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _fraction_hint(value: Any) -> str:
    """Return how to write a share: 0.05 for a length means five percent."""
    if isinstance(value, float) and 0 < value < 1:
        return f': for a share of the run write "{value * 100:g}%"'
    return ""
