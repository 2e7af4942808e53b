"""What a driver saves and how it goes on: the position, a fingerprint of the plans, and the groups' own values.

{"version": 1, "position": 1200,
 "plans": {"lr": "warmup(100) >> cosine(900)"},                  text by target, None for a Python callable
 "groups": {"lr": [{"base": 0.1, "factor": 1.0}, ...]}}          by target, in the order of its groups
"""

import math
import warnings
from dataclasses import replace
from typing import Any, Literal

from glidepath.core.schedule import Schedule
from glidepath.errors import GlidepathError, GlidepathWarning, StateError, TextError
from glidepath.parser import parse
from glidepath.prefix import common_prefix

from .bound import Lane
from .clock import Clock

VERSION = 1
LOOK_AHEAD = 10_000  # updates compared between two endless plans


def save(clock: Clock) -> dict[str, Any]:
    """The state as plain data."""
    return {
        "version": VERSION,
        "position": clock.position,
        "plans": {lane.target.label: _text(lane.target.plan) for lane in clock.lanes},
        "groups": {
            lane.target.label: [
                {"base": base, "factor": factor} for base, factor in zip(lane.bases, lane.factors, strict=True)
            ]
            for lane in clock.lanes
        },
    }


def load(clock: Clock, state: Any, on_change: Literal["warn", "error", "saved"]) -> None:
    """Takes a state over, whole or not at all."""
    if on_change not in ("warn", "error", "saved"):
        raise StateError(f'on_change is "warn", "error" or "saved", not {on_change!r}')
    _check(clock, state)
    position = state["position"]
    plans = [_chosen(lane, state["plans"][lane.target.label], position, on_change) for lane in clock.lanes]
    for lane in clock.lanes:
        _warn_about_bases(lane, state["groups"][lane.target.label], position)
    clock.move(position)
    for lane, plan in zip(clock.lanes, plans, strict=True):
        groups = state["groups"][lane.target.label]
        bases, factors = ([float(group[name]) for group in groups] for name in ("base", "factor"))
        lane.restore(replace(lane.target, plan=plan), bases, factors)


def _check(clock: Clock, state: Any) -> None:
    if not isinstance(state, dict):
        raise StateError(f"a state of a Glidepath driver is a dict, not {type(state).__name__}")
    if "position" not in state:
        hint = ": it is one of PyTorch's own; go on with Scheduler(..., position=state['last_epoch'])"
        raise StateError(f"this is no state of a Glidepath driver{hint if 'last_epoch' in state else ''}")
    if state.get("version") != VERSION:
        raise StateError(f"this state has version {state.get('version')!r}; this Glidepath reads version {VERSION}")
    if type(state["position"]) is not int or state["position"] < 0:
        raise StateError(f"the position of this state is {state['position']!r}, not a count of updates")
    if not all(isinstance(state.get(name), dict) for name in ("plans", "groups")):
        raise StateError("this state has no plans and groups: it is damaged")
    labels = {lane.target.label for lane in clock.lanes}
    saved = set(state["plans"]) & set(state["groups"])
    if labels != saved:
        raise StateError(f"the state drives {sorted(saved)}, this driver {sorted(labels)}: make the driver alike")
    for lane in clock.lanes:
        _check_groups(lane, state["groups"][lane.target.label])


def _check_groups(lane: Lane, groups: Any) -> None:
    if len(groups) != len(lane.groups):
        raise StateError(
            f"the state has {len(groups)} groups for {lane.target.label}, the optimizer {len(lane.groups)}: "
            "add the missing groups before loading"
        )
    for group in groups:
        if not isinstance(group, dict):
            raise StateError(f"a group of {lane.target.label} is {group!r}, not a base and a factor")
        numbers = [group.get("base"), group.get("factor")]
        if not all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers):
            raise StateError(f"a group of {lane.target.label} is {group!r}, not a finite base and factor")


def _chosen(lane: Lane, saved: str | None, position: int, on_change: str) -> Schedule:
    """The plan to go on with. Texts are compared first, then values."""
    plan = lane.target.plan
    text = _text(plan)
    if saved is None or text is None or saved == text:
        return plan
    try:
        before = parse(saved)
    except GlidepathError as error:
        if on_change == "saved":
            raise StateError(f"the saved plan cannot be read: {error}") from error
        before = None
    if before is not None and _same_values(before, plan):
        return plan
    message = f"{lane.target.label} was saved with another plan: {saved} then, {text} in the code"
    if on_change == "error":
        raise StateError(f'{message}; on_change="warn" takes the code\'s plan, "saved" the saved one')
    if on_change == "saved" and before is not None:
        return before
    values = "" if before is None else f" ({before(position):g} then, {plan(position):g} now at update {position})"
    warnings.warn(f"{message}{values}; going on with the code's", GlidepathWarning, stacklevel=5)
    return plan


def _same_values(first: Schedule, second: Schedule) -> bool:
    steps = max(first.duration or LOOK_AHEAD, second.duration or LOOK_AHEAD) + 1
    return common_prefix(first, second, steps) >= steps


def _warn_about_bases(lane: Lane, groups: Any, position: int) -> None:
    """The saved base wins. A base that is just the rate at the checkpoint (the optimizer was loaded first) is none."""
    for i, (mine, group) in enumerate(zip(lane.bases, groups, strict=True)):
        saved = group["base"] * group["factor"]
        rates = [saved * lane.target.plan(k) for k in (position, max(0, position - 1))]
        if mine != group["base"] and not any(math.isclose(mine, rate, rel_tol=1e-6) for rate in rates):
            warnings.warn(
                f"{lane.target.label} of group {i} was saved with base {group['base']:g} and is {mine:g} in the code; "
                "going on with the saved one (rebase() changes it)",
                GlidepathWarning,
                stacklevel=5,
            )
            return


def _text(plan: Schedule) -> str | None:
    try:
        return plan.text
    except TextError:
        return None
