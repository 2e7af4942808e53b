"""Drafts, resolved over a horizon into schedules.

Durations over a horizon are exact fractions of steps. In a sequence the boundaries are added up exactly and rounded
once (half up), so that the parts always add up to the whole; an open `constant()` fills the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import accumulate
from typing import Any, NamedTuple, cast

from glidepath.errors import HorizonError

from .duration import Duration
from .horizon import Horizon, as_horizon, round_half_up
from .schedule import Draft, Schedule, divide, refuse_fillers, scale, sequence, shift
from .transforms import clip, reverse

WHOLE_PLAN = (scale, shift, divide, clip, reverse)  # a draft of these lasts as long as the plan within


class Span(NamedTuple):
    """Where a part begins and how long it is, exactly; its whole steps lie between the rounded boundaries."""

    start: Fraction
    length: Fraction

    @property
    def steps(self) -> int:
        return _round(self.start + self.length) - _round(self.start)


@dataclass(frozen=True)
class _Run:
    """The horizon, and the drafts that were resolved by themselves: each is asked for again and again."""

    horizon: Horizon
    alone: dict[int, Schedule] = field(default_factory=dict)


def over(plan: Schedule, horizon: Horizon | int | str) -> Schedule:
    """Return `plan` with every border duration resolved over `horizon`.

    A schedule without border durations is returned as it is: it needs no horizon.

    Raises:
        HorizonError: if the plan is longer than the horizon, or needs a unit that the horizon lacks.
    """
    run = _Run(as_horizon(horizon))
    if not isinstance(plan, Draft):
        return plan
    parts = plan.arguments if plan.build is sequence else (plan,)
    _refuse_too_long(parts, [_length(part, run) for part in parts], Fraction(run.horizon.steps))
    return _resolve(plan, run, _span(plan, run))


def is_in_epochs(value: Any) -> bool:
    """Return whether a plan, or an argument of one, has a duration in epochs.

    >>> from glidepath import cosine, step
    >>> is_in_epochs(0.1 * cosine("30ep")), is_in_epochs(step(every="30%"))
    (True, False)
    """
    if isinstance(value, Draft):
        return is_in_epochs((*value.arguments, *(argument for _, argument in value.keywords)))
    if isinstance(value, (tuple, list)):
        return any(map(is_in_epochs, value))
    return isinstance(value, Duration) and value.unit == "ep"


def _span(plan: Schedule, run: _Run) -> Span:
    """Return the span of a plan on its own clock; an open length may take the whole horizon."""
    length = _length(plan, run)
    return Span(Fraction(0), Fraction(run.horizon.steps) if length is None else length)


def _resolve(plan: Schedule, run: _Run, span: Span) -> Schedule:
    """Return `plan` without border durations, over the steps of `span`."""
    if not isinstance(plan, Draft):
        return plan._fill(span.steps) or plan
    if plan.build is sequence:
        return _resolve_sequence(plan, run, span)
    if plan.build in WHOLE_PLAN:
        return _build(plan, run, span)
    if _own_length(plan, run) is None:
        return _alone(plan, run)
    return _build(replace(plan, arguments=(span.steps, *plan.arguments[1:])), run, None)


def _alone(plan: Draft, run: _Run) -> Schedule:
    """Resolve a draft that is neither a sequence nor as long as a plan within: each duration is rounded by itself."""
    if id(plan) not in run.alone:
        run.alone[id(plan)] = _build(plan, run, None)
    return run.alone[id(plan)]


def _build(plan: Draft, run: _Run, inside: Span | None) -> Schedule:
    arguments = [_resolve_argument(value, run, inside) for value in plan.arguments]
    return plan.build(*arguments, **{name: _resolve_argument(value, run, inside) for name, value in plan.keywords})


def _resolve_argument(value: Any, run: _Run, inside: Span | None) -> Any:
    if isinstance(value, Duration):
        return run.horizon.in_steps(value)
    if isinstance(value, tuple):
        return tuple(_resolve_argument(item, run, inside) for item in value)
    if isinstance(value, Draft) or (inside and isinstance(value, Schedule)):
        return _resolve(value, run, inside or _span(value, run))
    return value


def _resolve_sequence(plan: Draft, run: _Run, span: Span) -> Schedule:
    parts = cast("tuple[Schedule, ...]", plan.arguments)
    lengths = [_length(part, run) for part in parts]
    open_ones = [i for i, part in enumerate(parts) if lengths[i] is None and _is_filler(part)]
    if len(open_ones) > 1:
        refuse_fillers(parts, open_ones)
    _refuse_too_long(parts, lengths, span.length)
    if open_ones:
        lengths[open_ones[0]] = span.length - _total(lengths)
    exact_lengths = [length or Fraction(0) for length in lengths]
    starts = accumulate(exact_lengths, initial=span.start)
    spans = [Span(start, length) for start, length in zip(starts, exact_lengths, strict=False)]
    return sequence(*(_resolve(part, run, part_span) for part, part_span in zip(parts, spans, strict=True)))


def _length(plan: Schedule, run: _Run) -> Fraction | None:
    """Return the exact length in steps; None if it is open."""
    if not isinstance(plan, Draft):
        return None if plan.duration is None else Fraction(plan.duration)
    if plan.build is sequence:
        parts = [_length(part, run) for part in plan.arguments]
        return None if None in parts else _total(parts)
    if plan.build in WHOLE_PLAN:
        return _length(_inside(plan), run)
    own = _own_length(plan, run)
    if own is not None:
        return Fraction(*run.horizon.ratio(own))
    duration = _alone(plan, run).duration
    return None if duration is None else Fraction(duration)


def _inside(plan: Draft) -> Schedule:
    return next(value for value in plan.arguments if isinstance(value, Schedule))


def _own_length(plan: Draft, run: _Run) -> Duration | None:
    """Return the length of a curve: its first argument, if that is a border duration and the length of the curve.

    The first argument of `cosine_restarts` is the length of one cycle, and that of `inverse_power` is not a length.
    """
    first = plan.arguments[0] if plan.arguments else None
    if not isinstance(first, Duration):
        return None
    return first if _alone(plan, run).duration == run.horizon.in_steps(first) else None


def _is_filler(plan: Schedule) -> bool:
    if not isinstance(plan, Draft):
        return plan._fill(0) is not None
    if plan.build is sequence:
        return any(_is_filler(part) for part in plan.arguments)
    return plan.build in WHOLE_PLAN and _is_filler(_inside(plan))


def _refuse_too_long(parts: Sequence[Schedule], lengths: Sequence[Fraction | None], room: Fraction) -> None:
    used = _total(lengths)
    if _round(used) <= _round(room):
        return
    listed = " + ".join(f"{part!r} ({_round(length)})" for part, length in zip(parts, lengths, strict=True) if length)
    raise HorizonError(f"the plan needs {_round(used)} steps and has {_round(room)}: {listed}; shorten a part")


def _total(lengths: Sequence[Fraction | None]) -> Fraction:
    return sum((length for length in lengths if length is not None), Fraction(0))


def _round(value: Fraction) -> int:
    return round_half_up(value.numerator, value.denominator)
