"""The parameters of a fit as a table: what each means, its value, and how well the runs determine it."""

from typing import NamedTuple

import numpy as np

from glidepath.law.evaluation.fast_sum import FloatArray
from glidepath.law.evaluation.formula import ParameterName
from glidepath.law.laws.law import Law

MEANINGS: dict[ParameterName, tuple[str, str]] = {  # of the formula that all laws share: the symbol, and what it is
    "limit": ("L0", "loss that no training removes"),
    "gap": ("A", "loss above L0 after 1,000 updates at the peak"),
    "alpha": ("alpha", "how fast training removes it: an exponent"),
    "noise": ("B", "loss that the noise of the peak rate adds"),
    "rho": ("rho", "how fast the noise follows the rate, per update at the peak"),
    "beta": ("beta", "how slowly the noise forgets: an exponent"),
    "kappa": ("kappa", "how the noise grows with the rate: an exponent"),
    "q": ("q", "how progress grows with the rate: an exponent"),
    "gamma": ("gamma", "how much later the noise follows at a low rate: an exponent"),
}


class FittedParameter(NamedTuple):
    """One parameter of a fit.

    Args:
        name: of the parameter in the formula, such as "limit".
        symbol: in the formula, such as "L0".
        meaning: what it is, in words.
        value: that fits best.
        standard_error: of the value, from the curvature of the fit. It counts neighboring losses as one observation
            (see `problem.py`), so it is larger than what independent noise of each loss would make it.
    """

    name: ParameterName
    symbol: str
    meaning: str
    value: float
    standard_error: float


def parameter_table(law: type[Law], coordinates: FloatArray, covariance: FloatArray) -> tuple[FittedParameter, ...]:
    """Return the free parameters of a law at a point of the search, with their standard errors.

    Args:
        law: whose `FREE` parameters were searched for.
        coordinates: (n,), where a logarithm was searched, the logarithm.
        covariance: (n, n), of the coordinates.
    """
    rows = []
    for free, z, error in zip(law.FREE, coordinates, np.sqrt(np.diag(covariance)), strict=True):
        value = free.value(float(z))
        standard_error = float(error) * (abs(value) if free.log else 1.0)  # the error of a logarithm is relative
        rows.append(FittedParameter(free.name, *MEANINGS[free.name], value, standard_error))
    return tuple(rows)
