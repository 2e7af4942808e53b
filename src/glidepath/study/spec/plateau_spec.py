"""The plateau of a study: `plateau(factor=0.5, patience=3)`.

A plateau follows how the run goes, so it is not a schedule (a function of the step alone) and `glidepath.parse` does
not know it. Its text has the same grammar; it names the arguments of `glidepath.torch.Plateau`.
"""

import inspect
import re

from glidepath.core.closest import did_you_mean
from glidepath.core.syntax import CallNode, Negative, Node, Number, String, tree
from glidepath.errors import TextError
from glidepath.torch import Plateau

PlateauArgument = int | float | str

OPENING = re.compile(r"\s*plateau\s*\(")
NAMES = tuple(name for name in inspect.signature(Plateau).parameters if name not in ("optimizer", "reduce"))


def is_plateau(text: str) -> bool:
    """Return whether a text begins as a plateau, and not as a schedule.

    >>> is_plateau("plateau(factor=0.5)"), is_plateau("cosine(100)")
    (True, False)
    """
    return OPENING.match(text) is not None


def read_plateau(text: str) -> dict[str, PlateauArgument]:
    """Read the keyword arguments of a plateau.

    Raises:
        TextError: if more than a plateau stands there, or if an argument has no name, is not one of `Plateau`, or is
            neither a number nor a quoted text.

    Examples:
        >>> read_plateau("plateau(factor=0.5, mode='min')")
        {'factor': 0.5, 'mode': 'min'}
    """
    node = tree(text)
    if not (isinstance(node, CallNode) and node.name == "plateau"):
        raise TextError("a plateau stands alone, as in plateau(factor=0.5)", text=text, offset=node.place)
    if node.arguments:
        raise TextError(
            "plateau takes named arguments only, as in plateau(factor=0.5)", text=text, offset=node.arguments[0].place
        )
    for (name, _), place in zip(node.keywords, node.keyword_places, strict=True):
        if name not in NAMES:
            hint = did_you_mean(name, NAMES, f"its arguments are {', '.join(NAMES)}")
            raise TextError(f"plateau has no argument {name!r}", text=text, offset=place, hint=hint)
    return {name: _value(value, text) for name, value in node.keywords}


def _value(node: Node, text: str) -> PlateauArgument:
    match node:
        case Number(value=value) | String(value=value):
            return value
        case Negative(inner=Number(value=value)):
            return -value
    raise TextError("an argument of plateau is a number or a quoted text", text=text, offset=node.place)
