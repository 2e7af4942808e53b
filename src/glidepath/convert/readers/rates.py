"""Rates as they are: what the readers of libraries without an optimizer at hand share."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, final

from glidepath.convert.conversion import Conversion
from glidepath.core.schedule import Draft, Schedule
from glidepath.errors import ConvertError, GlidepathError
from glidepath.recipes import constant

ADVICE = "write it down as a plan, or take its values: glidepath.table([float(schedule(k)) for k in range(steps)])"

PlanAndQuirks = tuple[Schedule, tuple[str, ...]]  # the quirks are kept by the schedule


def number(value: Any, name: str) -> float:
    """Return a parameter as a float: arrays of one number are numbers too.

    Raises:
        ConvertError: if it is not one number, such as a rate for each layer.
    """
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConvertError(f"{name} is {value!r}, not one number: {ADVICE}") from error


def finite(value: Any, name: str) -> float:
    """Return a parameter as a finite float.

    Raises:
        ConvertError: if it is not one number, or is infinite or NaN.
    """
    result = number(value, name)
    if not math.isfinite(result):
        raise ConvertError(f"{name} cannot be read: {result!r} is not a finite number; {ADVICE}")
    return result


def level(value: float, plan: Schedule | None = None) -> Schedule:
    """Return `value` times a plan that peaks at 1; the bare value for ever without one."""
    inner = constant() if plan is None else plan
    return inner if value == 1.0 else value * inner


def zero_rate_quirk(plan: Schedule) -> tuple[str, ...]:
    """Return the quirk of a schedule that begins at zero, if it does."""
    return ("update 0 uses a rate of 0: nothing is learned from it",) if plan(0) == 0.0 else ()


def convert_plan(source: str, build: Callable[[], PlanAndQuirks]) -> Conversion:
    """Return what `build` reads as a conversion with a base of 1, and a quirk if it begins at zero.

    Raises:
        ConvertError: if a schedule here cannot have its numbers.
    """
    try:
        plan, quirks = build()
    except ConvertError:
        raise
    except GlidepathError as error:  # a schedule here cannot have these values
        raise ConvertError(f"{source} cannot be read: {error.worded()}; {ADVICE}") from error
    if not isinstance(plan, Draft):
        quirks = (*zero_rate_quirk(plan), *quirks)
    return Conversion(source, (plan,), quirks=quirks)


@final
class Attributes(dict[str, Any]):
    """What a schedule of another library holds, by name.

    Raises:
        ConvertError: from a look-up of a name that is missing, as in another version of the library.

    Examples:
        >>> Attributes("the cosine of optax", {"alpha": 0.1})["alpha"]
        0.1
    """

    def __init__(self, owner: str, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self._owner = owner

    def __missing__(self, name: str) -> NoReturn:
        raise ConvertError(f"{self._owner} has no {name!r} in this version: {ADVICE}")
