"""Checks and writes of many values in parameter groups, without a loop: about a third less time at every update.

The functions are written as source, once for each arrangement of columns, from numbers alone.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .hyperparameter import Group

MOST = 256  # cells for which the source is short enough

Row = Sequence[Any]


class Cell(NamedTuple):
    """A value in a group, which comes from a column of a row."""

    group: Group
    key: str
    column: int


class Access(NamedTuple):
    """Some cells as two functions.

    Args:
        hold: returns whether every cell holds the very object in a row.
        swap: writes a row over another; returns False at the first cell that holds something else than the old one.
    """

    hold: Callable[[Row], bool]
    swap: Callable[[Row, Row], bool]


def access_cells(cells: Sequence[Cell]) -> list[Access]:
    """Return functions that together cover all cells."""
    parts = [cells[start : start + MOST] for start in range(0, len(cells), MOST)]
    return [Access(*_build_source(tuple(cell.column for cell in part))(part)) for part in parts]


@functools.lru_cache(maxsize=64)
def _build_source(columns: tuple[int, ...]) -> Callable[[Sequence[Cell]], tuple[Any, Any]]:
    cells = [f"(g{i}, k{i}, _)" for i in range(len(columns))]
    olds = "; ".join(f"o{column} = old[{column}]" for column in dict.fromkeys(columns))
    news = "; ".join(f"n{column} = new[{column}]" for column in dict.fromkeys(columns))
    checks = " and ".join(f"g{i}[k{i}] is o{column}" for i, column in enumerate(columns))
    swaps = "\n".join(
        f"        if g{i}[k{i}] is not o{column}: return False\n        g{i}[k{i}] = n{column}"
        for i, column in enumerate(columns)
    )
    source = f"""
def build(cells):
    {", ".join(cells)}, = cells
    def hold(old):
        {olds}
        return {checks}
    def swap(old, new):
        {olds}; {news}
{swaps}
        return True
    return hold, swap
"""
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    return namespace["build"]  # type: ignore[no-any-return]
