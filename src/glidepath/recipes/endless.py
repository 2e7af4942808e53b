"""Recipes without an end, in absolute steps; `constant` has one only if it is given a length.

k is the update. `noam` and `power_law` are absolute rates, the others begin at 1.0.
"""

import math
from collections.abc import Iterable
from typing import Any, cast

from glidepath.core.checks import count, real
from glidepath.core.curves import Warmup
from glidepath.core.endless import Constant, Exponential, InversePower, InverseTime, Multistep, Step
from glidepath.core.schedule import Schedule, Steps, draftable
from glidepath.core.transforms import clip

from .lengths import as_length


@draftable
def constant(steps: Steps | None = None) -> Schedule:
    """Stay at 1.0: for ever, for `steps` updates, or in the middle of a sequence for what the others leave.

    Examples:
        >>> (warmup(100) >> constant() >> linear(200)).over(1000)
        warmup(100) >> constant(700) >> linear(200)
    """
    return Constant(None if steps is None else as_length(steps))


@draftable
def exponential(*, every: Steps, factor: float) -> Schedule:
    """Decay exponentially, factor^(k / every): the note's `learning_rate * decay_rate ^ (global_step / decay_steps)`.

    Args:
        every: steps in which the value falls by `factor`, at least 1.
        factor: above 0.

    Examples:
        >>> exponential(every=1000, factor=0.96)(1000)
        0.96
    """
    return Exponential(as_length(every), factor)


@draftable
def step(*, every: Steps, factor: float = 0.1) -> Schedule:
    """Decay in steps, factor^floor(k / every): a staircase of `exponential`.

    Examples:
        >>> [step(every=2, factor=0.5)(k) for k in range(5)]
        [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    return Step(as_length(every), factor)


@draftable
def multistep(milestones: Iterable[Steps], *, factor: float | Iterable[float] = 0.1) -> Schedule:
    """Multiply by a factor at each milestone: the product of the factors of every milestone m <= k.

    Args:
        milestones: ascending steps; milestone 30 takes effect at update 30.
        factor: one for all, or one for each.

    Examples:
        >>> [multistep([30, 80], factor=[0.1, 0.5])(k) for k in (29, 30, 80)]
        [1.0, 0.1, 0.05]

    Sources:
        He et al., 2016, section 3.4, https://arxiv.org/abs/1512.03385.
    """
    return Multistep(cast(Any, milestones), cast(Any, factor))


@draftable
def inverse_time(*, every: Steps, rate: float = 1.0) -> Schedule:
    """Decay by inverse time: 1 / (1 + rate * k / every).

    Sources:
        Robbins and Monro, 1951, equation 26 (steps in 1/k), https://doi.org/10.1214/aoms/1177729586.
    """
    return InverseTime(as_length(every), rate)


@draftable
def inverse_power(timescale: Steps, *, power: float = 0.5) -> Schedule:
    """Decay by an inverse power, (1 + k / timescale)^-power: from 1, without a warmup."""
    return InversePower(as_length(timescale), power)


@draftable
def inverse_sqrt(*, warmup: Steps, timescale: Steps | None = None) -> Schedule:
    """Warm up, then decay by 1 / sqrt(1 + j / timescale), j the steps since its end.

    With `timescale` equal to `warmup` this is sqrt(warmup / k), fairseq's form.

    Sources:
        Vaswani et al., 2017, equation 3, https://arxiv.org/abs/1706.03762.
        Zhai et al., 2022, section 3.5 (the timescale), https://arxiv.org/abs/2106.04560.
    """
    length = count(warmup, "warmup")
    return Warmup(length, 1.0, 0.0) >> InversePower(length if timescale is None else as_length(timescale))


@draftable
def noam(*, model_width: int, warmup: Steps) -> Schedule:
    """Warm up and decay at an absolute rate: width^-0.5 * min(s^-0.5, s * warmup^-1.5) with s = k + 1.

    Args:
        model_width: d_model, at least 1.
        warmup: steps to the peak, at least 1; the peak is (width * warmup)^-0.5.

    Sources:
        Vaswani et al., 2017, equation 3, https://arxiv.org/abs/1706.03762.
    """
    width = count(model_width, "model_width", at_least=1)
    length = count(warmup, "warmup", at_least=1)
    peak = 1.0 / math.sqrt(width * length)
    return peak * (Warmup(length, 1.0, 0.0) >> InversePower(length)[1:])


@draftable
def power_law(*, peak: float, batch_size: int, tokens_per_step: int, a: float = 4.6, b: float = -0.51) -> Schedule:
    """Decay by a power of the tokens, an absolute rate: min(peak, batch_size * a * n^b), n the tokens after the update.

    Args:
        peak: the largest rate, above 0.
        batch_size: sequences in an update, at least 1 (the paper's beta).
        tokens_per_step: tokens in an update, at least 1.
        a: amplitude.
        b: exponent of the tokens, below 0.

    Sources:
        Shen et al., 2024, Power scheduler, equation 6, https://arxiv.org/abs/2408.13359.
    """
    tokens = count(tokens_per_step, "tokens_per_step", at_least=1)
    falling = real(b, "b", at_most=-1e-300)
    first = count(batch_size, "batch_size", at_least=1) * real(a, "a", above=0) * tokens**falling
    return clip(first * InversePower(1, -falling), maximum=real(peak, "peak", above=0))
