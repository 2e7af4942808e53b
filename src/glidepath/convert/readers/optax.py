"""Optax's schedules: closures, known by their names and read from their free variables, never called.

Most of its functions return one of six closures (warmup_cosine_decay_schedule joins two others), so these six are
what is read. Values are rates as they are.
"""

import math
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from operator import mul
from typing import Any

from glidepath.convert.conversion import Conversion
from glidepath.core.schedule import Schedule, cut, sequence
from glidepath.core.transforms import clip
from glidepath.errors import ConvertError
from glidepath.recipes import constant, cosine, exponential, formula, linear, multistep, polynomial, step

from .rates import ADVICE, Attributes, PlanAndQuirks, convert_plan, finite, level, number
from .ratios import first_steps

Variables = dict[str, Any]

PLACE = "<locals>."

# jax.jit compiles a division by a count into a product with its rounded inverse
LATE = "compiled by jax.jit, its stairs may come an update late: here they do not"
ROOT = "compiled by jax.jit, it may be nan from its end on, the root of a rounding error below 0: here it is its end"


def read(source: Any) -> Conversion:
    """Read the schedule that an optax closure computes.

    Raises:
        ConvertError: if it is not a closure of optax, or has one within that is not.
    """
    return convert_plan(f"optax {_maker_name(source)}", lambda: _read(source))


def _maker_name(schedule: Any) -> str:
    """Return the name of the function that made a closure."""
    return getattr(schedule, "__qualname__", type(schedule).__name__).partition(f".{PLACE}")[0]


def _read(schedule: Any) -> PlanAndQuirks:
    inner = getattr(schedule, "schedule_fn", None)  # a WrappedSchedule counts its own calls
    if inner is not None:
        return _read(inner)
    maker, closure = _maker_name(schedule), getattr(schedule, "__qualname__", "").rpartition(PLACE)[2]
    reader = CLOSURES.get((maker, closure))
    if reader is None or not (getattr(schedule, "__module__", None) or "").startswith("optax."):
        raise ConvertError(f"{schedule!r} is not a schedule that optax made, so what it computes is unknown: {ADVICE}")
    return reader(Attributes(f"optax {maker}", _variables(schedule)))


def _variables(closure: Any) -> Variables:
    """Return the free variables of a closure, without those that were never given a value."""
    values = {}
    for name, cell in zip(closure.__code__.co_freevars, closure.__closure__ or (), strict=True):
        try:
            values[name] = cell.cell_contents
        except ValueError:
            continue
    return values


def _value(variables: Variables) -> PlanAndQuirks:
    return level(number(variables["value"], "value")), ()


def _hold_first(variables: Variables) -> PlanAndQuirks:
    first = level(number(variables["init_value"], "init_value"))
    return first, ("it has no steps, or a decay rate of 0: optax then holds the first value",)


def _polynomial(variables: Variables) -> PlanAndQuirks:
    start, to, power = (number(variables[name], name) for name in ("init_value", "end_value", "power"))
    steps = variables["transition_steps"]
    if power == 0.0:
        return level(start), ("a power of 0 is 1 everywhere: the first value stays",)
    if power < 0.0:
        fall = f"({start!r} - {to!r}) * (1 - min(step, {steps}) / {steps}) ** {power!r} + {to!r}"
        return _after(variables, start, formula(fall)), ("a negative power grows without bounds and ends at infinity",)
    decay = linear(steps, to=to, start=start) if power == 1.0 else polynomial(steps, to=to, start=start, power=power)
    return _after(variables, start, decay), () if power.is_integer() else (ROOT,)


def _after(variables: Variables, start: float, plan: Schedule) -> Schedule:
    """Return a plan that begins at transition_begin, the first value held until then."""
    begin = variables["transition_begin"]
    return level(start, constant(begin)) >> plan if begin else plan


def _cosine(variables: Variables) -> PlanAndQuirks:
    first, exponent = number(variables["init_value"], "init_value"), number(variables["exponent"], "exponent")
    to, steps = number(variables["alpha"], "alpha"), variables["decay_steps"]
    if exponent == 0.0:
        return level(first), ("an exponent of 0 is 1 everywhere: the first value stays",)
    return level(first, cosine(steps, to=to, power=exponent)), ()


def _exponential(variables: Variables) -> PlanAndQuirks:
    first, rate = number(variables["init_value"], "init_value"), number(variables["decay_rate"], "decay_rate")
    every, quirks = variables["transition_steps"], (LATE,) if variables["staircase"] else ()
    falling = (step if variables["staircase"] else exponential)(every=every, factor=rate)
    plan = _after(variables, first, level(first, falling))
    if variables["end_value"] is None:
        return plan, quirks
    end = number(variables["end_value"], "end_value")
    return (clip(plan, minimum=end) if rate < 1.0 else clip(plan, maximum=end)), (
        *_bound_quirk(first, end, rate),
        *quirks,
    )


def _bound_quirk(first: float, end: float, rate: float) -> tuple[str, ...]:
    if (end > first) if rate < 1.0 else (end < first):
        return (f"end_value bounds every update, the first too: the rate is {end!r} from update 0 on",)
    return ()


def _piecewise_constant(variables: Variables) -> PlanAndQuirks:
    scales = sorted((variables["boundaries_and_scales"] or {}).items())
    first = number(variables["init_value"], "init_value")
    first *= math.prod(number(scale, "a scale") for boundary, scale in scales if boundary < 0)
    later = [
        (math.ceil(finite(boundary, "a boundary")), number(scale, "a scale"))
        for boundary, scale in scales
        if boundary >= 0
    ]
    factors = [scale for _, scale in later]
    same = len(set(factors)) == 1
    steps = multistep([boundary for boundary, _ in later], factor=factors[0] if same else factors)
    return level(first, steps) if later else level(first), ()


def _interpolate(variables: Variables) -> PlanAndQuirks:
    boundaries, scales = variables["boundaries"], [number(scale, "a scale") for scale in variables["scales"]]
    values = list(accumulate([number(variables["init_value"], "init_value"), *scales], mul))
    curve = linear if "linear" in variables["interpolate_fn"].__name__ else cosine
    ends = list(zip((0, *boundaries), values, strict=True))
    parts = [curve(b - a, to=v, start=u) for (a, u), (b, v) in pairwise(ends) if b != a]
    return sequence(*(parts or [level(values[-1])])), _skip_quirk(boundaries)


def _skip_quirk(boundaries: Sequence[int]) -> tuple[str, ...]:
    if 0 in boundaries:
        return ("a boundary rounded to 0 leaves the first value no update: it begins at the second",)
    return ()


def _join(variables: Variables) -> PlanAndQuirks:
    """Join schedule i from its boundary to the next; where boundaries do not ascend, the later schedule wins."""
    parts = list(zip((0, *variables["boundaries"]), variables["schedules"], strict=False))
    members: list[tuple[int, Any]] = []
    for boundary, schedule in reversed(parts):
        if not members or max(boundary, 0) < members[-1][0]:
            members.append((boundary, schedule))
    members.reverse()
    readings = [(boundary, *_read(schedule)) for boundary, schedule in members]
    ends = [*(boundary for boundary, _ in members[1:]), None]
    plans = [_cut_plan(plan, begin, end) for (begin, plan, _), end in zip(readings, ends, strict=True)]
    quirks = tuple(dict.fromkeys(quirk for _, _, quirks in readings for quirk in quirks))
    overtaken = ("boundaries that do not ascend leave a schedule no update",) if len(members) < len(parts) else ()
    return sequence(*plans), (*quirks, *overtaken)


def _cut_plan(plan: Schedule, begin: int, end: int | None) -> Schedule:
    """Cut a plan whose clock starts at `begin` to the updates before `end`."""
    if begin < 0:
        plan = cut(plan, -begin, None)
    if end is None:
        return plan
    return first_steps(plan, end - max(begin, 0))


CLOSURES: dict[tuple[str, str], Callable[[Variables], PlanAndQuirks]] = {
    ("constant_schedule", "<lambda>"): _value,
    ("polynomial_schedule", "<lambda>"): _hold_first,
    ("polynomial_schedule", "schedule"): _polynomial,
    ("exponential_decay", "<lambda>"): _hold_first,
    ("exponential_decay", "schedule"): _exponential,
    ("cosine_decay_schedule", "schedule"): _cosine,
    ("piecewise_constant_schedule", "schedule"): _piecewise_constant,
    ("piecewise_interpolate_schedule", "schedule"): _interpolate,
    ("join_schedules", "schedule"): _join,
}
