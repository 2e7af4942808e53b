"""Warnings that a scheduler gives once: the first time that each is due."""

from typing import final

from glidepath.warn import warn_caller


@final
class OnceWarnings:
    """Gives each warning at most once, told apart by its code. Shared by all parts of one scheduler."""

    __slots__ = ("_deferred", "_given")

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._deferred: dict[str, str] = {}

    def warn(self, message: str, code: str) -> None:
        """Give a warning, unless one with this code was given before."""
        if code not in self._given:
            self._given.add(code)
            warn_caller(message, code)

    @property
    def waits(self) -> bool:
        """Return whether a warning waits for the next update."""
        return bool(self._deferred)

    def defer(self, message: str, code: str) -> None:
        """Give a warning at the next update, unless a state is loaded before."""
        self._deferred.setdefault(code, message)

    def give_deferred(self) -> None:
        """Give the warnings that were deferred until an update."""
        while self._deferred:
            code, message = self._deferred.popitem()
            self.warn(message, code)

    def drop_deferred(self) -> None:
        """Forget the deferred warnings: a loaded state has settled what they ask."""
        self._deferred.clear()
