"""Rows of values computed ahead, so that nearly every update takes a fast path.

Where all values are plain floats, the values of the next updates are computed in blocks, and an update only compares
what each group holds with what was last written there, and writes the next number. Anything unusual (a change by other
code, a new group, a tensor, a Python function as a plan) is left to the slow path, in `clock.py`.
"""

from collections.abc import Iterator, Sequence
from typing import Any, final

from .bound_schedule import BoundSchedule
from .hyperparameter import Group

BLOCK = 65_536  # numbers computed ahead, at most


@final
class RowCache:
    """The rows of the next updates: a row holds, for each bound schedule, a number for each of its slots.

    The clock reads and writes these attributes itself where a call would cost too much.
    """

    __slots__ = ("_groups", "_keys", "_schedules", "due", "last_group", "only_group", "rows", "written")

    rows: Iterator[Any]  # after the row that is due
    due: Any  # the row of the next update
    written: Any  # the row that was written last
    last_group: Group | None  # of the optimizer; None while there are no rows
    only_group: Group | None  # of the optimizer, if only its rate is scheduled; a row is then that number
    _keys: list[str]
    _groups: list[list[Group]]

    def __init__(self, schedules: Sequence[BoundSchedule]) -> None:
        self._schedules = schedules
        self.clear()

    def fill(self, position: int, groups: Sequence[Group]) -> None:
        """Compute the first rows, after the slow path has written the values of `position`.

        Args:
            position: of the values that the groups hold.
            groups: of the optimizer, all of them.
        """
        self._keys = [schedule.target.hyperparameter.key for schedule in self._schedules]
        self._groups = [[slot.group for slot in schedule.slots] for schedule in self._schedules]
        self.written = [[slot.written for slot in schedule.slots] for schedule in self._schedules]
        self.last_group = groups[-1]
        if self._keys == ["lr"] and len(groups) == 1:
            self.only_group, self.written = self.last_group, self.written[0][0]
        self.refill(position)

    def refill(self, position: int) -> None:
        """Compute the rows from `position` on. They end before a value that is not finite: the slow path refuses it."""
        steps = max(64, BLOCK // sum(map(len, self._groups)))
        columns = [schedule.columns(position, min(steps, 2048)) for schedule in self._schedules]
        if self.only_group is not None:
            self.rows = iter(columns[0][0])
        else:
            self.rows = zip(*(zip(*column, strict=False) for column in columns), strict=False)
        self.due = next(self.rows, None)
        if self.due is None:
            self.flush()

    def write(self, last_group: Group) -> bool:
        """Write the row that is due; return False, for the slow path, if a group does not hold what was written last.

        Args:
            last_group: of the optimizer now; another one than before shows that groups were added or replaced.
        """
        if last_group is not self.last_group:
            return False
        if self.only_group is not None:
            if self.only_group["lr"] is not self.written:
                return False
            self.only_group["lr"] = self.due
        else:
            for key, groups, before, due in zip(self._keys, self._groups, self.written, self.due):  # noqa: B905
                for group, old, new in zip(groups, before, due):  # noqa: B905 (strict costs a third here)
                    if group[key] is not old:
                        return False
                    group[key] = new
        self.written = self.due
        return True

    def flush(self) -> None:
        """Note in the slots what the rows have written, and drop the rows."""
        if self.last_group is not None:
            rows = [[self.written]] if self.only_group is not None else self.written
            for schedule, values in zip(self._schedules, rows, strict=True):
                for slot, value in zip(schedule.slots, values, strict=True):
                    slot.written = value
        self.clear()

    def clear(self) -> None:
        """Drop the rows; the next write takes the slow path."""
        self.last_group = self.only_group = None
        self._keys, self._groups = [], []
        self.rows, self.due, self.written = iter(()), None, None
