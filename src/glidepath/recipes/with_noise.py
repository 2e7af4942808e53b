"""Seeded noise, schedules with noise, and the cosine that one of them adds it to.

k is the update, n the length and p = k / n.
"""

import math

from glidepath.core.arguments import check_arguments
from glidepath.core.checks import count, real
from glidepath.core.curves import CosineWaves, Linear
from glidepath.core.endless import InversePower, Noise
from glidepath.core.schedule import Schedule, Steps, draftable
from glidepath.core.step_function import needs_schedule
from glidepath.core.transforms import clip

from .lengths import as_length


@check_arguments
def noise(*, seed: int = 0) -> Schedule:
    """Draw a standard normal number for every update, a pure function of (seed, step).

    Examples:
        >>> noise(seed=1)(10) == noise(seed=1)(10)
        True
    """
    return Noise(seed)


@draftable
def noisy(plan: Schedule, *, spread: float = 1.0, limit: float = 0.67, seed: int = 0) -> Schedule:
    """Multiply a plan by seeded noise: plan(k) * (1 + e), e ~ N(0, spread) kept within +-limit.

    timm draws again until the noise is within its limit; here it is clipped.
    """
    bound = real(limit, "limit", at_least=0)
    needs_schedule(plan, "noisy")
    return plan * (1.0 + clip(real(spread, "spread", at_least=0) * Noise(seed), minimum=-bound, maximum=bound))


@draftable
def linear_cosine(steps: Steps, *, waves: float = 0.5, alpha: float = 0.0, beta: float = 0.001) -> Schedule:
    """Follow a line times cosine waves: (alpha + 1 - p) * (1 + cos(2 pi waves p)) / 2 + beta.

    Sources:
        Bello et al., 2017, Neural optimizer search, section 5, https://arxiv.org/abs/1709.07417.
    """
    line = Linear(as_length(steps), real(alpha, "alpha"), 1.0 + real(alpha, "alpha"))
    return real(beta, "beta") + line * CosineWaves(as_length(steps), waves)


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
    """Add noise to the line of `linear_cosine`: (alpha + 1 - p + e) * cos01 + beta, e ~ N(0, variance / (1 + k)^fade).

    Sources:
        Bello et al., 2017, Neural optimizer search, section 5, https://arxiv.org/abs/1709.07417.
    """
    line = Linear(as_length(steps), real(alpha, "alpha"), 1.0 + real(alpha, "alpha"))
    spread = math.sqrt(real(variance, "variance", at_least=0))
    error = spread * InversePower(1, real(fade, "fade", above=0) / 2) * Noise(seed)
    whole = count(steps, "steps")
    return (real(beta, "beta") + (line + error) * CosineWaves(whole, waves))[:whole]
