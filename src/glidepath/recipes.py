"""The field's named schedules, each a leaf or a composition, nothing else.

Recipes peak at 1.0 (an optimizer's own rate is the peak), except where a name means an absolute rate: `noam` and
`power_law`. Lengths are updates; any of them may be text: "10k" is a count, and "5%", "3ep" or "2Btok" make a draft
that `.over(horizon)` resolves. Letters: k the update, n the length, p = k / n.
"""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, cast

from .core.checks import count, listed, real
from .core.curves import (
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
from .core.endless import Constant, Exponential, InversePower, InverseTime, Multistep, Noise, Step, Table
from .core.formula import Formula, Function
from .core.schedule import (
    Schedule,
    Steps,
    draftable,
    needs_schedule,
    sequence,
)
from .core.schedule import (
    clip as clip,
)
from .core.schedule import (
    maximum as maximum,
)
from .core.schedule import (
    repeat as repeat,
)
from .core.schedule import (
    reverse as reverse,
)
from .core.schedule import (
    staircase as staircase,
)
from .errors import ScheduleError

# --- curves with an end ---


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
def constant(steps: Steps | None = None) -> Schedule:
    """Stay at 1.0: for ever, for `steps` updates, or in the middle of a sequence for what the others leave.

    Examples:
        >>> (warmup(100) >> constant() >> linear(200)).over(1000)
        warmup(100) >> constant(700) >> linear(200)
    """
    return Constant(None if steps is None else _whole(steps))


@draftable
def linear(steps: Steps, *, to: float = 0.0, start: float = 1.0) -> Schedule:
    """A straight line: start * (1 - p) + to * p, then `to`.

    Examples:
        >>> [linear(4)(k) for k in range(5)]
        [1.0, 0.75, 0.5, 0.25, 0.0]

    Sources:
        Li, Yumer and Ramanan, 2020, budgeted training (equation 1), https://arxiv.org/abs/1905.04753.
    """
    return Linear(_whole(steps), to, start)


@draftable
def cosine(steps: Steps, *, to: float = 0.0, start: float = 1.0, power: float = 1.0, k: float = 1.0) -> Schedule:
    """Half a cosine wave: to + (start - to) * ((1 + cos(pi p^k)) / 2)^power, then `to`.

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
    return Cosine(_whole(steps), to, start, power, k)


@draftable
def polynomial(steps: Steps, *, to: float = 0.0, start: float = 1.0, power: float = 2.0, k: float = 1.0) -> Schedule:
    """to + (start - to) * (1 - p^k)^power, then `to`.

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
    return Polynomial(_whole(steps), to, start, power, k)


@draftable
def one_minus_sqrt(steps: Steps, *, to: float = 0.0, start: float = 1.0) -> Schedule:
    """The cooldown 1 - sqrt(p): to + (start - to) * (1 - p) / (1 + sqrt(p)), then `to`.

    Sources:
        Hägele et al., 2024, section 3, https://arxiv.org/abs/2405.18392.
    """
    return OneMinusSqrt(_whole(steps), to, start)


@draftable
def one_minus_power(steps: Steps, *, to: float = 0.0, start: float = 1.0, power: float = 2.0) -> Schedule:
    """The cooldown 1 - p^power: `power=2` is 1 - square. The same curve as polynomial(n, power=1, k=power)."""
    return Polynomial(_whole(steps), to, start, 1.0, power)


@draftable
def geometric(steps: Steps, *, to: float = 0.01, start: float = 1.0) -> Schedule:
    """The same factor at every update: start * (to / start)^p, then `to`. Neither end may be zero.

    Examples:
        >>> [round(geometric(4, to=0.0001)(k), 6) for k in range(5)]
        [1.0, 0.1, 0.01, 0.001, 0.0001]
    """
    return Geometric(_whole(steps), to, start)


@draftable
def normalized_exponential(steps: Steps, *, to: float = 0.0, start: float = 1.0, ratio: float = 0.1) -> Schedule:
    """An exponential that reaches its end: fall = (ratio^p - ratio) / (1 - ratio).

    `ratio=0.1` is timm's exponential cooldown; `ratio=0.5` equals Megatron-LM's 2 * 0.5^p - 1.

    Args:
        steps: length, at least 0.
        to: value held from update n on.
        start: value of update 0.
        ratio: the exponential's last value over its first, between 0 and 1.
    """
    return NormalizedExponential(_whole(steps), to, start, ratio)


@draftable
def inverse_linear(steps: Steps, *, to: float = 0.01, start: float = 1.0) -> Schedule:
    """The inverse of the rate grows linearly: 1 / ((1 - p) / start + p / to), then `to`. Neither end may be zero."""
    return InverseLinear(_whole(steps), to, start)


@draftable
def rex(steps: Steps, *, to: float = 0.0, start: float = 1.0) -> Schedule:
    """Reflected exponential: fall = (1 - p) / (1/2 + (1 - p) / 2).

    Sources:
        Chen, Wolfe and Kyrillidis, 2022, REX, section 4, https://arxiv.org/abs/2107.04197.
    """
    return Rex(_whole(steps), to, start)


@draftable
def tanh(steps: Steps, *, to: float = 0.0, start: float = 1.0, lower: float = -7.0, upper: float = 3.0) -> Schedule:
    """Hyperbolic tangent decay: fall = (1 - tanh(lower (1 - p) + upper p)) / 2.

    By its formula it begins a little below `start` (tanh(-7) is not quite -1) and stops short of `to`
    ((1 - tanh 3) / 2 = 0.0025 of the way is left), then holds `to`.

    Sources:
        Hsueh, Li and Wu, 2019, Stochastic gradient descent with hyperbolic-tangent decay, equation 5,
        https://arxiv.org/abs/1806.01593.
    """
    return Tanh(_whole(steps), to, start, lower, upper)


@draftable
def cosine_waves(steps: Steps, *, waves: float = 1.5) -> Schedule:
    """Whole and half waves of a cosine: (1 + cos(2 pi waves p)) / 2; `waves=0.5` is `cosine`.

    transformers calls `waves` num_cycles, a name that means restarts in its hard-restart schedule.
    """
    return CosineWaves(_whole(steps), waves)


@draftable
def chebyshev(steps: Steps, *, low: float = 0.05) -> Schedule:
    """Fractal Chebyshev steps: 1 / (C - R cos(pi (sigma(k) + 1/2) / n)) with C, R = (1 +- low) / 2.

    The nodes rise far above 1 (up to 1 / low): the base rate is the inverse of the largest curvature, and the
    permutation sigma keeps the product of steps stable. Copies drop two nodes and repeat the largest; this follows
    the paper.

    Args:
        steps: a power of two.
        low: smallest curvature over the largest, between 0 and 1.

    Sources:
        Agarwal, Goel and Zhang, 2021, Acceleration via fractal learning rate schedules, definition 1 and section 2,
        https://arxiv.org/abs/2103.01338.
    """
    return Chebyshev(_whole(steps), low)


# --- without an end, in absolute steps ---


@draftable
def exponential(*, every: Steps, factor: float) -> Schedule:
    """factor^(k / every): the note's `learning_rate * decay_rate ^ (global_step / decay_steps)`.

    Args:
        every: steps in which the value falls by `factor`, at least 1.
        factor: above 0.

    Examples:
        >>> exponential(every=1000, factor=0.96)(1000)
        0.96
    """
    return Exponential(_whole(every), factor)


@draftable
def step(*, every: Steps, factor: float = 0.1) -> Schedule:
    """factor^floor(k / every): the same as a staircase.

    Examples:
        >>> [step(every=2, factor=0.5)(k) for k in range(5)]
        [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    return Step(_whole(every), factor)


@draftable
def multistep(milestones: Iterable[Steps], *, factor: float | Iterable[float] = 0.1) -> Schedule:
    """The product of the factors of every milestone m <= k.

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
    """1 / (1 + rate * k / every)

    Sources:
        Robbins and Monro, 1951, equation 26 (steps in 1/k), https://doi.org/10.1214/aoms/1177729586.
    """
    return InverseTime(_whole(every), rate)


@draftable
def inverse_power(timescale: Steps, *, power: float = 0.5) -> Schedule:
    """(1 + k / timescale)^-power: falls from 1 without a warmup."""
    return InversePower(_whole(timescale), power)


@draftable
def inverse_sqrt(*, warmup: Steps, timescale: Steps | None = None) -> Schedule:
    """A warmup, then 1 / sqrt(1 + j / timescale), j the steps since its end.

    With `timescale` equal to `warmup` this is sqrt(warmup / k), fairseq's form.

    Sources:
        Vaswani et al., 2017, equation 3, https://arxiv.org/abs/1706.03762.
        Zhai et al., 2022, section 3.5 (the timescale), https://arxiv.org/abs/2106.04560.
    """
    length = count(warmup, "warmup")
    return Warmup(length, 1.0, 0.0) >> InversePower(length if timescale is None else _whole(timescale))


@draftable
def noam(*, model_width: int, warmup: Steps) -> Schedule:
    """width^-0.5 * min(s^-0.5, s * warmup^-1.5) with s = k + 1: an absolute rate.

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
    """The power schedule min(peak, batch_size * a * n^b), n the tokens seen after the update: an absolute rate.

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
    return clip(first * InversePower(1, -falling), high=real(peak, "peak", above=0))


def formula(expression: str | Callable[[int], float]) -> Schedule:
    """A custom decay: an expression in `step`, or a Python function of the step.

    A text may use step, pi, e, the operators + - * / // % **, and sin cos tan tanh exp log log2 log10 sqrt abs floor
    ceil min max. It is parsed, never run as code, and follows IEEE 754. A Python function works everywhere too, but
    has no text form, so it cannot be stored in a file or compared with a checkpoint.

    Examples:
        >>> formula("1 / (1 + 0.01 * step)")(100)
        0.5
        >>> formula(lambda step: 0.9**step)(1)
        0.9
    """
    return Formula(expression) if isinstance(expression, str) else Function(expression)


def table(values: Iterable[float]) -> Schedule:
    """A value for every update, the last one held.

    Examples:
        >>> [table([1.0, 0.5])(k) for k in range(3)]
        [1.0, 0.5, 0.5]
    """
    return Table(cast(Any, values))


def noise(*, seed: int = 0) -> Schedule:
    """A standard normal number for every update, a pure function of (seed, step).

    Examples:
        >>> noise(seed=1)(10) == noise(seed=1)(10)
        True
    """
    return Noise(seed)


# --- compositions ---


@draftable
def piecewise_constant(boundaries: Iterable[Steps], *, values: Iterable[float]) -> Schedule:
    """values[i] up to boundary i, the last value from the last boundary on.

    Examples:
        >>> piecewise_constant([30, 80], values=[1, 0.1, 0.01])
        constant(30) >> 0.1 * constant(50) >> 0.01 * constant()
    """
    ends = [count(b, "a boundary") for b in listed(boundaries, "boundaries")]
    levels = [real(v, "a value") for v in listed(values, "values")]
    if len(levels) != len(ends) + 1:
        raise ScheduleError(f"{len(ends)} boundaries need {len(ends) + 1} values, not {len(levels)}")
    lengths: list[int | None] = [_ascending(a, b) for a, b in pairwise([0, *ends])]
    parts = [Constant(n) if v == 1.0 else v * Constant(n) for n, v in zip([*lengths, None], levels, strict=True)]
    return sequence(*parts)


def piecewise_linear(points: Iterable[tuple[int, float]]) -> Schedule:
    """Straight lines through (step, value) points; the last value holds.

    Examples:
        >>> piecewise_linear([(0, 0.1), (10, 1.0), (30, 0.0)])
        linear(10, to=1.0, start=0.1) >> linear(20)
    """
    return _through(points, Linear)


def piecewise_cosine(points: Iterable[tuple[int, float]]) -> Schedule:
    """Half cosine waves through (step, value) points; the last value holds."""
    return _through(points, Cosine)


@draftable
def wsd(steps: Steps, *, warmup: Steps, cooldown: Steps, final: float = 0.0) -> Schedule:
    """Warm up, hold the peak, cool down linearly over the last `cooldown` steps (warmup-stable-decay).

    For another cooldown write the sequence itself: warmup(500) >> constant(7500) >> one_minus_sqrt(2000). The paper
    below decays exponentially; its successors found the linear and 1 - sqrt forms at least as good.

    Args:
        steps: the whole length.
        warmup: steps to the peak.
        cooldown: steps from the peak to `final`.
        final: value held at the end.

    Examples:
        >>> wsd(10_000, warmup=500, cooldown=2_000)
        warmup(500) >> constant(7500) >> linear(2000)

    Sources:
        Hu et al., 2024, MiniCPM, section 4, https://arxiv.org/abs/2404.06395.
        Hägele et al., 2024, section 3, https://arxiv.org/abs/2405.18392.
    """
    rise, fall = count(warmup, "warmup"), count(cooldown, "cooldown")
    hold = _what_is_left(count(steps, "steps"), warmup=rise, cooldown=fall)
    return Warmup(rise, 1.0, 0.0) >> Constant(hold) >> Linear(fall, final)


@draftable
def trapezoid(steps: Steps, *, warmup: Steps, cooldown: Steps) -> Schedule:
    """A linear rise, a plateau and a linear fall to zero: `wsd` by its older name.

    Sources:
        Xing et al., 2018, A walk with SGD, section 5, https://arxiv.org/abs/1802.08770.
    """
    return wsd(steps, warmup=warmup, cooldown=cooldown)


@draftable
def flat_cosine(steps: Steps, *, cooldown: Steps, final: float = 0.0) -> Schedule:
    """The peak, then a cosine over the last `cooldown` steps.

    Examples:
        >>> flat_cosine(1000, cooldown=250)
        constant(750) >> cosine(250)
    """
    fall = count(cooldown, "cooldown")
    return Constant(_what_is_left(count(steps, "steps"), cooldown=fall)) >> Cosine(fall, final)


@draftable
def wsd_s(periods: Iterable[Steps], *, warmup: Steps, cooldown: Steps, final: float = 0.0) -> Schedule:
    """Several cooldowns from one trunk: each period holds the peak, cools down, and the next starts at the peak again.

    Args:
        periods: the length of each period, at least `cooldown` (the first: at least `warmup + cooldown`).
        warmup: steps to the peak, once.
        cooldown: steps of each cooldown.
        final: value at the end of each cooldown.

    Sources:
        Wen et al., 2024, Understanding warmup-stable-decay learning rates (WSD-S), https://arxiv.org/abs/2410.05192.
    """
    rise, fall = count(warmup, "warmup"), count(cooldown, "cooldown")
    lengths = [count(n, "a period") for n in listed(periods, "periods")]
    if not lengths:
        raise ScheduleError("wsd_s needs at least one period")
    parts: list[Schedule] = [wsd(lengths[0], warmup=rise, cooldown=fall, final=final)]
    parts += [Constant(_what_is_left(n, cooldown=fall)) >> Linear(fall, final) for n in lengths[1:]]
    return sequence(*parts)


@draftable
def infinite(
    *, warmup: Steps, cooldown: Steps, hold: Steps, final: Steps, level: float = 0.1, to: float = 0.01
) -> Schedule:
    """A schedule that can be continued: warmup, cosine to `level`, hold, and a last exponential fall to `to`.

    Args:
        warmup: steps to the peak.
        cooldown: steps of the cosine from the peak to `level`.
        hold: steps at `level`; continue training by making this longer.
        final: steps of the last fall.
        level: the level that is held, above 0.
        to: where the last fall ends, above 0.

    Sources:
        Ibrahim et al., 2024, section 7, https://arxiv.org/abs/2403.08763.
    """
    middle, end = real(level, "level", above=0), real(to, "to", above=0)
    return (
        Warmup(count(warmup, "warmup"), 1.0, 0.0)
        >> Cosine(count(cooldown, "cooldown"), middle)
        >> middle * Constant(count(hold, "hold"))
        >> Geometric(count(final, "final"), end, middle)
    )


@draftable
def one_cycle(steps: Steps, *, rise: float = 0.3, start: float = 0.04, final: float = 4e-6) -> Schedule:
    """Up to the peak and down again in one cosine each: `start` to 1 to `final`.

    Args:
        steps: the whole length.
        rise: share of the steps that go up, from 0 to 1 (rounded to whole steps).
        start: value of update 0 (the default is 1/25).
        final: value at the end (the default is start / 10,000).

    Sources:
        Smith and Topin, 2018, Super-convergence, section 3 (linear there), https://arxiv.org/abs/1708.07120.
    """
    up = round(count(steps, "steps") * real(rise, "rise", at_least=0, at_most=1))
    return Cosine(up, 1.0, start) >> Cosine(count(steps, "steps") - up, final)


@draftable
def one_cycle_linear(
    steps: Steps, *, rise: float = 0.3, fall: float = 0.3, start: float = 0.04, final: float = 4e-6
) -> Schedule:
    """One cycle in three straight phases: `start` to 1, back to `start`, then down to `final`.

    Args:
        steps: the whole length.
        rise: share of the steps that go up.
        fall: share of the steps that come down to `start`; the rest is the tail.
        start: value of update 0.
        final: value at the end.

    Sources:
        Smith and Topin, 2018, Super-convergence, section 3, https://arxiv.org/abs/1708.07120.
    """
    whole = count(steps, "steps")
    up = round(whole * real(rise, "rise", at_least=0, at_most=1))
    down = round(whole * (real(fall, "fall", at_least=0, at_most=1) + rise)) - up
    tail = _what_is_left(whole, rise=up, fall=down)
    return Linear(up, 1.0, start) >> Linear(down, start) >> Linear(tail, final, start)


@draftable
def one_cycle_momentum(steps: Steps, *, rise: float = 0.3, low: float = 0.85, high: float = 0.95) -> Schedule:
    """The momentum that goes with `one_cycle`: down while the rate rises, then up again. Drive it with `Set`."""
    up = round(count(steps, "steps") * real(rise, "rise", at_least=0, at_most=1))
    return Cosine(up, low, high) >> Cosine(count(steps, "steps") - up, high, low)


@draftable
def slanted_triangular(steps: Steps, *, cut: float = 0.1, ratio: float = 32.0) -> Schedule:
    """A short rise and a long fall, between 1/ratio and 1.

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
def tri_stage(*, warmup: Steps, hold: Steps, decay: Steps, start: float = 0.01, final: float = 0.01) -> Schedule:
    """A linear rise from `start`, the peak, and an exponential fall to `final`.

    Sources:
        Park et al., 2019, SpecAugment, section 4.2, https://arxiv.org/abs/1904.08779.
    """
    return Linear(_whole(warmup), 1.0, start) >> Constant(_whole(hold)) >> Geometric(_whole(decay), final)


@draftable
def cosine_restarts(
    steps: Steps, *, times: int | None = None, growth: float = 1.0, shrink: float = 1.0, to: float = 0.0
) -> Schedule:
    """Cosine with warm restarts: cycle i lasts round(steps * growth^i) updates.

    Args:
        steps: length of the first cycle, at least 1.
        times: cycles; None for ever.
        growth: the paper's T_mult.
        shrink: height of a cycle over the one before it; the floor `to` does not shrink.
        to: floor of every cycle, as a share of the peak.

    Examples:
        >>> cosine_restarts(100, growth=2)
        repeat(cosine(100), growth=2.0)

    Sources:
        Loshchilov and Hutter, 2017, SGDR, section 3, https://arxiv.org/abs/1608.03983.
    """
    floor = real(to, "to")
    if shrink == 1.0:
        return repeat(Cosine(_whole(steps), floor), times=times, growth=growth)
    cycles = repeat(Cosine(_whole(steps)), times=times, growth=growth, shrink=shrink)
    return cycles if floor == 0.0 else floor + (1.0 - floor) * cycles


@draftable
def cyclic(
    up: Steps, *, down: Steps | None = None, low: float = 0.1, times: int | None = None, shrink: float = 1.0
) -> Schedule:
    """Triangles between `low` and the peak; cycle i is shrink^i as high above `low` (0.5 is "triangular2").

    For an amplitude that fades with every update ("exp_range"), multiply:
    0.1 + 0.9 * cyclic(2000, low=0) * exponential(every=1, factor=0.9999).

    Sources:
        Smith, 2017, Cyclical learning rates, section 3.1, https://arxiv.org/abs/1506.01186.
    """
    floor = real(low, "low", at_least=0, at_most=1)
    rise = count(up, "up")
    triangle = Linear(rise, 1.0, 0.0) >> Linear(rise if down is None else count(down, "down"))
    cycles = repeat(triangle, times=times, shrink=shrink)
    return cycles if floor == 0.0 else floor + (1.0 - floor) * cycles


@draftable
def linear_cosine(steps: Steps, *, waves: float = 0.5, alpha: float = 0.0, beta: float = 0.001) -> Schedule:
    """(alpha + 1 - p) * (1 + cos(2 pi waves p)) / 2 + beta

    Sources:
        Bello et al., 2017, Neural optimizer search, section 5, https://arxiv.org/abs/1709.07417.
    """
    line = Linear(_whole(steps), real(alpha, "alpha"), 1.0 + real(alpha, "alpha"))
    return real(beta, "beta") + line * CosineWaves(_whole(steps), waves)


@draftable
def noisy_linear_cosine(
    steps: Steps,
    *,
    waves: float = 0.5,
    alpha: float = 0.0,
    beta: float = 0.001,
    variance: float = 1.0,
    fade: float = 0.55,
    seed: int = 0,
) -> Schedule:
    """`linear_cosine` with noise on its line: (alpha + 1 - p + e) * cos01 + beta, e ~ N(0, variance / (1 + k)^fade).

    Sources:
        Bello et al., 2017, Neural optimizer search, section 5, https://arxiv.org/abs/1709.07417.
    """
    line = Linear(_whole(steps), real(alpha, "alpha"), 1.0 + real(alpha, "alpha"))
    spread = math.sqrt(real(variance, "variance", at_least=0))
    error = spread * InversePower(1, real(fade, "fade", above=0) / 2) * Noise(seed)
    whole = count(steps, "steps")
    return (real(beta, "beta") + (line + error) * CosineWaves(whole, waves))[:whole]


@draftable
def noisy(plan: Schedule, *, spread: float = 1.0, limit: float = 0.67, seed: int = 0) -> Schedule:
    """plan(k) * (1 + e), e ~ N(0, spread) kept within +-limit; seeded, so a pure function of the step.

    timm draws again until the noise is within its limit; here it is clipped.
    """
    bound = real(limit, "limit", at_least=0)
    needs_schedule(plan, "noisy")
    return plan * (1.0 + clip(real(spread, "spread", at_least=0) * Noise(seed), low=-bound, high=bound))


@draftable
def rewarm(plan: Schedule, *, at: Steps, steps: Steps) -> Schedule:
    """`plan` with a new warmup at step `at`: rises from 0 to where the plan is `steps` later, then goes on.

    Args:
        plan: any schedule.
        at: the first step of the ramp.
        steps: length of the ramp, at least 1.
    """
    begin, length = count(at, "at"), count(steps, "steps", at_least=1)
    level = real(needs_schedule(plan, "rewarm")(begin + length), "the value that the ramp rises to")
    return plan[:begin] >> level * Warmup(length, 1.0, 0.0) >> plan[begin + length :]


@draftable
def sweep(steps: Steps, *, low: float = 1e-7) -> Schedule:
    """An exponential sweep from `low` up to 1, to find a rate: low^(1 - p).

    Sources:
        Smith, 2017, Cyclical learning rates, section 3.3 (linear there), https://arxiv.org/abs/1506.01186.
    """
    return Geometric(_whole(steps), 1.0, low)


def _whole(steps: Steps) -> int:
    """Lengths as a leaf takes them: by now `draftable` has turned every text into a count."""
    return cast(int, steps)


def _what_is_left(steps: int, **used: int) -> int:
    left = steps - sum(used.values())
    if left < 0:
        listed = " + ".join(f"{name} {n}" for name, n in used.items())
        raise ScheduleError(f"{listed} = {steps - left} steps do not fit in {steps}: shorten one of them")
    return left


def _ascending(before: int, after: int) -> int:
    if after < before:
        raise ScheduleError(f"boundaries must ascend, but {after} follows {before}")
    return after - before


def _through(points: Iterable[tuple[int, float]], curve: Any) -> Schedule:
    pairs = [listed(point, "a point") for point in listed(points, "points")]
    if len(pairs) < 2 or any(len(pair) != 2 for pair in pairs) or pairs[0][0] != 0:
        raise ScheduleError("points are at least two (step, value) pairs, the first at step 0")
    known = [(count(k, "the step of a point"), real(v, "the value of a point")) for k, v in pairs]
    return sequence(*(curve(_ascending(a, b), v, u) for (a, u), (b, v) in pairwise(known)))
