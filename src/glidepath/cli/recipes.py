"""`glidepath recipes`: the names that a plan may use."""

import inspect
import shutil
import sys

from glidepath.core.closest import did_you_mean
from glidepath.core.schedule import Schedule
from glidepath.errors import GlidepathError
from glidepath.parser import NAMES
from glidepath.terminal import draw_curves, draw_sparkline, supports_braille

from .examples import EXAMPLES, example

SPARK = 20  # characters


def recipes(name: str | None = None, /) -> None:
    """All recipes, a line and a spark each; or one of them in full.

    Parameters
    ----------
    name
        A recipe to explain.
    """
    print("\n".join(_all() if name is None else _one(name)))


def _all() -> list[str]:
    """A recipe a line, cut to the width of a terminal; a pipe gets all of it."""
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return [_cut(f"{name:<{max(map(len, NAMES))}}  {_spark(name)}  {_first_line(name)}", room) for name in NAMES]


def _one(name: str) -> list[str]:
    if name not in NAMES:
        hint = did_you_mean(name, NAMES, "`glidepath recipes` lists them")
        raise GlidepathError(f"there is no recipe called {name!r}; {hint}")
    picture = _picture(name, *example(name))
    return [f"{name}{_signature(name)}", "", inspect.getdoc(NAMES[name]) or "", "", *picture]


def _picture(name: str, plan: Schedule, steps: int) -> list[str]:
    drawn = draw_curves(range(steps), {"": plan.block(0, steps)}, height=8, braille=supports_braille(sys.stdout))
    return [EXAMPLES[name], "", *drawn]


def _spark(name: str) -> str:
    plan, steps = example(name)
    return draw_sparkline(plan.block(0, steps), width=SPARK, braille=supports_braille(sys.stdout))


def _first_line(name: str) -> str:
    return (inspect.getdoc(NAMES[name]) or "").partition("\n")[0]


def _signature(name: str) -> str:
    """As it is called: names and defaults, without types."""
    known = inspect.signature(NAMES[name])
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in known.parameters.values()]
    return str(known.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def _cut(line: str, room: int | None) -> str:
    return line if room is None or len(line) <= room else f"{line[: room - 3].rstrip()}..."
