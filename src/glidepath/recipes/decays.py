"""Recipes with an end: a warmup, and decays from `start` to `to` in `steps` updates.

k is the update, n the length and p = k / n.
"""

from glidepath.core.checks import count, real
from glidepath.core.curves import (
    Chebyshev,
    Cosine,
    CosineWaves,
    Geometric,
    InverseLinear,
    Linear,
    NormalizedExponential,
    OneMinusSqrt,
    Polynomial,
    Rex,
    Tanh,
    Warmup,
)
from glidepath.core.schedule import Schedule, Steps, draftable

from .lengths import as_length


@draftable
def warmup(steps: Steps, *, to: float = 1.0, start: float = 0.0) -> Schedule:
    """Rise to the peak in `steps` updates: start + (to - start) * (k + 1) / n.

    Update 0 already moves (1/n of the peak) and update n - 1 is the first at the peak. The other conventions of the
    field are `linear(n, start=0, to=1)` for k / n, and `warmup(n + 1)[:n]` for (k + 1) / (n + 1).

    Args:
        steps: length, at least 0.
        to: value at the end.
        start: value just before update 0.

    Examples:
        >>> [warmup(4)(k) for k in range(5)]
        [0.25, 0.5, 0.75, 1.0, 1.0]

    Sources:
        Goyal et al., 2017, section 2.2 (gradual warmup), https://arxiv.org/abs/1706.02677.
    """
    return Warmup(count(steps, "the length of warmup"), real(to, "to"), real(start, "start"))


@draftable
def linear(steps: Steps, *, to: float = 0.0, start: float = 1.0) -> Schedule:
    """Follow a straight line: start * (1 - p) + to * p, then `to`.

    Examples:
        >>> [linear(4)(k) for k in range(5)]
        [1.0, 0.75, 0.5, 0.25, 0.0]

    Sources:
        Li, Yumer and Ramanan, 2020, budgeted training (equation 1), https://arxiv.org/abs/1905.04753.
    """
    return Linear(as_length(steps), to, start)


@draftable
def cosine(steps: Steps, *, to: float = 0.0, start: float = 1.0, power: float = 1.0, k: float = 1.0) -> Schedule:
    """Follow half a cosine wave: to + (start - to) * ((1 + cos(pi p^k)) / 2)^power, then `to`.

    It does not rise again past its end; computed as sin^2(pi/2 (1 - p^k)), exact down to the last update.

    Args:
        steps: length, at least 0.
        to: value held from update n on.
        start: value of update 0.
        power: exponent of the fall, above 0 (optax calls it `exponent`).
        k: exponent of the share passed, above 0; larger stays high for longer (k-decay).

    Examples:
        >>> [round(cosine(4)(k), 4) for k in range(5)]
        [1.0, 0.8536, 0.5, 0.1464, 0.0]

    Sources:
        Loshchilov and Hutter, 2017, SGDR, equation 5, https://arxiv.org/abs/1608.03983.
        Zhang and Li, 2020, k-decay, https://arxiv.org/abs/2004.05909.
    """
    return Cosine(as_length(steps), to, start, power, k)


@draftable
def polynomial(steps: Steps, *, to: float = 0.0, start: float = 1.0, power: float = 2.0, k: float = 1.0) -> Schedule:
    """Follow a power of what is left: to + (start - to) * (1 - p^k)^power, then `to`.

    Args:
        steps: length, at least 0.
        to: value held from update n on.
        start: value of update 0.
        power: exponent of what is left, above 0.
        k: exponent of the share passed, above 0.

    Examples:
        >>> [polynomial(4, power=2)(k) for k in range(5)]
        [1.0, 0.5625, 0.25, 0.0625, 0.0]

    Sources:
        Chen et al., 2017, DeepLab ("poly", section 4.1.1), https://arxiv.org/abs/1606.00915.
    """
    return Polynomial(as_length(steps), to, start, power, k)


@draftable
def one_minus_sqrt(steps: Steps, *, to: float = 0.0, start: float = 1.0) -> Schedule:
    """Cool down by 1 - sqrt(p): to + (start - to) * (1 - p) / (1 + sqrt(p)), then `to`.

    Sources:
        Hägele et al., 2024, section 3, https://arxiv.org/abs/2405.18392.
    """
    return OneMinusSqrt(as_length(steps), to, start)


@draftable
def one_minus_power(steps: Steps, *, to: float = 0.0, start: float = 1.0, power: float = 2.0) -> Schedule:
    """Cool down by 1 - p^power: `power=2` is 1 - square. The same curve as polynomial(n, power=1, k=power)."""
    return Polynomial(as_length(steps), to, start, 1.0, power)


@draftable
def geometric(steps: Steps, *, to: float = 0.01, start: float = 1.0) -> Schedule:
    """Multiply by the same factor at every update: start * (to / start)^p, then `to`. Neither end may be zero.

    Examples:
        >>> [round(geometric(4, to=0.0001)(k), 6) for k in range(5)]
        [1.0, 0.1, 0.01, 0.001, 0.0001]
    """
    return Geometric(as_length(steps), to, start)


@draftable
def normalized_exponential(steps: Steps, *, to: float = 0.0, start: float = 1.0, ratio: float = 0.1) -> Schedule:
    """Decay exponentially and reach the end: fall = (ratio^p - ratio) / (1 - ratio).

    `ratio=0.1` is timm's exponential cooldown; `ratio=0.5` equals Megatron-LM's 2 * 0.5^p - 1.

    Args:
        steps: length, at least 0.
        to: value held from update n on.
        start: value of update 0.
        ratio: the exponential's last value over its first, between 0 and 1.
    """
    return NormalizedExponential(as_length(steps), to, start, ratio)


@draftable
def inverse_linear(steps: Steps, *, to: float = 0.01, start: float = 1.0) -> Schedule:
    """Let the inverse of the rate grow linearly: 1 / ((1 - p) / start + p / to), then `to`. Neither end may be zero."""
    return InverseLinear(as_length(steps), to, start)


@draftable
def rex(steps: Steps, *, to: float = 0.0, start: float = 1.0) -> Schedule:
    """Decay by a reflected exponential: fall = (1 - p) / (1/2 + (1 - p) / 2).

    Sources:
        Chen, Wolfe and Kyrillidis, 2022, REX, section 4, https://arxiv.org/abs/2107.04197.
    """
    return Rex(as_length(steps), to, start)


@draftable
def tanh(steps: Steps, *, to: float = 0.0, start: float = 1.0, lower: float = -7.0, upper: float = 3.0) -> Schedule:
    """Decay by a hyperbolic tangent: fall = (1 - tanh(lower (1 - p) + upper p)) / 2.

    By its formula it begins a little below `start` (tanh(-7) is not quite -1) and stops short of `to`
    ((1 - tanh 3) / 2 = 0.0025 of the way is left), then holds `to`.

    Sources:
        Hsueh, Li and Wu, 2019, Stochastic gradient descent with hyperbolic-tangent decay, equation 5,
        https://arxiv.org/abs/1806.01593.
    """
    return Tanh(as_length(steps), to, start, lower, upper)


@draftable
def cosine_waves(steps: Steps, *, waves: float = 1.5) -> Schedule:
    """Follow whole and half waves of a cosine: (1 + cos(2 pi waves p)) / 2; `waves=0.5` is `cosine`.

    transformers calls `waves` num_cycles, a name that means restarts in its hard-restart schedule.
    """
    return CosineWaves(as_length(steps), waves)


@draftable
def chebyshev(steps: Steps, *, curvature_ratio: float = 0.05) -> Schedule:
    """Take fractal Chebyshev steps: 1 / (C - R cos(pi (sigma(k) + 1/2) / n)) with C, R = (1 +- curvature_ratio) / 2.

    The nodes rise far above 1 (up to 1 / curvature_ratio): the base rate is the inverse of the largest curvature, and
    the permutation sigma keeps the product of steps stable. Copies drop two nodes and repeat the largest; this follows
    the paper.

    Args:
        steps: a power of two.
        curvature_ratio: smallest curvature over the largest, between 0 and 1.

    Sources:
        Agarwal, Goel and Zhang, 2021, Acceleration via fractal learning rate schedules, definition 1 and section 2,
        https://arxiv.org/abs/2103.01338.
    """
    return Chebyshev(as_length(steps), curvature_ratio)
