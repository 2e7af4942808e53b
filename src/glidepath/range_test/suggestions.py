"""Rates that a smoothed sweep suggests: a rule maps evenly spaced log10 rates and smoothed losses to a rate.

All of them look at the slope over the *logarithm* of the rate. Over the rate itself, the slopes between the lowest
rates are the noise divided by next to nothing, and win.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from glidepath.runs.run import FloatArray

INTERVAL = 1.2  # decades across which `slide` compares slopes: 15 of fastai's 100 updates
LEVEL = 0.1  # of the steepest descent: slopes that differ less count as equal


@final
@dataclass(frozen=True)
class Suggestion:
    """A rate, with the interval that the noise of the losses leaves.

    Args:
        rate: the highest rate of any parameter group.
        low: nine in ten resamples of the losses suggest a rate between `low` ...
        high: ... and `high`.
        doubt: why not to trust it; empty if there is no reason.
    """

    rate: float
    low: float
    high: float
    doubt: str = ""

    def __bool__(self) -> bool:
        return not self.doubt


def steepest(places: FloatArray, losses: FloatArray) -> float:
    """Return the place where the loss falls fastest: argmin of dL / d log(rate)."""
    slopes = np.gradient(losses, places)
    i = int(slopes[1:-1].argmin()) + 1
    return float(places[i] + _vertex(slopes[i - 1 : i + 2]) * (places[1] - places[0]))


def _vertex(three: FloatArray) -> float:
    """Return the minimum of the parabola through three even points, in units of their distance, from the middle."""
    before, middle, after = three
    bend = before - 2 * middle + after
    return 0.0 if bend <= 0 else float(np.clip((before - after) / (2 * bend), -1, 1))


def valley(places: FloatArray, losses: FloatArray) -> float:
    """Return the middle of the deepest descent: of the interval in which the loss falls furthest without a rise."""
    falls = np.diff(losses) < 0
    edges = np.flatnonzero(np.diff(falls, prepend=False, append=False))
    if not len(edges):
        return float(places[0])
    starts, stops = edges[::2], edges[1::2]
    deepest = int((losses[starts] - losses[stops]).argmax())
    return float(places[starts[deepest]] + places[stops[deepest]]) / 2


def minimum(places: FloatArray, losses: FloatArray) -> float:
    """Return a tenth of the rate with the lowest loss, because that rate is already too high to train with."""
    return float(places[losses.argmin()]) - 1


def slide(places: FloatArray, losses: FloatArray) -> float:
    """Return the lower end of an interval that slides down from the highest rate until its ends have equal slopes."""
    slopes = np.gradient(losses, places)
    width = min(round(INTERVAL / (places[1] - places[0])), len(places) - 1)
    alike = np.abs(slopes[width:] - slopes[:-width]) <= -LEVEL * slopes.min()
    return float(places[np.flatnonzero(alike).max(initial=0)])


RULES: dict[str, Callable[[FloatArray, FloatArray], float]] = {
    "steepest": steepest,
    "valley": valley,
    "minimum/10": minimum,
    "slide": slide,
}
