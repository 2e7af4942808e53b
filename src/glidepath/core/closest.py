"""The nearest valid name to one that is not valid, for the "did you mean X?" of an error."""

from collections.abc import Iterable


def closest(name: str, choices: Iterable[str]) -> str | None:
    """Return the choice that is spelled most like `name`; None if none is near.

    >>> closest("cosin", ["cosine", "linear"]), closest("adam", ["cosine"])
    ('cosine', None)
    """
    import difflib  # only a mistake needs it

    matches = difflib.get_close_matches(name, list(choices), n=1)
    return matches[0] if matches else None


def did_you_mean(name: str, choices: Iterable[str], otherwise: str = "") -> str:
    """Return "did you mean X?" for the nearest choice, or `otherwise` if none is near.

    >>> did_you_mean("cosin", ["cosine", "linear"])
    'did you mean cosine?'
    """
    choice = closest(name, choices)
    return otherwise if choice is None else f"did you mean {choice}?"
