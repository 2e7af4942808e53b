"""The state of a scheduler: the positions, the plans as text, and the base and factor of each group.

{"version": 2, "position": 1200, "positions": [1200],           updates of the first optimizer, and of each
 "plans": {"lr": "warmup(100) >> cosine(900)"},                  text by target, None for a Python callable
 "replaced": {},                                                 text of the plan in the code, where it was replaced
 "averaged": [],                                                 targets that SWALR has taken over
 "tokens": None, "each_tokens": None,                            made so far, if the horizon knows tokens
 "groups": {"lr": [{"base": 0.1, "factor": 1.0}, ...]},          by target, in the order of its groups; "rate" of SWALR
 "last_epoch": 1200, "base_lrs": [0.1], ...}                     for PyTorch's own schedulers (`foreign_state.py`)
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

from glidepath.core.checks import is_number
from glidepath.core.horizon import Horizon
from glidepath.core.schedule import Schedule, waits
from glidepath.errors import SchedulerError, StateError
from glidepath.warn import warn_caller

from .bound_schedule import BoundSchedule
from .clock import Clock
from .foreign_state import Foreign, foreign_keys, is_foreign, read_foreign
from .hyperparameter import bounds_of
from .saved_plans import OnChange as OnChange
from .saved_plans import choose_plan, read_saved_plan, text_of
from .slot import Slot

VERSION = 2
FIRST_KEYS = ("version", "position", "plans", "groups")  # of version 1


@final
@dataclass(frozen=True)
class Lane:
    """One target, with its schedules in all optimizers."""

    label: str
    schedules: list[BoundSchedule]

    @property
    def slots(self) -> list[Slot]:
        """Return the slots of all optimizers in a row."""
        return [slot for schedule in self.schedules for slot in schedule.slots]

    @property
    def lowest(self) -> float:
        """Return the smallest base, and factor, that a group can have."""
        return bounds_of(self.schedules[0].target.hyperparameter)[0]

    @property
    def plan(self) -> Schedule:
        """Return the plan that is followed."""
        return self.schedules[0].target.plan

    @property
    def code(self) -> Schedule:
        """Return the plan that the code gave."""
        return (self.schedules[0].original or self.schedules[0].target).plan


def _lanes(clocks: Sequence[Clock]) -> list[Lane]:
    return [
        Lane(schedules[0].target.label, list(schedules))
        for schedules in zip(*(clock.schedules for clock in clocks), strict=True)
    ]


def build_state(
    clocks: Sequence[Clock], horizon: Horizon | int | None, *, bases: Sequence[float], rates: Sequence[float]
) -> dict[str, Any]:
    """Build the state as plain data: numbers, texts, lists and dicts.

    Args:
        clocks: of the scheduler.
        horizon: of its plans.
        bases: the base rate of each group.
        rates: the rate of each group at the next update.
    """
    lanes = _lanes(clocks)
    position = clocks[0].position
    per_step = _tokens_per_step(horizon)
    tokens = [(clock.position + clock.schedules[0].offset) * (per_step or 0) for clock in clocks]
    return {
        **foreign_keys(position, bases, rates),
        "version": VERSION,
        "position": position,
        "positions": [clock.position for clock in clocks],
        "plans": {lane.label: text_of(lane.plan) for lane in lanes},
        "replaced": {lane.label: text_of(lane.code) for lane in lanes if lane.schedules[0].original is not None},
        "averaged": [lane.label for lane in lanes if lane.schedules[0].writes.replaced],
        "tokens": None if per_step is None else tokens[0],
        "each_tokens": None if per_step is None else tokens,
        "groups": {
            lane.label: [group for schedule in lane.schedules for group in _groups_of(schedule)] for lane in lanes
        },
    }


def _groups_of(schedule: BoundSchedule) -> list[dict[str, float]]:
    """Return base and factor of each group, and the rate where SWALR has taken over: no plan gives it then."""
    groups = [{"base": slot.base, "factor": slot.factor} for slot in schedule.slots]
    if schedule.writes.replaced:
        for group, slot in zip(groups, schedule.slots, strict=True):
            group["rate"] = slot.read()
    return groups


def _tokens_per_step(horizon: Horizon | int | None) -> int | None:
    return horizon.tokens_per_step if isinstance(horizon, Horizon) else None


# --- loading ---


@final
@dataclass(frozen=True)
class Change:
    """What loading a state does to one lane."""

    lane: Lane
    plan: Schedule
    replaces: bool  # whether the plan takes the place of the one in the code
    offsets: list[int]  # of each optimizer
    bases: list[float]
    factors: list[float]
    rates: list[float | None]  # that SWALR has written
    averaged: bool

    def check(self, positions: Sequence[int]) -> None:
        """Check the next value of every group, in each optimizer at its own position.

        Raises:
            StateError: if one cannot be used.
        """
        if waits(self.plan):
            raise StateError(f"the saved plan of {self.lane.label}, {self.plan!r}, waits for a horizon: it is damaged")
        for (schedule, bases, factors), position, offset in zip(self._parts(), positions, self.offsets, strict=True):
            target = replace(schedule.target, plan=self.plan)
            check_next(schedule.would_be(target, bases, factors), position, offset)

    def _parts(self) -> Iterator[tuple[BoundSchedule, list[float], list[float]]]:
        """Yield each schedule with the bases and the factors of its groups."""
        done = 0
        for schedule in self.lane.schedules:
            end = done + len(schedule.slots)
            yield schedule, self.bases[done:end], self.factors[done:end]
            done = end

    def apply(self) -> None:
        """Change the schedules of the lane."""
        for (schedule, bases, factors), offset in zip(self._parts(), self.offsets, strict=True):
            code = schedule.original or schedule.target
            schedule.resume(replace(code, plan=self.plan), bases, factors)
            schedule.original = code if self.replaces else None
            schedule.offset, schedule.writes.replaced = offset, self.averaged
        for slot, rate in zip(self.lane.slots, self.rates, strict=True):
            if self.averaged and rate is not None:  # the plan has written over it if the optimizer was loaded before
                slot.write(rate)

    def warn_about_replaced(self) -> None:
        """Warn that a plan that was given by `replace` or `cooldown` before the load is not followed further."""
        present, new = text_of(self.lane.plan), text_of(self.plan)
        if self.lane.schedules[0].original is None or self.plan is self.lane.plan or (new and new == present):
            return
        warn_caller(
            f"the plan of {self.lane.label} was replaced by {present or repr(self.lane.plan)} before this state was "
            f"loaded, and the state follows {new or repr(self.plan)}, which is followed: call replace() or cooldown() "
            "after loading to change it",
            "GP703",
        )


def check_next(schedule: BoundSchedule, position: int, offset: int) -> None:
    """Check the next values of a schedule as a state would make it.

    Raises:
        StateError: if one cannot be used.
    """
    schedule.offset = offset
    try:
        schedule.values_at(position)
    except SchedulerError as error:
        pairs = ", ".join(f"base {slot.base:g} and factor {slot.factor:g}" for slot in schedule.slots[:1])
        raise StateError(f"with {pairs} of the state, {error.worded()}") from error


def load_state(clocks: Sequence[Clock], state: Any, on_change: OnChange, horizon: Horizon | int | None) -> None:
    """Load a state, whole or not at all.

    Raises:
        StateError: if the state does not fit the clocks' schedules, or a plan differs and `on_change` is "error".
    """
    if on_change not in ("warn", "error", "saved"):
        raise StateError(f'on_change is "warn", "error" or "saved", not {on_change!r}')
    lanes = _lanes(clocks)
    if isinstance(state, dict) and _version_of(state) == 1:  # other keys are what a partial load left there (DCP)
        state = {name: value for name, value in state.items() if name in FIRST_KEYS}
    positions = _check_state(lanes, state, len(clocks))
    offsets = _token_offsets(state, positions, horizon)
    changes = [_read_change(lane, state, positions[0], on_change, offsets) for lane in lanes]
    for change in changes:
        change.check(positions)
    for change in changes:
        _warn_about_bases(change, positions[0])
        if clocks[0].position == clocks[0].built_at:  # else the run goes back to before a plan was replaced
            change.warn_about_replaced()
    for change in changes:
        change.apply()
    for clock, position in zip(clocks, positions, strict=True):
        clock.restart(position)


def _read_change(
    lane: Lane, state: Mapping[str, Any], position: int, on_change: OnChange, offsets: list[int]
) -> Change:
    groups = state["groups"][lane.label]
    bases, factors = ([float(group[name]) for group in groups] for name in ("base", "factor"))
    averaged = lane.label in state.get("averaged", ())
    saved = read_saved_plan(state, lane.label)
    rates = [None if group.get("rate") is None else float(group["rate"]) for group in groups]
    plan, replaces = choose_plan(saved, lane.code, position, on_change, other_batch=any(offsets))
    return Change(lane, plan, replaces, offsets, bases, factors, rates, averaged)


def _token_offsets(state: Mapping[str, Any], positions: Sequence[int], horizon: Horizon | int | None) -> list[int]:
    """Return how many steps further than its updates the plan of each optimizer is, after another batch."""
    tokens, per_step = state.get("tokens"), _tokens_per_step(horizon)
    if tokens is None or per_step is None:
        return [0] * len(positions)
    each = state.get("each_tokens") or [tokens / (positions[0] or 1) * position for position in positions]
    return [round(count / per_step) - position for count, position in zip(each, positions, strict=True)]


def _check_state(lanes: Sequence[Lane], state: Any, clocks: int) -> list[int]:
    """Return the positions of a state that fits."""
    if not isinstance(state, dict):
        raise StateError(f"the state of a Scheduler is a dict, not {type(state).__name__}")
    if "position" not in state:
        raise StateError("this is not the state of a Scheduler")
    if _version_of(state) not in (1, VERSION):
        raise StateError(f"this state has version {state.get('version')!r}; this Glidepath reads 1 and {VERSION}")
    positions = state.get("positions", [state["position"]] * clocks)
    if not isinstance(positions, list) or any(type(value) is not int or value < 0 for value in positions):
        raise StateError(f"the position of this state is {positions!r}, not a count of updates")
    if type(state["position"]) is not int or state["position"] < 0:
        raise StateError(f"the position of this state is {state['position']!r}, not a count of updates")
    if len(positions) != clocks:
        raise StateError(f"this state is of {len(positions)} optimizers, and this Scheduler has {clocks}")
    if not all(isinstance(state.get(name), dict) for name in ("plans", "groups")):
        raise StateError("this state has no plans and groups: it is damaged")
    _check_extras(state, clocks)
    labels, saved = {lane.label for lane in lanes}, set(state["plans"]) & set(state["groups"])
    if labels != saved:
        raise StateError(
            f"the state schedules {sorted(map(str, saved))}, this Scheduler {sorted(labels)}: build it with the same "
            "plans"
        )
    for lane in lanes:
        _check_groups(lane, state)
    return positions


def _version_of(state: Mapping[str, Any]) -> int | None:
    version = state.get("version")
    return version if type(version) is int else None


def _is_amount(number: Any) -> bool:
    """Return whether this is a finite number of at least 0."""
    return is_number(number) and math.isfinite(number) and number >= 0


def _check_extras(state: Mapping[str, Any], clocks: int) -> None:
    """Check the parts that a state of version 1 does not have."""
    for name, kind in {"replaced": dict, "averaged": list}.items():
        if not isinstance(state.get(name, kind()), kind):
            raise StateError(f"{name} of this state is {state[name]!r}: it is damaged")
    tokens, each = state.get("tokens"), state.get("each_tokens")
    if each is not None and not (isinstance(each, list) and len(each) == clocks):
        raise StateError(f"each_tokens of this state is {each!r}, not a count of tokens of each optimizer")
    for number in [tokens, *(each or ())]:
        if number is not None and not _is_amount(number):
            raise StateError(f"tokens of this state is {number!r}, not a count of tokens")


def _check_groups(lane: Lane, state: Mapping[str, Any]) -> None:
    groups, label = state["groups"][lane.label], lane.label
    texts = [state["plans"][label], state.get("replaced", {}).get(label)]
    if not all(text is None or isinstance(text, str) for text in texts):
        raise StateError(f"the plan of {label} in this state is not a text: it is damaged")
    if not isinstance(groups, list) or len(groups) != len(lane.slots):
        raise StateError(
            f"the state has {len(groups) if isinstance(groups, list) else 'no list of'} groups for {label}, the "
            f"optimizer {len(lane.slots)}: add the missing groups before loading"
        )
    for group in groups:
        if not isinstance(group, dict):
            raise StateError(f"a group of {label} is {group!r}, not a base and a factor")
        numbers: list[Any] = [group.get("base"), group.get("factor")]
        if not all(is_number(number) and math.isfinite(number) for number in numbers):
            raise StateError(f"a group of {label} is {group!r}, not a finite base and factor")
        if group.get("rate") is not None and not _is_amount(group["rate"]):
            raise StateError(f"a group of {label} is {group!r}, with a rate that cannot be")
        if any(number < lane.lowest for number in numbers):
            raise StateError(f"a group of {label} is {group!r}, and {label} is at least 0")


def _warn_about_bases(change: Change, position: int) -> None:
    """Warn about the first base that differs from the saved one, which wins.

    A base that is the rate at the checkpoint does not differ: the optimizer was loaded before the scheduler was built.
    Nor does one with the saved factor in it, or any after SWALR has taken over.
    """
    if change.averaged:
        return
    for number, (slot, base, factor) in enumerate(zip(change.lane.slots, change.bases, change.factors, strict=True)):
        multiplier = base * factor
        rates = [multiplier * change.plan(k + change.offsets[0]) for k in (position, max(0, position - 1))]
        if slot.base != base and not any(math.isclose(slot.base, rate, rel_tol=1e-6) for rate in (*rates, multiplier)):
            warn_caller(
                f"{change.lane.label} of group {number} was saved with base {base:g} and is {slot.base:g} in the code; "
                "resuming with the saved base (rebase() changes it)",
                "GP704",
            )
            return


# --- states of other schedulers ---


def load_foreign_state(
    clocks: Sequence[Clock], optimizers: Sequence[Any], state: Any, updates: Callable[[], int] | None
) -> bool:
    """Take over the position and the bases of another scheduler's state; return whether it is one.

    Raises:
        StateError: if it says something else than the optimizer; nothing is changed then.
    """
    if not is_foreign(state):
        return False
    built_at = clocks[0].start if clocks[0].start is not None else 0
    has_bases = all(clock.bases is not None for clock in clocks)
    count = None if updates is None else updates()
    foreign = read_foreign(state, optimizers, count, built_at, has_bases=has_bases)
    takeovers = list(_take_over(foreign, clocks, optimizers))
    for schedule, bases in takeovers:
        check_next(schedule.would_be(schedule.target, bases, [1.0] * len(bases)), foreign.position, 0)
    warn_caller(foreign.said, "GP732")
    for schedule, bases in takeovers:
        schedule.resume(schedule.target, bases, [1.0] * len(bases))
        schedule.offset = 0
    for clock in clocks:
        clock.restart(foreign.position)
    return True


def _take_over(
    foreign: Foreign, clocks: Sequence[Clock], optimizers: Sequence[Any]
) -> Iterator[tuple[BoundSchedule, list[float]]]:
    """Yield each schedule with the bases that it has after another scheduler's state was loaded."""
    first = 0
    for clock, optimizer in zip(clocks, optimizers, strict=True):
        for schedule in clock.schedules:
            bases = [slot.base for slot in schedule.slots]
            if schedule.is_rate and foreign.bases is not None and not schedule.target.sets:
                bases = [foreign.bases[first + slot.number] for slot in schedule.slots]
            yield schedule, bases
        first += len(optimizer.param_groups)
