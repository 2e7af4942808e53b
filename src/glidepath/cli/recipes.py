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
    """List all recipes, each with a small curve; or explain one in full.

    Parameters
    ----------
    name
        A recipe to explain.
    """
    print("\n".join(_list_recipes() if name is None else _explain(name)))


def _list_recipes() -> list[str]:
    """Return a line for each recipe, cut to the width of a terminal; a pipe gets all of it."""
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return [_cut(f"{name:<{max(map(len, NAMES))}}  {_spark(name)}  {_first_line(name)}", room) for name in NAMES]


def _explain(name: str) -> list[str]:
    if name not in NAMES:
        hint = did_you_mean(name, NAMES, "`glidepath recipes` lists them")
        raise GlidepathError(f"{name!r} is not a recipe; {hint}")
    picture = _picture(name, *example(name))
    return [f"{name}{_signature(name)}", "", inspect.getdoc(NAMES[name]) or "", "", *picture]


def _picture(name: str, plan: Schedule, steps: int) -> list[str]:
    curve = draw_curves(range(steps), {"": plan.block(0, steps)}, height=8, braille=supports_braille(sys.stdout))
    return [EXAMPLES[name], "", *curve]


def _spark(name: str) -> str:
    plan, steps = example(name)
    return draw_sparkline(plan.block(0, steps), width=SPARK, braille=supports_braille(sys.stdout))


def _first_line(name: str) -> str:
    return (inspect.getdoc(NAMES[name]) or "").partition("\n")[0]


def _signature(name: str) -> str:
    """Return the signature of a recipe: names and defaults, without types."""
    signature = inspect.signature(NAMES[name])
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def _cut(line: str, room: int | None) -> str:
    return line if room is None or len(line) <= room else f"{line[: room - 3].rstrip()}..."
