"""The key of a state: a hash of where training began and of every row of values that its updates received.

    key(0) = H(origin),    key(t) = H(origin, row 0, ..., row t-1)

So two runs have equal keys exactly when they would be in the same state, in any study, and independently of what
follows. H is BLAKE2b with 128 bits.
"""

import hashlib
from bisect import bisect_right
from typing import Any, final

from .tree import UpdatePath


@final
class StateKeys:
    """The keys along one path, each computed once; a path may grow at its end."""

    def __init__(self, path: UpdatePath) -> None:
        self.path = path
        start = hashlib.blake2b(f"{path.origin} {path.width} ".encode(), digest_size=16)
        self._steps, self._hashes = [0], [start]

    def key(self, step: int) -> str:
        """Return the key of the state before update `step`, 32 hexadecimal digits.

        Examples:
            >>> StateKeys(UpdatePath("o", 1, b"ab")).key(1) == StateKeys(UpdatePath("o", 1, b"ac")).key(1)
            True
            >>> StateKeys(UpdatePath("o", 1, b"ab")).key(2) == StateKeys(UpdatePath("o", 1, b"ac")).key(2)
            False
        """
        return str(self._hash_at(step).hexdigest())

    def _hash_at(self, step: int) -> Any:
        place = bisect_right(self._steps, step) - 1
        before = self._steps[place]
        if before == step:
            return self._hashes[place]
        width = self.path.width
        hasher = self._hashes[place].copy()
        hasher.update(memoryview(self.path.rows)[before * width : step * width])
        self._steps.insert(place + 1, step)
        self._hashes.insert(place + 1, hasher)
        return hasher
