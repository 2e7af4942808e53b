"""Rates as they are: what the readers of libraries without an optimizer at hand share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from glidepath.convert.conversion import Conversion
from glidepath.core.schedule import Draft, Schedule
from glidepath.errors import ConvertError
from glidepath.recipes import constant

HOW_TO_GO_ON = "write it down as a plan, or take its values: glidepath.table([float(theirs(k)) for k in range(steps)])"

Read = tuple[Schedule, tuple[str, ...]]  # a schedule, and the quirks that it keeps


def number(value: Any, name: str) -> float:
    """A parameter as a float: arrays of one number are numbers too.

    Raises:
        ConvertError: if it is none, such as a rate for each layer.
    """
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConvertError(f"{name} is {value!r}, not one number: {HOW_TO_GO_ON}") from error


def level(value: float, plan: Schedule | None = None) -> Schedule:
    """`value` times a plan that peaks at 1; the bare value for ever without one."""
    inner = constant() if plan is None else plan
    return inner if value == 1.0 else value * inner


def at_zero(plan: Schedule) -> tuple[str, ...]:
    """A quirk of a schedule that begins at zero."""
    return ("update 0 uses a rate of 0: nothing is learned from it",) if plan(0) == 0.0 else ()


def conversion(source: str, build: Callable[[], Read]) -> Conversion:
    """What `build` reads, and whether it begins at zero.

    Raises:
        ConvertError: if the numbers within make no schedule here.
    """
    with _refusing(source):
        plan, quirks = build()
        if not isinstance(plan, Draft):
            quirks = (*at_zero(plan), *quirks)
    return Conversion(source, (plan,), quirks=quirks)


@contextmanager
def _refusing(source: str) -> Iterator[None]:
    try:
        yield
    except ConvertError:
        raise
    except (ValueError, OverflowError) as error:  # of a schedule here, or of a number that is none
        raise ConvertError(f"{source} cannot be read: {error}; {HOW_TO_GO_ON}") from error
