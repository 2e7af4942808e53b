"""`glidepath show`: a plan in the terminal."""

import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated

from cyclopts import Parameter

from glidepath.core.schedule import Schedule
from glidepath.errors import GlidepathError
from glidepath.parser import parse
from glidepath.phases import phases
from glidepath.terminal import draw_curves, supports_braille
from glidepath.ticks import value_text

from .options.horizon import OWN_LENGTH, RunLength, resolve_plan

EXACT_STEPS = 200_000  # a longer run is drawn from so many of its steps; the table is always exact


def show(
    plan: str, /, *others: Annotated[str, Parameter(show=False)], run: RunLength = OWN_LENGTH, log: bool = False
) -> None:
    """Show the curve of a plan in the terminal, and its values where its parts meet.

    Parameters
    ----------
    plan
        A schedule, as text.
    log
        A logarithmic value axis.
    """
    if others:
        plans = shlex.join([plan, *others])
        raise GlidepathError(f"show draws one plan; draw several in one figure with glidepath plot {plans}")
    schedule, steps = resolve_plan(parse(plan), run)
    print("\n".join([str(schedule), "", *_curve(schedule, steps, log), "", *_table(schedule, steps)]))


def _curve(plan: Schedule, steps: int, log: bool) -> list[str]:
    at: Sequence[int] = range(steps)
    if steps > EXACT_STEPS:
        at = sorted({i * (steps - 1) // (EXACT_STEPS - 1) for i in range(EXACT_STEPS)} | set(_boundaries(plan, steps)))
        values = [plan(k) for k in at]
    else:
        values = plan.block(0, steps)
    width = min(100, shutil.get_terminal_size().columns)
    return draw_curves(at, {"": values}, width=width, log=log, braille=supports_braille(sys.stdout))


def _boundaries(plan: Schedule, steps: int) -> Iterator[int]:
    for phase in phases(plan, steps):
        yield phase.start
        yield phase.stop - 1


def _table(plan: Schedule, steps: int) -> Iterator[str]:
    """Yield the first and the last update of every part."""
    places = len(str(steps))
    yield f"{'step':>{max(4, places)}}  {'value':<12}  part"
    for phase in phases(plan, steps):
        for step in dict.fromkeys((phase.start, phase.stop - 1)):
            yield f"{step:>{max(4, places)}}  {value_text(plan(step), 6):<12}  {phase.name}"
