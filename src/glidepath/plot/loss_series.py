"""What a figure of losses shows: runs that were made, and predictions; the color and the name of each."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from numpy.typing import ArrayLike

from .style import COLORS, DASHES, QUIET

NAME_WIDTH = 22  # letters of a name in one line
LINES = 3


@final
@dataclass(frozen=True, eq=False)
class MeasuredLosses:
    """A run that was made.

    Args:
        name: of the run.
        rates: (T,), absolute, of every update.
        updates: (m,), after how many of them.
        losses: (m,).
        family: runs of one family have one color; "": the run is its own.
    """

    name: str
    rates: ArrayLike
    updates: ArrayLike
    losses: ArrayLike
    family: str = ""


@final
@dataclass(frozen=True, eq=False)
class PredictedLosses:
    """A run that was not made, or what a law says of one that was: that has its name.

    Args:
        name: of the schedule.
        rates: (T,), absolute, of every update.
        updates: (m,), after how many of them.
        losses: (m,).
        low: (m,), the lower end of the band; None: there is none.
        high: (m,), the upper end.
        final: lower and upper end of the interval of the last loss.
        family: as of a run.
    """

    name: str
    rates: ArrayLike
    updates: ArrayLike
    losses: ArrayLike
    low: ArrayLike | None = None
    high: ArrayLike | None = None
    final: tuple[float, float] | None = None
    family: str = ""


def assign_colors(measured: Sequence[MeasuredLosses], predicted: Sequence[PredictedLosses]) -> dict[str, str]:
    """Predictions choose first; runs get what is left, or grey if it is not enough for them."""
    names = list(dict.fromkeys(map(family_of, predicted)))
    others = [name for name in dict.fromkeys(map(family_of, measured)) if name not in names]
    found = {name: COLORS[i % len(COLORS)] for i, name in enumerate([*names, *others])}
    if names and len(found) > len(COLORS):
        found.update(dict.fromkeys(others, QUIET))
    return found


def family_of(one: MeasuredLosses | PredictedLosses) -> str:
    """What its color stands for."""
    return one.family or one.name


def look_of(one: PredictedLosses, colors: dict[str, str]) -> dict[str, Any]:
    """Another dash when the colors begin again."""
    place = list(colors).index(family_of(one))
    return {"color": colors[family_of(one)], "linestyle": DASHES[place // len(COLORS) % len(DASHES)]}


def shorten(name: str, letters: int = NAME_WIDTH) -> str:
    """A name in few short lines."""
    return "\n".join(textwrap.wrap(name, letters, max_lines=LINES, placeholder=" ...")) or name
