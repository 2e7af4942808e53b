"""Optional packages: which extra brings them, and how a room says that one is missing.

The core needs the standard library only. A room that needs more imports it inside `needs_extra`, or asks first with
`require_extras`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import MissingExtraError


@contextmanager
def needs_extra(extra: str, purpose: str) -> Iterator[None]:
    """Turn a missing package in the imports below into the extra that brings it.

    Args:
        extra: the smallest one that is enough.
        purpose: what the package is needed for, the beginning of the message.

    Raises:
        MissingExtraError: if a package outside Glidepath is not installed.

    Examples:
        >>> with needs_extra("law", "loss laws"):  # doctest: +ELLIPSIS
        ...     import absent
        Traceback (most recent call last):
        ...
        glidepath.errors.MissingExtraError: loss laws need absent, ... pip install "glidepath[law]" [GP601]
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "glidepath"):
            raise
        raise MissingExtraError(package, extra, purpose) from error


PACKAGES = {  # what each extra brings, by the names that are imported; those that are needed at once
    "torch": ("torch", "numpy"),
    "plot": ("matplotlib", "numpy"),
    "law": ("numpy", "scipy"),
    "compare": ("torch", "numpy", "matplotlib", "scipy", "jinja2", "pydantic", "ruamel", "sklearn"),
}


def require_extras(purpose: str, *extras: str) -> None:
    """Check that the packages of some extras are installed, without importing them.

    Args:
        purpose: what they are needed for, the beginning of the message.
        extras: of `PACKAGES`.

    Raises:
        MissingExtraError: if one is not; it names an extra that brings all that are missing.
    """
    from importlib.util import find_spec  # only here: few programs ask

    packages = dict.fromkeys(package for extra in extras for package in PACKAGES[extra])
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        enough = next(extra for extra in (*extras, *PACKAGES) if set(missing) <= set(PACKAGES[extra]))
        raise MissingExtraError(missing[0], enough, purpose)
