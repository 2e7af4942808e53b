"""What other code wrote into the groups of a bound schedule, and what the plan makes of it.

Between two updates other code may write: a hand, a finder, another scheduler. A write is read

- before the first update after building or loading: as a new base or as a multiple of what was shown, whichever ratio
  is nearer to 1;
- later: as a factor on all that follows, relative to what the group held;
- of the very value that `get_lr()` has told for the update to come: as no change;
- at every update, by one constant ratio: as the same factor again (a scheduler in a chain);
- at every update, otherwise: as it is, from the second in a row on. From the third on the schedule stands aside for the
  groups that are written, says so, and goes on as before the first of them when an update comes without one; two in a
  row, as of a plateau that reaches its floor, stay factors.

SWALR takes over for good at its first `step()`; what its constructor writes is no base.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, final

from glidepath.errors import SchedulerError

from .averaging import MARK, has_mark, is_its_write
from .group_names import name_group
from .hyperparameter import bounds_of
from .late_groups import join_late, warn_overwritten

if TYPE_CHECKING:
    from .bound_schedule import BoundSchedule
    from .slot import Slot

APART = 0.01  # relative: readings that differ by less are not worth a warning
ROUNDING = 1e-14  # relative: values that differ by less are equal
CONSTANT = 1e-6  # relative: ratios that differ by less are one ratio
SET_RATE = "set_rate(scheduler, rate)"
WRITE_CURES = f"{SET_RATE} sets a new peak, scheduler.rebase() keeps what is there now, detach() stops the plan"


class Moment(NamedTuple):
    """When a write is observed.

    Args:
        update: the update to come.
        first: whether no update was made since the scheduler was built or loaded.
        begins: whether that update begins now; else a look at the state.
    """

    update: int
    first: bool
    begins: bool


@final
@dataclass(eq=False)
class WriteHistory:
    """The writes by other code into the groups of one schedule, as far as they come at every update. Mutable.

    Args:
        last: the update before which the last write came.
        ratios: of the last write to what each group held.
        before: base and factor of each slot before the first write in a row.
        chaining: whether the ratio of the writes was constant.
        odd: how many in a row had another ratio than the write before.
        aside: whether the schedule stands aside.
        slots: those that were written in the row: the schedule stands aside for these alone.
        used: the update that uses the last write as it is.
        answered: the update whose values `get_lr()` has told: other code that writes them changes nothing.
        shown: the update whose values were written after the last write of a chain, by the short way (`chain.py`).
        averaging: whether the groups have the mark of SWALR.
        replaced: whether SWALR has taken over for good.
    """

    last: int = -2
    ratios: list[float] = field(default_factory=list)
    before: "dict[Slot, tuple[float, float]]" = field(default_factory=dict)
    chaining: bool = False
    odd: int = 0
    aside: bool = False
    slots: "set[Slot]" = field(default_factory=set)
    used: int = -2
    answered: int = -2
    shown: int = -2
    averaging: bool = False
    replaced: bool = False

    def begin(self, slots: "Sequence[Slot]") -> None:
        """Note the first write in a row."""
        self.before = {slot: (slot.base, slot.factor) for slot in slots}
        self.odd, self.chaining = 0, False
        self.slots = set()

    def leaves(self, slot: "Slot", update: int) -> bool:
        """Return whether an update will use what other code has written into the group of a slot."""
        if self.used == update:
            return slot in self.slots
        return self.aside and slot.read() != slot.written

    def go_on(self, *, constant: bool) -> bool:
        """Note another write in a row, with a constant ratio or not; return whether it is used as written."""
        if self.odd == 0 and constant:
            self.chaining = True
        elif self.chaining and constant:
            self.odd = 0
        else:
            self.odd += 1
        return self.odd > (1 if self.chaining else 0)

    def highest_before(self, slot: "Slot") -> float:
        """Return base * factor of a slot before this write, or before the one in front of it if that was higher."""
        base, factor = self.before.get(slot, (0.0, 0.0)) if self.odd == 1 and not self.chaining else (0.0, 0.0)
        return max(slot.multiplier, base * factor)


def observe(schedule: "BoundSchedule", present: Sequence[float], moment: Moment) -> bool:
    """Take in what the groups hold; return whether the schedule leaves what was written there for the update to come.

    Args:
        schedule: of the groups.
        present: what each group holds now.
        moment: when this is.

    Raises:
        SchedulerError: if other code wrote a value that cannot be used; nothing has changed then.
    """
    writes = schedule.writes
    slots = schedule.slots
    if writes.replaced:
        _accept(slots, present)
        return True
    if all(value is slot.written for slot, value in zip(slots, present, strict=True)):
        return _observe_silence(schedule, moment)
    _check_values(schedule, present)
    if schedule.is_rate and _is_replaced(schedule, present):
        return writes.replaced
    due = schedule.values_at(moment.update)
    if not writes.aside and not _slots_by_hand(schedule, present, due, moment):
        _accept(slots, present)
        return False
    return _read_write(schedule, present, due, moment)


def _is_equal(first: float, second: float) -> bool:
    """Return whether two values are equal, but for rounding."""
    return first == second or math.isclose(first, second, rel_tol=ROUNDING)


def _observe_silence(schedule: "BoundSchedule", moment: Moment) -> bool:
    """Note that no other code wrote; a schedule that stood aside goes on once an update comes without a write."""
    writes = schedule.writes
    if schedule.is_rate and not writes.averaging:
        writes.averaging = has_mark([slot.group for slot in schedule.slots])
    if writes.aside and moment.begins and moment.update > writes.last:
        writes.aside, writes.odd, writes.chaining = False, 0, False
    return writes.aside or writes.used == moment.update


def _read_write(schedule: "BoundSchedule", present: Sequence[float], due: Sequence[float], moment: Moment) -> bool:
    writes, slots = schedule.writes, schedule.slots
    by_hand = _slots_by_hand(schedule, present, due, moment)
    ratios = [_ratio(slot, value) if slot in by_hand else 1.0 for slot, value in zip(slots, present, strict=True)]
    if moment.update > writes.last + 1 or len(ratios) != len(writes.ratios):
        writes.begin(slots)
        as_written = False
    elif moment.update == writes.last + 1:
        as_written = writes.go_on(constant=all(map(_is_same_ratio, ratios, writes.ratios)))
    else:
        as_written = writes.used == moment.update
    writes.last = moment.update
    if not (writes.chaining and writes.odd):  # a single other ratio does not end a chain
        writes.ratios = ratios
    writes.slots |= by_hand
    if writes.aside or (as_written and writes.odd > 1):
        _stand_aside(schedule)
    elif schedule.target.sets and moment.first:
        _overwrite(schedule, present)
    else:
        _change_bases(schedule, present, due, moment)
    if writes.aside or as_written:
        _keep_as_written(schedule, present, moment.update)
        return True
    return False


def _slots_by_hand(
    schedule: "BoundSchedule", present: Sequence[float], due: Sequence[float], moment: Moment
) -> "set[Slot]":
    """Return the slots that were written, but for what is due, where the group held it or `get_lr()` has told it."""
    answered = schedule.writes.answered == moment.update
    return {
        slot
        for slot, value, new in zip(schedule.slots, present, due, strict=True)
        if value is not slot.written and not (_is_equal(value, new) and (answered or _is_equal(value, slot.written)))
    }


def _ratio(slot: "Slot", value: float) -> float:
    return value / slot.written if slot.written else math.inf


def _is_same_ratio(first: float, second: float) -> bool:
    return first == second or math.isclose(first, second, rel_tol=CONSTANT)


def _stand_aside(schedule: "BoundSchedule") -> None:
    """Stand aside, with the bases from before the first write in the row."""
    writes = schedule.writes
    if writes.aside:
        return
    writes.aside = schedule.expects_base = True  # that code writes rates, not multiples
    for slot, (base, factor) in writes.before.items():
        slot.base, slot.factor = base, factor


def _keep_as_written(schedule: "BoundSchedule", present: Sequence[float], update: int) -> None:
    """Use what other code wrote."""
    writes = schedule.writes
    writes.used = update
    for slot, value in zip(schedule.slots, present, strict=True):
        if slot in writes.slots:
            slot.keep(value)
    if writes.aside:
        _warn_aside(schedule)


def _warn_aside(schedule: "BoundSchedule") -> None:
    slot = next(slot for slot in schedule.slots if slot in schedule.writes.slots)
    label = schedule.target.label if len(schedule.writes.slots) == len(schedule.slots) else _label(schedule, slot)
    schedule.once.warn(
        f"{label} is written by other code before every update (last {slot.written:g}): the plan stands aside, and "
        "goes on as before the first of these writes at an update without one; if that code is to decide for good, "
        f"scheduler.detach(); to keep a change, {'change the plan' if schedule.target.sets else SET_RATE}",
        "GP724",
    )


def _overwrite(schedule: "BoundSchedule", present: Sequence[float]) -> None:
    schedule.once.warn(
        f"other code wrote {schedule.target.label} = {present[0]:g} before the first update, and Set(plan) has no "
        "base: the plan writes over it; change the plan, or scale it, plan instead of Set(plan)",
        "GP729",
    )
    _accept(schedule.slots, present)


def _change_bases(schedule: "BoundSchedule", present: Sequence[float], due: Sequence[float], moment: Moment) -> None:
    answered = schedule.writes.answered == moment.update
    for slot, value, new in zip(schedule.slots, present, due, strict=True):
        if _is_equal(value, slot.written) or (answered and _is_equal(value, new)):
            slot.written = value
        elif slot.base == 0 and not schedule.target.sets:
            join_late(schedule, slot, value, moment.update)
        elif slot.joined == moment.update and schedule.is_rate:
            _read_late(schedule, slot, value, moment.update)
        elif moment.first:
            _read_first(schedule, slot, value, moment.update)
        else:
            _read_factor(schedule, slot, value, new, moment.update)
        slot.written = value


def _read_late(schedule: "BoundSchedule", slot: "Slot", value: float, k: int) -> None:
    """Take a write into a group that has joined, before its first update, as if it had joined with that."""
    if schedule.target.sets:
        warn_overwritten(schedule, slot, value, k)
    else:
        join_late(schedule, slot, value, k)


def _read_first(schedule: "BoundSchedule", slot: "Slot", value: float, k: int) -> None:
    """Take a write before the first update for a new base, or for a multiple of what was shown."""
    base, shown = slot.multiplier, slot.written
    if value > 0 and base > 0 and (schedule.expects_base or _is_nearer(value, base, shown)):
        slot.base, slot.factor = value, 1.0
        meaning = f"a new base: {_outlook(schedule, slot, k)}"
    else:
        slot.factor = _factor(schedule, slot, value, k)
        meaning = f"{value / shown if shown else 0:g} times what was shown: {_outlook(schedule, slot, k)}"
    slot.written = value
    if value and not schedule.expects_base and not math.isclose(base, shown, rel_tol=APART):
        schedule.once.warn(
            f"{_label(schedule, slot)} was {shown:g} (base {base:g}), and other code wrote {value:g} before the first "
            f"update, which is read as {meaning}; set_rate(scheduler, rate) sets the base in one reading, and after "
            "scheduler.expect_base() every such write does",
            "GP728",
        )


def _is_nearer(value: float, base: float, shown: float) -> bool:
    """Return whether a value is nearer to the base than to what was shown, as ratios."""
    return shown <= 0 or abs(math.log(value / base)) < abs(math.log(value / shown))


def _outlook(schedule: "BoundSchedule", slot: "Slot", k: int) -> str:
    first, peak = schedule.plan_value(k), schedule.highest_from(k)
    return f"base {slot.multiplier:g}, first value {slot.multiplier * first:g}, peak {slot.multiplier * peak:g}"


def _read_factor(schedule: "BoundSchedule", slot: "Slot", value: float, due: float, k: int) -> None:
    """Take a write during the run for a factor on all that follows, relative to what the group held."""
    before, last_value, highest = slot.factor, slot.written, schedule.writes.highest_before(slot)
    slot.factor, slot.written = _factor(schedule, slot, value, k), value
    label = _label(schedule, slot)
    if value and last_value > 0 and due > 0 and not math.isclose(last_value, due, rel_tol=APART):
        schedule.once.warn(
            f"{label} was set to {value:g} by other code at update {k}, where the plan goes from {last_value:g} to "
            f"{due:g}: it is read as {value / last_value:g} times the last value, so {due * value / last_value:g} now, "
            f"and not as {value / due:g} times the next; to change what the next update uses, call scheduler.step() "
            "first",
            "GP722",
        )
    if last_value > 0 and slot.multiplier > highest * (1 + CONSTANT):
        schedule.once.warn(
            f"{label} was set to {value:g} by other code at update {k}, {slot.factor / before:g} times what it was: "
            f"the plan goes on with that factor, to a peak of {slot.multiplier * schedule.highest_from(k):g} from "
            f"here; {'change the plan, or detach() stops it' if schedule.target.sets else WRITE_CURES}",
            "GP723",
        )


def _label(schedule: "BoundSchedule", slot: "Slot") -> str:
    return f"{schedule.target.label} of {name_group(slot.group, slot.number)}"


def _factor(schedule: "BoundSchedule", slot: "Slot", value: float, k: int) -> float:
    if slot.written != 0:
        return slot.factor * (value / slot.written)
    # after a written 0 there is no ratio: take `value` for what the plan has at this update, or at its peak
    return value / (slot.base * schedule.plan_value(k) or slot.base)


def _is_replaced(schedule: "BoundSchedule", present: Sequence[float]) -> bool:
    """Return whether the write came from SWALR: from its first step on it replaces the plan."""
    writes, slots = schedule.writes, schedule.slots
    groups = [slot.group for slot in slots]
    if not has_mark(groups):
        return False
    new, writes.averaging = not writes.averaging, True
    if all(_is_equal(value, slot.written) for slot, value in zip(slots, present, strict=True)):
        return False  # its constructor, or a step that changed nothing
    if new and all(value == group.get(MARK) for group, value in zip(groups, present, strict=True)):
        _accept(slots, present)  # its constructor, with anneal_epochs=0
        return True
    writes.replaced = is_its_write(groups, [slot.written for slot in slots], present)
    if writes.replaced:
        _accept(slots, present)
        schedule.once.warn(
            f"SWALR has taken over {schedule.target.label}: the plan ends here; to keep the plan, leave SWALR out",
            "GP725",
        )
    return writes.replaced


def _check_values(schedule: "BoundSchedule", present: Sequence[float]) -> None:
    """Check that what other code wrote can be used.

    Raises:
        SchedulerError: if a value is not finite, or outside what the hyperparameter can be.
    """
    low, high = bounds_of(schedule.target.hyperparameter)
    for slot, value in zip(schedule.slots, present, strict=True):
        if not (math.isfinite(value) and low <= value < high):
            limits = "" if low == -math.inf else ", at least 0" if high == math.inf else ", at least 0 and below 1"
            raise SchedulerError(
                f"{_label(schedule, slot)} was set to {value} by other code: set it to a finite number{limits}"
            )


def _accept(slots: "Sequence[Slot]", present: Sequence[float]) -> None:
    for slot, value in zip(slots, present, strict=True):
        slot.written = value
