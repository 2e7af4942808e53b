"""How a draft becomes a schedule.

Durations over a horizon are exact fractions of steps. In a sequence the boundaries are added up exactly and rounded
once (half up), so that the parts always add up to the whole; `constant()` takes what is left.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any, cast

from .core.duration import Duration
from .core.errors import HorizonError
from .core.schedule import Draft, Schedule, refuse_fillers
from .units import Horizon, as_horizon, rounded

WHOLE_PLAN = ("scale", "shift", "clip", "reverse")  # a draft of these lasts as long as the plan within


def over(plan: Schedule, horizon: Horizon | int | str) -> Schedule:
    """`plan` with every border duration resolved over `horizon`.

    A schedule without border durations is returned as it is: it needs no horizon.

    Raises:
        HorizonError: if the plan is longer than the horizon, or needs a unit that the horizon lacks.
    """
    whole = as_horizon(horizon)
    return _resolve(plan, whole, Fraction(whole.steps)) if isinstance(plan, Draft) else plan


def _resolve(plan: Any, horizon: Horizon, room: Fraction | None) -> Any:
    """`plan` without border durations. `room`, where it is known, is what an open length takes."""
    if not isinstance(plan, Draft):
        filled = None if room is None or not isinstance(plan, Schedule) else plan._filled(_rounded(room))
        return plan if filled is None else filled
    if plan.build.__name__ == "sequence":
        return _resolve_sequence(plan, horizon, room)
    inner_room = room if plan.build.__name__ in WHOLE_PLAN else None
    arguments = [_settled(value, horizon, inner_room) for value in plan.arguments]
    keywords = {name: _settled(value, horizon, inner_room) for name, value in plan.keywords}
    if room is not None and _own_length(plan) is not None:
        arguments[0] = _rounded(room)
    return plan.build(*arguments, **keywords)


def _settled(value: Any, horizon: Horizon, room: Fraction | None) -> Any:
    if isinstance(value, Duration):
        return horizon.in_steps(value)
    if isinstance(value, tuple):
        return tuple(_settled(item, horizon, room) for item in value)
    return _resolve(value, horizon, room)


def _resolve_sequence(plan: Draft, horizon: Horizon, room: Fraction | None) -> Schedule:
    parts = cast("tuple[Schedule, ...]", plan.arguments)
    lengths = [_length(part, horizon) for part in parts]
    open_ones = [i for i, length in enumerate(lengths) if length is None and _is_filler(parts[i], horizon)]
    if len(open_ones) > 1:
        refuse_fillers(parts, open_ones)
    used = sum((length for length in lengths if length is not None), Fraction(0))
    available = Fraction(horizon.steps) if room is None else room
    if _rounded(used) > _rounded(available):
        raise HorizonError(_too_long(parts, lengths, used, available))
    if open_ones:
        lengths[open_ones[0]] = available - used
    return plan.build(*_fitted(parts, lengths, horizon))


def _fitted(parts: Sequence[Schedule], lengths: Sequence[Fraction | None], horizon: Horizon) -> Iterator[Schedule]:
    """Each part in the whole steps between its rounded boundaries."""
    bounds = accumulate((length or Fraction(0) for length in lengths), initial=Fraction(0))
    for part, length, (start, end) in zip(parts, lengths, pairwise(bounds), strict=True):
        yield _resolve(part, horizon, None if length is None else Fraction(_rounded(end) - _rounded(start)))


def _length(plan: Schedule, horizon: Horizon) -> Fraction | None:
    """The exact length in steps; None if it is open."""
    if not isinstance(plan, Draft):
        return None if plan.duration is None else Fraction(plan.duration)
    name = plan.build.__name__
    if name == "sequence":
        parts = [_length(part, horizon) for part in plan.arguments]
        return None if None in parts else sum(cast("list[Fraction]", parts), Fraction(0))
    if name in WHOLE_PLAN:
        return _length(next(a for a in plan.arguments if isinstance(a, Schedule)), horizon)
    own = _own_length(plan)
    if own is not None:
        return Fraction(*horizon.ratio(own))
    duration = _resolve(plan, horizon, None).duration
    return None if duration is None else Fraction(duration)


def _own_length(plan: Draft) -> Duration | None:
    """The length of a curve: its first argument, when that is a border duration."""
    first = plan.arguments[0] if plan.arguments else None
    return first if isinstance(first, Duration) else None


def _is_filler(plan: Schedule, horizon: Horizon) -> bool:
    if not isinstance(plan, Draft):
        return plan._filled(0) is not None
    if plan.build.__name__ == "sequence":
        return any(_is_filler(part, horizon) for part in plan.arguments)
    inner = [a for a in plan.arguments if isinstance(a, Schedule)]
    return plan.build.__name__ in WHOLE_PLAN and _is_filler(inner[0], horizon)


def _too_long(parts: Sequence[Schedule], lengths: Sequence[Fraction | None], used: Fraction, room: Fraction) -> str:
    listed = " + ".join(f"{part!r} ({_rounded(length)})" for part, length in zip(parts, lengths, strict=True) if length)
    return f"the plan needs {_rounded(used)} steps and has {_rounded(room)}: {listed}; shorten a part"


def _rounded(value: Fraction) -> int:
    return rounded(value.numerator, value.denominator)
