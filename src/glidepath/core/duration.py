"""Durations as people write them: "5%", "3ep", "2Btok", "10k".

A plain count ("10k", "500") is a number of steps at once. The others are border units: how many steps they are
is known only over a horizon (`glidepath.core.horizon`), so a recipe that is given one becomes a draft.
"""

import re
from dataclasses import dataclass
from typing import Literal, final

from glidepath.errors import ScheduleError

Unit = Literal["%", "ep", "tok"]

EXPONENTS = {"": 0, "k": 3, "M": 6, "B": 9, "T": 12}
PATTERN = (
    r"(?P<digits>[0-9]{1,18})(?:\.(?P<decimals>[0-9]{1,18}))?(?:[eE](?P<power>[0-9]{1,2}))?"
    r"(?P<magnitude>[kMBT]?)(?P<unit>%|ep|tok)?"
)
_TEXT = re.compile(PATTERN)


@final
@dataclass(frozen=True)
class Duration:
    """`digits * 10**exponent` of a unit that only a horizon can turn into steps.

    Args:
        digits: without trailing zeros, so that equal durations are equal.
        exponent: power of ten.
        unit: "%" of the horizon, "ep" epochs, "tok" tokens.
    """

    digits: int
    exponent: int
    unit: Unit

    def __str__(self) -> str:
        for magnitude, exponent in reversed(EXPONENTS.items()):
            if self.unit != "tok" and magnitude:
                continue
            if self.digits * 10.0**self.exponent >= 10**exponent or not magnitude:
                return _decimal(self.digits, self.exponent - exponent) + magnitude + self.unit
        raise AssertionError("unreachable: the empty magnitude always answers")

    def __repr__(self) -> str:
        return f'"{self}"'


def read_duration(text: str) -> int | Duration:
    """A count of steps, or a `Duration` where the unit needs a horizon.

    >>> read_duration("10k"), read_duration("2.5%"), read_duration("2Btok")
    (10000, "2.5%", "2Btok")

    Raises:
        ScheduleError: if `text` is no duration, or a count of steps that is not whole.
    """
    match = _TEXT.fullmatch(text.strip().replace("_", ""))
    if match is None:
        raise ScheduleError(
            f"{text!r} is no duration: write a count of steps (500, 10k), a share of the run (5%), "
            "epochs (3ep) or tokens (2Btok)"
        )
    decimals = match["decimals"] or ""
    digits = int(match["digits"] + decimals)
    exponent = EXPONENTS[match["magnitude"]] + int(match["power"] or 0) - len(decimals)
    if match["unit"] is None:
        return _steps(digits, exponent, text)
    while digits and digits % 10 == 0:
        digits, exponent = digits // 10, exponent + 1
    return Duration(digits, exponent if digits else 0, match["unit"])  # type: ignore[arg-type]


def _steps(digits: int, exponent: int, text: str) -> int:
    above, below = int(10 ** max(exponent, 0)), int(10 ** max(-exponent, 0))
    steps, rest = divmod(digits * above, below)
    if rest:
        raise ScheduleError(f"{text!r} is not a whole number of steps")
    return steps


def _decimal(digits: int, exponent: int) -> str:
    """`digits * 10**exponent` in plain decimal notation, exactly."""
    if exponent >= 0:
        return str(digits * 10**exponent)
    padded = str(digits).rjust(1 - exponent, "0")
    whole, decimals = padded[:exponent], padded[exponent:].rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole
