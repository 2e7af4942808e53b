"""Losses of range tests whose steepest point is known: they fall along a logistic curve, and then diverge."""

from typing import NamedTuple

import numpy as np

LOG_RATES = np.linspace(-7, 1, 200)


class Curve(NamedTuple):
    """Of one sweep: the log10 rates and the losses until it was stopped, and where the noiseless loss falls fastest."""

    places: np.ndarray
    losses: np.ndarray
    steepest: float


def curve(seed: int, noise: float) -> Curve:
    """A curve of random place, width, height and end.

    Args:
        seed: of all that is random.
        noise: the standard deviation of a loss, over the height of the fall.
    """
    random = np.random.default_rng(seed)
    middle, width = random.uniform(-4.5, -1.5), random.uniform(0.12, 0.5)
    end = middle + random.uniform(4 * width + 0.3, 4 * width + 1.2)
    top = random.uniform(1, 5)
    height = top * random.uniform(0.2, 0.7)

    def loss(x: np.ndarray) -> np.ndarray:
        fall = height / (1 + np.exp(-(x - middle) / width))
        return top - fall + 0.05 * height * np.exp(np.minimum((x - end) / 0.12, 50))

    fine = np.linspace(-7, 1, 80_001)
    losses = loss(LOG_RATES) + noise * height * random.standard_normal(len(LOG_RATES))
    away = np.flatnonzero(losses > 4 * np.minimum.accumulate(losses))
    stop = int(away[0]) + 1 if len(away) else len(losses)
    return Curve(LOG_RATES[:stop], losses[:stop], float(fine[np.gradient(loss(fine)).argmin()]))
