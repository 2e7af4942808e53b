"""Durations as people write them: "5%", "3ep", "2Btok", "10k".

A plain count ("10k", "500") is a number of steps at once. The others are border units: how many steps they are
is known only over a horizon (`glidepath.core.horizon`), so a recipe that is given one becomes a draft.
"""

import re
from dataclasses import dataclass
from typing import Literal, final

from glidepath.errors import ScheduleError

Unit = Literal["%", "ep", "tok"]

FORMS = "write a count of steps (500, 10k), a share of the run (5%), epochs (3ep) or tokens (2Btok)"
EXPONENTS = {"": 0, "k": 3, "M": 6, "B": 9, "T": 12}
PATTERN = (
    r"(?P<digits>[0-9]{1,18})(?:\.(?P<decimals>[0-9]{1,18}))?(?:[eE](?P<power>[0-9]{1,2}))?"
    r"(?P<magnitude>[kMBT]?)(?P<unit>%|ep|tok)?"
)
_TEXT = re.compile(PATTERN)
_SLIP = re.compile(r"\s*(?P<number>[0-9][0-9_.]*)\s*(?P<unit>[A-Za-z]+)\s*")

SLIPS = {  # units as other tools or other hands write them, in lower case
    "m": "{0}M ({0} million) or {0}k ({0} thousand)",
    **dict.fromkeys(("k", "thousand"), "{0}k ({0} thousand)"),
    **dict.fromkeys(("mio", "mil", "million"), "{0}M ({0} million)"),
    **dict.fromkeys(("b", "g", "bn", "billion"), "{0}B ({0} billion)"),
    **dict.fromkeys(("t", "trillion"), "{0}T ({0} trillion)"),
    **dict.fromkeys(("e", "epoch", "epochs", "eps"), "{0}ep (epochs)"),
    **dict.fromkeys(("token", "tokens", "toks"), "{0}tok (tokens)"),
    **dict.fromkeys(("mtok", "mtokens"), "{0}Mtok (million tokens)"),
    **dict.fromkeys(("btok", "btokens"), "{0}Btok (billion tokens)"),
    **dict.fromkeys(("step", "steps", "iter", "iters", "it", "its", "updates"), "{0} (steps)"),
    **dict.fromkeys(("percent", "pct", "p"), "{0}% (of the run)"),
}


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
        raise AssertionError("unreachable: the empty magnitude always fits")

    def __repr__(self) -> str:
        return f'"{self}"'


def read_duration(text: str) -> int | Duration:
    """Read a count of steps, or a `Duration` where the unit needs a horizon.

    >>> read_duration("10k"), read_duration("2.5%"), read_duration("2Btok")
    (10000, "2.5%", "2Btok")

    Raises:
        ScheduleError: if `text` is not a duration, or a count of steps that is not whole.
    """
    match = _TEXT.fullmatch(text.strip().replace("_", ""))
    if match is None:
        suggestion = suggest_duration(text)
        raise ScheduleError(f"{text!r} is not a duration: {suggestion or FORMS}")
    decimals = match["decimals"] or ""
    digits = int(match["digits"] + decimals)
    exponent = EXPONENTS[match["magnitude"]] + int(match["power"] or 0) - len(decimals)
    if match["unit"] is None:
        return _steps(digits, exponent, text)
    while digits and digits % 10 == 0:
        digits, exponent = digits // 10, exponent + 1
    return Duration(digits, exponent if digits else 0, match["unit"])  # type: ignore[arg-type]


def suggest_duration(text: str) -> str:
    """Return "did you mean X?" for a number with a unit that is nearly one of these; empty if it is not.

    >>> suggest_duration("10m"), suggest_duration("3epochs")
    ('did you mean 10M (10 million) or 10k (10 thousand)?', 'did you mean 3ep (epochs)?')
    """
    match = _SLIP.fullmatch(text)
    form = SLIPS.get(match["unit"].lower(), "") if match else ""
    return f"did you mean {form.format(match['number'])}?" if match and form else ""


def _steps(digits: int, exponent: int, text: str) -> int:
    above, below = int(10 ** max(exponent, 0)), int(10 ** max(-exponent, 0))
    steps, rest = divmod(digits * above, below)
    if rest:
        raise ScheduleError(f"{text!r} is not a whole number of steps")
    return steps


def _decimal(digits: int, exponent: int) -> str:
    """Return `digits * 10**exponent` in plain decimal notation, exactly."""
    if exponent >= 0:
        return str(digits * 10**exponent)
    padded = str(digits).rjust(1 - exponent, "0")
    whole, decimals = padded[:exponent], padded[exponent:].rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole
