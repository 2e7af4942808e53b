"""Runs as a prefix tree: what several of them would train alike is one segment, trained once.

A path is what the optimizer of a run receives, a row of bytes for each update. Paths with the same origin that agree
on their first rows share them; a segment lies between two places where paths part or end. With R runs over
paths of T_r updates the sharing ratio is

    sum of T_r / sum of the lengths of all segments.

Numbers in, numbers out: this file knows nothing of schedules, tasks or PyTorch.

Sources:
    Shin et al., 2022, Hippo: Sharing Computations in Hyper-Parameter Optimization, PVLDB 15(5).
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import final

Cuts = Callable[[int, int, int], Iterable[int]]  # of a path, from, to: where a segment is to be cut besides


@final
@dataclass(frozen=True)
class UpdatePath:
    """The values that a run's optimizer receives.

    Args:
        origin: where it begins; only paths with the same origin can share.
        width: bytes of a row, at least 1.
        rows: the rows, one after the other.
    """

    origin: str
    width: int
    rows: bytes | bytearray

    @property
    def steps(self) -> int:
        """Return the number of updates."""
        return len(self.rows) // self.width

    def row(self, step: int) -> bytes:
        """Return what update `step` receives."""
        return bytes(self.rows[step * self.width : (step + 1) * self.width])

    def first_difference(self, other: "UpdatePath", start: int, stop: int) -> int:
        """Return the first step of start..stop-1 where the rows differ; `stop` if none does."""
        from_start, to_stop = start * self.width, stop * self.width
        first, second = (memoryview(path.rows)[from_start:to_stop] for path in (self, other))
        return start + first_difference(first, second, self.width)


def first_difference(rows: memoryview, others: memoryview, width: int) -> int:
    """Return the index of the first row in which two arrays of the same size differ; their length if none does.

    >>> first_difference(memoryview(b"aabbcc"), memoryview(b"aabbdc"), width=2)
    2
    """
    low, high = 0, len(rows) // width  # they agree before `low`; they differ somewhere before `high`, or not at all
    if rows == others:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        same = rows[low * width : middle * width] == others[low * width : middle * width]
        low, high = (middle, high) if same else (low, middle)
    return low


@final
@dataclass(frozen=True)
class Segment:
    """Updates start..stop-1 of some paths.

    Args:
        parent: the segment before it, by its place in the list; None at an origin.
        start: first update.
        stop: the update after the last.
        paths: those that pass through, by number, in order.
    """

    parent: int | None
    start: int
    stop: int
    paths: tuple[int, ...]

    @property
    def steps(self) -> int:
        """Return the number of updates."""
        return self.stop - self.start


@final
@dataclass(frozen=True)
class Tree:
    """Segments, every parent before its children; what follows from them is computed when it is needed."""

    segments: Sequence[Segment] = ()

    @cached_property
    def children(self) -> list[list[int]]:
        """Return the segments that follow each."""
        return children(self.segments)

    @cached_property
    def longest_path(self) -> list[int]:
        """Return the updates of the longest path from each segment's start to an end."""
        return longest_path(self.segments)

    @cached_property
    def place(self) -> dict[int, int]:
        """Return when each segment comes where there is one worker."""
        return {number: place for place, number in enumerate(depth_first(self.segments))}


def build_segments(paths: Sequence[UpdatePath], cuts: Cuts = lambda path, start, stop: ()) -> list[Segment]:
    """Build the tree of these paths as a list, every parent before its children.

    Args:
        paths: of any lengths; empty ones pass through no segment.
        cuts: where else segments end, called with the first path of each.

    Examples:
        >>> paths = [UpdatePath("o", 1, b"aaab"), UpdatePath("o", 1, b"aaac"), UpdatePath("o", 1, b"aa")]
        >>> for segment in build_segments(paths):
        ...     print(segment)
        Segment(parent=None, start=0, stop=2, paths=(0, 1, 2))
        Segment(parent=0, start=2, stop=3, paths=(0, 1))
        Segment(parent=1, start=3, stop=4, paths=(0,))
        Segment(parent=1, start=3, stop=4, paths=(1,))
    """
    segments: list[Segment] = []
    roots = _group_alike(paths, range(len(paths)), 0)
    waiting: deque[tuple[int | None, int, list[int]]] = deque((None, 0, alike) for alike in roots)
    while waiting:
        parent, start, numbers = waiting.popleft()
        stop = _common_stop(paths, numbers, start)
        inside = sorted({step for step in cuts(numbers[0], start, stop) if start < step < stop})
        for first, last in pairwise([start, *inside, stop]):
            segments.append(Segment(parent, first, last, tuple(numbers)))
            parent = len(segments) - 1
        waiting += [(parent, stop, alike) for alike in _group_alike(paths, numbers, stop)]
    return segments


def distinct_updates(paths: Sequence[UpdatePath]) -> int:
    """Return the number of different updates that these paths consist of.

    >>> distinct_updates([UpdatePath("o", 1, b"aaab"), UpdatePath("o", 1, b"aaac")])
    5
    """
    return sum(segment.steps for segment in build_segments(paths))


def _group_alike(paths: Sequence[UpdatePath], numbers: Iterable[int], step: int) -> list[list[int]]:
    """Group the paths that do not end at `step` by their next row."""
    groups: dict[tuple[str, int, bytes], list[int]] = {}
    for number in numbers:
        path = paths[number]
        if path.steps > step:
            groups.setdefault((path.origin, path.width, path.row(step)), []).append(number)
    return list(groups.values())


def _common_stop(paths: Sequence[UpdatePath], numbers: Sequence[int], start: int) -> int:
    """Return the step where these paths, alike at `start`, part, or one of them ends."""
    first = paths[numbers[0]]
    stop = min(paths[number].steps for number in numbers)
    for number in numbers[1:]:
        stop = first.first_difference(paths[number], start, stop)
    return stop


def children(segments: Sequence[Segment]) -> list[list[int]]:
    """Return the segments that follow each."""
    following: list[list[int]] = [[] for _ in segments]
    for number, segment in enumerate(segments):
        if segment.parent is not None:
            following[segment.parent].append(number)
    return following


def count_waiting_states(segments: Sequence[Segment]) -> list[int]:
    """Return how many states have to wait at once below each segment, at best: its Strahler number less 1.

    The state that is being trained does not count. A segment's own state waits for all of the next but the last, so the
    one that needs most comes last: the larger of what it needs, and one more than any other needs.
    """
    following, need = children(segments), [0] * len(segments)
    for number in reversed(range(len(segments))):
        second, most = sorted([-1, -1, *(need[child] for child in following[number])])[-2:]
        need[number] = max(most, second + 1)
    return need


def longest_path(segments: Sequence[Segment]) -> list[int]:
    """Return the updates of the longest path from each segment's start to an end."""
    lengths = [segment.steps for segment in segments]
    for number in reversed(range(len(segments))):
        parent = segments[number].parent
        if parent is not None:
            lengths[parent] = max(lengths[parent], segments[parent].steps + lengths[number])
    return lengths


def depth_first(segments: Sequence[Segment]) -> list[int]:
    """Return the order for one worker in which the fewest states wait at once; of equals, the longest path is last."""
    following, need, lengths = children(segments), count_waiting_states(segments), longest_path(segments)

    def last_first(numbers: Iterable[int]) -> list[int]:
        return sorted(numbers, key=lambda i: (-need[i], -lengths[i]))

    waiting = last_first(i for i, segment in enumerate(segments) if segment.parent is None)
    order = []
    while waiting:
        number = waiting.pop()
        order.append(number)
        waiting += last_first(following[number])
    return order
