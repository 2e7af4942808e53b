"""Rows of values computed ahead, so that nearly every update takes a fast path.

A row holds what each column gets at one update; groups with equal multipliers share a column. An update only checks
that each group still holds the very object that was written last, and writes the next one. Anything unusual (a write by
other code, a new group) is left to the slow path, in `clock.py`. A plan that is a Python function is asked for one row
at a time, when it is due.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, final

from torch import Tensor

from .bound_schedule import BoundSchedule
from .compiling import skip_compiling
from .group_access import Access, Cell, access_cells
from .hyperparameter import Group
from .slot import Slot
from .target_values import BLOCK

NUMBERS = 65_536  # computed ahead, at most
FIRST_ROWS = 8


class Part(NamedTuple):
    """What a column is made of: the values of a schedule times a multiplier; `element` is its place in a tuple."""

    schedule: BoundSchedule
    multiplier: float
    element: int | None


class Column(NamedTuple):
    """The values of one key of some groups.

    Args:
        key: of the groups.
        parts: of each value; several if a tuple has several scheduled elements.
        present: the tuple, for its other elements.
    """

    key: str
    parts: tuple[Part, ...]
    present: Any

    def values(self, columns: dict[tuple[BoundSchedule, float], list[float]]) -> list[Any]:
        """Return the column, from the columns of the schedules by schedule and multiplier."""
        lists = [columns[part[:2]] for part in self.parts]
        if self.present is None:
            return lists[0]
        if len(lists) == 1 and type(self.present) is tuple:
            index = self.parts[0].element or 0
            head, tail = self.present[:index], self.present[index + 1 :]
            return [(*head, value, *tail) for value in lists[0]]
        return [self._replace_elements(row) for row in zip(*lists, strict=False)]

    def _replace_elements(self, row: Sequence[float]) -> Any:
        elements = list(self.present)
        for part, value in zip(self.parts, row, strict=True):
            elements[part.element or 0] = value
        return type(self.present)(elements)


@final
class RowCache:
    """The rows of the next updates, and the count of updates: first + index. The clock's hooks use its attributes."""

    __slots__ = (
        "_accesses", "_asked", "_asks", "_broken", "_cells", "_columns", "_count", "_functions", "_places",
        "_plain_parts", "_schedules", "_steps", "_tensors", "_versions", "end", "first", "index", "last_group",
        "only_group", "rows", "written",
    )  # fmt: skip

    first: int  # the update of the first row
    index: int  # updates made since
    end: int  # the number of rows; -1 if there are none, or they are asked for one at a time
    rows: list[Any]  # a tuple of the columns' values; a number each, if `only_group` is there
    written: Any  # the row that was written last
    last_group: Group | None  # of the optimizer; None while there are no rows
    only_group: Group | None  # of the optimizer, if nothing but its rate is scheduled, as data
    _columns: list[Column]
    _cells: list[Cell]  # the values that are numbers or tuples
    _accesses: list[Access]  # to the cells
    _tensors: list[tuple[Group, str, Tensor, int]]  # groups that hold tensors, with their column
    _versions: list[int]  # of the tensors
    _places: list[tuple[Slot, int, int | None]]  # where the value of a slot is: column, element
    _broken: Sequence[Any] | None  # a row of which only some cells were written, as one held something else
    _asked: int  # the index of the last row that the plans were asked for
    _functions: list[Callable[[int], float]]  # the values of each plan by update, if they are asked for one at a time
    _plain_parts: list[tuple[int, float]] | None  # schedule and multiplier of each column, if none is a tuple

    def __init__(self, schedules: Sequence[BoundSchedule], position: int) -> None:
        self._schedules, self.first, self.index = schedules, position, 0
        self.clear()

    @property
    def position(self) -> int:
        """Return the number of updates made."""
        return self.first + self.index

    # --- columns ---

    def fill(self, groups: Sequence[Group]) -> None:
        """Compute the first rows, after the slow path has written the values of this update.

        Args:
            groups: of the optimizer, all of them.
        """
        row = tuple(self._find_columns())
        self._asks = any(not schedule.target.is_data for schedule in self._schedules)
        self._steps, self.last_group, self._count = FIRST_ROWS, groups[-1], len(groups)
        self.written = row
        if self._asks:
            self._plain_parts = self._find_plain_parts()
            self._functions = [schedule.function for schedule in self._schedules]
        elif len(groups) == 1 and self._cells == [(self.last_group, "lr", 0)]:
            self.only_group, self.written = self.last_group, row[0]
        for group, key, place in self._cells:  # the very object of the row, in place of an equal one
            group[key] = row[place]
        if self.only_group is None:
            self._accesses = access_cells(self._cells)
        if not self._asks:
            self.refill()
            if self.rows:
                self.rows[0] = self.written

    def _find_columns(self) -> list[Any]:
        """Find the columns and the cells of each, and return what those hold now."""
        cells: dict[tuple[int, str], list[tuple[Slot, Part]]] = {}
        for schedule in self._schedules:
            if not schedule.writes.replaced:
                for slot in schedule.slots:
                    part = Part(schedule, slot.multiplier, slot.hyperparameter.index)
                    cells.setdefault((id(slot.group), slot.hyperparameter.key), []).append((slot, part))
        numbers: dict[Column, int] = {}
        firsts: list[Any] = []
        for (_, key), cell in cells.items():
            slot, part = cell[0]
            value = slot.group[key]
            column = Column(key, tuple(part for _, part in cell), None if part.element is None else value)
            place = numbers.setdefault(column, len(numbers))
            if place == len(firsts):
                firsts.append(slot.written if isinstance(value, Tensor) else value)
            self._places += [(slot, place, part.element) for slot, part in cell]
            if not isinstance(value, Tensor):
                self._cells.append(Cell(slot.group, key, place))
            elif not any(value is tensor for _, _, tensor, _ in self._tensors):
                self._tensors.append((slot.group, key, value, place))
                self._versions.append(value._version)
        self._columns = list(numbers)
        return firsts

    def _find_plain_parts(self) -> list[tuple[int, float]] | None:
        if any(schedule.target.minimum is not None for schedule in self._schedules):
            return None
        parts = [column.parts[0] for column in self._columns if column.present is None]
        if len(parts) < len(self._columns):
            return None
        return [(self._schedules.index(part.schedule), part.multiplier) for part in parts]

    # --- rows ---

    def refill(self) -> None:
        """Compute the rows from this update on.

        They end before a value that cannot be used, which the slow path refuses, and where a plan ends, which it notes.
        """
        position = self.first + self.index
        steps = self._limit(position, self._steps)
        self._steps = min(2 * self._steps, max(64, min(BLOCK, NUMBERS // (len(self._columns) or 1))))
        self.rows = self._rows_at(position, steps) if steps else []
        self.first, self.index, self.end = position, 0, len(self.rows)
        if not self.rows:
            self.flush()

    def _rows_at(self, position: int, steps: int) -> list[Any]:
        parts = {part[:2] for column in self._columns for part in column.parts}
        plans = {schedule: schedule.plan_values(position, steps) for schedule, _ in parts}
        values = {(schedule, times): schedule.column(times, plans[schedule]) for schedule, times in parts}
        columns = [column.values(values) for column in self._columns]
        if self.only_group is not None:
            return columns[0]
        return list(zip(*columns, strict=False)) if columns else [()] * steps

    def _limit(self, position: int, steps: int) -> int:
        """Return the number of rows up to the next end of a plan of the rate; 0 at an end."""
        for schedule in self._schedules:
            duration = schedule.target.plan.duration
            if schedule.is_rate and duration is not None and duration - schedule.offset >= position:
                steps = min(steps, duration - schedule.offset - position)
        return steps

    def _ask(self) -> tuple[Any, ...] | None:
        """Return the row of this update by asking the plans for it alone; None if a value cannot be used."""
        position = self.first + self.index
        if self._plain_parts is None:
            rows = self._rows_at(position, 1)
            return rows[0] if rows else None
        if len(self._plain_parts) == 1:
            value = self._plain_parts[0][1] * self._functions[0](position)
            return (value,) if 0 <= value < math.inf else None
        plans = [ask(position) for ask in self._functions]
        row = tuple([multiplier * plans[number] for number, multiplier in self._plain_parts])
        return row if min(row) >= 0 and sum(row) < math.inf else None

    @skip_compiling
    def write(self, groups: Sequence[Group]) -> bool:
        """Write the row of this update; return False, for the slow path, if a group holds something else than before.

        Args:
            groups: of the optimizer now; another number or another last one shows that groups came or went.
        """
        if groups[-1] is not self.last_group or self.only_group is not None or len(groups) != self._count:
            return False
        before = self.written
        if not self._asks:
            row = self.rows[self.index]
        elif self._asked == self.index:
            row = before
        elif (row := self._ask()) is None:
            return False
        else:
            self._asked = self.index
        if row is before:
            return self._holds(row)
        for access in self._accesses:
            if not access.swap(before, row):
                self._broken = row
                return False
        if self._tensors and not self._write_tensors(row):
            self._broken = row
            return False
        self.written = row
        return True

    @skip_compiling
    def _holds(self, row: Sequence[Any]) -> bool:
        """Return whether every group holds its value of the row, which `step()` has shown."""
        for access in self._accesses:
            if not access.hold(row):
                return False
        versions = self._versions
        for number, (group, key, tensor, _) in enumerate(self._tensors):
            if group[key] is not tensor or tensor._version != versions[number]:
                return False
        return True

    @skip_compiling
    def _write_tensors(self, row: Sequence[float]) -> bool:
        versions = self._versions
        for number, (group, key, tensor, place) in enumerate(self._tensors):
            if group[key] is not tensor or tensor._version != versions[number]:
                return False
            tensor.fill_(row[place])
            versions[number] = tensor._version
        return True

    # --- leaving the fast path ---

    def flush(self) -> None:
        """Note in the slots what the rows have written, and drop the rows."""
        if self.last_group is not None:
            row = self.written if self.only_group is None else (self.written,)
            begun = row if self._broken is None else self._broken
            for slot, place, index in self._places:
                value = begun[place] if slot.group[slot.hyperparameter.key] is begun[place] else row[place]
                slot.written = value if index is None else value[index]
            if self._tensors:
                self._note_versions()
        self.clear()

    def _note_versions(self) -> None:
        versions = {
            (id(tensor), place): version
            for (_, _, tensor, place), version in zip(self._tensors, self._versions, strict=True)
        }
        for slot, place, _ in self._places:
            value = id(slot.hyperparameter.get(slot.group))
            if (value, place) in versions:
                slot.version = value, versions[value, place]

    def clear(self) -> None:
        """Drop the rows; the next write takes the slow path."""
        self.first, self.index, self.end = self.first + self.index, 0, -1
        self.last_group = self.only_group = self._plain_parts = None
        self._columns, self._cells, self._tensors, self._versions, self._places = [], [], [], [], []
        self._count, self._steps, self._asks, self._broken = 0, FIRST_ROWS, False, None
        self.rows, self.written, self._functions, self._accesses, self._asked = [], None, [], [], 0

    def move(self, position: int) -> None:
        """Drop the rows, and count from another position on."""
        self.clear()
        self.first = position
