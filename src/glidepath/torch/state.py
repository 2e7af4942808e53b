"""The state of a scheduler: the position, the plans as text, and the base and factor of each group.

{"version": 1, "position": 1200,
 "plans": {"lr": "warmup(100) >> cosine(900)"},                  text by target, None for a Python callable
 "groups": {"lr": [{"base": 0.1, "factor": 1.0}, ...]}}          by target, in the order of its groups
"""

import math
from dataclasses import replace
from typing import Any, Literal

from glidepath.core.schedule import Schedule
from glidepath.errors import GlidepathError, StateError, TextError
from glidepath.parser import parse_saved
from glidepath.prefix import common_prefix
from glidepath.warn import warn_caller

from .bound_schedule import BoundSchedule
from .clock import Clock

VERSION = 1
LOOK_AHEAD = 10_000  # updates compared between two endless plans


def build_state(clock: Clock) -> dict[str, Any]:
    """Build the state as plain data: numbers, texts, lists and dicts."""
    return {
        "version": VERSION,
        "position": clock.position,
        "plans": {schedule.target.label: _text_of(schedule.target.plan) for schedule in clock.schedules},
        "groups": {
            schedule.target.label: [{"base": slot.base, "factor": slot.factor} for slot in schedule.slots]
            for schedule in clock.schedules
        },
    }


def load_state(clock: Clock, state: Any, on_change: Literal["warn", "error", "saved"]) -> None:
    """Load a state, whole or not at all.

    Raises:
        StateError: if the state does not fit the clock's schedules, or a plan differs and `on_change` is "error".
    """
    if on_change not in ("warn", "error", "saved"):
        raise StateError(f'on_change is "warn", "error" or "saved", not {on_change!r}')
    _check_state(clock, state)
    position = state["position"]
    plans = [
        _choose_plan(schedule, state["plans"][schedule.target.label], position, on_change)
        for schedule in clock.schedules
    ]
    for schedule in clock.schedules:
        _warn_about_bases(schedule, state["groups"][schedule.target.label], position)
    clock.move(position)
    for schedule, plan in zip(clock.schedules, plans, strict=True):
        groups = state["groups"][schedule.target.label]
        bases, factors = ([float(group[name]) for group in groups] for name in ("base", "factor"))
        schedule.resume(replace(schedule.target, plan=plan), bases, factors)


def _check_state(clock: Clock, state: Any) -> None:
    if not isinstance(state, dict):
        raise StateError(f"the state of a Scheduler is a dict, not {type(state).__name__}")
    if "position" not in state:
        hint = ": it is one of PyTorch's own; resume with Scheduler(..., position=state['last_epoch'])"
        raise StateError(f"this is not the state of a Scheduler{hint if 'last_epoch' in state else ''}")
    if state.get("version") != VERSION:
        raise StateError(f"this state has version {state.get('version')!r}; this Glidepath reads version {VERSION}")
    if type(state["position"]) is not int or state["position"] < 0:
        raise StateError(f"the position of this state is {state['position']!r}, not a count of updates")
    if not all(isinstance(state.get(name), dict) for name in ("plans", "groups")):
        raise StateError("this state has no plans and groups: it is damaged")
    labels = {schedule.target.label for schedule in clock.schedules}
    saved = set(state["plans"]) & set(state["groups"])
    if labels != saved:
        raise StateError(
            f"the state schedules {sorted(saved)}, this Scheduler {sorted(labels)}: build it with the same plans"
        )
    for schedule in clock.schedules:
        _check_groups(schedule, state["groups"][schedule.target.label])


def _check_groups(schedule: BoundSchedule, groups: Any) -> None:
    label = schedule.target.label
    if len(groups) != len(schedule.slots):
        raise StateError(
            f"the state has {len(groups)} groups for {label}, the optimizer {len(schedule.slots)}: "
            "add the missing groups before loading"
        )
    for group in groups:
        if not isinstance(group, dict):
            raise StateError(f"a group of {label} is {group!r}, not a base and a factor")
        numbers = [group.get("base"), group.get("factor")]
        if not all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers):
            raise StateError(f"a group of {label} is {group!r}, not a finite base and factor")


def _choose_plan(schedule: BoundSchedule, saved: str | None, position: int, on_change: str) -> Schedule:
    """Return the plan to resume with. Texts are compared first, then values."""
    label, plan = schedule.target.label, schedule.target.plan
    text = _text_of(plan)
    if saved is None or text is None or saved == text:
        return plan
    try:
        before = parse_saved(saved)
    except GlidepathError as error:
        if on_change == "saved":
            raise StateError(f"the saved plan cannot be read: {error.worded()}") from error
        before = None
    if before is not None and _have_same_values(before, plan):
        return plan
    problem = f"{label} was saved with another plan: {saved} then, {text} in the code"
    if on_change == "error":
        raise StateError(f'{problem}; on_change="warn" takes the code\'s plan, "saved" the saved one')
    if on_change == "saved" and before is not None:
        return before
    values = "" if before is None else f" ({before(position):g} then, {plan(position):g} now at update {position})"
    warn_caller(f"{problem}{values}; resuming with the code's plan", "GP703")
    return plan


def _have_same_values(first: Schedule, second: Schedule) -> bool:
    steps = max(first.duration or LOOK_AHEAD, second.duration or LOOK_AHEAD) + 1
    return common_prefix(first, second, steps) >= steps


def _warn_about_bases(schedule: BoundSchedule, groups: Any, position: int) -> None:
    """Warn about the first base that differs from the saved one, which wins.

    A base that is the rate at the checkpoint does not differ: the optimizer was loaded before the scheduler was built.
    """
    target = schedule.target
    for number, (slot, group) in enumerate(zip(schedule.slots, groups, strict=True)):
        multiplier = group["base"] * group["factor"]
        rates = [multiplier * target.plan(k) for k in (position, max(0, position - 1))]
        if slot.base != group["base"] and not any(math.isclose(slot.base, rate, rel_tol=1e-6) for rate in rates):
            warn_caller(
                f"{target.label} of group {number} was saved with base {group['base']:g} and is {slot.base:g} in the "
                "code; resuming with the saved base (rebase() changes it)",
                "GP704",
            )
            return


def _text_of(plan: Schedule) -> str | None:
    try:
        return plan.text
    except TextError:
        return None
