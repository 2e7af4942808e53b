"""From one value to another: each end is met exactly, and no digit is lost on the way to zero."""

import math


def cosine(start: float, end: float, passed: float, whole: float) -> float:
    """start * sin^2(pi/2 * (1 - p)) + end * sin^2(pi/2 * p), p = passed / whole"""
    return start * _rise(whole - passed, whole) + end * _rise(passed, whole)


def linear(start: float, end: float, passed: float, whole: float) -> float:
    """start * (1 - p) + end * p, p = passed / whole"""
    return (start * (whole - passed) + end * passed) / whole


def _rise(passed: float, whole: float) -> float:
    half = math.sin(math.pi / 2 * (passed / whole))
    return half * half
