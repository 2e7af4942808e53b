"""Numbers beside a curve: steps as 10k, rates as 3e-4; and the places of the ticks."""

import math
from collections.abc import Sequence

DECADES = 12  # the most that a logarithmic axis shows
MAGNITUDES = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k"))


def step_text(step: float) -> str:
    """Return a step as people write it.

    >>> [step_text(k) for k in (0, 250, 1500, 10_000, 2_000_000, 12_345)]
    ['0', '250', '1.5k', '10k', '2M', '12345']
    """
    for size, suffix in MAGNITUDES:
        if step >= size:
            return f"{step / size:.4g}{suffix}" if step % (size // 100) == 0 else f"{step:.15g}"
    return f"{step:.15g}"


def value_text(value: float, digits: int = 3) -> str:
    """Return a value in at most `digits` significant digits, rates as 3e-4 rather than 0.0003.

    >>> [value_text(v) for v in (0.0, 1.0, 0.25, 0.01, 3e-4, 2.5e-6, 12345.0, float("nan"))]
    ['0', '1', '0.25', '0.01', '3e-4', '2.5e-6', '1.23e4', 'nan']
    """
    if value == 0 or not math.isfinite(value) or 0.01 <= abs(value) < 1e4:
        return f"{value:.{digits}g}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    short = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{short}e{int(exponent)}"


def power_text(value: float) -> str:
    """Return a power of ten as written beside a logarithmic axis.

    >>> power_text(1.0), power_text(1e-3)
    ('1', '1e-3')
    """
    return "1" if value == 1 else f"1e{round(math.log10(value))}"


def linear_ticks(low: float, high: float, most: int) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten within [low, high], at most `most` of them.

    >>> linear_ticks(0, 3e-4, 4)
    [0.0, 0.0001, 0.0002, 0.0003]
    """
    gap = _nice_gap((high - low) / max(1, most - 1))
    first, last = math.ceil(low / gap - 1e-9), math.floor(high / gap + 1e-9)
    return [float(f"{i * gap:.12g}") + 0.0 for i in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Return powers of ten within [low, high], every second or third if there are more than `most`."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    stride = max(1, math.ceil((last - first + 1) / most))
    return [10.0**i for i in range(last, first - 1, -stride)][::-1]


def linear_range(low: float, high: float) -> tuple[float, float]:
    """Return the range of a linear axis: from zero, unless the values stay far away from it.

    >>> linear_range(0.3, 1.0), linear_range(0.85, 0.95), linear_range(1.0, 1.0), linear_range(-0.2, 1.0)
    ((0.0, 1.0), (0.85, 0.95), (0.0, 1.0), (-0.2, 1.0))
    """
    if low == high:
        low, high = min(0.0, low), max(0.0, high)
        return (low, high) if low < high else (0.0, 1.0)
    return (0.0, high) if 0 <= low < 0.7 * high else (low, high)


def log_range(values: Sequence[float]) -> tuple[float, float]:
    """Return the range of a logarithmic axis: from the decade below all but the smallest 0.5% of the values.

    A decay to zero ends many decades down; its last few updates leave the axis at the bottom instead of flattening
    everything above. The values must be positive.
    """
    ordered = sorted(values)
    low, high = ordered[len(ordered) // 200], ordered[-1]
    decade = max(math.floor(math.log10(low) + 1e-9), math.floor(math.log10(high)) - DECADES)
    return 10.0**decade, high if high > 2 * 10.0**decade else 10.0 ** (decade + 1)


def _nice_gap(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))
