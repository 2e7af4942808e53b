"""The names of the laws, and what their letters mean."""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

import numpy as np
from cyclopts import Parameter

from glidepath.law import (
    ConvexKernelLaw,
    Fit,
    FunctionalScalingLaw,
    Law,
    MomentumLaw,
    MultiPowerLaw,
    NoiseFloorLaw,
)

Name = Literal["noise-floor", "multi-power", "functional-scaling", "momentum", "convex-kernel"]
Option = Annotated[Name, Parameter(name="--law")]
KINDS = (NoiseFloorLaw, MultiPowerLaw, FunctionalScalingLaw, MomentumLaw, ConvexKernelLaw)
LAWS: dict[str, type[Law]] = {kind.NAME: kind for kind in KINDS}

MEANINGS = {  # of the letters of the formula that all laws share: the symbol, and what it is
    "limit": ("L0", "loss that no training works off"),
    "gap": ("A", "loss above L0 after 1,000 updates at the peak"),
    "alpha": ("alpha", "how fast training works it off: an exponent"),
    "noise": ("B", "loss that the noise of the peak rate adds"),
    "rho": ("rho", "how fast the noise follows the rate, per update at the peak"),
    "beta": ("beta", "how slowly the noise forgets: an exponent"),
    "kappa": ("kappa", "how the noise grows with the rate: an exponent"),
    "q": ("q", "how progress grows with the rate: an exponent"),
    "gamma": ("gamma", "how much later the noise follows at a low rate: an exponent"),
}


class Letter(NamedTuple):
    """One letter of a fit.

    Args:
        name: its word.
        symbol: in the formula.
        meaning: what it is.
        value: that fits best.
        deviation: its standard deviation.
    """

    name: str
    symbol: str
    meaning: str
    value: float
    deviation: float


def letters_of(known: Fit) -> Iterator[Letter]:
    """The letters that a fit has chosen."""
    deviations = np.sqrt(np.diag(known.covariance))
    for free, z, deviation in zip(type(known.law).FREE, known.searched, deviations, strict=True):
        value = free.value(float(z))
        spread = float(deviation) * (abs(value) if free.log else 1.0)  # of a logarithm: in proportion
        yield Letter(free.letter, *MEANINGS[free.letter], value, spread)
