"""Checks of the values that a plan will write, before anything is written.

Where a plan is data, all of its values can be computed ahead: those outside the bounds of their hyperparameter (a rate
below 0, a beta of 1) are refused with the update at which they would come. A plan without an end is searched as far as
the run is known to last.

Refused too are tensors that cannot hold the values, and a `Set` that would switch a hyperparameter on for groups that
were built without it.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from glidepath.core.schedule import Schedule
from glidepath.errors import Cure, SchedulerError
from glidepath.warn import warn_caller

from .bound_schedule import BoundSchedule
from .group_names import name_group
from .hyperparameter import Group, bounds_of
from .target_values import ALL_UP_TO
from .targets import Target

ROUNDING = 1e-12  # of the largest value: a plan that ends at 0 may end at -1e-17

CHUNK = 16_384  # updates computed at once: they stay in the cache of the processor


@final
@dataclass(frozen=True, eq=False)
class GroupValues:
    """The values of one group under a plan: max(multiplier * plan(k), minimum)."""

    target: Target
    group: Group
    number: int
    multiplier: float
    dtype: torch.dtype | None  # of the tensor that holds the value

    def values(self, plan_values: Any) -> Any:
        """Return the values for those of the plan."""
        values = self.multiplier * plan_values
        return values if self.target.minimum is None else np.maximum(values, self.target.minimum)

    @property
    def name(self) -> str:
        """Return what the values are of."""
        return f"{self.target.label} of {name_group(self.group, self.number)}"


def check_values(
    schedules: Sequence[BoundSchedule], position: int, steps: int | None = None, groups: Sequence[Group] = ()
) -> None:
    """Check every value that the schedules will write, as far as it can be computed ahead.

    Args:
        schedules: with the groups that they select.
        position: updates made; earlier values are not looked at.
        steps: the length of the run, to which plans without an end are searched; None if it is unknown.
        groups: of the optimizer, which number those in messages; without them, groups are numbered in each optimizer.

    Raises:
        SchedulerError: if a value is outside the bounds of its hyperparameter or does not fit its tensor, or if a `Set`
            for all groups meets one that was built with 0.
    """
    for schedule in schedules:
        rows = _rows(schedule, groups)
        _check_switched_on(rows)
        for row in rows:
            _check_dtype(row)
        _check_plan(schedule, rows, position, steps)


def check_plan(schedule: BoundSchedule, position: int, steps: int | None = None) -> None:
    """Check the values that a schedule will write from a position on, as after another plan took over.

    Raises:
        SchedulerError: if one is outside the bounds of its hyperparameter, or does not fit its tensor.
    """
    _check_plan(schedule, _rows(schedule, ()), position, steps)


def _check_plan(schedule: BoundSchedule, rows: Sequence[GroupValues], position: int, steps: int | None) -> None:
    end = _end(schedule.target, position, steps)
    if end is not None and any(_is_bounded(row) for row in rows):
        _check_extremes(rows, position, end)


def _rows(schedule: BoundSchedule, groups: Sequence[Group]) -> list[GroupValues]:
    numbers = {id(group): i for i, group in enumerate(groups)}
    rows = []
    for slot in schedule.slots:
        value = slot.hyperparameter.get(slot.group)
        dtype = value.dtype if isinstance(value, Tensor) else None
        rows.append(
            GroupValues(schedule.target, slot.group, numbers.get(id(slot.group), slot.number), slot.multiplier, dtype)
        )
    return rows


def _end(target: Target, position: int, steps: int | None) -> int | None:
    """Return the update before which a plan is searched, with one past its end; None if it is a Python function."""
    if not target.is_data:
        return None
    duration = target.plan.duration
    return max(position + 1, (steps or 0) if duration is None else duration + 1)


def _is_bounded(row: GroupValues) -> bool:
    return bounds_of(row.target.hyperparameter) != (-math.inf, math.inf) or row.dtype is not None


# --- what the groups hold ---


def _check_dtype(row: GroupValues) -> None:
    if row.dtype is None or row.dtype.is_floating_point:
        return
    key = row.target.hyperparameter.key
    raise SchedulerError(
        f"{row.name} is a tensor of {row.dtype}, which holds whole numbers only",
        cures=[Cure(f'give it one of floats before, group["{key}"] = group["{key}"].float()')],
    )


def _check_switched_on(rows: Sequence[GroupValues]) -> None:
    """Refuse a `Set` for all groups, of which some were built with 0: it would switch them on."""
    if not rows or not rows[0].target.sets or rows[0].target.selector is not None:
        return
    hyperparameter = rows[0].target.hyperparameter
    off = [row for row in rows if float(hyperparameter.get(row.group)) == 0]
    if not off or len(off) == len(rows):
        return
    raise SchedulerError(
        f"{off[0].name} was built with 0, and Set(plan) for all groups would switch it on",
        cures=[Cure(f"name the groups that it is for, {hyperparameter.key}={_suggest_mapping(rows, off)}")],
    )


def _suggest_mapping(rows: Sequence[GroupValues], off: Sequence[GroupValues]) -> str:
    """Return a mapping of the groups that are not at 0, by name if all have one."""
    rest = dict.fromkeys(row.group.get("name") for row in rows if row not in off)
    if all(isinstance(name, str) for name in rest):
        return "{" + ", ".join(f'"{name}": Set(plan)' for name in rest) + "}"
    hyperparameter = rows[0].target.hyperparameter
    index = "" if hyperparameter.index is None else f"[{hyperparameter.index}]"
    return f'{{lambda group: group["{hyperparameter.key}"]{index} > 0: Set(plan)}}'


# --- what the plan gives ---


def _check_extremes(rows: Sequence[GroupValues], start: int, stop: int) -> None:
    """Check the values of each row at the lowest and at the highest value of the plan, and then search the first."""
    plan = rows[0].target.plan
    extremes = np.array(_find_extremes(plan, start, stop))
    if not np.isfinite(extremes).all():  # the scheduler refuses those itself, at the update
        return
    for row in {(row.multiplier, row.dtype): row for row in reversed(rows)}.values():
        low, high = sorted(row.values(extremes).tolist())
        is_wrong, limits, cure = _bounds(row, max(abs(low), abs(high)))
        if is_wrong(np.array([low, high])).any():
            _refuse(row, _find_first(row, start, stop, is_wrong), limits, cure)
        _check_precision(row, start, stop, max(abs(low), abs(high)))


@functools.lru_cache(maxsize=32)  # an optimizer for each parameter has a scheduler of the same plan each
def _find_extremes(plan: Schedule, start: int, stop: int) -> tuple[float, float]:
    """Return the lowest and the highest finite value of a plan over updates start..stop-1."""
    low, high = math.inf, -math.inf
    for first, last in _chunks(start, stop):
        values = _compute(plan, first, last)
        if not math.isfinite(values.sum()):
            values = values[np.isfinite(values)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    return low, high


def _chunks(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield all updates in chunks, or as many chunks of a long plan as there is time for, both ends among them."""
    chunks, most = -(-(stop - start) // CHUNK), ALL_UP_TO // CHUNK
    for i in range(min(chunks, most)):
        first = start + (i * CHUNK if chunks <= most else (stop - start - CHUNK) * i // (most - 1))
        yield first, min(first + CHUNK, stop)


def _compute(plan: Schedule, start: int, stop: int) -> Any:
    with np.errstate(all="ignore"):
        return plan(np.arange(start, stop))


def _find_first(row: GroupValues, start: int, stop: int, is_wrong: Callable[[Any], Any]) -> int | None:
    """Return the first update with a value for which the test is true."""
    for first, last in _chunks(start, stop):
        wrong = is_wrong(row.values(_compute(row.target.plan, first, last)))
        if wrong.any():
            return first + int(wrong.argmax())
    return None


def _bounds(row: GroupValues, largest: float) -> tuple[Callable[[Any], Any], str, str]:
    """Return a test for values that are out of bounds, the bounds in words, and the cure."""
    key, (low, high) = row.target.hyperparameter.key, bounds_of(row.target.hyperparameter)
    floor = low - ROUNDING * largest
    if high < math.inf:
        return lambda values: (values < floor) | (values >= high), "in [0, 1)", "keep the plan between 0 and 1"
    if row.dtype is not None and largest > torch.finfo(row.dtype).max:
        top = torch.finfo(row.dtype).max
        return (
            lambda values: (values < floor) | (abs(values) > top),
            f"at most {top:g} in a tensor of {row.dtype}",
            f'give it one that holds more, group["{key}"] = group["{key}"].float()',
        )
    return lambda values: values < floor, "at least 0", "give the plan a floor, clip(plan, minimum=0.0)"


def _refuse(row: GroupValues, step: int | None, limits: str, cure: str) -> None:
    if step is None:
        return
    value = float(row.values(np.float64(row.target.plan(step))))
    raise SchedulerError(f"{row.name} would be {value:g} at update {step:,}, and must be {limits}", cures=[Cure(cure)])


def _check_precision(row: GroupValues, start: int, stop: int, largest: float) -> None:
    """Warn about values that a tensor of half precision rounds to 0."""
    if row.dtype is None or row.dtype.itemsize > 2 or largest == 0:
        return
    info = torch.finfo(row.dtype)
    smallest = info.smallest_normal * info.eps / 2
    step = _find_first(row, start, stop, lambda values: (values != 0) & (abs(values) <= smallest))
    if step is not None:
        value, key = float(row.values(np.float64(row.target.plan(step)))), row.target.hyperparameter.key
        warn_caller(
            f"{row.name} is a tensor of {row.dtype}, which rounds {value:g} at update {step:,} to 0: give it a finer "
            f'one, group["{key}"] = group["{key}"].float()',
            "GP734",
        )
