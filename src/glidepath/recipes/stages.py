"""Schedules of several stages: warm up, hold, cool down, and begin again.

k is the update, n the length.
"""

from collections.abc import Iterable

from glidepath.core.checks import as_tuple, count, real
from glidepath.core.curves import Cosine, Geometric, Linear, Warmup
from glidepath.core.endless import Constant
from glidepath.core.schedule import Schedule, Steps, draftable, sequence
from glidepath.core.step_function import needs_schedule
from glidepath.errors import ScheduleError

from .lengths import as_length, rest_of


@draftable
def wsd(steps: Steps, *, warmup: Steps, cooldown: Steps, to: float = 0.0) -> Schedule:
    """Warm up, hold the peak, cool down linearly over the last `cooldown` steps (warmup-stable-decay).

    For another cooldown write the sequence itself: warmup(500) >> constant(7500) >> one_minus_sqrt(2000). The paper
    below decays exponentially; its successors found the linear and 1 - sqrt forms at least as good.

    Args:
        steps: the whole length.
        warmup: steps to the peak.
        cooldown: steps from the peak to `to`.
        to: value held at the end.

    Examples:
        >>> wsd(10_000, warmup=500, cooldown=2_000)
        warmup(500) >> constant(7500) >> linear(2000)

    Sources:
        Hu et al., 2024, MiniCPM, section 4, https://arxiv.org/abs/2404.06395.
        Hägele et al., 2024, section 3, https://arxiv.org/abs/2405.18392.
    """
    rise, fall = count(warmup, "warmup"), count(cooldown, "cooldown")
    hold = rest_of(count(steps, "steps"), warmup=rise, cooldown=fall)
    return Warmup(rise, 1.0, 0.0) >> Constant(hold) >> Linear(fall, to)


@draftable
def trapezoid(steps: Steps, *, warmup: Steps, cooldown: Steps) -> Schedule:
    """Rise linearly, hold, and fall linearly to zero: `wsd` by its older name.

    Sources:
        Xing et al., 2018, A walk with SGD, section 5, https://arxiv.org/abs/1802.08770.
    """
    return wsd(steps, warmup=warmup, cooldown=cooldown)


@draftable
def flat_cosine(steps: Steps, *, cooldown: Steps, to: float = 0.0) -> Schedule:
    """Hold the peak, then follow a cosine over the last `cooldown` steps.

    Examples:
        >>> flat_cosine(1000, cooldown=250)
        constant(750) >> cosine(250)
    """
    fall = count(cooldown, "cooldown")
    return Constant(rest_of(count(steps, "steps"), cooldown=fall)) >> Cosine(fall, to)


@draftable
def wsd_s(periods: Iterable[Steps], *, warmup: Steps, cooldown: Steps, to: float = 0.0) -> Schedule:
    """Cool down several times from one trunk: each period holds the peak and cools down; the next restarts at the peak.

    Args:
        periods: the length of each period, at least `cooldown` (the first: at least `warmup + cooldown`).
        warmup: steps to the peak, once.
        cooldown: steps of each cooldown.
        to: value at the end of each cooldown.

    Sources:
        Wen et al., 2024, Understanding warmup-stable-decay learning rates (WSD-S), https://arxiv.org/abs/2410.05192.
    """
    rise, fall = count(warmup, "warmup"), count(cooldown, "cooldown")
    lengths = [count(n, "a period") for n in as_tuple(periods, "periods")]
    if not lengths:
        raise ScheduleError("wsd_s needs at least one period")
    parts: list[Schedule] = [wsd(lengths[0], warmup=rise, cooldown=fall, to=to)]
    parts += [Constant(rest_of(n, cooldown=fall)) >> Linear(fall, to) for n in lengths[1:]]
    return sequence(*parts)


@draftable
def infinite(
    *, warmup: Steps, cooldown: Steps, hold: Steps, annealing: Steps, plateau: float = 0.1, to: float = 0.01
) -> Schedule:
    """Warm up, fall on a cosine to a plateau, hold it as long as you like, and anneal exponentially to `to`.

    Args:
        warmup: steps to the peak.
        cooldown: steps of the cosine from the peak to `plateau`.
        hold: steps at `plateau`; continue training by making this longer.
        annealing: steps of the last fall.
        plateau: value that is held, above 0.
        to: where the last fall ends, above 0.

    Sources:
        Ibrahim et al., 2024, section 7, https://arxiv.org/abs/2403.08763.
    """
    level, end = real(plateau, "plateau", above=0), real(to, "to", above=0)
    return (
        Warmup(count(warmup, "warmup"), 1.0, 0.0)
        >> Cosine(count(cooldown, "cooldown"), level)
        >> level * Constant(count(hold, "hold"))
        >> Geometric(count(annealing, "annealing"), end, level)
    )


@draftable
def tri_stage(*, warmup: Steps, hold: Steps, decay: Steps, start: float = 0.01, to: float = 0.01) -> Schedule:
    """Rise linearly from `start`, hold the peak, and fall exponentially to `to`.

    Sources:
        Park et al., 2019, SpecAugment, section 4.2, https://arxiv.org/abs/1904.08779.
    """
    return Linear(as_length(warmup), 1.0, start) >> Constant(as_length(hold)) >> Geometric(as_length(decay), to)


@draftable
def rewarm(plan: Schedule, *, at: Steps, steps: Steps) -> Schedule:
    """Warm `plan` up again at step `at`: rise from 0 to where the plan is `steps` later, then continue.

    Args:
        plan: any schedule.
        at: the first step of the ramp.
        steps: length of the ramp, at least 1.
    """
    begin, length = count(at, "at"), count(steps, "steps", at_least=1)
    level = real(needs_schedule(plan, "rewarm")(begin + length), "the value that the ramp rises to")
    return plan[:begin] >> level * Warmup(length, 1.0, 0.0) >> plan[begin + length :]
