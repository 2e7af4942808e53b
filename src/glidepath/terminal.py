"""Curves for a terminal: braille dots where the terminal can show them, plain ASCII where it cannot.

Pure functions: steps and values in, lines of text out. Every value is shown: a column has the dots from the smallest
to the largest value of its steps, joined to its neighbor, so neither a jump nor a spike is lost. A value holds until
the next one, so a staircase looks like one. A value that is not finite (or not above zero, on a logarithmic axis)
leaves a gap.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TextIO

from .ticks import linear_range, linear_ticks, log_range, log_ticks, power_text, step_text, value_text

BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # the bit of each dot, rows from the top
BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = "_.:-=+*#"
ASCII_MARKS = "*o+x#@%&"
COLORS = (36, 33, 35, 32, 34, 31)  # of the terminal's own palette, so that they suit its background

DotRange = tuple[int, int] | None  # the lowest and the highest dot of a column; None for a gap


def supports_braille(stream: TextIO) -> bool:
    """Return whether `stream` is a terminal that can show braille; a pipe or a file gets plain ASCII."""
    try:
        "⣿█".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return stream.isatty()


def draw_curves(
    steps: Sequence[int],
    series: Mapping[str, Sequence[float]],
    *,
    width: int = 80,
    height: int = 12,
    log: bool = False,
    braille: bool = True,
    color: bool = False,
) -> list[str]:
    """Draw one or more series over the same steps, as lines of text; with a legend below if they have names.

    Args:
        steps: ascending.
        series: by name; a value for each step.
        width: columns in all, labels included, at least 20.
        height: rows of the graph itself, at least 2.
        log: a logarithmic value axis.
        braille: 2 x 4 dots in a character; otherwise one ASCII mark.
        color: each series in its own color, by terminal escapes.

    Examples:
        >>> for line in draw_curves(range(40), {"": [k / 39 for k in range(40)]}, width=30, height=5, braille=False):
        ...     print(line)
          1 |                     ****
            |               *******
        0.5 |         *******
            |   ******
          0 |***
            +-------------------------
             0                      39
    """
    low_high = _range([v for values in series.values() for v in values], log)
    if low_high is None:
        return ["nothing to draw: no value is " + ("finite and above zero" if log else "finite")]
    low, high = low_high
    labels = _value_labels(low, high, max(3, height // 2), log)
    margin = max(map(len, labels.values()))
    columns = max(8, width - margin - 2)
    dots_x, dots_y = (2, 4) if braille else (1, 1)
    place = _scale(low, high, height * dots_y, log)
    ranges = [_dot_ranges(steps, values, columns * dots_x, place) for values in series.values()]
    cells = _braille_cells(ranges, columns, height) if braille else _ascii_cells(ranges, columns, height)
    names = {height - 1 - (place(tick) or 0) // dots_y: label for tick, label in labels.items()}
    lines = [
        f"{names.get(row, ''):>{margin}} {_edge(row in names, braille)}{_color_line(line, color)}"
        for row, line in enumerate(cells)
    ]
    return lines + _step_axis(steps, margin, columns, braille) + _legend(list(series), margin, braille, color)


def draw_sparkline(values: Sequence[float], *, width: int = 24, braille: bool = True) -> str:
    """Draw a curve in one line of `width` characters, eight levels high; always show the first and the last value.

    Examples:
        >>> draw_sparkline([0, 1, 2, 3, 4, 5, 6, 7], width=8)
        '▁▂▃▄▅▆▇█'
    """
    last = len(values) - 1
    shown = [values[round(i * last / (width - 1))] for i in range(width)]
    low_high = _range(shown, log=False)
    if low_high is None:
        return " " * width
    place = _scale(*low_high, len(BLOCKS), log=False)
    levels = [place(value) for value in shown]
    return "".join(" " if level is None else (BLOCKS if braille else ASCII_BLOCKS)[level] for level in levels)


def _range(values: Sequence[float], log: bool) -> tuple[float, float] | None:
    """Return the range of the value axis, or None if no value can be shown."""
    shown = [v for v in values if math.isfinite(v) and (v > 0 or not log)]
    if not shown:
        return None
    return log_range(shown) if log else linear_range(min(shown), max(shown))


def _value_labels(low: float, high: float, most: int, log: bool) -> dict[float, str]:
    if log:
        return {tick: power_text(tick) for tick in log_ticks(low, high, most)}
    ticks = linear_ticks(low, high, most)
    return {tick: value_text(tick) for tick in (ticks if len(ticks) > 1 else [low, high])}


def _scale(low: float, high: float, dots: int, log: bool) -> Callable[[float], int | None]:
    """Return a function from a value to its dot, 0 at the bottom, or None for a value that cannot be shown."""
    bottom, top = (math.log10(low), math.log10(high)) if log else (low, high)

    def place(value: float) -> int | None:
        if not math.isfinite(value) or (log and value <= 0):
            return None
        share = ((math.log10(value) if log else value) - bottom) / (top - bottom)
        dot = math.floor(share * (dots - 1) + 0.5)
        return dot if dot < dots else dots - 1

    return place


def _dot_ranges(
    steps: Sequence[int], values: Sequence[float], columns: int, place: Callable[[float], int | None]
) -> list[DotRange]:
    """Return the range of dots in each column: the values of its own steps, joined to the column before."""
    ranges: list[DotRange] = []
    last: int | None = None  # dot of the column before
    for inside in _columns(steps, values, columns):
        dots = [dot for dot in map(place, _extremes(inside)) if dot is not None]
        if not dots:
            last = None if len(inside) else last
            ranges.append(None if last is None or last < 0 else (last, last))
            continue
        low, high = min(dots), max(dots)
        if last is not None:
            low, high = min(low, last + 1), max(high, last - 1)
        ranges.append((max(low, 0), high) if high >= 0 else None)
        last = place(inside[-1])
    return ranges


def _columns(steps: Sequence[int], values: Sequence[float], columns: int) -> Iterator[Sequence[float]]:
    """Yield the values of the steps that fall into each column; empty where a step is wider than a column."""
    first, span = steps[0], steps[-1] - steps[0] + 1
    bounds = [bisect_left(steps, first - (-c * span // columns)) for c in range(columns + 1)]
    for start, stop in pairwise(bounds):
        yield values[start:stop]


def _extremes(values: Sequence[float]) -> Sequence[float]:
    """Return the few values that decide how far a column reaches; all of them when any is not finite."""
    if len(values) < 3 or not all(map(math.isfinite, values)):
        return values
    return min(values), max(values)


def _braille_cells(ranges: Sequence[Sequence[DotRange]], columns: int, height: int) -> list[list[tuple[str, int]]]:
    """Return the characters row by row, each with the series that drew it last (-1: none)."""
    bits = [[0] * columns for _ in range(height)]
    owner = [[-1] * columns for _ in range(height)]
    for number, x, y in _dots(ranges):
        row, column = height - 1 - y // 4, x // 2
        bits[row][column] |= BRAILLE[3 - y % 4][x % 2]
        owner[row][column] = number
    shown = [[chr(0x2800 + b) if b else " " for b in line] for line in bits]
    return [list(zip(*pair, strict=True)) for pair in zip(shown, owner, strict=True)]


def _ascii_cells(ranges: Sequence[Sequence[DotRange]], columns: int, height: int) -> list[list[tuple[str, int]]]:
    cells = [[(" ", -1)] * columns for _ in range(height)]
    for number, x, y in _dots(ranges):
        cells[height - 1 - y][x] = (ASCII_MARKS[number % len(ASCII_MARKS)], number)
    return cells


def _dots(ranges: Sequence[Sequence[DotRange]]) -> Iterator[tuple[int, int, int]]:
    """Yield every dot: the number of its series, its column and its height."""
    for number, line in enumerate(ranges):
        for x, dots in enumerate(line):
            for y in range(dots[0], dots[1] + 1) if dots else ():
                yield number, x, y


def _color_line(cells: Sequence[tuple[str, int]], color: bool) -> str:
    if not color:
        return "".join(char for char, _ in cells).rstrip()
    return "".join(char if number < 0 else _ink(char, number) for char, number in cells)


def _ink(text: str, number: int) -> str:
    return f"\x1b[{COLORS[number % len(COLORS)]}m{text}\x1b[0m"


def _edge(ticked: bool, braille: bool) -> str:
    return ("┤" if ticked else "│") if braille else "|"


def _step_axis(steps: Sequence[int], margin: int, columns: int, braille: bool) -> list[str]:
    """Return the line under the graph and its labels: the first step, round ones, and the last."""
    first, last = steps[0], steps[-1]
    line, labels = ["─" if braille else "-"] * columns, [" "] * columns
    ticks = [first, last, *linear_ticks(first, last, max(2, columns // 12))] if last > first else [first]
    for tick in ticks:
        column = int((tick - first) * columns // (last - first + 1))
        text = step_text(tick)
        start = min(max(0, column - len(text) // 2), columns - len(text))
        if all(char == " " for char in labels[max(0, start - 1) : start + len(text) + 1]):
            labels[start : start + len(text)] = text
            line[column] = "┬" if braille else line[column]
    corner = "└" if braille else "+"
    return [f"{'':>{margin}} {corner}{''.join(line)}", f"{'':>{margin}}  {''.join(labels)}".rstrip()]


def _legend(names: Sequence[str], margin: int, braille: bool, color: bool) -> list[str]:
    marks = ["⠒⠒" if braille else ASCII_MARKS[i % len(ASCII_MARKS)] * 2 for i in range(len(names))]
    colored = [_ink(mark, i) if color else mark for i, mark in enumerate(marks)]
    return [f"{'':>{margin}}  {mark} {name}" for mark, name in zip(colored, names, strict=True) if name]
