"""Feedback entries of a study: `plateau(factor=0.5, patience=3)`.

A plateau looks at how the run goes, so it is no schedule (a function of the step alone) and `glidepath.parse` does
not know it. Its text has the same grammar; it names the arguments of `glidepath.torch.Plateau`.
"""

from glidepath.core.syntax import CallNode, Negative, Node, Number, String, tree
from glidepath.errors import TextError

Argument = int | float | str


def is_feedback(text: str) -> bool:
    """Whether a text is a plateau and not a schedule."""
    node = tree(text)
    return isinstance(node, CallNode) and node.name == "plateau"


def arguments(text: str) -> dict[str, Argument]:
    """The keywords of a plateau.

    Raises:
        TextError: if an argument has no name, or is neither a number nor a quoted text.

    Examples:
        >>> arguments("plateau(factor=0.5, mode='min')")
        {'factor': 0.5, 'mode': 'min'}
    """
    node = tree(text)
    if not (isinstance(node, CallNode) and node.name == "plateau"):
        raise TextError("this is not a plateau", text=text, offset=node.place)
    if node.arguments:
        raise TextError(
            "plateau takes named arguments only, as in plateau(factor=0.5)", text=text, offset=node.arguments[0].place
        )
    return {name: _value(value, text) for name, value in node.keywords}


def _value(node: Node, text: str) -> Argument:
    match node:
        case Number(value=value) | String(value=value):
            return value
        case Negative(inner=Number(value=value)):
            return -value
    raise TextError("an argument of plateau is a number or a quoted text", text=text, offset=node.place)
