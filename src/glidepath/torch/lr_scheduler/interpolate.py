"""Interpolation between two values that meets each end exactly and loses no digit on the way to zero."""

from math import pi, sin

HALF_PI = pi / 2


def cosine(start: float, end: float, passed: float, length: float) -> float:
    """Return start * sin^2(pi/2 * (1 - p)) + end * sin^2(pi/2 * p), p = passed / length."""
    fall, rise = cosine_weights(passed, length)
    return start * fall + end * rise


def cosine_weights(passed: float, length: float) -> tuple[float, float]:
    """Return the weights of both ends: sin^2(pi/2 * (1 - p)) and sin^2(pi/2 * p), p = passed / length."""
    fall, rise = sin(HALF_PI * ((length - passed) / length)), sin(HALF_PI * (passed / length))
    return fall * fall, rise * rise


def linear(start: float, end: float, passed: float, length: float) -> float:
    """Return start * (1 - p) + end * p, p = passed / length."""
    return (start * (length - passed) + end * passed) / length
