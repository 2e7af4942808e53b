"""Names of phases above their bands: as near to the middle of the band as they can be without touching."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.textpath import TextPath

from glidepath.phases import Phase

from .style import NAME_SIZE, QUIET

GAP = 5.0  # points between two names
NEAR = 2.0  # a name that had to move further, in points, gets a line to its band


@dataclass(frozen=True)
class Name:
    """A name over the middle of its band; everything in points from the left end of the axis."""

    text: str
    middle: float
    width: float
    band: float


def draw_phase_names(axis: Axes, phases: Sequence[Phase]) -> float:
    """Write the names of phases above an axis that is laid out already; return the height they take, in points."""
    room = axis.get_window_extent().width * 72 / axis.figure.dpi
    first, last = axis.get_xlim()
    names = select_names(_names(phases, room / (last - first)), room)
    places = place_names(names, room)
    moved = any(abs(place - name.middle) > NEAR for name, place in zip(names, places, strict=True))
    for name, place in zip(names, places, strict=True):
        _draw_name(axis, name, place, room, 6.0 if moved else 2.5)
    return (15.0 if moved else 11.5) if names else 0.0


def _names(phases: Sequence[Phase], points_per_step: float) -> list[Name]:
    spans = [(p.name, p.start * points_per_step, p.stop * points_per_step) for p in phases]
    return [Name(text, (start + stop) / 2, text_width(text), stop - start) for text, start, stop in spans]


def text_width(text: str) -> float:
    """Return the width of a phase's name, in points."""
    return float(TextPath((0, 0), text, size=NAME_SIZE).get_extents().width)


def select_names(names: Sequence[Name], room: float) -> list[Name]:
    """Return the names that fit in one row.

    If not all of them do, equal neighbors are named once; then the shortest bands lose their names.
    """
    if _total_width(names) <= room:
        return list(names)
    merged = [_merge(list(group)) for _, group in groupby(names, key=lambda name: name.text)]
    while merged and _total_width(merged) > room:
        merged.remove(min(merged, key=lambda name: name.band))
    return merged


def _merge(equal: Sequence[Name]) -> Name:
    first, last = equal[0], equal[-1]
    start, stop = first.middle - first.band / 2, last.middle + last.band / 2
    return Name(first.text, (start + stop) / 2, first.width, stop - start)


def _total_width(names: Sequence[Name]) -> float:
    return sum(name.width + GAP for name in names) - GAP


def place_names(names: Sequence[Name], room: float) -> list[float]:
    """Return the middles of names that do not touch and stay within `room`, as near as can be to their bands' middles.

    Less the widths before it, each left edge must not be below the one before: the nearest such row, in squares, is
    the isotonic regression, which pools neighbors that are out of order into their mean.
    """
    offsets = list(accumulate((name.width + GAP for name in names), initial=0.0))
    pools: list[tuple[float, int]] = []
    for name, offset in zip(names, offsets, strict=False):
        mean, size = name.middle - name.width / 2 - offset, 1
        while pools and pools[-1][0] > mean:
            before, n = pools.pop()
            mean, size = (before * n + mean * size) / (n + size), n + size
        pools.append((mean, size))
    free = room - _total_width(names)
    edges = [min(max(mean, 0.0), free) for mean, size in pools for _ in range(size)]
    return [edge + offset + name.width / 2 for edge, offset, name in zip(edges, offsets, names, strict=False)]


def _draw_name(axis: Axes, name: Name, place: float, room: float, lift: float) -> None:
    line: dict[str, Any] = {"arrowstyle": "-", "linewidth": 0.4, "color": QUIET, "shrinkA": 0, "shrinkB": 0}
    axis.annotate(
        name.text,
        xy=(name.middle / room, 1.0),
        xycoords="axes fraction",
        xytext=(place - name.middle, lift),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=NAME_SIZE,
        color=QUIET,
        annotation_clip=False,
        arrowprops={**line, "relpos": (0.5, 0)} if abs(place - name.middle) > NEAR else None,
    )
