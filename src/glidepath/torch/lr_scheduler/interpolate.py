"""Interpolation between two values that meets each end exactly and loses no digit on the way to zero."""

import math
from collections.abc import Callable


def cosine(start: float, end: float, passed: float, length: float) -> float:
    """Return start * sin^2(pi/2 * (1 - p)) + end * sin^2(pi/2 * p), p = passed / length."""
    fall, rise = cosine_weights(passed, length)
    return start * fall + end * rise


def cosine_weights(passed: float, length: float) -> tuple[float, float]:
    """Return the weights of both ends: sin^2(pi/2 * (1 - p)) and sin^2(pi/2 * p), p = passed / length."""
    return _rise(length - passed, length), _rise(passed, length)


def linear(start: float, end: float, passed: float, length: float) -> float:
    """Return start * (1 - p) + end * p, p = passed / length."""
    return (start * (length - passed) + end * passed) / length


def cosine_at(passed: float, length: float) -> Callable[[list[float], list[float]], list[float]]:
    """Return the function that interpolates like `cosine` between lists of starts and ends, at one place."""
    fall, rise = cosine_weights(passed, length)
    return lambda starts, ends: [start * fall + end * rise for start, end in zip(starts, ends, strict=True)]


def linear_at(passed: float, length: float) -> Callable[[list[float], list[float]], list[float]]:
    """Return the function that interpolates like `linear` between lists of starts and ends, at one place."""
    left = length - passed
    return lambda starts, ends: [
        (start * left + end * passed) / length for start, end in zip(starts, ends, strict=True)
    ]


def _rise(passed: float, length: float) -> float:
    root = math.sin(math.pi / 2 * (passed / length))
    return root * root
