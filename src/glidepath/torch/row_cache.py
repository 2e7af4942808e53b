"""Rows of values computed ahead, so that nearly every update takes a fast path.

A row holds what each column gets at one update; groups with equal multipliers share a column. An update only checks
that each group still holds the very object that was written last, and writes the next one. Anything unusual (a write by
other code, a new group) is left to the slow path, in `clock.py`. A plan that is a Python function is asked for one row
at a time, when it is due.
"""

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple, final

from torch import Tensor

from .bound_schedule import BLOCK, BoundSchedule, Slot
from .hyperparameter import Group

NUMBERS = 65_536  # computed ahead, at most
FIRST_ROWS = 8


class Part(NamedTuple):
    """What a column is made of: the values of a schedule times a multiplier; `index` if it is an element of a tuple."""

    schedule: BoundSchedule
    multiplier: float
    index: int | None


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
        if self.present is None:
            return columns[self.parts[0][:2]]
        rows = zip(*(columns[part[:2]] for part in self.parts), strict=False)
        return [self._replace_elements(row) for row in rows]

    def _replace_elements(self, row: Sequence[float]) -> Any:
        elements = list(self.present)
        for part, value in zip(self.parts, row, strict=True):
            elements[part.index or 0] = value
        return type(self.present)(elements)


@final
class RowCache:
    """The rows of the next updates. The clock reads and writes these attributes itself where a call would cost too much."""

    __slots__ = (
        "_asks", "_columns", "_count", "_lanes", "_places", "_schedules", "_steps", "_tensors", "_versions",
        "due", "last_group", "only_group", "rows", "written",
    )  # fmt: skip

    rows: Iterator[Any]  # after the row that is due
    due: Any  # the row of the next update: a value, or a tuple if there are several columns; None if not computed yet
    written: Any  # the row that was written last
    last_group: Group | None  # of the optimizer; None while there are no rows
    only_group: Group | None  # of the optimizer, if nothing but its rate is scheduled, as data
    _columns: list[Column]
    _lanes: list[tuple[str, list[Group]]]  # the groups of each column that hold numbers or tuples
    _tensors: list[tuple[Group, str, Tensor, int]]  # groups that hold tensors, with their column
    _versions: list[int]  # of the tensors
    _places: list[tuple[Slot, int, int | None]]  # where the value of a slot is: column, element

    def __init__(self, schedules: Sequence[BoundSchedule]) -> None:
        self._schedules = schedules
        self.clear()

    # --- columns ---

    def fill(self, position: int, groups: Sequence[Group]) -> None:
        """Compute the first rows, after the slow path has written the values of `position`.

        Args:
            position: of the values that the groups hold.
            groups: of the optimizer, all of them.
        """
        firsts = self._find_columns()
        self._asks = any(not schedule.target.is_data for schedule in self._schedules)
        self._steps, self.last_group, self._count = FIRST_ROWS, groups[-1], len(groups)
        self.rows = repeat(None) if self._asks else iter(())
        if not self._asks:
            self.refill(position)
        if self.last_group is not None:
            self.due = self.written = firsts[0] if len(firsts) == 1 else tuple(firsts)
            self._share_objects()
            if len(groups) == 1 and self._lanes == [("lr", [self.last_group])] and not self._asks:
                self.only_group = self.last_group

    def _find_columns(self) -> list[Any]:
        """Find the columns and the groups of each, and return what those hold now."""
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
            column = Column(key, tuple(part for _, part in cell), None if part.index is None else value)
            place = numbers.setdefault(column, len(numbers))
            if place == len(firsts):
                firsts.append(slot.written if isinstance(value, Tensor) else value)
                self._lanes.append((key, []))
            self._places += [(slot, place, part.index) for slot, part in cell]
            if not isinstance(value, Tensor):
                self._lanes[place][1].append(slot.group)
            elif not any(value is tensor for _, _, tensor, _ in self._tensors):
                self._tensors.append((slot.group, key, value, place))
                self._versions.append(value._version)
        self._columns = list(numbers)
        return firsts

    def _share_objects(self) -> None:
        """Put the very objects of the row into the groups, which hold equal ones."""
        for (key, groups), value in zip(self._lanes, self._values_of(self.written), strict=True):
            for group in groups:
                group[key] = value

    def _values_of(self, row: Any) -> Sequence[Any]:
        return (row,) if len(self._columns) == 1 else row  # type: ignore[no-any-return]

    # --- rows ---

    def refill(self, position: int) -> None:
        """Compute the rows from `position` on.

        They end before a value that cannot be used, which the slow path refuses, and where a plan ends, which it notes.
        """
        steps = self._limit(position, self._steps)
        self._steps = min(2 * self._steps, max(64, min(BLOCK, NUMBERS // (len(self._columns) or 1))))
        self.rows = self._rows_at(position, steps) if steps else iter(())
        self.due = next(self.rows, None)
        if self.due is None:
            self.flush()

    def _rows_at(self, position: int, steps: int) -> Iterator[Any]:
        parts = {part[:2] for column in self._columns for part in column.parts}
        plans = {schedule: schedule.plan_values(position, steps) for schedule, _ in parts}
        values = {(schedule, times): schedule.column(times, plans[schedule]) for schedule, times in parts}
        columns = [column.values(values) for column in self._columns]
        if len(columns) == 1:
            return iter(columns[0])
        return zip(*columns, strict=False) if columns else repeat((), steps)

    def _limit(self, position: int, steps: int) -> int:
        """Return the number of rows up to the next end of a plan of the rate; 0 at an end."""
        for schedule in self._schedules:
            duration = schedule.target.plan.duration
            if schedule.is_rate and duration is not None and duration - schedule.offset >= position:
                steps = min(steps, duration - schedule.offset - position)
        return steps

    def _ask(self, position: int) -> Any:
        """Return the row of an update by asking the plans for it alone; None if a value cannot be used."""
        row = [
            values[0] if values else None
            for values in (
                column.values({part[:2]: part.schedule.ask(part.multiplier, position) for part in column.parts})
                for column in self._columns
            )
        ]
        if None in row:
            return None
        return row[0] if len(row) == 1 else row

    def write(self, groups: Sequence[Group], position: int) -> bool:
        """Write the row that is due; return False, for the slow path, if a group does not hold what was written last.

        Args:
            groups: of the optimizer now; another number or another last one shows that groups came or went.
            position: of the row that is due.
        """
        if self.last_group is None or groups[-1] is not self.last_group or len(groups) != self._count:
            return False
        before, due = self.written, self.due
        if due is None:
            due = self.due = self._ask(position)
            if due is None:
                return False
        single = len(self._columns) == 1
        if due is before:
            for (key, members), old in zip(self._lanes, (before,) if single else before):  # noqa: B905 (strict is slow)
                for group in members:
                    if group[key] is not old:
                        return False
        else:
            olds, news = ((before,), (due,)) if single else (before, due)
            for (key, members), old, new in zip(self._lanes, olds, news):  # noqa: B905
                for group in members:
                    if group[key] is not old:
                        return False
                    group[key] = new
        if self._tensors and not self._write_tensors((due,) if single else due, fill=due is not before):
            return False
        self.written = due
        return True

    def _write_tensors(self, row: Sequence[float], *, fill: bool) -> bool:
        versions = self._versions
        for number, (group, key, tensor, place) in enumerate(self._tensors):
            if group[key] is not tensor or tensor._version != versions[number]:
                return False
            if fill:
                tensor.fill_(row[place])
                versions[number] = tensor._version
        return True

    # Under torch.compile these run as plain Python: compiled, they would be compiled again for every value.
    write._torchdynamo_disable = True  # type: ignore[attr-defined]
    _write_tensors._torchdynamo_disable = True  # type: ignore[attr-defined]

    # --- leaving the fast path ---

    def flush(self) -> None:
        """Note in the slots what the rows have written, and drop the rows."""
        if self.written is not None:
            row = self._values_of(self.written)
            for slot, place, index in self._places:
                slot.written = row[place] if index is None else row[place][index]
            versions = {
                id(tensor): version for (_, _, tensor, _), version in zip(self._tensors, self._versions, strict=True)
            }
            for slot, _, _ in self._places:
                value = id(slot.hyperparameter.get(slot.group))
                if value in versions:
                    slot.version = value, versions[value]
        self.clear()

    def clear(self) -> None:
        """Drop the rows; the next write takes the slow path."""
        self.last_group = self.only_group = None
        self._columns, self._lanes, self._tensors, self._versions, self._places = [], [], [], [], []
        self._count, self._steps, self._asks = 0, FIRST_ROWS, False
        self.rows, self.due, self.written = iter(()), None, None
