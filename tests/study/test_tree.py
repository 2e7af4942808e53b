"""The tree of runs, against sets of prefixes."""

import math
import struct
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glidepath import constant, cosine, geometric, linear, multistep, one_minus_sqrt, polynomial, step, warmup
from glidepath.core.schedule import Schedule
from glidepath.study.sharing.state_key import StateKeys
from glidepath.study.sharing.tree import Segment, UpdatePath, build_segments, children, depth_first, longest_path

ways = st.lists(
    st.builds(UpdatePath, st.sampled_from("op"), st.sampled_from([1, 2]), st.text("ab", max_size=9).map(str.encode)),
    max_size=9,
)


def rows(path: UpdatePath) -> list[tuple[object, ...]]:
    """A path as a sequence; a row says where it belongs."""
    return [(path.origin, path.width, path.row(step)) for step in range(path.steps)]


def prefixes(path: UpdatePath, start: int = 0, stop: int | None = None) -> set[tuple[object, ...]]:
    every = rows(path)
    return {tuple(every[: k + 1]) for k in range(start, path.steps if stop is None else stop)}


@given(ways, st.sets(st.integers(0, 9)))
def test_the_segments_are_all_prefixes_each_once(paths: list[UpdatePath], cuts: set[int]) -> None:
    segments = build_segments(paths, lambda number, start, stop: cuts)
    expected = set().union(*map(prefixes, paths))
    found = [prefix for s in segments for prefix in prefixes(paths[s.paths[0]], s.start, s.stop)]
    assert len(found) == len(set(found)) == sum(segment.steps for segment in segments)
    assert set(found) == expected


@given(ways, st.sets(st.integers(0, 9)))
def test_every_path_is_a_way_down_the_tree(paths: list[UpdatePath], cuts: set[int]) -> None:
    segments = build_segments(paths, lambda number, start, stop: cuts)
    for number, path in enumerate(paths):
        way = [i for i, segment in enumerate(segments) if number in segment.paths]
        assert [segments[i].parent for i in way] == [None, *way][: len(way)]
        stops = [segments[i].stop for i in way]
        assert [segments[i].start for i in way] == [0, *stops][: len(way)]
        assert stops[-1:] == ([path.steps] if path.steps else [])
        assert {step for step in cuts if 0 < step < path.steps} <= {*stops}


@given(ways)
def test_segments_end_only_where_paths_part_or_end(paths: list[UpdatePath]) -> None:
    segments = build_segments(paths)
    for segment, following in zip(segments, children(segments), strict=True):
        ends = [number for number in segment.paths if paths[number].steps == segment.stop]
        assert ends or len(following) > 1


@given(ways)
def test_the_longest_way_is_the_longest_path_below(paths: list[UpdatePath]) -> None:
    segments = build_segments(paths)
    expected = [max(paths[number].steps for number in s.paths) - s.start for s in segments]
    assert longest_path(segments) == expected


@given(st.binary(max_size=40), st.binary(max_size=40), st.integers(1, 4), st.integers(0, 5))
def test_two_paths_agree_as_far_as_a_look_at_every_row_says(one: bytes, other: bytes, width: int, start: int) -> None:
    first, second = (UpdatePath("o", width, (rows * 9 * width)[: 9 * width]) for rows in (one or b"a", other or b"a"))
    alike = [k for k in range(start, 9) if first.row(k) != second.row(k)]
    assert first.first_difference(second, start, 9) == (alike[0] if alike else 9)


@given(ways)
def test_keys_are_equal_exactly_where_everything_before_is(paths: list[UpdatePath]) -> None:
    seen: dict[str, object] = {}
    for path in paths:
        chain = StateKeys(path)
        for steps in [*range(path.steps, -1, -2), *range(path.steps + 1)]:
            known = (path.origin, path.width, tuple(rows(path)[:steps]))
            assert seen.setdefault(chain.key(steps), known) == known
    assert len(set(seen.values())) == len(seen)


def test_a_chain_goes_on_when_its_path_grows() -> None:
    path = UpdatePath("o", 2, bytearray(b"aabb"))
    chain = StateKeys(path)
    before = [chain.key(step) for step in range(3)]
    path.rows.extend(b"ccdd")  # type: ignore[union-attr]
    whole = StateKeys(UpdatePath("o", 2, b"aabbccdd"))
    assert before == [whole.key(step) for step in range(3)]
    assert chain.key(4) == whole.key(4)


# --- the order ---


@st.composite
def trees(draw: st.DrawFn) -> list[Segment]:
    """Any tree, its segments of very different lengths."""
    segments: list[Segment] = []
    for number in range(draw(st.integers(1, 25))):
        parent = draw(st.integers(-1, number - 1))
        start = segments[parent].stop if parent >= 0 else 0
        length = 2 ** draw(st.integers(0, 12))
        segments.append(Segment(parent if parent >= 0 else None, start, start + length, (number,)))
    return segments


def strahler(segments: list[Segment], number: int) -> int:
    """1 for an end; else the largest of the next, and one more if two of them have it."""
    below = sorted((strahler(segments, i) for i in children(segments)[number]), reverse=True)
    return 1 if not below else below[0] + (below[:1] == below[1:2])


def most_waiting(segments: list[Segment], order: list[int]) -> int:
    """The most states at once that somebody still has to begin from, besides the one where training is."""
    waiting, most = {i: len(following) for i, following in enumerate(children(segments))}, 0
    made: set[int] = set()
    for number in order:
        parent = segments[number].parent
        assert parent is None or parent in made
        if parent is not None:
            waiting[parent] -= 1
        made.add(number)
        most = max(most, sum(waiting[i] > 0 for i in made - {number}))
    return most


@given(trees())
def test_depth_first_keeps_fewer_states_than_the_strahler_number(segments: list[Segment]) -> None:
    order = depth_first(segments)
    assert sorted(order) == list(range(len(segments)))
    roots = [i for i, segment in enumerate(segments) if segment.parent is None]
    assert most_waiting(segments, order) < max(strahler(segments, root) for root in roots)


def test_of_ever_shorter_branches_from_one_trunk_one_state_waits() -> None:
    """Each branch is longer than all that follows: by length alone every branching point would wait."""
    lengths = [3**k for k in range(12, 0, -1)]
    starts = list(accumulate([1] * len(lengths)))
    trunk = [Segment(None if i == 0 else i - 1, start - 1, start, (i,)) for i, start in enumerate(starts)]
    branches = [Segment(i, starts[i], starts[i] + length, (i,)) for i, length in enumerate(lengths)]
    segments = trunk + branches
    assert most_waiting(segments, depth_first(segments)) == 1


# --- two studies whose counts are known ---


def path_of(plan: Schedule, steps: int) -> UpdatePath:
    return UpdatePath("o", 8, b"".join(struct.pack("d", 3e-3 * plan(k)) for k in range(steps)))


def shapes_of_a_cooldown() -> list[UpdatePath]:
    powers = [polynomial(80, power=power) for power in (0.5, 1.5, 2, 3, 4)]
    shapes = [linear(80), one_minus_sqrt(80), cosine(80), *powers]
    return [path_of(warmup(40) >> constant(680) >> shape, 800) for shape in shapes]


def forty_five_runs() -> list[UpdatePath]:
    return [path_of(plan, n) for n in (800, 400, 200) for plan in fifteen(n)]


def fifteen(n: int) -> list[Schedule]:
    warm, rest = warmup(40), n - 40
    whole = [constant(rest), geometric(rest, to=0.01), cosine(rest), linear(rest)]
    steps = [step(every=math.ceil(n / 3), factor=0.1), multistep([n // 2, 3 * n // 4], factor=0.1)]
    cooldowns = [(n * percent // 100, shape) for percent in (10, 20, 40) for shape in (linear, one_minus_sqrt, cosine)]
    return [
        *(warm >> one for one in whole),
        *((warm * one)[:n] for one in steps),
        *(warm >> constant(rest - length) >> shape(length) for length, shape in cooldowns),
    ]


@pytest.mark.parametrize(
    ("paths", "alone", "shared"), [(forty_five_runs(), 21_000, 9_176), (shapes_of_a_cooldown(), 6_400, 1_353)]
)
def test_the_two_studies_share_what_was_counted_by_hand(paths: list[UpdatePath], alone: int, shared: int) -> None:
    assert sum(path.steps for path in paths) == alone
    assert sum(segment.steps for segment in build_segments(paths)) == shared
    assert len({path.rows[: 8 * k] for path in paths for k in range(1, path.steps + 1)}) == shared
