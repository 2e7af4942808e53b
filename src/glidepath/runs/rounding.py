"""The rounding of the rates in a log: to how many digits they were written."""

import numpy as np

from .run import FloatArray

MOST_DIGITS = 6  # a log whose rates all have no more was rounded
HALF = 0.51  # of a unit, with room for the last bit


def half_unit(rates: FloatArray) -> FloatArray:
    """Return half a unit in the last digit of each rate if the log was rounded to a few digits, and else zero.

    >>> half_unit(np.array([0.1234, 0.5678, 0.9876, 0.11])).round(9).tolist()
    [5.1e-05, 5.1e-05, 5.1e-05, 5.1e-05]
    >>> half_unit(np.array([0.1, 0.1, 1 / 3])).tolist()
    [0.0, 0.0, 0.0]
    """
    above = [rate for rate in rates.tolist() if rate > 0]
    digits = max(map(_digits, above), default=MOST_DIGITS + 1)
    if digits > MOST_DIGITS:
        return np.zeros(len(rates))
    places = max(_digits(rate) - 1 - _exponent(rate) for rate in above)  # after the point
    return HALF * np.array([_unit(rate, digits, places) for rate in rates.tolist()])


def _digits(rate: float) -> int:
    """Return the significant digits of a rate in its shortest form."""
    return len(repr(rate).partition("e")[0].replace(".", "").strip("0"))


def _exponent(rate: float) -> int:
    return int(f"{rate:e}".partition("e")[2])


def _unit(rate: float, digits: int, places: int) -> float:
    """Return the unit of the last of so many digits, or of so many places after the point, whichever is coarser."""
    fixed = 10.0**-places
    return max(fixed, 10.0 ** (_exponent(rate) - digits + 1)) if rate > 0 else fixed
