"""Schedules that go up and down: one cycle, several cycles, restarts, and the sweep of a range test.

k is the update, n the length and p = k / n.
"""

from glidepath.core.checks import count, real
from glidepath.core.curves import Cosine, Geometric, Linear
from glidepath.core.schedule import Schedule, Steps, draftable
from glidepath.core.transforms import repeat

from .lengths import as_length, rest_of


@draftable
def one_cycle(steps: Steps, *, rise: float = 0.3, start: float = 0.04, to: float = 4e-6) -> Schedule:
    """Go up to the peak and down again in one cosine each: `start` to 1 to `to`.

    Args:
        steps: the whole length.
        rise: share of the steps that go up, from 0 to 1 (rounded to whole steps).
        start: value of update 0 (the default is 1/25).
        to: value at the end (the default is start / 10,000).

    Sources:
        Smith and Topin, 2018, Super-convergence, section 3 (linear there), https://arxiv.org/abs/1708.07120.
    """
    up = round(count(steps, "steps") * real(rise, "rise", at_least=0, at_most=1))
    return Cosine(up, 1.0, start) >> Cosine(count(steps, "steps") - up, to)


@draftable
def one_cycle_linear(
    steps: Steps, *, rise: float = 0.3, fall: float = 0.3, start: float = 0.04, to: float = 4e-6
) -> Schedule:
    """Run one cycle in three straight phases: `start` to 1, back to `start`, then down to `to`.

    Args:
        steps: the whole length.
        rise: share of the steps that go up.
        fall: share of the steps that come down to `start`; the rest is the tail.
        start: value of update 0.
        to: value at the end.

    Sources:
        Smith and Topin, 2018, Super-convergence, section 3, https://arxiv.org/abs/1708.07120.
    """
    whole = count(steps, "steps")
    up = round(whole * real(rise, "rise", at_least=0, at_most=1))
    down = round(whole * (real(fall, "fall", at_least=0, at_most=1) + rise)) - up
    tail = rest_of(whole, rise=up, fall=down)
    return Linear(up, 1.0, start) >> Linear(down, start) >> Linear(tail, to, start)


@draftable
def one_cycle_momentum(steps: Steps, *, rise: float = 0.3, minimum: float = 0.85, maximum: float = 0.95) -> Schedule:
    """Lower the momentum while `one_cycle` raises the rate, then raise it again. Schedule it with `Set`."""
    up = round(count(steps, "steps") * real(rise, "rise", at_least=0, at_most=1))
    return Cosine(up, minimum, maximum) >> Cosine(count(steps, "steps") - up, maximum, minimum)


@draftable
def slanted_triangular(steps: Steps, *, cut: float = 0.1, ratio: float = 32.0) -> Schedule:
    """Rise for a short time and fall for a long one, between 1/ratio and 1.

    (1 + r (ratio - 1)) / ratio with r = k / c up to c = floor(n cut), then 1 - (k - c) / (n - c). The paper writes the
    fall's length as c (1 / cut - 1), which is n - c when n cut is whole; copies let it go negative when it is not.

    Sources:
        Howard and Ruder, 2018, ULMFiT, equation 3, https://arxiv.org/abs/1801.06146.
    """
    lowest = 1 / real(ratio, "ratio", at_least=1)
    whole = count(steps, "steps")
    up = int(whole * real(cut, "cut", at_least=0, at_most=1))
    return Linear(up, 1.0, lowest) >> Linear(whole - up, lowest)


@draftable
def cosine_restarts(
    steps: Steps, *, times: int | None = None, growth: float = 1.0, shrink: float = 1.0, to: float = 0.0
) -> Schedule:
    """Restart a cosine again and again: cycle i lasts round(steps * growth^i) updates.

    Args:
        steps: length of the first cycle, at least 1.
        times: cycles; None for ever.
        growth: the paper's T_mult.
        shrink: height of a cycle over the one before it; `to` does not shrink.
        to: value at the end of every cycle, as a fraction of the peak.

    Examples:
        >>> cosine_restarts(100, growth=2)
        repeat(cosine(100), growth=2.0)

    Sources:
        Loshchilov and Hutter, 2017, SGDR, section 3, https://arxiv.org/abs/1608.03983.
    """
    floor = real(to, "to")
    if shrink == 1.0:
        return repeat(Cosine(as_length(steps), floor), times=times, growth=growth)
    cycles = repeat(Cosine(as_length(steps)), times=times, growth=growth, shrink=shrink)
    return cycles if floor == 0.0 else floor + (1.0 - floor) * cycles


@draftable
def cyclic(
    up: Steps, *, down: Steps | None = None, minimum: float = 0.1, times: int | None = None, shrink: float = 1.0
) -> Schedule:
    """Run triangles between `minimum` and the peak; cycle i is shrink^i as high above `minimum` (0.5 is "triangular2").

    For an amplitude that fades with every update ("exp_range"), multiply:
    0.1 + 0.9 * cyclic(2000, minimum=0) * exponential(every=1, factor=0.9999).

    Sources:
        Smith, 2017, Cyclical learning rates, section 3.1, https://arxiv.org/abs/1506.01186.
    """
    floor = real(minimum, "minimum", at_least=0, at_most=1)
    rise = count(up, "up")
    triangle = Linear(rise, 1.0, 0.0) >> Linear(rise if down is None else count(down, "down"))
    cycles = repeat(triangle, times=times, shrink=shrink)
    return cycles if floor == 0.0 else floor + (1.0 - floor) * cycles


@draftable
def sweep(steps: Steps, *, start: float = 1e-7) -> Schedule:
    """Sweep exponentially from `start` up to 1, to find a rate: start^(1 - p).

    Sources:
        Smith, 2017, Cyclical learning rates, section 3.3 (linear there), https://arxiv.org/abs/1506.01186.
    """
    return Geometric(as_length(steps), 1.0, start)
