"""The short way where other code writes at every update: a chain of schedulers, or a schedule that stands aside.

It does what `writes.py` does for such a write, without looking for the other readings: those are left to it as soon as
a write breaks the habit. Each function returns False, and has changed nothing, where that is so.
"""

import math
from typing import TYPE_CHECKING

from .hyperparameter import initial_key
from .writes import CONSTANT

if TYPE_CHECKING:
    from .bound_schedule import BoundSchedule


def follow_writer(schedule: "BoundSchedule", k: int, *, begins: bool) -> bool:
    """Follow the habit of other code before update k; `begins` says whether the update begins, or is only shown.

    Returns:
        Whether that is all there is to do for the schedule.
    """
    writes = schedule.writes
    if not 0 <= k - writes.last <= 1 or not schedule.holds_floats:
        return False
    if writes.aside:
        return _stand_aside(schedule, k) if begins else True
    if not writes.chaining or writes.odd:
        return False
    if _holds_last(schedule):
        return k == writes.last == writes.shown or (k > writes.last and not begins and _show(schedule, k))
    return k > writes.last and _multiply(schedule, k)


def _holds_last(schedule: "BoundSchedule") -> bool:
    """Return whether every group holds what was written last."""
    key = schedule.target.hyperparameter.key
    return all(slot.group[key] is slot.written for slot in schedule.slots)


def _stand_aside(schedule: "BoundSchedule", k: int) -> bool:
    """Use what other code wrote, if it wrote; groups that it leaves alone follow the plan."""
    key, writes = schedule.target.hyperparameter.key, schedule.writes
    values = [slot.group[key] for slot in schedule.slots]
    new = [value is not slot.written for slot, value in zip(schedule.slots, values, strict=True)]
    if not any(new) or not all(0.0 <= value < math.inf for value in values):
        return False
    others = []
    for slot, is_new in zip(schedule.slots, new, strict=True):
        if slot not in writes.slots:
            due = schedule.ask(slot.multiplier, k)
            if is_new or not due:
                return False
            others.append((slot, due[0]))
    for slot, value in zip(schedule.slots, values, strict=True):
        slot.keep(value)
    for slot, value in others:
        slot.group[key] = slot.written = value
    writes.last = writes.used = k
    return True


def _multiply(schedule: "BoundSchedule", k: int) -> bool:
    """Take the same ratio as before for a factor again, and write the values of update k."""
    key, plan = schedule.target.hyperparameter.key, schedule.plan_value(k)
    minimum = schedule.target.minimum
    changes = []
    for slot, before in zip(schedule.slots, schedule.writes.ratios, strict=True):
        value, written = slot.group[key], slot.written
        if written == 0:
            return False
        ratio = value / written
        if not abs(ratio - before) <= CONSTANT * abs(before):
            return False
        factor = slot.factor * ratio
        new = slot.base * factor * plan
        if minimum is not None and new < minimum:
            new = minimum
        if not 0.0 <= new < math.inf:
            return False
        changes.append((slot, ratio, factor, new))
    initial = initial_key(schedule.target.hyperparameter)
    for slot, _, factor, new in changes:
        slot.factor, slot.written = factor, new
        slot.group[key] = new
        slot.group[initial] = slot.base * factor
    schedule.writes.last = schedule.writes.shown = k
    schedule.writes.ratios = [ratio for _, ratio, _, _ in changes]
    return True


def _show(schedule: "BoundSchedule", k: int) -> bool:
    """Write the values of update k early; no other code wrote since the update before."""
    key, plan, minimum = schedule.target.hyperparameter.key, schedule.plan_value(k), schedule.target.minimum
    slots = schedule.slots
    if minimum is not None:
        return False
    values = [slot.base * slot.factor * plan for slot in slots]
    if not all(0.0 <= value < math.inf for value in values):
        return False
    for slot, value in zip(slots, values, strict=True):
        slot.group[key] = slot.written = value
    return True
