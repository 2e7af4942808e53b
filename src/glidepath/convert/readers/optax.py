"""Optax's schedules: closures, told by their names and their free variables, which are read and never called.

Most of its functions return one of six closures (warmup_cosine_decay_schedule joins two others), so these six are
what is read. Values are rates as they are.
"""

import math
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from operator import mul
from typing import Any

from glidepath.convert.conversion import Conversion
from glidepath.core.schedule import Schedule, clip, cut, sequence
from glidepath.errors import ConvertError
from glidepath.recipes import constant, cosine, exponential, formula, linear, multistep, polynomial, step

from .rates import HOW_TO_GO_ON, Read, conversion, level, number
from .ratios import lasting

Variables = dict[str, Any]

PLACE = "<locals>."

# jax.jit compiles a division by a count into a product with its rounded inverse
LATE = "compiled by jax.jit, its stairs may come an update late: here they do not"
ROOT = "compiled by jax.jit, it may be nan from its end on, the root of a rounding error below 0: here it is its end"


def read(source: Any) -> Conversion:
    """The schedule that an optax closure is.

    Raises:
        ConvertError: if it is no closure of optax, or has one within that is not.
    """
    return conversion(f"optax {_maker(source)}", lambda: _read(source))


def _maker(schedule: Any) -> str:
    """The name of the function that made a closure."""
    return getattr(schedule, "__qualname__", type(schedule).__name__).partition(f".{PLACE}")[0]


def _read(schedule: Any) -> Read:
    inner = getattr(schedule, "schedule_fn", None)  # a WrappedSchedule counts its own calls
    if inner is not None:
        return _read(inner)
    maker, closure = _maker(schedule), getattr(schedule, "__qualname__", "").rpartition(PLACE)[2]
    reader = CLOSURES.get((maker, closure))
    if reader is None or not (getattr(schedule, "__module__", None) or "").startswith("optax."):
        raise ConvertError(
            f"{schedule!r} is no schedule that optax made, so what it computes is unknown: {HOW_TO_GO_ON}"
        )
    try:
        return reader(_variables(schedule))
    except KeyError as error:
        raise ConvertError(f"the {maker} of this version of optax has no variable {error}: {HOW_TO_GO_ON}") from error


def _variables(closure: Any) -> Variables:
    """The free variables of a closure; one that was never given a value is left out."""
    known = {}
    for name, cell in zip(closure.__code__.co_freevars, closure.__closure__ or (), strict=True):
        try:
            known[name] = cell.cell_contents
        except ValueError:
            continue
    return known


def _value(given: Variables) -> Read:
    return level(number(given["value"], "value")), ()


def _held(given: Variables) -> Read:
    first = level(number(given["init_value"], "init_value"))
    return first, ("it has no steps, or a decay rate of 0: optax then holds the first value",)


def _polynomial(given: Variables) -> Read:
    start, to, power = (number(given[name], name) for name in ("init_value", "end_value", "power"))
    steps = given["transition_steps"]
    if power == 0.0:
        return level(start), ("a power of 0 is 1 everywhere: the first value stays",)
    if power < 0.0:
        fall = f"({start!r} - {to!r}) * (1 - min(step, {steps}) / {steps}) ** {power!r} + {to!r}"
        return _after(given, start, formula(fall)), ("a negative power grows without bounds and ends at infinity",)
    curve = linear(steps, to=to, start=start) if power == 1.0 else polynomial(steps, to=to, start=start, power=power)
    return _after(given, start, curve), () if power.is_integer() else (ROOT,)


def _after(given: Variables, start: float, plan: Schedule) -> Schedule:
    """A plan that begins at transition_begin, the first value held until then."""
    begin = given["transition_begin"]
    return level(start, constant(begin)) >> plan if begin else plan


def _cosine(given: Variables) -> Read:
    first, exponent = number(given["init_value"], "init_value"), number(given["exponent"], "exponent")
    to, steps = number(given["alpha"], "alpha"), given["decay_steps"]
    if exponent == 0.0:
        return level(first), ("an exponent of 0 is 1 everywhere: the first value stays",)
    return level(first, cosine(steps, to=to, power=exponent)), ()


def _exponential(given: Variables) -> Read:
    first, rate = number(given["init_value"], "init_value"), number(given["decay_rate"], "decay_rate")
    every, quirks = given["transition_steps"], (LATE,) if given["staircase"] else ()
    falling = (step if given["staircase"] else exponential)(every=every, factor=rate)
    plan = _after(given, first, level(first, falling))
    if given["end_value"] is None:
        return plan, quirks
    end = number(given["end_value"], "end_value")
    return (clip(plan, low=end) if rate < 1.0 else clip(plan, high=end)), (*_bitten(first, end, rate), *quirks)


def _bitten(first: float, end: float, rate: float) -> tuple[str, ...]:
    if (end > first) if rate < 1.0 else (end < first):
        return (f"end_value bounds every update, the first too: the rate is {end!r} from update 0 on",)
    return ()


def _piecewise_constant(given: Variables) -> Read:
    scales = sorted((given["boundaries_and_scales"] or {}).items())
    first = number(given["init_value"], "init_value")
    first *= math.prod(number(scale, "a scale") for boundary, scale in scales if boundary < 0)
    later = [(math.ceil(boundary), number(scale, "a scale")) for boundary, scale in scales if boundary >= 0]
    factors = [scale for _, scale in later]
    same = len(set(factors)) == 1
    steps = multistep([boundary for boundary, _ in later], factor=factors[0] if same else factors)
    return level(first, steps) if later else level(first), ()


def _interpolated(given: Variables) -> Read:
    boundaries, scales = given["boundaries"], [number(scale, "a scale") for scale in given["scales"]]
    values = list(accumulate([number(given["init_value"], "init_value"), *scales], mul))
    curve = linear if "linear" in given["interpolate_fn"].__name__ else cosine
    ends = list(zip((0, *boundaries), values, strict=True))
    parts = [curve(b - a, to=v, start=u) for (a, u), (b, v) in pairwise(ends) if b != a]
    return sequence(*(parts or [level(values[-1])])), _skipped(boundaries)


def _skipped(boundaries: Sequence[int]) -> tuple[str, ...]:
    if 0 in boundaries:
        return ("a boundary rounded to 0 leaves the first value no update: it begins at the second",)
    return ()


def _joined(given: Variables) -> Read:
    """Schedule i from its boundary to the next; where boundaries do not ascend, the later schedule wins."""
    parts = list(zip((0, *given["boundaries"]), given["schedules"], strict=False))
    kept: list[tuple[int, Any]] = []
    for boundary, schedule in reversed(parts):
        if not kept or max(boundary, 0) < kept[-1][0]:
            kept.append((boundary, schedule))
    kept.reverse()
    read_parts = [(boundary, *_read(schedule)) for boundary, schedule in kept]
    ends = [*(boundary for boundary, _ in kept[1:]), None]
    plans = [_served(plan, begin, end) for (begin, plan, _), end in zip(read_parts, ends, strict=True)]
    quirks = tuple(dict.fromkeys(quirk for _, _, quirks in read_parts for quirk in quirks))
    lost = ("boundaries that do not ascend leave a schedule no update",) if len(kept) < len(parts) else ()
    return sequence(*plans), (*quirks, *lost)


def _served(plan: Schedule, begin: int, end: int | None) -> Schedule:
    """What a joined schedule serves of its plan, whose clock starts at `begin`."""
    if begin < 0:
        plan = cut(plan, -begin, None)
    if end is None:
        return plan
    return lasting(plan, end - max(begin, 0))


CLOSURES: dict[tuple[str, str], Callable[[Variables], Read]] = {
    ("constant_schedule", "<lambda>"): _value,
    ("polynomial_schedule", "<lambda>"): _held,
    ("polynomial_schedule", "schedule"): _polynomial,
    ("exponential_decay", "<lambda>"): _held,
    ("exponential_decay", "schedule"): _exponential,
    ("cosine_decay_schedule", "schedule"): _cosine,
    ("piecewise_constant_schedule", "schedule"): _piecewise_constant,
    ("piecewise_interpolate_schedule", "schedule"): _interpolated,
    ("join_schedules", "schedule"): _joined,
}
