"""Plans with names: NAME=TEXT, the same for every command."""

from collections.abc import Sequence

from glidepath.core.schedule import Schedule
from glidepath.errors import GlidepathError
from glidepath.parser import parse


def parse_plans(texts: Sequence[str]) -> dict[str, Schedule]:
    """Parse plans; return them by name, a plan without a name by its text.

    Raises:
        GlidepathError: if two have one name.

    Examples:
        >>> parse_plans(["half=0.5 * cosine(100)", "linear(9, to=0.1)"])
        {'half': 0.5 * cosine(100), 'linear(9, to=0.1)': linear(9, to=0.1)}
    """
    pairs = [split_name(text) for text in texts]
    names = [name or text for name, text in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise GlidepathError(f"two plans are called {twice!r}: give them names, as in first={pairs[0][1]!r}")
    return {name: parse(text) for name, (_, text) in zip(names, pairs, strict=True)}


def split_name(option: str) -> tuple[str, str]:
    """Split NAME=TEXT; the name is empty if there is none. An equals sign within a plan follows a parenthesis."""
    name, sign, rest = option.partition("=")
    return (name.strip(), rest.strip()) if sign and "(" not in name else ("", option)
