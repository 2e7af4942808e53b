"""timm's schedulers, from their attributes.

A value is a function of t, which is what the loop gives to `step(epoch)` or to `step_update(num_updates)`: a step here
is a t. Before the first of these calls the groups hold what the scheduler was built with. A floor is an absolute
rate, and a group's lr_scale multiplies after it, so each group's base is its own rate times its lr_scale.
"""

import math
from collections.abc import Callable
from typing import Any

from glidepath.convert.conversion import Conversion
from glidepath.core.schedule import Schedule, add, product, shift
from glidepath.core.transforms import clip, repeat
from glidepath.errors import ConvertError
from glidepath.recipes import (
    constant,
    cosine,
    formula,
    inverse_power,
    linear,
    multistep,
    normalized_exponential,
    one_minus_power,
    one_minus_sqrt,
    polynomial,
    step,
    table,
    tanh,
)

from .rates import PlanAndQuirks, level
from .ratios import ratio

LONGEST_NOISE = 4_000  # values that a table, and so a text, may hold

MakeCycle = Callable[[float, float], Schedule]  # one cycle, from its start to its end


def read(source: Any) -> Conversion:
    """Read what a scheduler of timm does to every group.

    Raises:
        ConvertError: if it follows a metric, or is not one of timm's own.
    """
    name = type(source).__name__
    if name == "PlateauLRScheduler":
        raise _plateau(source)
    if name not in CLASSES or not type(source).__module__.startswith("timm."):
        raise ConvertError(f"{name} is not one of timm's own schedulers ({', '.join(CLASSES)}): write it as a plan")
    noise = _noise(source)
    plans, quirks = [], dict.fromkeys(_unit_quirks(source))
    for base in map(float, source.base_values):
        plan, own = CLASSES[name](source, base)
        plan, first = _hold_first(source, plan)
        plans.append(plan if noise is None else product(plan, noise))
        quirks |= dict.fromkeys((*own, *first))
    quirks |= dict.fromkeys(_noise_quirks(source))
    return Conversion(f"timm {name}", tuple(plans), _bases(source), tuple(quirks))


def _plateau(source: Any) -> ConvertError:
    inner = source.lr_scheduler
    return ConvertError(
        "PlateauLRScheduler follows a metric, so it is not a function of the step: write glidepath.torch.Plateau("
        f"optimizer, mode={inner.mode!r}, factor={inner.factor!r}, patience={inner.patience!r}, "
        f"threshold={inner.threshold!r}, cooldown={inner.cooldown!r}, minimum={float(inner.min_lrs[0])!r}, "
        f"warmup={source.warmup_t!r}) and call its step(metric)"
    )


def _bases(source: Any) -> tuple[float, ...]:
    groups = source.optimizer.param_groups
    return tuple(float(v) * float(g.get("lr_scale", 1.0)) for v, g in zip(source.base_values, groups, strict=True))


def _unit_quirks(source: Any) -> tuple[str, ...]:
    """Return quirks of what a step is, and of lr_scale."""
    scaled = any("lr_scale" in group for group in source.optimizer.param_groups)
    return (
        *(("a step is an epoch: t_in_epochs is set",) if source.t_in_epochs else ()),
        *(("lr_scale multiplies the floor too",) if scaled and hasattr(source, "lr_min") and source.lr_min else ()),
    )


def _hold_first(source: Any, plan: Schedule) -> PlanAndQuirks:
    """Hold the base rate until the first call of step(), in a group without a warmup, whatever the formula is at 0."""
    if source.warmup_t or plan(0) == 1.0:
        return plan, ()
    return constant(1) >> plan[1:], ("step 0 uses the base rate: timm calls its formula from t=1 on",)


# --- noise ---


def _noise(source: Any) -> Schedule | None:
    """Return 1 plus the noise of each step; None without noise."""
    span = source.noise_range_t
    if span is None:
        return None
    if not isinstance(span, (list, tuple)):
        return formula(lambda k: 1.0 + source._calculate_noise(k) if k >= max(span, 1) else 1.0)
    begin, end = max(math.ceil(span[0]), 1), math.ceil(span[1])
    if end <= begin:
        return None
    if end - begin > LONGEST_NOISE:
        return formula(lambda k: 1.0 + source._calculate_noise(k) if begin <= k < end else 1.0)
    return constant(begin) >> table([1.0 + source._calculate_noise(k) for k in range(begin, end)]) >> constant()


def _noise_quirks(source: Any) -> tuple[str, ...]:
    span = source.noise_range_t
    if span is None:
        return ()
    in_table = isinstance(span, (list, tuple)) and span[1] - span[0] <= LONGEST_NOISE
    how = "it is a table" if in_table else "timm computes it, so there is no text"
    return (f"its noise comes from torch's generator, seeded with noise_seed + t: {how}",)


# --- warmup ---


def _after_warmup(source: Any, base: float, plan: Schedule, to: float = 1.0) -> PlanAndQuirks:
    """Put the warmup before the plan or, without warmup_prefix, in place of its beginning."""
    steps = source.warmup_t
    if not steps:
        return plan, ()
    rise = linear(steps, to=to, start=ratio(float(source.warmup_lr_init), base))
    if getattr(source, "warmup_prefix", True):
        return rise >> plan, ()
    jump = f"without warmup_prefix the decay runs underneath the warmup: the rate jumps to it at {steps}"
    return rise >> plan[steps:], (jump,)


# --- cosine, polynomial, tanh: cycles ---


def _cosine(source: Any, base: float) -> PlanAndQuirks:
    steps, k = source.t_initial, source.k_decay
    shape = f"(1 + cos(pi * {{passed}} ** {k!r} / {{whole}} ** {k!r})) / 2"
    plan, quirks = _cycles(source, base, lambda start, to: cosine(steps, to=to, start=start, k=k), shape)
    return _with_warmup(source, base, plan, quirks)


def _polynomial(source: Any, base: float) -> PlanAndQuirks:
    steps, k, power = source.t_initial, source.k_decay, source.power
    shape = f"(1 - {{passed}} ** {k!r} / {{whole}} ** {k!r}) ** {power!r}"

    def curve(start: float, to: float) -> Schedule:
        return polynomial(steps, to=to, start=start, power=power, k=k)

    if power == 0:
        return _after_warmup(source, base, _flat(source, base))
    plan, quirks = _cycles(source, base, curve, shape)
    return _with_warmup(source, base, plan, quirks)


def _flat(source: Any, base: float) -> Schedule:
    """Build the cycles of a power of 0, which is 1 throughout: each stays at its height, lr_min follows the last."""
    low, times = level(ratio(float(source.lr_min), base)), source.cycle_limit
    if times > 1 and (source.cycle_mul != 1 or source.cycle_decay <= 0):
        raise ConvertError("several cycles of PolyLRScheduler with power=0 need cycle_mul=1 and a cycle_decay above 0")
    cycle = constant(source.t_initial)
    if times < 1:
        return low
    return (cycle if times == 1 else repeat(cycle, times=times, shrink=float(source.cycle_decay))) >> low


def _tanh(source: Any, base: float) -> PlanAndQuirks:
    steps, low, high = source.t_initial, source.lb, source.ub
    shape = f"(1 - tanh({low!r} * (1 - {{passed}} / {{whole}}) + {high!r} * ({{passed}} / {{whole}}))) / 2"
    plan, quirks = _cycles(
        source, base, lambda start, to: tanh(steps, to=to, start=start, lower=low, upper=high), shape
    )
    inside = source.warmup_t and not source.warmup_prefix
    target = plan(source.warmup_t) if inside else 1.0
    after, jumps = _after_warmup(source, base, plan, target)
    return after, quirks if inside else (*quirks, *jumps)


def _with_warmup(source: Any, base: float, plan: Schedule, quirks: tuple[str, ...]) -> PlanAndQuirks:
    after, jumps = _after_warmup(source, base, plan)
    return after, (*quirks, *jumps)


def _cycles(source: Any, base: float, make_cycle: MakeCycle, shape: str) -> PlanAndQuirks:
    """Build cycle_limit cycles, then lr_min; each is cycle_decay as high as the one before, from the same floor."""
    low, times = ratio(float(source.lr_min), base), source.cycle_limit
    if times < 1:
        return level(low), ("cycle_limit is 0: the rate is lr_min at once",)
    if times == 1:
        return _one_cycle(source, low, make_cycle)
    if source.cycle_mul != 1 and (source.cycle_mul != int(source.cycle_mul) or _loses_restarts(source)):
        return _by_logarithm(source, low, shape)
    growth, shrink = float(source.cycle_mul), float(source.cycle_decay)
    if shrink == 0.0:
        return _from_zero(source, low, make_cycle), ()
    if shrink == 1.0:
        return repeat(make_cycle(1.0, low), times=times, growth=growth), ()
    if low == 0.0:
        return repeat(make_cycle(1.0, 0.0), times=times, growth=growth, shrink=shrink), ()
    falls = repeat(make_cycle(1.0, 0.0), times=times, growth=growth, shrink=shrink)
    return add(falls, level(low, repeat(make_cycle(0.0, 1.0), times=times, growth=growth))), ()


def _from_zero(source: Any, low: float, make_cycle: MakeCycle) -> Schedule:
    """Build cycles with a cycle_decay of 0: the first falls to lr_min, every later one rises to it from 0."""
    if low == 0.0:
        return make_cycle(1.0, 0.0)
    if source.cycle_mul != 1:
        raise ConvertError(f"cycle_decay=0 with an lr_min needs cycle_mul=1, not {source.cycle_mul!r}")
    return make_cycle(1.0, low) >> repeat(make_cycle(0.0, low), times=source.cycle_limit - 1)


def _one_cycle(source: Any, low: float, make_cycle: MakeCycle) -> PlanAndQuirks:
    if source.cycle_mul < 1:
        end = source.t_initial / (1 - source.cycle_mul)
        return make_cycle(1.0, low), (
            f"timm raises from t={end:g} on, by cycle_mul={source.cycle_mul}: here lr_min is held",
        )
    return make_cycle(1.0, low), ()


def _cycle_of(source: Any, t: int) -> int:
    """Return the cycle that timm takes t to be in."""
    remaining = 1 - t / source.t_initial * (1 - source.cycle_mul)
    return math.floor(math.log(remaining, source.cycle_mul)) if remaining > 0 else source.cycle_limit


def _begin_of(source: Any, cycle: int) -> int:
    growth, steps = float(source.cycle_mul), int(source.t_initial)
    return math.ceil(steps * (growth**cycle - 1) / (growth - 1) - 1e-6)


def _loses_restarts(source: Any) -> bool:
    """Return whether rounding makes timm miss a restart: it then serves the floor in place of the peak."""
    return any(_cycle_of(source, _begin_of(source, i)) != i for i in range(1, source.cycle_limit + 1))


def _by_logarithm(source: Any, low: float, shape: str) -> PlanAndQuirks:
    """Build cycles of fractional lengths, or with restarts that are lost, by timm's own arithmetic."""
    growth, steps, shrink = float(source.cycle_mul), source.t_initial, float(source.cycle_decay)
    rest = 1 - source.cycle_mul
    cycle = f"floor(log(1 - step / {steps} * ({rest!r})) / log({growth!r}))"
    progress = f"(step - (1 - {growth!r} ** {cycle}) / ({rest!r}) * {steps})"
    fall = shape.format(passed=progress, whole=f"({growth!r} ** {cycle} * {steps})")
    height = f"({shrink!r} ** {cycle} - {low!r})" if shrink != 1.0 else repr(1.0 - low)
    end = _begin_of(source, source.cycle_limit)
    last = next(t for t in range(max(0, end - 2), end + 3) if _cycle_of(source, t) >= source.cycle_limit)
    lost = ("restarts that timm's logarithm misses serve the floor: kept",) if _loses_restarts(source) else ()
    sums = (f"with cycle_mul={growth} timm raises at last: here lr_min is held",) if growth < 1.0 else ()
    return formula(f"{low!r} + {height} * ({fall})")[:last] >> level(low), (*lost, *sums)


# --- step, multistep, wsd ---


def _step(source: Any, base: float) -> PlanAndQuirks:
    every, rate = source.decay_t, float(source.decay_rate)
    if rate == 1.0:
        plan: Schedule = constant()
    elif float(every).is_integer():
        plan = step(every=int(every), factor=rate)
    else:
        plan = formula(f"{rate!r} ** (step // {float(every)!r})")
    return _after_warmup(source, base, plan)


def _multistep(source: Any, base: float) -> PlanAndQuirks:
    if list(source.decay_t) != sorted(source.decay_t):
        raise ConvertError(f"decay_t does not ascend ({list(source.decay_t)}): timm finds milestones by bisection")
    milestones = [max(0, math.ceil(m) - 1) for m in source.decay_t]
    plan = multistep(milestones, factor=source.decay_rate) if milestones else constant()
    after, jumps = _after_warmup(source, base, plan)
    return after, ("a milestone m takes effect at m - 1, as timm has it", *jumps)


def _wsd(source: Any, base: float) -> PlanAndQuirks:
    low, cooldown = ratio(float(source.lr_min), base), source.decay_t
    hold = source.t_initial - cooldown
    top = max(1.0, low)
    if source.stable_fn == "constant" and not callable(source.decay_fn):
        plan = level(top, constant(hold)) >> _fall(source, top, low) if hold else _fall(source, top, low)
        return _after_warmup(source, base, plan)
    stable = clip(_stable(source), minimum=low) if low else _stable(source)
    fall = constant(hold) >> _fall(source, 1.0, 0.0) if hold else _fall(source, 1.0, 0.0)
    plan = shift(low, product(shift(-low, stable), fall)) if low else product(stable, fall)
    return _after_warmup(source, base, plan)


def _stable(source: Any) -> Schedule:
    if source.stable_fn == "constant":
        return constant()
    power = 0.5 if source.stable_fn == "rsqrt" else float(source.stable_power)
    timescale = source.stable_timescale
    if float(timescale).is_integer():
        return inverse_power(int(timescale), power=power)
    return formula(f"(1 + step / {timescale!r}) ** {-power!r}")


def _fall(source: Any, start: float, to: float) -> Schedule:
    steps, shape = source.decay_t, source.decay_fn
    if callable(shape):
        later = formula(lambda k: shape(min((k + 1) / steps, 1.0)))
        return constant(1) >> later
    if shape == "power":
        return one_minus_power(steps, to=to, start=start, power=source.decay_power)
    if shape == "exp":
        return normalized_exponential(steps, to=to, start=start, ratio=source.decay_ratio)
    return {"linear": linear, "1-sqrt": one_minus_sqrt, "cosine": cosine}[shape](steps, to=to, start=start)


CLASSES: dict[str, Callable[[Any, float], PlanAndQuirks]] = {
    "CosineLRScheduler": _cosine,
    "PolyLRScheduler": _polynomial,
    "StepLRScheduler": _step,
    "MultiStepLRScheduler": _multistep,
    "TanhLRScheduler": _tanh,
    "WSDLRScheduler": _wsd,
}
