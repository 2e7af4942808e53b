import io
import math
import os
import re

import pytest

import glidepath as gp
from glidepath.terminal import BLOCKS, draw_curves, draw_sparkline, supports_braille

DOTS = {0x01: (0, 3), 0x02: (0, 2), 0x04: (0, 1), 0x40: (0, 0), 0x08: (1, 3), 0x10: (1, 2), 0x20: (1, 1), 0x80: (1, 0)}


def dots(lines, height):
    """Every braille dot of a graph as (column, height above the bottom)."""
    found = set()
    for row, line in enumerate(lines[:height]):
        graph = line[max(line.find("│"), line.find("┤")) + 1 :]
        for column, char in enumerate(graph):
            for bit, (x, y) in DOTS.items():
                if char != " " and (ord(char) - 0x2800) & bit:
                    found.add((2 * column + x, 4 * (height - 1 - row) + y))
    return found


def columns(lines, height):
    runs = {}
    for x, y in dots(lines, height):
        runs.setdefault(x, set()).add(y)
    return runs


@pytest.mark.parametrize(
    "text", ["cosine(1000)", "warmup(50) >> constant(950)", "step(every=100, factor=0.5)", "noise()"]
)
def test_every_column_spans_the_smallest_and_the_largest_value_of_its_steps(text):
    steps, height = 1000, 10
    values = gp.parse(text).block(0, steps)
    lines = draw_curves(range(steps), {"": values}, width=60, height=height)
    runs = columns(lines, height)
    width = max(runs) + 1
    low, high = (0, max(values)) if min(values) >= 0 else (min(values), max(values))
    for x in range(width):
        inside = [v for k, v in enumerate(values) if k * width // steps == x]
        for value in (min(inside), max(inside)):
            exact = (value - low) / (high - low) * (4 * height - 1)
            assert min(abs(dot - exact) for dot in runs[x]) <= 0.5 + 1e-9


def test_a_curve_has_no_hole_even_where_it_jumps():
    values = gp.step(every=30, factor=0.1).block(0, 90)
    runs = columns(draw_curves(range(90), {"": values}, width=70, height=12), 12)
    assert set(runs) == set(range(max(runs) + 1))
    for x in range(max(runs)):
        assert max(runs[x]) + 1 >= min(runs[x + 1])
        assert min(runs[x]) - 1 <= max(runs[x + 1])


def test_a_few_steps_are_drawn_as_stairs():
    lines = draw_curves(range(4), {"": [0.0, 1.0, 2.0, 3.0]}, width=44, height=4)
    runs = columns(lines, 4)
    levels = [frozenset(runs[x]) for x in sorted(runs)]
    flat = [levels.count(frozenset({level})) for level in (0, 5, 10, 15)]
    assert all(count >= (max(runs) + 1) // 4 - 1 for count in flat)


def test_one_spike_among_a_hundred_thousand_steps_is_seen():
    values = [0.1] * 100_000
    values[54_321] = 1.0
    runs = columns(draw_curves(range(100_000), {"": values}, width=50, height=8), 8)
    assert max(max(run) for run in runs.values()) == 4 * 8 - 1


def test_values_that_are_not_finite_leave_a_gap():
    values = [1.0] * 40 + [math.nan] * 20 + [1.0] * 20 + [math.inf] * 20
    runs = columns(draw_curves(range(100), {"": values}, width=103, height=4), 4)
    width = 200
    assert not any(x in runs for x in range(int(0.42 * width), int(0.58 * width)))
    assert not any(x in runs for x in range(int(0.82 * width), width))
    assert int(0.7 * width) in runs


def test_values_of_zero_and_below_leave_a_gap_on_a_log_axis():
    runs = columns(draw_curves(range(100), {"": [1.0] * 50 + [-1.0] * 50}, width=103, height=4, log=True), 4)
    assert max(runs) < 102
    assert draw_curves(range(3), {"": [0.0, 0.0, 0.0]}, log=True) == [
        "nothing to draw: no value is finite and above zero"
    ]


def test_a_log_axis_is_straight_for_an_exponential_and_has_ticks_like_1e_3():
    lines = draw_curves(range(301), {"": [10 ** (-k / 100) for k in range(301)]}, width=60, height=9, log=True)
    assert any(line.strip().startswith("1e-3 ┤") for line in lines)
    found = dots(lines, 9)
    width = max(x for x, _ in found)
    assert all(abs(y / 35 - (1 - x / width)) < 0.05 for x, y in found)


def test_rates_have_ticks_like_3e_4():
    lines = draw_curves(range(100), {"": (3e-4 * gp.linear(100)).block(0, 100)}, height=9)
    assert lines[0].startswith("3e-4 ┤")


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("width", [20, 33, 80, 120])
def test_plain_text_is_ascii_and_no_line_is_wider_than_asked(width, log):
    values = gp.parse("warmup(5%) >> cosine(95%)").over(1000).block(0, 1000)
    plain = draw_curves(range(1000), {"a": values}, width=width, log=log, braille=False)
    assert all(line.isascii() for line in plain)
    assert all(len(line) <= width for line in plain + draw_curves(range(1000), {"": values}, width=width, log=log))


def test_several_curves_have_their_own_mark_and_a_legend_below():
    lines = draw_curves(range(50), {"flat": [1.0] * 50, "falling": [1 - k / 50 for k in range(50)]}, braille=False)
    assert [line.strip() for line in lines[-2:]] == ["** flat", "oo falling"]
    assert "*" in lines[0]
    assert "o" in lines[-5]


def test_colour_changes_nothing_but_the_escapes():
    series = {"a": [1.0, 0.5, 0.2], "b": [0.0, 0.5, 1.0]}
    bare = [re.sub("\x1b\\[[0-9]*m", "", line).rstrip() for line in draw_curves(range(3), series, color=True)]
    assert bare == draw_curves(range(3), series)
    assert any("\x1b[36m" in line for line in draw_curves(range(3), series, color=True))


def test_a_single_step_and_a_constant_can_be_drawn():
    assert len(draw_curves([0], {"": [1.0]}, height=4)) == 6
    assert "0" in draw_curves(range(9), {"": [0.0] * 9}, height=4)[3]


def test_a_spark_shows_the_first_and_the_last_value():
    line = draw_sparkline(gp.linear(1000).block(0, 1000), width=8)
    assert line == BLOCKS[::-1]
    assert draw_sparkline([0.0, 1.0], width=2) == "▁█"
    assert draw_sparkline([math.nan, 1.0], width=2) == " █"
    assert draw_sparkline(gp.linear(1000).block(0, 1000), width=8, braille=False).isascii()


def test_only_a_terminal_that_can_encode_it_gets_braille():
    assert not supports_braille(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    one, other = os.openpty()
    with os.fdopen(one, "w", encoding="utf-8") as utf8:
        assert supports_braille(utf8)
    with os.fdopen(other, "w", encoding="ascii") as ascii_only:
        assert not supports_braille(ascii_only)
