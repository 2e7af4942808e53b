"""Plans that are given by name: NAME=TEXT, the same for every command."""

from collections.abc import Sequence

from glidepath.core.schedule import Schedule
from glidepath.errors import GlidepathError
from glidepath.parser import parse


def named(texts: Sequence[str]) -> dict[str, Schedule]:
    """The plans by name; a plan without one is called by its text.

    Raises:
        GlidepathError: if two have one name.

    Examples:
        >>> named(["half=0.5 * cosine(100)", "linear(9, to=0.1)"])
        {'half': 0.5 * cosine(100), 'linear(9, to=0.1)': linear(9, to=0.1)}
    """
    pairs = [name_and_text(text) for text in texts]
    names = [name or text for name, text in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise GlidepathError(f"two plans are called {twice!r}: give them names, as in first={pairs[0][1]!r}")
    return {name: parse(text) for name, (_, text) in zip(names, pairs, strict=True)}


def name_and_text(given: str) -> tuple[str, str]:
    """Apart, if there is a name: an equals sign within a plan always follows a parenthesis."""
    name, sign, rest = given.partition("=")
    return (name.strip(), rest.strip()) if sign and "(" not in name else ("", given)
