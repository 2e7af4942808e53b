"""The curves of a figure of losses: measured runs, and predictions; the color and the name of each."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike

from .style import COLORS, DASHES, QUIET

NAME_WIDTH = 22  # characters of a name in one line
LINES = 3


@final
@dataclass(frozen=True, eq=False)
class MeasuredLosses:
    """The losses of a run.

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
    """The losses that a law predicts, of a new schedule or of a measured run, whose name it then has.

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

    @property
    def last(self) -> float:
        """Return the last loss."""
        return float(np.asarray(self.losses)[-1])


def assign_colors(measured: Sequence[MeasuredLosses], predicted: Sequence[PredictedLosses]) -> dict[str, str]:
    """Return a color for each family: predictions choose first; runs get the rest, or gray if it is not enough."""
    names = list(dict.fromkeys(map(family_of, predicted)))
    others = [name for name in dict.fromkeys(map(family_of, measured)) if name not in names]
    colors = {name: COLORS[i % len(COLORS)] for i, name in enumerate([*names, *others])}
    if names and len(colors) > len(COLORS):
        colors.update(dict.fromkeys(others, QUIET))
    return colors


def family_of(curve: MeasuredLosses | PredictedLosses) -> str:
    """Return the name of the family that a curve's color stands for."""
    return curve.family or curve.name


def look_of(prediction: PredictedLosses, colors: dict[str, str]) -> dict[str, Any]:
    """Return the color and the dash of a prediction's line; the dash changes when the colors begin again."""
    family = family_of(prediction)
    return {"color": colors[family], "linestyle": DASHES[list(colors).index(family) // len(COLORS) % len(DASHES)]}


def shorten(name: str, width: int = NAME_WIDTH) -> str:
    """Return a name in few short lines."""
    return "\n".join(textwrap.wrap(name, width, max_lines=LINES, placeholder=" ...")) or name
